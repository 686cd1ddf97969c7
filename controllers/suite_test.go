// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/controllers"
	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/directory"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

// operatorNamespace is where the credentials are.
const operatorNamespace = "cabildo-system"

// concurrency is how many resources of a kind are reconciled at once.
const concurrency = 8

var (
	k8s       client.Client
	decider   client.Client // of somebody else, who may decide on what k8s asks for
	apiserver *rest.Config
	servers   sync.Map // *memory.Server by URL
	asked     sync.Map // *questions by URL
	now       shifted
	// shown is what the suite's manager shows of the platforms.
	shown *prometheus.Registry

	stopManager func()
)

func TestControllers(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	SetDefaultConsistentlyDuration(700 * time.Millisecond)
	RunSpecs(t, "controllers on a real API server and the memory platform")
}

var _ = BeforeSuite(func() {
	ctrl.SetLogger(zap.New(zap.WriteTo(GinkgoWriter), zap.UseDevMode(true)))
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())

	env := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	started, err := env.Start()
	Expect(err).NotTo(HaveOccurred(), "run make test, which builds the API server")
	DeferCleanup(env.Stop)
	started.QPS, started.Burst = 200, 400

	k8s, err = client.New(started, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	Expect(k8s.Create(context.Background(), namespaced(operatorNamespace))).To(Succeed())

	decider, err = devenv.NewDecider(started, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	Expect(devenv.GuardDecisions(context.Background(), k8s, filepath.Join("..", "config", "admission"))).To(Succeed())

	open := devenv.OpenPolicy()
	Expect(unstructured.SetNestedSlice(open.Object, []any{map[string]any{"key": ungoverned, "operator": "DoesNotExist"}},
		"spec", "governs", "namespaceSelector", "matchExpressions")).To(Succeed())
	Expect(k8s.Create(context.Background(), open)).To(Succeed())

	apiserver = started
	stopManager, shown = startManager()
	DeferCleanup(func() { stopManager() })
})

// restart ends the manager and starts another, as a new process would.
func restart() {
	GinkgoHelper()
	stopManager()
	stopManager, shown = startManager()
}

// shifted is a clock that can be put ahead.
type shifted struct {
	clock.RealClock
	by atomic.Int64
}

func (s *shifted) Now() time.Time                   { return s.RealClock.Now().Add(time.Duration(s.by.Load())) }
func (s *shifted) Since(at time.Time) time.Duration { return s.Now().Sub(at) }

// ahead puts the manager's clock ahead, for every spec from now on.
func ahead(d time.Duration) { now.by.Add(int64(d)) }

// startManager starts a manager, as a new process would, and returns what stops it and what it shows.
func startManager() (stop func(), shows *prometheus.Registry) {
	GinkgoHelper()
	mgr, err := ctrl.NewManager(apiserver, ctrl.Options{
		NewClient: func(cfg *rest.Config, o client.Options) (client.Client, error) {
			c, err := client.New(cfg, o)
			return blindable{c}, err
		},
		Scheme: k8s.Scheme(), Cache: controllers.CacheOptions(operatorNamespace),
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background())
	shows = prometheus.NewRegistry()
	Expect(controllers.Setup(ctx, mgr, controllers.Options{
		Namespace:        operatorNamespace,
		Factories:        map[v1alpha1.PlatformType]platform.Factory{v1alpha1.PlatformMatrix: openMemory},
		Metrics:          platform.NewMetrics(shows),
		DirectoryMetrics: directory.NewMetrics(shows),
		Concurrency:      concurrency,
		Clock:            &now,
		PassLimit:        time.Second,
		RetryBase:        50 * time.Millisecond,
		RetryMax:         500 * time.Millisecond,
	})).To(Succeed())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	return func() {
		cancel()
		Eventually(done).Should(Receive(Not(HaveOccurred())))
	}, shows
}

// openMemory opens the server that a test put at the URL.
func openMemory(ctx context.Context, cfg platform.Config) (platform.Adapter, error) {
	server, ok := servers.Load(cfg.URL)
	if !ok {
		return nil, fmt.Errorf("no server at %s", cfg.URL)
	}
	adapter, err := server.(*memory.Server).Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	q, _ := asked.LoadOrStore(cfg.URL, &questions{})
	return listening{adapter, q.(*questions)}, nil
}

func namespaced(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

var tests atomic.Int64

// world is what one test has for itself: a namespace, a platform and the server behind it.
type world struct {
	namespace string
	name      string
	server    *memory.Server
	platform  *v1alpha1.Platform
	secret    *corev1.Secret
}

// newWorld makes the names, and nothing on the API server but the namespace.
func newWorld(ctx context.Context, people ...string) *world {
	name := fmt.Sprintf("t%d", tests.Add(1))
	w := &world{namespace: name, name: name, server: memory.NewServer()}
	for _, p := range people {
		w.server.AddPerson("@" + p + ":memory")
	}
	url := "https://" + name + ".example"
	servers.Store(url, w.server)
	Expect(k8s.Create(ctx, namespaced(name))).To(Succeed())
	w.platform = &v1alpha1.Platform{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.PlatformSpec{
			Type: v1alpha1.PlatformMatrix, OwnerID: "test",
			Matrix:         &v1alpha1.MatrixPlatform{HomeserverURL: url, ServerName: "memory"},
			CredentialsRef: v1alpha1.LocalReference{Name: name},
			Access: []v1alpha1.PlatformAccess{{
				NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": name}},
				Names:             []string{"eng", "eng-*"},
			}},
		},
	}
	w.secret = &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: name},
		StringData: map[string]string{"url": url, "accessToken": "secret-" + name},
	}
	return w
}

// ready makes the platform and its Secret, and waits until it is Ready.
func (w *world) ready(ctx context.Context) *world {
	Expect(k8s.Create(ctx, w.secret)).To(Succeed())
	Expect(k8s.Create(ctx, w.platform)).To(Succeed())
	w.expect(ctx, w.platform, metav1.ConditionTrue, v1alpha1.ReasonReady)
	return w
}

func (w *world) community() *v1alpha1.Community {
	return &v1alpha1.Community{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "engineering"},
		Spec: v1alpha1.CommunitySpec{
			DisplayName: "Engineering", Purpose: "Share practice.",
			Platforms: []v1alpha1.CommunityPlatform{{PlatformRef: v1alpha1.LocalReference{Name: w.name}, SpaceName: "eng"}},
		},
	}
}

func (w *world) group(name string, members ...string) *v1alpha1.Group {
	g := &v1alpha1.Group{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec: v1alpha1.GroupSpec{
			CommunityRef: v1alpha1.LocalReference{Name: "engineering"}, DisplayName: name, Purpose: "About " + name + ".",
		},
	}
	for _, m := range members {
		g.Spec.Members = append(g.Spec.Members, v1alpha1.MemberSource{Person: m})
	}
	return g
}

// create makes objects in this order.
func (w *world) create(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, o := range objects {
		as := k8s
		if _, decides := o.(*v1alpha1.GovernanceDecision); decides {
			as = decider
		}
		Expect(as.Create(ctx, o)).To(Succeed())
	}
}

// expect waits until Ready has a status and a reason, on the generation that was written.
func (w *world) expect(ctx context.Context, o client.Object, ready metav1.ConditionStatus, reason string) *metav1.Condition {
	GinkgoHelper()
	return w.expectCondition(ctx, o, v1alpha1.ConditionReady, ready, reason)
}

func (w *world) expectCondition(ctx context.Context, o client.Object, kind string, value metav1.ConditionStatus, reason string) *metav1.Condition {
	GinkgoHelper()
	var found *metav1.Condition
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
		found = meta.FindStatusCondition(v1alpha1.ConditionsOf(o), kind)
		g.Expect(found).NotTo(BeNil(), "no condition %s yet", kind)
		g.Expect(found.Reason).To(Equal(reason), found.Message)
		g.Expect(found.Status).To(Equal(value), found.Message)
		g.Expect(found.ObservedGeneration).To(Equal(o.GetGeneration()))
		stalled := meta.IsStatusConditionTrue(v1alpha1.ConditionsOf(o), v1alpha1.ConditionStalled)
		reconciling := meta.IsStatusConditionTrue(v1alpha1.ConditionsOf(o), v1alpha1.ConditionReconciling)
		g.Expect(stalled && reconciling).To(BeFalse(), "Stalled and Reconciling are never both true")
	}).Should(Succeed())
	return found
}

// change edits an object as a user would.
func (w *world) change(ctx context.Context, o client.Object, edit func()) {
	GinkgoHelper()
	Eventually(func() error {
		if err := k8s.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		edit()
		return k8s.Update(ctx, o)
	}).Should(Succeed())
}

// gone waits until an object is deleted.
func (w *world) gone(ctx context.Context, o client.Object) {
	GinkgoHelper()
	Eventually(func() error { return client.IgnoreNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(o), o)) }).Should(Succeed())
	Eventually(func() bool { return k8s.Get(ctx, client.ObjectKeyFromObject(o), o) != nil }).Should(BeTrue(), "%s is still there", o.GetName())
}
