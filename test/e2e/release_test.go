// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"maunium.net/go/mautrix/id"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
	company "github.com/cabildo-dev/cabildo/hack/samples"
)

// Everything here happens to one release, in this order.
var _ = Describe("A release on a cluster", Ordered, func() {
	var (
		homeserver *devenv.Homeserver
		matrix     observer
		said       *logs
		rooms      map[string][]id.RoomID // as they were last seen, and should stay
	)

	BeforeAll(func(ctx SpecContext) {
		Expect(k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: namespace, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
		}})).To(Succeed())
		said = followLogs()
		homeserver = startHomeserver(ctx)
		matrix = observe(homeserver)
	})

	ready := func(ctx context.Context) {
		GinkgoHelper()
		Eventually(company.Unready).WithArguments(ctx, k8s).Should(BeEmpty(), "everything becomes Ready")
	}
	asDeclared := func(ctx context.Context) {
		GinkgoHelper()
		checks, wrong, err := company.Check(ctx, k8s, homeserver)
		Expect(err).NotTo(HaveOccurred())
		Expect(wrong).To(BeEmpty(), "%d checks with the homeserver", checks)
	}
	// declare gives the group golang another name; carriedOut waits until its room has it.
	declare := func(ctx context.Context, name string) {
		GinkgoHelper()
		group := &v1alpha1.Group{ObjectMeta: metav1.ObjectMeta{Namespace: "engineering", Name: "golang"}}
		patch := fmt.Sprintf(`{"spec":{"displayName":%q}}`, name)
		Expect(k8s.Patch(ctx, group, client.RawPatch(types.MergePatchType, []byte(patch)))).To(Succeed())
	}
	carriedOut := func(ctx context.Context, name string) {
		GinkgoHelper()
		Eventually(matrix.name).WithArguments(ctx, rooms["Group/engineering/golang"][0]).Should(Equal(name), "the change reaches the room")
	}

	It("has a Pod that is not root, where nobody else may run", func(ctx SpecContext) {
		root := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "root"},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "root", Image: images.cabildo}}},
		}
		Expect(k8s.Create(ctx, root, client.DryRunAll)).To(MatchError(ContainSubstring("violates PodSecurity")))

		install(ctx)
		pods := managers(ctx)
		Expect(pods).To(HaveLen(1))
		Expect(pods[0].Status.Phase).To(Equal(corev1.PodRunning))
		Expect(pods[0].Spec.ServiceAccountName).To(Equal(release))
		// So the node has looked at the image's user before it started it.
		Expect(pods[0].Spec.SecurityContext.RunAsNonRoot).To(HaveValue(BeTrue()))
		Expect(pods[0].Spec.SecurityContext.RunAsUser).To(BeNil())
	})

	It("makes the spaces of the samples, as people see them", func(ctx SpecContext) {
		_, err := company.MakePeople(ctx, homeserver, samples)
		Expect(err).NotTo(HaveOccurred())
		platform, err := company.Platform(samples, homeserver, inCluster)
		Expect(err).NotTo(HaveOccurred())
		does(kubectl(ctx, platform, "apply", "-f", "-"))
		does(kubectl(ctx, "", "apply", "-k", samples))
		ready(ctx)
		asDeclared(ctx)
		rooms = matrix.rooms(ctx)
		Expect(rooms).To(HaveLen(13))
		Expect(rooms).To(HaveEach(HaveLen(1)), "one room for each resource")
	})

	It("serves its metrics", func(ctx SpecContext) {
		metrics, err := clientset.CoreV1().Services(namespace).ProxyGet("http", release+"-metrics", "metrics", "metrics", nil).DoRaw(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(metrics)).To(ContainSubstring(`cabildo_platform_requests_total{code="200"`))
	})

	It("that is upgraded goes on with the same rooms, one of its replicas at a time", func(ctx SpecContext) {
		does(helm(ctx, "upgrade", release, chart, "--reuse-values", "--wait", "--timeout", patience.String(),
			"--set", "replicas=2", "--set", "logLevel=debug", "--set", "podDisruptionBudget.enabled=true"))
		Expect(deployment(ctx).Spec.Template.Spec.Containers[0].Args).To(ContainElement("--log-level=debug"))
		Eventually(managers).WithArguments(ctx).Should(HaveLen(2))
		Eventually(func(g Gomega) {
			var lease coordinationv1.Lease
			g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "cabildo.community.cabildo.dev"}, &lease)).To(Succeed())
			var names []string
			for _, pod := range managers(ctx) {
				names = append(names, pod.Name)
			}
			leader, _, _ := strings.Cut(ptr.Deref(lease.Spec.HolderIdentity, ""), "_")
			g.Expect(names).To(ContainElement(leader), "a new Pod leads")
		}).Should(Succeed())
		declare(ctx, "Go, upgraded")
		carriedOut(ctx, "Go, upgraded")
		ready(ctx)
		Expect(matrix.rooms(ctx)).To(Equal(rooms))
	})

	It("that is rolled back goes on with the same rooms", func(ctx SpecContext) {
		does(helm(ctx, "rollback", release, "1", "--wait", "--timeout", patience.String()))
		Expect(deployment(ctx).Spec.Template.Spec.Containers[0].Args).To(ContainElement("--log-level=info"))
		Eventually(managers).WithArguments(ctx).Should(HaveLen(1))
		declare(ctx, "Go, rolled back")
		carriedOut(ctx, "Go, rolled back")
		ready(ctx)
		Expect(matrix.rooms(ctx)).To(Equal(rooms))
	})

	It("whose Pod is killed at work makes one room for each group all the same", func(ctx SpecContext) {
		const groups = 60
		before, err := matrix.count(ctx)
		Expect(err).NotTo(HaveOccurred())
		makers, making := errgroup.WithContext(ctx)
		makers.SetLimit(8)
		for i := range groups {
			makers.Go(func() error {
				return k8s.Create(making, &v1alpha1.Group{
					ObjectMeta: metav1.ObjectMeta{Namespace: "engineering", Name: fmt.Sprintf("team-%02d", i)},
					Spec: v1alpha1.GroupSpec{
						CommunityRef: v1alpha1.LocalReference{Name: "engineering"},
						DisplayName:  fmt.Sprintf("Team %d", i),
						Members:      []v1alpha1.MemberSource{{Person: "ana.ruiz"}},
					},
				})
			})
		}
		Expect(makers.Wait()).To(Succeed())
		for _, made := range []int{groups / 10, groups / 2} {
			Eventually(matrix.count).WithArguments(ctx).Should(BeNumerically(">=", before+made), "it makes rooms")
			pods := managers(ctx)
			Expect(pods).To(HaveLen(1))
			Expect(k8s.Delete(ctx, &pods[0], client.GracePeriodSeconds(0))).To(Succeed())
			Expect(matrix.count(ctx)).To(BeNumerically("<", before+groups), "it was killed before it had made all")
		}
		ready(ctx)
		after := matrix.rooms(ctx)
		Expect(after).To(HaveEach(HaveLen(1)), "one room for each resource")
		Expect(after).To(HaveLen(len(rooms) + groups))
		for resource, room := range rooms {
			Expect(after).To(HaveKeyWithValue(resource, room))
		}
		for i := range groups {
			resource := fmt.Sprintf("Group/engineering/team-%02d", i)
			Expect(after).To(HaveKey(resource))
			members, err := matrix.JoinedMembers(ctx, after[resource][0])
			Expect(err).NotTo(HaveOccurred())
			Expect(members.Joined).To(HaveKey(id.NewUserID("ana.ruiz", homeserver.ServerName)), resource)
		}
		rooms = after
	})

	It("finds every conversation again when the samples are deleted and applied again", func(ctx SpecContext) {
		does(kubectl(ctx, "", "delete", "-k", samples, "--timeout", patience.String()))
		Expect(matrix.rooms(ctx)).To(Equal(rooms), "while nobody declares them")
		does(kubectl(ctx, "", "apply", "-k", samples))
		ready(ctx)
		asDeclared(ctx)
		Expect(matrix.rooms(ctx)).To(Equal(rooms))
	})

	It("has asked the cluster for nothing that the chart does not let it have", func() {
		// One each for install and rollback, two for the upgrade, and one after each kill.
		Expect(said.pods()).To(BeNumerically(">=", 6), "Pods whose log was read")
		Expect(said.refusals()).To(BeEmpty())
	})

	It("that is uninstalled leaves kinds, resources and rooms", func(ctx SpecContext) {
		kinds, before := definitions(ctx), resources(ctx)
		Expect(before).To(HaveLen(14), "a platform, three communities and ten groups")
		does(helm(ctx, "uninstall", release, "--wait", "--timeout", patience.String()))
		Eventually(func(g Gomega) {
			var pods corev1.PodList
			g.Expect(k8s.List(ctx, &pods, client.InNamespace(namespace), ofRelease)).To(Succeed())
			g.Expect(pods.Items).To(BeEmpty(), "also those that still had something to finish")
		}).Should(Succeed())
		for _, list := range []client.ObjectList{&appsv1.DeploymentList{}, &rbacv1.ClusterRoleList{}, &rbacv1.ClusterRoleBindingList{}} {
			Expect(k8s.List(ctx, list, ofRelease)).To(Succeed())
			Expect(list).To(HaveField("Items", BeEmpty()))
		}
		Expect(definitions(ctx)).To(Equal(kinds))
		Expect(matrix.rooms(ctx)).To(Equal(rooms))
		asDeclared(ctx)
		Expect(resources(ctx)).To(Equal(before))
		declare(ctx, "Go, alone")
	})

	It("that is installed again takes up what it finds", func(ctx SpecContext) {
		said.forget() // the last Pod ended after its rights had gone
		install(ctx)
		carriedOut(ctx, "Go, alone")
		ready(ctx)
		asDeclared(ctx)
		Expect(matrix.rooms(ctx)).To(Equal(rooms))
		Expect(said.pods()).To(Equal(1), "Pods whose log was read")
		Expect(said.refusals()).To(BeEmpty())
	})
})

// resources are the identities of everything of ours that nobody has deleted, by kind, namespace and name.
func resources(ctx context.Context) map[string]types.UID {
	GinkgoHelper()
	found := map[string]types.UID{}
	for _, list := range []client.ObjectList{&v1alpha1.PlatformList{}, &v1alpha1.CommunityList{}, &v1alpha1.GroupList{}} {
		Expect(k8s.List(ctx, list)).To(Succeed())
		Expect(meta.EachListItem(list, func(o runtime.Object) error {
			object, err := meta.Accessor(o)
			if err == nil && object.GetDeletionTimestamp() == nil {
				found[fmt.Sprintf("%T/%s/%s", o, object.GetNamespace(), object.GetName())] = object.GetUID()
			}
			return err
		})).To(Succeed())
	}
	return found
}
