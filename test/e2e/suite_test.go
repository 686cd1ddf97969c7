// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package e2e_test installs the chart on a real cluster, with a homeserver
// beside it, and goes through the life of a release: what runs there is the
// image, with the chart's own rights and nothing more. `make e2e` runs it on
// the cluster of KUBECONFIG, whichever that is; `make test` leaves it out.
package e2e_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

const (
	chart   = "charts/cabildo"
	samples = "config/samples"

	release   = "cabildo"
	namespace = "cabildo-system" // of the operator; the samples name it as well
	beside    = "matrix-e2e"     // the namespace of the homeserver
)

// namespaces are all that the suite makes, and takes away.
var namespaces = []string{namespace, beside, "engineering", "community-office", "customers"}

// patience is how long a cluster may take for what usually takes seconds: nodes
// of continuous integration are slow, and after a crash the lease has to expire.
const patience = 4 * time.Minute

var (
	k8s       client.Client
	clientset *kubernetes.Clientset
)

// images are what make has built, by their names.
var images = struct{ cabildo, dendrite string }{os.Getenv("CABILDO_IMAGE"), os.Getenv("DENDRITE_IMAGE")}

func TestEndToEnd(t *testing.T) {
	if images.cabildo == "" || images.dendrite == "" {
		t.Skip("make e2e runs this on a cluster, with the images that it takes there")
	}
	t.Chdir("../..") // where make was called, so that KUBECONFIG means the same here
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	EnforceDefaultTimeoutsWhenUsingContexts()
	RunSpecs(t, "Cabildo on a cluster")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	ctrl.SetLogger(zap.New(zap.WriteTo(GinkgoWriter)))
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, v1alpha1.AddToScheme} {
		utilruntime.Must(add(scheme))
	}
	k8s, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	clientset, err = kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())

	// What the suite takes away at its end may not be somebody's.
	for _, name := range namespaces {
		err := k8s.Get(ctx, client.ObjectKey{Name: name}, &corev1.Namespace{})
		Expect(apierrors.IsNotFound(err)).To(BeTrue(), "the suite wants a cluster without the namespace %s: %v", name, err)
	}
	Expect(definitions(ctx)).To(BeEmpty(), "the suite wants a cluster without Cabildo")
	DeferCleanup(clearUp)
})

// definitions are the names of our kinds that the cluster knows.
func definitions(ctx context.Context) []string {
	GinkgoHelper()
	var crds apiextensionsv1.CustomResourceDefinitionList
	Expect(k8s.List(ctx, &crds)).To(Succeed())
	var names []string
	for _, crd := range crds.Items {
		if crd.Spec.Group == v1alpha1.GroupVersion.Group {
			names = append(names, crd.Name)
		}
	}
	return names
}

// clearUp leaves the cluster as it was, also when the specs ended halfway: with
// no manager to let go of them, the resources lose their finalizers by hand.
func clearUp(ctx SpecContext) {
	var errs []error
	try := func(_ string, err error) { errs = append(errs, err) }
	try(helm(ctx, "uninstall", release, "--ignore-not-found", "--wait"))
	for _, crd := range definitions(ctx) {
		try(kubectl(ctx, "", "delete", crd, "--all", "--all-namespaces", "--wait=false"))
		left, err := kubectl(ctx, "", "get", crd, "--all-namespaces", "-o",
			`jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}{"\n"}{end}`)
		try(left, err)
		for line := range strings.Lines(left) {
			in, name, _ := strings.Cut(strings.TrimSpace(line), "/")
			args := []string{"patch", crd, name, "--type", "merge", "-p", `{"metadata":{"finalizers":null}}`}
			if in != "" {
				args = append(args, "--namespace", in)
			}
			if _, err := kubectl(ctx, "", args...); err != nil && !strings.Contains(err.Error(), "NotFound") {
				errs = append(errs, err)
			}
		}
		try(kubectl(ctx, "", "delete", "crd", crd))
	}
	try(kubectl(ctx, "", append([]string{"delete", "namespace", "--ignore-not-found"}, namespaces...)...))
	Expect(errors.Join(errs...)).NotTo(HaveOccurred(), "clearing up")
}

var _ = ReportAfterEach(func(ctx SpecContext, report SpecReport) {
	if !report.Failed() {
		return
	}
	// A cluster that is gone tells nothing, so errors are what is shown.
	for _, args := range [][]string{
		{"get", "pods", "--all-namespaces", "-o", "wide"},
		{"get", "events", "--namespace", namespace, "--sort-by", ".lastTimestamp"},
		{"get", "platforms.community.cabildo.dev,communities,groups.community.cabildo.dev", "--all-namespaces"},
		{"logs", "--namespace", beside, "deployment/dendrite", "--tail", "20"},
		{"logs", "--namespace", namespace, "deployment/" + release, "--tail", "40"},
	} {
		out, err := kubectl(ctx, "", args...)
		GinkgoWriter.Printf("\n$ kubectl %s\n%s", strings.Join(args, " "), out)
		if err != nil {
			GinkgoWriter.Println(err)
		}
	}
})
