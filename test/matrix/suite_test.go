// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package matrix_test holds the specs that need a real homeserver and a real
// API server together: what users of Cabildo on Matrix rely on, and what can go wrong there.
package matrix_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/controllers"
	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/matrix"
)

const operatorNamespace = "cabildo-system"

var (
	k8s        client.Client
	homeserver *devenv.Dendrite
	// logged is every line of the manager's log, those for debugging too.
	logged = gbytes.NewBuffer()
)

func TestMatrix(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(time.Minute) // a homeserver may keep a poll open for half of it
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	SetDefaultConsistentlyDuration(2 * time.Second)
	RunSpecs(t, "Cabildo on a real homeserver")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	ctrl.SetLogger(zap.New(zap.WriteTo(io.MultiWriter(GinkgoWriter, logged)), zap.UseDevMode(true)))
	var err error
	homeserver, err = devenv.StartDendrite(ctx, devenv.DendriteOptions{})
	Expect(err).NotTo(HaveOccurred(), "run make test, which builds the homeserver")
	DeferCleanup(homeserver.Close)

	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	env := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	config, err := env.Start()
	Expect(err).NotTo(HaveOccurred(), "run make test, which builds the API server")
	DeferCleanup(env.Stop)
	k8s, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	Expect(k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: operatorNamespace}})).To(Succeed())
	admission := filepath.Join("..", "..", "config", "admission")
	Expect(devenv.CreateFiles(ctx, k8s,
		filepath.Join(admission, "decisions_policy.yaml"), filepath.Join(admission, "decisions_binding.yaml"))).To(Succeed())

	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme, Cache: controllers.CacheOptions(operatorNamespace),
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
	})
	Expect(err).NotTo(HaveOccurred())
	running, cancel := context.WithCancel(context.Background())
	Expect(controllers.Setup(running, mgr, controllers.Options{
		Namespace:   operatorNamespace,
		Factories:   map[v1alpha1.PlatformType]platform.Factory{v1alpha1.PlatformMatrix: matrix.New},
		Concurrency: 8,
		RetryBase:   100 * time.Millisecond,
		RetryMax:    time.Second,
	})).To(Succeed())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(running) }()
	DeferCleanup(func() {
		cancel()
		Eventually(done).Should(Receive(Not(HaveOccurred())))
	})
})

var worlds atomic.Int64

// world is what one spec has for itself: a namespace, a Platform and names of its own on the homeserver.
type world struct {
	name      string
	platform  *v1alpha1.Platform
	secret    *corev1.Secret
	community *v1alpha1.Community
	group     *v1alpha1.Group
}

func newWorld(ctx context.Context) *world {
	GinkgoHelper()
	name := fmt.Sprintf("w%d", worlds.Add(1))
	Expect(k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	return &world{
		name: name,
		platform: &v1alpha1.Platform{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: v1alpha1.PlatformSpec{
				Type: v1alpha1.PlatformMatrix, OwnerID: "owner-of-" + name,
				Matrix:         &v1alpha1.MatrixPlatform{HomeserverURL: homeserver.URL, ServerName: homeserver.ServerName},
				CredentialsRef: v1alpha1.LocalReference{Name: name},
				Access:         []v1alpha1.PlatformAccess{{Names: []string{name, name + "-*"}}},
			},
		},
		secret: &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: name},
			StringData: map[string]string{"url": homeserver.URL, "asToken": homeserver.ASToken},
		},
		community: &v1alpha1.Community{
			ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "engineering"},
			Spec: v1alpha1.CommunitySpec{
				DisplayName: "Engineering", Purpose: "Share practice.",
				Guidelines: &v1alpha1.Guidelines{Text: "Be **kind**."},
				Platforms:  []v1alpha1.CommunityPlatform{{PlatformRef: v1alpha1.LocalReference{Name: name}, SpaceName: name}},
			},
		},
		group: &v1alpha1.Group{
			ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "golang"},
			Spec: v1alpha1.GroupSpec{
				CommunityRef: v1alpha1.LocalReference{Name: "engineering"}, DisplayName: "Go", Purpose: "Everything about Go.",
			},
		},
	}
}

// ready makes everything, and waits until the group is Ready.
func (w *world) ready(ctx context.Context) *world {
	GinkgoHelper()
	w.create(ctx, w.secret, w.platform, w.community, w.group)
	w.expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
	w.expect(ctx, w.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
	return w
}

func (w *world) create(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, o := range objects {
		Expect(k8s.Create(ctx, o)).To(Succeed())
	}
}

func (w *world) expect(ctx context.Context, o client.Object, ready metav1.ConditionStatus, reason string) *metav1.Condition {
	GinkgoHelper()
	return w.expectCondition(ctx, o, v1alpha1.ConditionReady, ready, reason)
}

func (w *world) expectCondition(ctx context.Context, o client.Object, kind string, value metav1.ConditionStatus, reason string) *metav1.Condition {
	GinkgoHelper()
	var found *metav1.Condition
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
		var conditions []metav1.Condition
		switch o := o.(type) {
		case *v1alpha1.Platform:
			conditions = o.Status.Conditions
		case *v1alpha1.Community:
			conditions = o.Status.Conditions
		case *v1alpha1.Group:
			conditions = o.Status.Conditions
		case *v1alpha1.GovernanceDecision:
			conditions = o.Status.Conditions
		}
		found = meta.FindStatusCondition(conditions, kind)
		g.Expect(found).NotTo(BeNil(), "no condition %s yet", kind)
		g.Expect(found.Reason).To(Equal(reason), found.Message)
		g.Expect(found.Status).To(Equal(value), found.Message)
		g.Expect(found.ObservedGeneration).To(Equal(o.GetGeneration()))
	}).Should(Succeed())
	return found
}

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

func (w *world) gone(ctx context.Context, o client.Object) {
	GinkgoHelper()
	Eventually(func() error { return k8s.Get(ctx, client.ObjectKeyFromObject(o), o) }).Should(
		WithTransform(func(err error) bool { return err != nil && client.IgnoreNotFound(err) == nil }, BeTrue()))
}

// room is the room of the group.
func (w *world) room() id.RoomID { return id.RoomID(w.group.Status.Platforms[0].SpaceID) }

// operator is a client that acts as Cabildo does, to look and to do by hand what an administrator could.
func operator() *mautrix.Client {
	GinkgoHelper()
	c, err := mautrix.NewClient(homeserver.URL, id.UserID(homeserver.OperatorUserID), homeserver.ASToken)
	Expect(err).NotTo(HaveOccurred())
	return c
}

// person makes an account and returns a client for it.
func person(ctx context.Context, name string) *mautrix.Client {
	GinkgoHelper()
	token, err := homeserver.CreateUser(ctx, name, "correct horse")
	Expect(err).NotTo(HaveOccurred())
	c, err := mautrix.NewClient(homeserver.URL, id.NewUserID(name, homeserver.ServerName), token)
	Expect(err).NotTo(HaveOccurred())
	c.Client = &http.Client{Timeout: 30 * time.Second}
	return c
}

// state reads one state event into content.
func state(ctx context.Context, room id.RoomID, kind event.Type, key string, content any) error {
	return operator().StateEvent(ctx, room, kind, key, content)
}
