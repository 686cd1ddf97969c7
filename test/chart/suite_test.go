// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package chart_test shows what the Helm chart installs, with the real helm and
// a real API server, and that it is the same as config/. No Pod runs.
package chart_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

const (
	root  = "../.."
	chart = root + "/charts/cabildo"
	// The namespace that config/ names as well, so that the two can be compared.
	namespace  = "cabildo-system"
	kubernetes = "1.36.0"
	// Helm knows what a cluster serves when it has one.
	mutatingPolicies = "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"
)

func TestChart(t *testing.T) {
	RegisterFailHandler(Fail)
	for _, name := range []string{"helm", "etcd", "kube-apiserver"} {
		path := filepath.Join(binaries(), name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing; make test builds it", path)
		}
		t.Skipf("%s is missing; make test builds it", path)
	}
	RunSpecs(t, "Chart")
}

// binaries is the folder of helm, etcd and kube-apiserver.
func binaries() string {
	folder := filepath.Join(root, "bin")
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" {
		folder = assets
	}
	absolute, err := filepath.Abs(folder)
	if err != nil {
		panic(err)
	}
	return absolute
}

// helm runs helm away from the user's own settings. The error is what it says.
func helm(ctx context.Context, args ...string) (string, error) {
	home := GinkgoT().TempDir()
	cmd := exec.CommandContext(ctx, filepath.Join(binaries(), "helm"), args...)
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return "", errors.Join(errors.New(complaint.String()+out.String()), err)
	}
	return out.String(), nil
}

// render is what the chart installs with these settings, each as for helm's --set-json.
func render(ctx context.Context, settings ...string) []*unstructured.Unstructured {
	out, err := template(ctx, settings...)
	Expect(err).NotTo(HaveOccurred())
	return parse(out)
}

func template(ctx context.Context, settings ...string) (string, error) {
	return templateOn(ctx, []string{"--kube-version", kubernetes, "--api-versions", mutatingPolicies}, settings...)
}

// templateOn renders for a cluster that these arguments describe.
func templateOn(ctx context.Context, cluster []string, settings ...string) (string, error) {
	args := append([]string{"template", "cabildo", chart, "--namespace", namespace}, cluster...)
	for _, s := range settings {
		args = append(args, "--set-json", s)
	}
	return helm(ctx, args...)
}

func parse(text string) []*unstructured.Unstructured {
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		Expect(err).NotTo(HaveOccurred())
		if len(object.Object) > 0 && object.GetKind() != "Kustomization" {
			objects = append(objects, object)
		}
	}
}

// filesIn are the objects of the files that a pattern matches.
func filesIn(pattern string) []*unstructured.Unstructured {
	files, err := filepath.Glob(filepath.Join(root, pattern))
	Expect(err).NotTo(HaveOccurred())
	Expect(files).NotTo(BeEmpty(), pattern)
	var objects []*unstructured.Unstructured
	for _, file := range files {
		content, err := os.ReadFile(file)
		Expect(err).NotTo(HaveOccurred())
		objects = append(objects, parse(string(content))...)
	}
	return objects
}

// ofKind are the objects of some kinds, read strictly as Go values.
func ofKind[T any](objects []*unstructured.Unstructured, kind string) []T {
	var typed []T
	for _, object := range objects {
		if object.GetKind() != kind {
			continue
		}
		var value T
		Expect(runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &value, true)).To(Succeed(), object.GetName())
		typed = append(typed, value)
	}
	return typed
}

// only is the single object of a kind.
func only[T any](objects []*unstructured.Unstructured, kind string) T {
	typed := ofKind[T](objects, kind)
	ExpectWithOffset(1, typed).To(HaveLen(1), kind)
	return typed[0]
}
