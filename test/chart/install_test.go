// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package chart_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// buildTime is enough to build the manager on a slow machine with nothing cached.
const buildTime = 10 * time.Minute

// policyTime is enough for the API server to take up an admission policy.
const policyTime = 30 * time.Second

var _ = Describe("A release", Ordered, func() {
	var (
		server     *envtest.Environment
		cluster    client.Client
		kubeconfig string
	)

	BeforeAll(func(ctx context.Context) {
		server = &envtest.Environment{BinaryAssetsDirectory: binaries()}
		config, err := server.Start()
		DeferCleanup(server.Stop)
		Expect(err).NotTo(HaveOccurred())
		config.QPS = -1

		scheme := runtime.NewScheme()
		for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, v1alpha1.AddToScheme} {
			utilruntime.Must(add(scheme))
		}
		cluster, err = client.New(config, client.Options{Scheme: scheme})
		Expect(err).NotTo(HaveOccurred())
		Expect(cluster.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: namespace, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
		}})).To(Succeed())
		kubeconfig = filepath.Join(GinkgoT().TempDir(), "kubeconfig")
		Expect(os.WriteFile(kubeconfig, server.KubeConfig, 0o600)).To(Succeed())
	})

	release := func(ctx context.Context, args ...string) string {
		GinkgoHelper()
		out, err := helm(ctx, append(args, "--namespace", namespace, "--kubeconfig", kubeconfig)...)
		Expect(err).NotTo(HaveOccurred())
		return out
	}
	// groupHas tells whether the cluster's definition of Group has a field of the spec.
	groupHas := func(ctx context.Context, field string) bool {
		GinkgoHelper()
		var crd apiextensionsv1.CustomResourceDefinition
		Expect(cluster.Get(ctx, client.ObjectKey{Name: "groups.community.cabildo.dev"}, &crd)).To(Succeed())
		_, has := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties[field]
		return has
	}

	policyKey := client.ObjectKey{Name: "default"}
	policy := func(ctx context.Context) *v1alpha1.GovernancePolicy {
		GinkgoHelper()
		var policy v1alpha1.GovernancePolicy
		Expect(cluster.Get(ctx, policyKey, &policy)).To(Succeed())
		return &policy
	}

	It("of an older version installs", func(ctx context.Context) {
		older := filepath.Join(GinkgoT().TempDir(), "cabildo")
		Expect(os.CopyFS(older, os.DirFS(chart))).To(Succeed())
		file := filepath.Join(older, "files/crds/community.cabildo.dev_groups.yaml")
		content, err := os.ReadFile(file)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(file, []byte(strings.ReplaceAll(string(content), " suspend:", " paused:")), 0o600)).To(Succeed())

		Expect(os.Remove(filepath.Join(older, "files/crds/community.cabildo.dev_governancepolicies.yaml"))).To(Succeed())

		release(ctx, "install", "cabildo", older, "--set", "governancePolicy.create=false")
		Expect(groupHas(ctx, "suspend")).To(BeFalse())
	})

	It("that is upgraded has its definitions upgraded", func(ctx context.Context) {
		release(ctx, "upgrade", "cabildo", chart, "--reset-values")
		Expect(groupHas(ctx, "suspend")).To(BeTrue())
	})

	// The older version had no GovernancePolicy.
	It("that is upgraded gets no governance policy, but says how to have it", func(ctx context.Context) {
		Expect(cluster.Get(ctx, policyKey, &v1alpha1.GovernancePolicy{})).To(Satisfy(apierrors.IsNotFound))
		notes := release(ctx, "get", "notes", "cabildo")
		Expect(notes).To(ContainSubstring("There is no GovernancePolicy default"))
		Expect(notes).To(ContainSubstring("no space is made and none is changed"))
		Expect(notes).To(ContainSubstring("helm -n cabildo-system get hooks cabildo | kubectl create -f -"))
		made := parse(release(ctx, "get", "hooks", "cabildo"))
		Expect(made).To(HaveLen(1))
		Expect(cluster.Create(ctx, made[0])).To(Succeed())
		Expect(policy(ctx).Spec.Tiers).To(HaveLen(5))
	})

	It("leaves the governance policy to you, whatever becomes of the release", func(ctx context.Context) {
		edited := policy(ctx)
		edited.Spec.Tiers[0].Name, edited.Spec.Tiers[1].EnterWhen.AnyOf[0].Members = "Seedling", new(int32(70))
		Expect(cluster.Update(ctx, edited)).To(Succeed())
		untouched := func(after string) {
			GinkgoHelper()
			Expect(policy(ctx).Spec).To(Equal(edited.Spec), after)
			Expect(policy(ctx).UID).To(Equal(edited.UID), after)
		}
		release(ctx, "upgrade", "cabildo", chart, "--set", "logLevel=debug")
		untouched("an upgrade")
		Expect(release(ctx, "get", "notes", "cabildo")).To(ContainSubstring("kubectl edit governancepolicy default"))
		release(ctx, "uninstall", "cabildo")
		untouched("uninstalling")
		release(ctx, "install", "cabildo", chart)
		untouched("installing again")
		Expect(cluster.Delete(ctx, edited)).To(Succeed())
		release(ctx, "upgrade", "cabildo", chart)
		Expect(cluster.Get(ctx, policyKey, edited)).To(Satisfy(apierrors.IsNotFound), "nor does an upgrade bring it back")
	})

	It("that is installed where there is none makes it", func(ctx context.Context) {
		release(ctx, "uninstall", "cabildo")
		notes := release(ctx, "install", "cabildo", chart)
		Expect(policy(ctx).Spec.Tiers).To(HaveLen(5))
		Expect(notes).To(ContainSubstring("GovernancePolicy default governs every community that no other policy does"))
	})

	It("says what comes next", func(ctx context.Context) {
		notes := release(ctx, "get", "notes", "cabildo")
		Expect(notes).To(ContainSubstring("kubectl -n cabildo-system create secret generic matrix"))
		Expect(notes).To(ContainSubstring("Uninstalling keeps the custom resource definitions"))
	})

	DescribeTable("has Pods that the restricted standard takes", func(ctx context.Context, settings []string) {
		template := only[appsv1.Deployment](render(ctx, settings...), "Deployment").Spec.Template
		pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
		pod.Name, pod.Namespace = "manager", namespace
		Expect(cluster.Create(ctx, pod, client.DryRunAll)).To(Succeed())
	},
		Entry("as it is", nil),
		Entry("with every value", everyValue),
	)

	It("has its policies in force", func(ctx context.Context) {
		// Who may do everything is held as well: a decision is in one's own name.
		decision := &v1alpha1.GovernanceDecision{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "golang-", Namespace: "default"},
			Spec: v1alpha1.GovernanceDecisionSpec{
				TargetRef:  v1alpha1.DecisionTarget{Kind: v1alpha1.TargetGroup, Name: "golang"},
				ProposalID: strings.Repeat("a", 36), Hash: strings.Repeat("a", 64),
				Verdict: v1alpha1.VerdictApprove, DecidedBy: "somebody-else",
			},
		}
		Eventually(func() error {
			return cluster.Create(ctx, decision.DeepCopy(), client.DryRunAll)
		}, policyTime).Should(MatchError(ContainSubstring("A decision is made in one's own name")), "the API server takes up the policy")
	})

	It("notes who asked for what", func(ctx context.Context) {
		group := &v1alpha1.Group{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "asked-", Namespace: "default"},
			Spec:       v1alpha1.GroupSpec{CommunityRef: v1alpha1.LocalReference{Name: "engineering"}, DisplayName: "Go"},
		}
		Eventually(func(g Gomega) {
			asked := group.DeepCopy()
			g.Expect(cluster.Create(ctx, asked, client.DryRunAll)).To(Succeed())
			g.Expect(asked.Annotations).To(HaveKey(v1alpha1.RequestedByAnnotation))
		}, policyTime).Should(Succeed(), "the API server takes up the policy")
		Expect(release(ctx, "get", "notes", "cabildo")).NotTo(ContainSubstring("can approve their own"))
	})

	DescribeTable("lets the manager", Label("promise 11"), func(ctx context.Context, verb, group, resource, in, name string, allowed bool) {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: "system:serviceaccount:" + namespace + ":cabildo",
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Verb: verb, Group: group, Resource: strings.Split(resource, "/")[0], Namespace: in, Name: name,
			},
		}}
		if _, sub, ok := strings.Cut(resource, "/"); ok {
			review.Spec.ResourceAttributes.Subresource = sub
		}
		Expect(cluster.Create(ctx, review)).To(Succeed())
		Expect(review.Status.Allowed).To(Equal(allowed), review.Status.Reason)
	},
		Entry("read Secrets in its namespace", "list", "", "secrets", namespace, "", true),
		Entry("not read them elsewhere", "get", "", "secrets", "default", "", false),
		Entry("not list them everywhere", "list", "", "secrets", "", "", false),
		Entry("keep its records there", "update", "", "secrets", namespace, "cabildo-grants-key", true),
		Entry("not write them elsewhere", "create", "", "secrets", "default", "", false),
		Entry("see whether decisions are guarded", "get", "admissionregistration.k8s.io", "validatingadmissionpolicies", "", "decisions.community.cabildo.dev", true),
		Entry("see whether it is noted who asked", "get", "admissionregistration.k8s.io", "mutatingadmissionpolicies", "", "requester.community.cabildo.dev", true),
		Entry("not change what notes it", "update", "admissionregistration.k8s.io", "mutatingadmissionpolicies", "", "requester.community.cabildo.dev", false),
		Entry("not change what guards them", "update", "admissionregistration.k8s.io", "validatingadmissionpolicies", "", "decisions.community.cabildo.dev", false),
		Entry("not decide", "create", "community.cabildo.dev", "governancedecisions", "default", "", false),
		Entry("read guidelines everywhere", "watch", "", "configmaps", "", "", true),
		Entry("not change them", "update", "", "configmaps", "default", "guidelines", false),
		Entry("read namespaces", "list", "", "namespaces", "", "", true),
		Entry("write the status of groups", "patch", "community.cabildo.dev", "groups/status", "default", "go", true),
		Entry("not make communities", "create", "community.cabildo.dev", "communities", "default", "", false),
		Entry("not delete them", "delete", "community.cabildo.dev", "communities", "default", "eng", false),
		Entry("hold its own lease", "update", "coordination.k8s.io", "leases", namespace, "cabildo.community.cabildo.dev", true),
		Entry("not take another's lease", "update", "coordination.k8s.io", "leases", namespace, "other", false),
		Entry("not take leases elsewhere", "create", "coordination.k8s.io", "leases", "kube-system", "", false),
	)

	It("that is uninstalled leaves the communities where they are", Label("promise 5"), func(ctx context.Context) {
		community := &v1alpha1.Community{
			ObjectMeta: metav1.ObjectMeta{Name: "engineering", Namespace: "default"},
			Spec: v1alpha1.CommunitySpec{
				DisplayName: "Engineering",
				Platforms:   []v1alpha1.CommunityPlatform{{PlatformRef: v1alpha1.LocalReference{Name: "chat"}}},
			},
		}
		Expect(cluster.Create(ctx, community)).To(Succeed())
		release(ctx, "uninstall", "cabildo")
		Expect(cluster.Get(ctx, client.ObjectKeyFromObject(community), community)).To(Succeed())
		Expect(community.DeletionTimestamp).To(BeNil())
		var deployments appsv1.DeploymentList
		Expect(cluster.List(ctx, &deployments, client.InNamespace(namespace))).To(Succeed())
		Expect(deployments.Items).To(BeEmpty())
	})

	It("that comes back takes them up again", func(ctx context.Context) {
		release(ctx, "install", "cabildo", chart)
		Expect(groupHas(ctx, "suspend")).To(BeTrue())
	})
})
