// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// File is a file to write.
type File struct {
	Name    string
	Content []byte
}

// Manifests renders the objects, one file for each kind, in the order of the
// objects. Only what a person would write is in it: no status, no nulls.
func Manifests(objects []Object) ([]File, error) {
	var files []File
	index := map[string]int{}
	for _, object := range objects {
		document, err := manifest(object)
		if err != nil {
			return nil, err
		}
		name := fileName(kindOf(object))
		i, ok := index[name]
		if !ok {
			i = len(files)
			index[name] = i
			files = append(files, File{Name: name})
		} else {
			files[i].Content = append(files[i].Content, "---\n"...)
		}
		files[i].Content = append(files[i].Content, document...)
	}
	return files, nil
}

// Stream joins files into one stream of YAML documents.
func Stream(files []File) []byte {
	contents := make([][]byte, len(files))
	for i, f := range files {
		contents[i] = f.Content
	}
	return bytes.Join(contents, []byte("---\n"))
}

func manifest(object Object) ([]byte, error) {
	if kindOf(object) == "" {
		return nil, fmt.Errorf("rendering %T %s: it has no kind", object, object.GetName())
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("rendering %s %s: %w", kindOf(object), object.GetName(), err)
	}
	unstructured.RemoveNestedField(content, "status")
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	document, err := yaml.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("rendering %s %s: %w", kindOf(object), object.GetName(), err)
	}
	return document, nil
}

// fileName: a community is usually the only one of its kind.
func fileName(kind string) string {
	if kind == "Community" {
		return "community.yaml"
	}
	return strings.ToLower(kind) + "s.yaml"
}
