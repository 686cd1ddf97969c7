// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

var _ = Describe("A decision", Ordered, func() {
	// writer may make decisions, and has the verb approve on one Group alone.
	const writer = "wanda"
	// starter has the verb approve-creation alone, on everything.
	const starter = "sonia"

	BeforeAll(func(ctx context.Context) {
		rule := func(resource string, names []string, verbs ...string) rbacv1.PolicyRule {
			return rbacv1.PolicyRule{
				APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{resource}, ResourceNames: names, Verbs: verbs,
			}
		}
		Expect(admin.Create(ctx, &rbacv1.ClusterRole{
			ObjectMeta: metav1.ObjectMeta{Name: "writer"},
			Rules: []rbacv1.PolicyRule{
				rule("governancedecisions", nil, "create"), rule("groups", []string{"golang"}, "approve"),
			},
		})).To(Succeed())
		bind(ctx, writer, "writer", namespace)
		Expect(admin.Create(ctx, &rbacv1.ClusterRole{
			ObjectMeta: metav1.ObjectMeta{Name: "starter"},
			Rules: []rbacv1.PolicyRule{
				rule("governancedecisions", nil, "create"),
				rule("groups", nil, "approve-creation"), rule("communities", nil, "approve-creation"), rule("communitymanagers", nil, "approve-creation"),
			},
		})).To(Succeed())
		bind(ctx, starter, "starter", namespace)
	})

	DescribeTable("is taken from", func(ctx context.Context, user string, edits ...edit) {
		Expect(as(user).Create(ctx, decision(append(edits, decidedBy(user))...), client.DryRunAll)).To(Succeed())
	},
		Entry("an approver, about a group", approver),
		Entry("an approver, about a community", approver, about(v1alpha1.TargetCommunity, "engineering")),
		Entry("an approver, to refuse", approver, func(o client.Object) {
			o.(*v1alpha1.GovernanceDecision).Spec.Verdict = v1alpha1.VerdictRefuse
		}),
		Entry("somebody who may approve this one group", writer),
		Entry("an approver, about a removal by name", approver, ofKind(v1alpha1.ProposalRemoval)),
		Entry("an approver, about a community's tier", approver, ofKind(v1alpha1.ProposalTier), about(v1alpha1.TargetCommunity, "engineering")),
		Entry("an approver, about a new group", approver, ofKind(v1alpha1.ProposalCreation)),
		Entry("an approver, about a manager's appointment", approver, ofKind(v1alpha1.ProposalAppointment), about(v1alpha1.TargetManager, "lucia")),
		Entry("somebody who may approve new groups alone, about one", starter, ofKind(v1alpha1.ProposalCreation)),
	)

	DescribeTable("is refused", func(ctx context.Context, user string, says []string, edits ...edit) {
		err := as(user).Create(ctx, decision(edits...), client.DryRunAll)
		Expect(err).To(Satisfy(apierrors.IsForbidden))
		for _, text := range says {
			Expect(err).To(MatchError(ContainSubstring(text)))
		}
	},
		Entry("in another's name", approver, []string{"spec.decidedBy is carla, and you are ana", "set decidedBy to ana"}, decidedBy("carla")),
		Entry("in a name that only looks alike", approver, []string{"in one's own name"}, decidedBy("Ana")),
		Entry("from the manager itself, in another's name", manager, []string{"cannot create resource"}, decidedBy(approver)),
		Entry("about another group than one may approve", writer,
			[]string{"wanda may not decide on Group rust", "the verb approve on groups.community.cabildo.dev in namespace engineering", "cabildo-approver"},
			decidedBy(writer), about(v1alpha1.TargetGroup, "rust")),
		Entry("about a community of the name of a group that one may approve", writer,
			[]string{"may not decide on Community golang", "communities.community.cabildo.dev"},
			decidedBy(writer), about(v1alpha1.TargetCommunity, "golang")),
		Entry("about a new group, from somebody who may approve what it takes away", writer,
			[]string{"wanda may not decide on Group golang", "the verb approve-creation on groups.community.cabildo.dev"},
			decidedBy(writer), ofKind(v1alpha1.ProposalCreation)),
		Entry("about what a group takes away, from somebody who may approve new ones", starter,
			[]string{"the verb approve on groups.community.cabildo.dev"}, decidedBy(starter)),
		Entry("the same by name", starter,
			[]string{"the verb approve on groups.community.cabildo.dev"}, decidedBy(starter), ofKind(v1alpha1.ProposalRemoval)),
		Entry("about a tier, from somebody who may approve something else", starter,
			[]string{"may not decide on Community engineering", "the verb approve-tier on communities.community.cabildo.dev"},
			decidedBy(starter), ofKind(v1alpha1.ProposalTier), about(v1alpha1.TargetCommunity, "engineering")),
		Entry("about an appointment, from somebody who may approve something else", starter,
			[]string{"may not decide on CommunityManager lucia", "the verb approve-appointment on communitymanagers.community.cabildo.dev"},
			decidedBy(starter), ofKind(v1alpha1.ProposalAppointment), about(v1alpha1.TargetManager, "lucia")),
		Entry("from somebody who may edit the group", tenant, []string{"cannot create resource"}, decidedBy(tenant)),
		Entry("in a namespace where one has no right", approver, []string{"cannot create resource"}, decidedBy(approver), in(other)),
	)

	It("is refused where one may make decisions and approve elsewhere alone", func(ctx context.Context) {
		// The right to approve counts in the decision's own namespace.
		Expect(admin.Create(ctx, &rbacv1.ClusterRole{
			ObjectMeta: metav1.ObjectMeta{Name: "maker"},
			Rules: []rbacv1.PolicyRule{{
				APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"governancedecisions"}, Verbs: []string{"create"},
			}},
		})).To(Succeed())
		bind(ctx, writer, "maker", other)
		Eventually(func() error {
			return as(writer).Create(ctx, decision(decidedBy(writer), in(other)), client.DryRunAll)
		}, settles).Should(MatchError(ContainSubstring("in namespace sales")), "the new binding is in force")
	})

	It("has a status that the manager may write, and metadata that anybody may who could before", func(ctx context.Context) {
		d := decision(decidedBy(approver))
		Expect(as(approver).Create(ctx, d)).To(Succeed())
		DeferCleanup(admin.Delete, d)
		d.Status.ObservedGeneration = d.Generation
		Expect(admin.Status().Update(ctx, d)).To(Succeed(), "who writes the status is not who decided")
		d.Labels = map[string]string{"a": "b"}
		Expect(admin.Update(ctx, d)).To(Succeed())
		d.Spec.DecidedBy = "carla"
		Expect(admin.Update(ctx, d)).To(MatchError(ContainSubstring("a decision is immutable")), "nor can the name be changed later")
	})
})
