// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership_test

import (
	"context"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/controllers"
	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/matrix"
)

const operatorNamespace = "cabildo-system"

// installation is one Cabildo: an empty control plane at first, and a manager.
type installation struct {
	client.Client
	owner    string
	server   *rest.Config
	requests *prometheus.Registry
	// stop ends the manager, as the loss of the cluster would. The control plane goes on.
	stop func()
}

func install(ctx context.Context, owner string) *installation {
	GinkgoHelper()
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	env := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	server, err := env.Start()
	Expect(err).NotTo(HaveOccurred(), "run make test, which builds the API server")
	DeferCleanup(env.Stop)
	i := &installation{owner: owner, server: server, requests: prometheus.NewRegistry()}
	i.Client, err = client.New(server, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	Expect(i.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: operatorNamespace}})).To(Succeed())
	Expect(i.Create(ctx, devenv.OpenPolicy())).To(Succeed())
	i.start()
	return i
}

// start starts the manager.
func (i *installation) start() {
	GinkgoHelper()
	mgr, err := ctrl.NewManager(i.server, ctrl.Options{
		Scheme: i.Scheme(), Cache: controllers.CacheOptions(operatorNamespace),
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
		Logger:     ctrl.Log.WithName(i.owner),
	})
	Expect(err).NotTo(HaveOccurred())
	running, cancel := context.WithCancel(context.Background())
	Expect(controllers.Setup(running, mgr, controllers.Options{
		Namespace:   operatorNamespace,
		Factories:   map[v1alpha1.PlatformType]platform.Factory{v1alpha1.PlatformMatrix: matrix.New},
		Metrics:     platform.NewMetrics(i.requests),
		Concurrency: 8,
		RetryBase:   100 * time.Millisecond,
		RetryMax:    time.Second,
	})).To(Succeed())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(running) }()
	i.stop = sync.OnceFunc(func() {
		cancel()
		Eventually(done).Should(Receive(Not(HaveOccurred())))
	})
	DeferCleanup(func() { i.stop() })
}

// writes is how many requests the installation has sent for a platform that
// may change something there: all but those to read.
func (i *installation) writes(name string) int {
	GinkgoHelper()
	families, err := i.requests.Gather()
	Expect(err).NotTo(HaveOccurred())
	total, asked := 0, 0
	for _, family := range families {
		if family.GetName() != "cabildo_platform_requests_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, pair := range metric.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			if labels["platform"] != name {
				continue
			}
			asked += int(metric.GetCounter().GetValue())
			if labels["method"] != http.MethodGet {
				total += int(metric.GetCounter().GetValue())
			}
		}
	}
	Expect(asked).To(BeNumerically(">", 0), "no request is counted at all, so this looks in the wrong place")
	return total
}

// town is what a tenant declares, and what the platform team gave them: a
// Platform, its Secret, a community and a group. It goes by one name, in the
// cluster and on the homeserver.
type town struct {
	name      string
	platform  *v1alpha1.Platform
	secret    *corev1.Secret
	community *v1alpha1.Community
	group     *v1alpha1.Group
}

// town makes the declarations, and nothing on the API server but the namespace.
func (i *installation) town(ctx context.Context, name string) *town {
	GinkgoHelper()
	Expect(client.IgnoreAlreadyExists(i.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))).To(Succeed())
	return &town{
		name: name,
		platform: &v1alpha1.Platform{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: v1alpha1.PlatformSpec{
				Type: v1alpha1.PlatformMatrix, OwnerID: i.owner,
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
				DisplayName: "Engineering of " + i.owner, Purpose: "Share practice.",
				Guidelines: &v1alpha1.Guidelines{Text: "Be kind."},
				Platforms:  []v1alpha1.CommunityPlatform{{PlatformRef: v1alpha1.LocalReference{Name: name}, SpaceName: name}},
			},
		},
		group: &v1alpha1.Group{
			ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "golang"},
			Spec: v1alpha1.GroupSpec{
				CommunityRef: v1alpha1.LocalReference{Name: "engineering"}, DisplayName: "Go of " + i.owner, Purpose: "Everything about Go.",
			},
		},
	}
}

// objects are in the order of a folder that is applied.
func (t *town) objects() []client.Object {
	return []client.Object{t.secret, t.platform, t.community, t.group}
}

// rooms are those of the community and of the group.
func (t *town) rooms() []string {
	return []string{t.community.Status.Platforms[0].SpaceID, t.group.Status.Platforms[0].SpaceID}
}

// adopts lets a town take over what nobody owns.
func (t *town) adopts() {
	adopt := &v1alpha1.Management{Adoption: v1alpha1.AdoptIfUnowned}
	t.community.Spec.Management, t.group.Spec.Management = adopt, adopt
}

// actsAs gives a town's platform an account of its own instead of the application service's.
func (t *town) actsAs(token string) {
	t.secret.StringData = map[string]string{"url": t.platform.Spec.Matrix.HomeserverURL, "accessToken": token}
}

// isAt moves a town's platform to another homeserver, before it is applied.
func (t *town) isAt(at *devenv.LocalHomeserver) {
	t.platform.Spec.Matrix.HomeserverURL, t.platform.Spec.Matrix.ServerName = at.URL, at.ServerName
	t.secret.StringData = map[string]string{"url": at.URL, "asToken": at.ASToken}
}

// versions are those of a town's resources on the API server, which change with every write.
func (i *installation) versions(ctx context.Context, t *town) (versions []string) {
	GinkgoHelper()
	for _, o := range t.objects() {
		Expect(i.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
		versions = append(versions, o.GetResourceVersion())
	}
	return versions
}

func (i *installation) apply(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, o := range objects {
		Expect(i.Create(ctx, o)).To(Succeed())
	}
}

// ready applies a town and waits until it is Ready.
func (i *installation) ready(ctx context.Context, t *town) {
	GinkgoHelper()
	i.apply(ctx, t.objects()...)
	i.settled(ctx, t)
}

func (i *installation) settled(ctx context.Context, t *town) {
	GinkgoHelper()
	i.says(ctx, t.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
	i.says(ctx, t.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
}

// says waits until a resource says whether it is Ready, and why, of what is declared now.
func (i *installation) says(ctx context.Context, o client.Object, ready metav1.ConditionStatus, reason string) *metav1.Condition {
	GinkgoHelper()
	var found *metav1.Condition
	Eventually(func(g Gomega) {
		g.Expect(i.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
		found = meta.FindStatusCondition(v1alpha1.ConditionsOf(o), v1alpha1.ConditionReady)
		g.Expect(found).NotTo(BeNil(), "no condition yet")
		g.Expect(found.Reason).To(Equal(reason), found.Message)
		g.Expect(found.Status).To(Equal(ready), found.Message)
		g.Expect(found.ObservedGeneration).To(Equal(o.GetGeneration()))
	}).Should(Succeed())
	return found
}

func (i *installation) change(ctx context.Context, o client.Object, edit func()) {
	GinkgoHelper()
	Eventually(func() error {
		if err := i.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		edit()
		return i.Update(ctx, o)
	}).Should(Succeed())
}

// touch has a resource looked at again, as any change of it does.
func (i *installation) touch(ctx context.Context, o client.Object) {
	GinkgoHelper()
	i.change(ctx, o, func() { o.SetAnnotations(map[string]string{"touched": unique("t")}) })
}

// deletes takes resources away in this order, without waiting in between, and waits until all are gone.
func (i *installation) deletes(ctx context.Context, objects ...client.Object) {
	GinkgoHelper()
	for _, o := range objects {
		Expect(i.Delete(ctx, o)).To(Succeed())
	}
	for _, o := range objects {
		Eventually(func() error { return i.Get(ctx, client.ObjectKeyFromObject(o), o) }).Should(
			WithTransform(func(err error) bool { return err != nil && client.IgnoreNotFound(err) == nil }, BeTrue()),
			"%s is still there", o.GetName())
	}
}
