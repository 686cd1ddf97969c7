// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/cabildo-dev/cabildo/internal/importer"
	"github.com/cabildo-dev/cabildo/internal/importer/importertest"
	"github.com/cabildo-dev/cabildo/internal/importer/peribolos"
	"github.com/cabildo-dev/cabildo/internal/importer/sigsyaml"
	"github.com/cabildo-dev/cabildo/internal/importer/slackconfig"
)

// TestTheAPIServerTakesTheManifests applies what is written, not what is in
// memory, to a real API server with strict validation.
func TestTheAPIServerTakesTheManifests(t *testing.T) {
	cluster := startAPIServer(t)
	for name, convert := range map[string]func(*testing.T) *importer.Result{
		"slack-config-example": func(t *testing.T) *importer.Result {
			return slackConfig(t, filepath.Join("slackconfig", "testdata", "example", "in"), "slack-config-example")
		},
		"slack-config-kubernetes": func(t *testing.T) *importer.Result {
			return slackConfig(t, importertest.Data(t, "kubernetes", "slack-config"), "slack-config-kubernetes")
		},
		"sigs-yaml-example": func(t *testing.T) *importer.Result {
			return sigsYAML(t, filepath.Join("sigsyaml", "testdata", "example", "in", "sigs.yaml"), "sigs-yaml-example")
		},
		"sigs-yaml-kubernetes": func(t *testing.T) *importer.Result {
			return sigsYAML(t, importertest.Data(t, "kubernetes", "sigs.yaml"), "sigs-yaml-kubernetes")
		},
		"peribolos-example": func(t *testing.T) *importer.Result {
			return organisation(t, filepath.Join("peribolos", "testdata", "example", "in"), "guild", "peribolos-example")
		},
		"peribolos-kubernetes": func(t *testing.T) *importer.Result {
			return organisation(t, importertest.Data(t, "kubernetes", "org"), "kubernetes", "peribolos-kubernetes")
		},
		"peribolos-kubernetes-sigs": func(t *testing.T) *importer.Result {
			return organisation(t, importertest.Data(t, "kubernetes", "org"), "kubernetes-sigs", "peribolos-kubernetes-sigs")
		},
	} {
		t.Run(name, func(t *testing.T) {
			result := convert(t)
			files, err := importer.Manifests(result.Objects)
			if err != nil {
				t.Fatal(err)
			}
			namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
			if err := cluster.Create(t.Context(), namespace); err != nil {
				t.Fatal(err)
			}
			objects := decode(t, importer.Stream(files))
			if len(objects) != len(result.Objects) {
				t.Fatalf("%d documents for %d objects", len(objects), len(result.Objects))
			}
			var wait sync.WaitGroup
			slots := make(chan struct{}, 8)
			for _, object := range objects {
				wait.Go(func() {
					slots <- struct{}{}
					defer func() { <-slots }()
					if err := cluster.Create(t.Context(), object); err != nil {
						t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
					}
				})
			}
			wait.Wait()
		})
	}
}

func slackConfig(t *testing.T, dir, name string) *importer.Result {
	t.Helper()
	config, err := slackconfig.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	result, err := slackconfig.Convert(config, slackconfig.Options{Community: name, Namespace: name, Platform: "chat"})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func sigsYAML(t *testing.T, path, name string) *importer.Result {
	t.Helper()
	config, err := sigsyaml.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	result, err := sigsyaml.Convert(config, importer.Options{Community: name, Namespace: name, Platform: "chat"})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func organisation(t *testing.T, dir, org, name string) *importer.Result {
	t.Helper()
	config, err := peribolos.ReadDir(dir, org)
	if err != nil {
		t.Fatal(err)
	}
	result, err := peribolos.Convert(config, importer.Options{Namespace: name, Platform: "chat"})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func startAPIServer(t *testing.T) client.Client {
	t.Helper()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		assets = filepath.Join(importertest.Repository(t), "bin")
	}
	crds := filepath.Join(importertest.Repository(t), "config", "crd", "bases")
	for _, path := range []string{filepath.Join(assets, "kube-apiserver"), filepath.Join(assets, "etcd"), crds} {
		if _, err := os.Stat(path); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("no API server to validate against: %v", err)
			}
			t.Skipf("no API server to validate against: %v", err)
		}
	}
	environment := &envtest.Environment{
		BinaryAssetsDirectory: assets,
		CRDDirectoryPaths:     []string{crds},
		ErrorIfCRDPathMissing: true,
	}
	config, err := environment.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	config.QPS, config.Burst = 500, 500
	cluster, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return client.WithFieldValidation(cluster, metav1.FieldValidationStrict)
}

func decode(t *testing.T, stream []byte) []*unstructured.Unstructured {
	t.Helper()
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(stream), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
}
