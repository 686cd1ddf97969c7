// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package api_test shows what the API takes and what it refuses, against a real
// API server: a table row for every rule of every kind, and the samples. It runs
// no controller.
package api_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

const (
	root      = "../.."
	crds      = root + "/config/crd/bases"
	samples   = root + "/config/samples"
	namespace = "api-test"
)

// strict is a client that has misspelt fields refused, as kubectl has.
var strict client.Client

func TestAPI(t *testing.T) {
	RegisterFailHandler(Fail)
	if missing := missingBinary(); missing != "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing; make servers builds it", missing)
		}
		t.Skipf("%s is missing; make servers builds it", missing)
	}
	RunSpecs(t, "API")
}

var _ = BeforeSuite(func(ctx context.Context) {
	server := &envtest.Environment{
		BinaryAssetsDirectory: binaries(),
		CRDDirectoryPaths:     []string{crds},
		ErrorIfCRDPathMissing: true,
	}
	config, err := server.Start()
	DeferCleanup(server.Stop)
	Expect(err).NotTo(HaveOccurred(), "the API server takes the custom resource definitions, CEL cost included")
	// The tables ask for more than a client's usual share.
	config.QPS = -1

	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	plain, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	strict = client.WithFieldValidation(plain, metav1.FieldValidationStrict)
	Expect(strict.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})).To(Succeed())
})

// binaries is the folder of etcd and kube-apiserver.
func binaries() string {
	if folder := os.Getenv("KUBEBUILDER_ASSETS"); folder != "" {
		return folder
	}
	return filepath.Join(root, "bin")
}

func missingBinary() string {
	for _, name := range []string{"etcd", "kube-apiserver"} {
		path := filepath.Join(binaries(), name)
		if _, err := os.Stat(path); err != nil {
			return path
		}
	}
	return ""
}
