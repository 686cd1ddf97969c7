// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cluster is a real API server with the manager's controllers on it, for suites that look at the whole path
// to a platform, and what their specs say of resources.
package cluster

import (
	"context"
	"io"
	"path/filepath"
	"runtime"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/controllers"
	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// Namespace is the operator's own.
const Namespace = "cabildo-system"

// Cluster is what specs talk to.
type Cluster struct {
	API client.Client
	// Decider is somebody else, who may decide on what API asks for.
	Decider client.Client
	// Logged is every line of the manager's log, those for debugging too.
	Logged *gbytes.Buffer
}

// Start starts everything for a suite, which ends it.
func Start(ctx context.Context, factories map[v1alpha1.PlatformType]platform.Factory) *Cluster {
	GinkgoHelper()
	c := &Cluster{Logged: gbytes.NewBuffer()}
	ctrl.SetLogger(zap.New(zap.WriteTo(io.MultiWriter(GinkgoWriter, c.Logged)), zap.UseDevMode(true)))
	scheme := apiruntime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	env := &envtest.Environment{
		CRDDirectoryPaths:     []string{inRepository("config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	config, err := env.Start()
	Expect(err).NotTo(HaveOccurred(), "run make test, which builds the API server")
	DeferCleanup(env.Stop)
	c.API, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	Expect(c.API.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}})).To(Succeed())
	c.Decider, err = devenv.NewDecider(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	Expect(devenv.GuardDecisions(ctx, c.API, inRepository("config", "admission"))).To(Succeed())
	Expect(c.API.Create(ctx, devenv.OpenPolicy())).To(Succeed())

	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme, Cache: controllers.CacheOptions(Namespace),
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
	})
	Expect(err).NotTo(HaveOccurred())
	running, cancel := context.WithCancel(context.Background())
	Expect(controllers.Setup(running, mgr, controllers.Options{
		Namespace: Namespace, Factories: factories, Concurrency: 8, RetryBase: 100 * time.Millisecond, RetryMax: time.Second,
	})).To(Succeed())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(running) }()
	DeferCleanup(func() {
		cancel()
		Eventually(done).Should(Receive(Not(HaveOccurred())))
	})
	return c
}

// inRepository is a path in this repository, from whatever folder a suite runs in.
func inRepository(path ...string) string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(append([]string{filepath.Dir(file), "..", ".."}, path...)...)
}

// Create makes resources.
func (c *Cluster) Create(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, o := range objects {
		Expect(c.API.Create(ctx, o)).To(Succeed())
	}
}

// Manager is somebody in a formal role in the community engineering of a namespace.
func Manager(namespace, person string, role v1alpha1.ManagerRole) *v1alpha1.CommunityManager {
	return &v1alpha1.CommunityManager{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: person},
		Spec: v1alpha1.CommunityManagerSpec{
			Person: person, Role: role, Commitment: v1alpha1.CommitmentPartTime,
			Purpose: "Keeps it useful.", Responsibilities: []string{"Onboarding"},
			Communities: []v1alpha1.ManagedCommunities{{Name: "engineering"}},
		},
	}
}

// LeaveNow is a leave that has begun, and lasts for the rest of a test at least.
func LeaveNow() []v1alpha1.Leave {
	day := func(from int) string { return time.Now().UTC().AddDate(0, 0, from).Format(time.DateOnly) }
	return []v1alpha1.Leave{{Start: day(-1), End: day(2)}}
}

// Expect waits until a resource is Ready or not for a reason, and reads it.
func (c *Cluster) Expect(ctx context.Context, o client.Object, ready metav1.ConditionStatus, reason string) *metav1.Condition {
	GinkgoHelper()
	return c.ExpectCondition(ctx, o, v1alpha1.ConditionReady, ready, reason)
}

// ExpectCondition waits for a condition of a resource, and reads it.
func (c *Cluster) ExpectCondition(ctx context.Context, o client.Object, kind string, value metav1.ConditionStatus, reason string) *metav1.Condition {
	GinkgoHelper()
	var found *metav1.Condition
	Eventually(func(g Gomega) {
		g.Expect(c.API.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
		found = meta.FindStatusCondition(v1alpha1.ConditionsOf(o), kind)
		g.Expect(found).NotTo(BeNil(), "no condition %s yet", kind)
		g.Expect(found.Reason).To(Equal(reason), found.Message)
		g.Expect(found.Status).To(Equal(value), found.Message)
		g.Expect(found.ObservedGeneration).To(Equal(o.GetGeneration()))
	}).Should(Succeed())
	return found
}

// Change reads a resource, changes it, and writes it, until nobody was faster.
func (c *Cluster) Change(ctx context.Context, o client.Object, edit func()) {
	GinkgoHelper()
	Eventually(func() error {
		if err := c.API.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		edit()
		return c.API.Update(ctx, o)
	}).Should(Succeed())
}

// Gone waits until a resource is not there any more.
func (c *Cluster) Gone(ctx context.Context, o client.Object) {
	GinkgoHelper()
	Eventually(func() error { return c.API.Get(ctx, client.ObjectKeyFromObject(o), o) }).Should(
		WithTransform(func(err error) bool { return err != nil && client.IgnoreNotFound(err) == nil }, BeTrue()))
}
