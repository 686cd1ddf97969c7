// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/controllers"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

// olderServer has no MutatingAdmissionPolicies.
type olderServer struct{ client.Reader }

func (s olderServer) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if _, notes := o.(*admissionv1.MutatingAdmissionPolicy); notes {
		return &meta.NoKindMatchError{GroupKind: admissionv1.SchemeGroupVersion.WithKind("MutatingAdmissionPolicy").GroupKind()}
	}
	return s.Reader.Get(ctx, key, o, opts...)
}

// decision is a person's word on the proposal of an object. It counts for a day by the manager's clock, which other
// specs put ahead of the API server's.
func (w *world) decision(ctx context.Context, o client.Object, p *v1alpha1.Proposal, verdict v1alpha1.Verdict) *v1alpha1.GovernanceDecision {
	GinkgoHelper()
	review := &authenticationv1.SelfSubjectReview{}
	Expect(decider.Create(ctx, review)).To(Succeed())
	kind := v1alpha1.TargetCommunity
	switch o.(type) {
	case *v1alpha1.Group:
		kind = v1alpha1.TargetGroup
	case *v1alpha1.CommunityManager:
		kind = v1alpha1.TargetManager
	}
	return &v1alpha1.GovernanceDecision{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.GetNamespace(), GenerateName: o.GetName() + "-"},
		Spec: v1alpha1.GovernanceDecisionSpec{
			TargetRef: v1alpha1.DecisionTarget{Kind: kind, Name: o.GetName()}, ProposalKind: p.Kind, ProposalID: p.ID, Hash: p.Hash,
			Verdict: verdict, DecidedBy: review.Status.UserInfo.Username, ExpiresAt: &metav1.Time{Time: now.Now().Add(oneDay)},
		},
	}
}

// proposed waits until something of the group waits for a person's word.
func (w *world) proposed(ctx context.Context, g *v1alpha1.Group, operations ...string) *v1alpha1.Proposal {
	GinkgoHelper()
	var want []string
	for _, op := range operations {
		want = append(want, w.name+": "+op)
	}
	Eventually(func(o Gomega) {
		o.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(g), g)).To(Succeed())
		o.Expect(g.Status.Proposal).NotTo(BeNil())
		o.Expect(g.Status.Proposal.Operations).To(Equal(want))
	}).Should(Succeed())
	return g.Status.Proposal.DeepCopy()
}

var _ = Describe("what goes beyond a removal budget", Label("promise 4"), func() {
	people := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	// crowded is a group of eight people whose budget is a quarter: two of them in a day.
	crowded := func(ctx context.Context) (*world, *v1alpha1.Group) {
		w := newWorld(ctx, people...).ready(ctx)
		golang := w.group("golang", people...)
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		return w, golang
	}
	present := func(w *world) int {
		n := 0
		for _, m := range w.server.Space("eng-golang").Members {
			if m == model.Present {
				n++
			}
		}
		return n
	}

	It("waits for a person's word on exactly that, and everything else goes on", func(ctx SpecContext) {
		w, golang := crowded(ctx)
		w.change(ctx, golang, func() {
			golang.Spec.Members, golang.Spec.Purpose = golang.Spec.Members[4:], "Something new."
		})
		p := w.proposed(ctx, golang, "remove @c:memory", "remove @d:memory")
		Expect(p.State).To(Equal(v1alpha1.ProposalOpen))
		Expect(p.Summary).To(Equal("2 members"))
		said := w.expectCondition(ctx, golang, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonRemovalBudgetExceeded)
		Expect(said.Message).To(And(ContainSubstring(p.ID), ContainSubstring("kubectl cabildo approve group/golang -n "+w.namespace)))
		Expect(w.server.Space("eng-golang").Settings.Topic).To(Equal("Something new."))
		Expect(present(w)).To(Equal(6))

		By("staying the same proposal, and not spending the budget twice, after a restart")
		restart()
		w.change(ctx, golang, func() { golang.Spec.Purpose = "Newer." })
		Eventually(func() string { return w.server.Space("eng-golang").Settings.Topic }).Should(Equal("Newer."))
		Expect(w.proposed(ctx, golang, "remove @c:memory", "remove @d:memory").ID).To(Equal(p.ID))
		Expect(present(w)).To(Equal(6))

		By("happening once somebody approves")
		d := w.decision(ctx, golang, p, v1alpha1.VerdictApprove)
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(present(w)).To(Equal(4))
		Expect(golang.Status.Proposal).To(BeNil())
		Expect(golang.Status.LastDecision).To(HaveValue(Equal(v1alpha1.DecisionRecord{
			Name: d.Name, ProposalID: p.ID, Verdict: v1alpha1.VerdictApprove, DecidedBy: d.Spec.DecidedBy, Summary: "2 members",
		})))

		By("counting once: the same people added and taken out again wait anew")
		for _, again := range []string{"c", "d"} {
			w.change(ctx, golang, func() { golang.Spec.Members = append(golang.Spec.Members, v1alpha1.MemberSource{Person: again}) })
		}
		Eventually(func() int { return present(w) }).Should(Equal(6))
		w.undeclare(ctx, golang, "c", "d")
		next := w.proposed(ctx, golang, "remove @c:memory", "remove @d:memory")
		Expect(next.ID).NotTo(Equal(p.ID))
		Consistently(func() int { return present(w) }).Should(Equal(6))
	})

	It("stays waiting when the window of the budget has passed", func(ctx SpecContext) {
		w := newWorld(ctx, people...).ready(ctx)
		golang := w.group("golang", people...)
		golang.Spec.Management = &v1alpha1.Management{RemovalBudget: &v1alpha1.RemovalBudget{Window: &metav1.Duration{Duration: time.Minute}}}
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.undeclare(ctx, golang, "a", "b", "c", "d")
		p := w.proposed(ctx, golang, "remove @c:memory", "remove @d:memory")
		ahead(2 * time.Minute)
		w.change(ctx, golang, func() { golang.Spec.Purpose = "Later." })
		Eventually(func() string { return w.server.Space("eng-golang").Settings.Topic }).Should(Equal("Later."))
		Expect(w.proposed(ctx, golang, "remove @c:memory", "remove @d:memory").ID).To(Equal(p.ID))
		Expect(present(w)).To(Equal(6))

		By("being thought over again with another budget")
		w.change(ctx, golang, func() { golang.Spec.Management.RemovalBudget.Percent = ptr.To[int32](100) })
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(present(w)).To(Equal(4))
	})

	It("is another proposal when it changed, and a decision on the old one is void", func(ctx SpecContext) {
		w, golang := crowded(ctx)
		w.undeclare(ctx, golang, "a", "b", "c", "d")
		old := w.proposed(ctx, golang, "remove @c:memory", "remove @d:memory")
		w.undeclare(ctx, golang, "e")
		w.proposed(ctx, golang, "remove @c:memory", "remove @d:memory", "remove @e:memory")
		d := w.decision(ctx, golang, old, v1alpha1.VerdictApprove)
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonProposalChanged)

		By("and neither is one with another list")
		forged := w.decision(ctx, golang, golang.Status.Proposal, v1alpha1.VerdictApprove)
		forged.Spec.Hash = old.Hash
		w.create(ctx, forged)
		w.expect(ctx, forged, metav1.ConditionFalse, v1alpha1.ReasonProposalChanged)
		Consistently(func() int { return present(w) }).Should(Equal(6))
	})

	It("does not happen when somebody refuses it, until the declaration asks for something else", func(ctx SpecContext) {
		w, golang := crowded(ctx)
		w.undeclare(ctx, golang, "a", "b", "c", "d")
		p := w.proposed(ctx, golang, "remove @c:memory", "remove @d:memory")
		d := w.decision(ctx, golang, p, v1alpha1.VerdictRefuse)
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonProposalRefused)
		Consistently(func() int { return present(w) }).Should(Equal(6))
		for _, again := range []string{"c", "d"} {
			w.change(ctx, golang, func() { golang.Spec.Members = append(golang.Spec.Members, v1alpha1.MemberSource{Person: again}) })
		}
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})

	It("does not happen on a decision that has expired", func(ctx SpecContext) {
		w, golang := crowded(ctx)
		w.undeclare(ctx, golang, "a", "b", "c", "d")
		d := w.decision(ctx, golang, w.proposed(ctx, golang, "remove @c:memory", "remove @d:memory"), v1alpha1.VerdictApprove)
		d.Spec.ExpiresAt = &metav1.Time{Time: time.Now().Add(-time.Hour)}
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonDecisionExpired)
		Consistently(func() int { return present(w) }).Should(Equal(6))
	})

	It("does not happen on a decision about nothing that is there", func(ctx SpecContext) {
		w, golang := crowded(ctx)
		w.undeclare(ctx, golang, "a", "b", "c", "d")
		d := w.decision(ctx, golang, w.proposed(ctx, golang, "remove @c:memory", "remove @d:memory"), v1alpha1.VerdictApprove)
		d.Spec.TargetRef.Name = "another"
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonTargetNotFound)
		Consistently(func() int { return present(w) }).Should(Equal(6))
	})

	It("does not happen while nobody can know who decided", Serial, func(ctx SpecContext) {
		w, golang := crowded(ctx)
		w.undeclare(ctx, golang, "a", "b", "c", "d")
		p := w.proposed(ctx, golang, "remove @c:memory", "remove @d:memory")
		binding := &admissionv1.ValidatingAdmissionPolicyBinding{}
		Expect(k8s.Get(ctx, client.ObjectKey{Name: "decisions.community.cabildo.dev"}, binding)).To(Succeed())
		unguarded := binding.DeepCopy()
		unguarded.Spec.ValidationActions = []admissionv1.ValidationAction{admissionv1.Audit}
		Expect(k8s.Update(ctx, unguarded)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) {
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(binding), unguarded)).To(Succeed())
			unguarded.Spec = binding.Spec
			Expect(k8s.Update(ctx, unguarded)).To(Succeed())
		})
		d := w.decision(ctx, golang, p, v1alpha1.VerdictApprove)
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonDecisionsUnguarded)
		Consistently(func() int { return present(w) }).Should(Equal(6))
	})

	It("does not happen while nobody can know who asked for it", Serial, func(ctx SpecContext) {
		w, golang := crowded(ctx)
		w.undeclare(ctx, golang, "a", "b", "c", "d")
		p := w.proposed(ctx, golang, "remove @c:memory", "remove @d:memory")
		binding := &admissionv1.MutatingAdmissionPolicyBinding{}
		Expect(k8s.Get(ctx, client.ObjectKey{Name: "requester.community.cabildo.dev"}, binding)).To(Succeed())
		Expect(k8s.Delete(ctx, binding.DeepCopy())).To(Succeed())
		DeferCleanup(func(ctx SpecContext) {
			binding.ResourceVersion, binding.UID = "", ""
			Expect(k8s.Create(ctx, binding)).To(Succeed())
		})
		d := w.decision(ctx, golang, p, v1alpha1.VerdictApprove)
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonDecisionsUnguarded)
		Consistently(func() int { return present(w) }).Should(Equal(6))
	})

	It("happens on an API server that can't note who asked, as before Kubernetes 1.36", func(ctx SpecContext) {
		Expect(controllers.MissingGuard(ctx, olderServer{k8s})).To(BeEmpty())
	})

	It("goes on after a failure in the middle of what was approved", func(ctx SpecContext) {
		w, golang := crowded(ctx)
		w.undeclare(ctx, golang, "a", "b", "c", "d")
		p := w.proposed(ctx, golang, "remove @c:memory", "remove @d:memory")
		w.server.Fail(memory.Call(plan.RemoveMember), memory.Fault{Err: &platform.Error{Kind: platform.Conflict, Doing: "removing"}})
		d := w.decision(ctx, golang, p, v1alpha1.VerdictApprove)
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionFalse, v1alpha1.ReasonProgressing)
		w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonPeopleNotAdded)
		w.server.Fail(memory.Call(plan.RemoveMember), memory.Fault{})
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(present(w)).To(Equal(4))
	})

	It("of roles waits as well", func(ctx SpecContext) {
		w := newWorld(ctx, people...).ready(ctx)
		golang := w.group("golang", people...)
		for i := range golang.Spec.Members {
			golang.Spec.Members[i].Role = v1alpha1.RoleModerator
		}
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.change(ctx, golang, func() {
			for i := range golang.Spec.Members[:4] {
				golang.Spec.Members[i].Role = v1alpha1.RoleMember
			}
		})
		p := w.proposed(ctx, golang, "set roles: @c:memory Member", "set roles: @d:memory Member")
		Expect(p.Summary).To(Equal("2 roles"))
		Expect(w.server.Space("eng-golang").Roles).To(HaveLen(6))
		w.create(ctx, w.decision(ctx, golang, p, v1alpha1.VerdictApprove))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Space("eng-golang").Roles).To(HaveLen(4))
	})

	It("of spaces waits: a pruned folder of groups is one event for the platform", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		community := w.community()
		community.Spec.Management = &v1alpha1.Management{Deletion: v1alpha1.DeletionArchive}
		w.create(ctx, community)
		var groups []*v1alpha1.Group
		for i := range 5 {
			g := w.group(fmt.Sprintf("g%d", i))
			w.create(ctx, g)
			groups = append(groups, g)
		}
		for _, g := range groups {
			w.expect(ctx, g, metav1.ConditionTrue, v1alpha1.ReasonReady)
		}
		for _, g := range groups {
			Expect(k8s.Delete(ctx, g)).To(Succeed())
		}
		archived := func() int {
			n := 0
			for i := range groups {
				if w.server.Space(fmt.Sprintf("eng-g%d", i)).Archived {
					n++
				}
			}
			return n
		}
		waiting := func() (left []*v1alpha1.Group) {
			for _, g := range groups {
				if k8s.Get(ctx, client.ObjectKeyFromObject(g), g) == nil && g.Status.Proposal != nil {
					left = append(left, g)
				}
			}
			return left
		}
		Eventually(waiting).Should(HaveLen(2))
		Eventually(archived).Should(Equal(3))
		Consistently(archived).Should(Equal(3))

		By("also after a restart")
		restart()
		Consistently(archived).Should(Equal(3))

		left := waiting()
		Expect(left).To(HaveLen(2))
		w.expectCondition(ctx, left[0], v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonRemovalBudgetExceeded)
		Expect(left[0].Status.Proposal.Summary).To(Equal("1 space"))
		d := w.decision(ctx, left[0], left[0].Status.Proposal, v1alpha1.VerdictApprove)
		w.create(ctx, d)
		w.gone(ctx, left[0])
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(archived()).To(Equal(4))
		Expect(waiting()).To(HaveLen(1))
	})
})

var _ = Describe("a removal budget", Label("promise 4"), func() {
	It("is spent by what was taken away, not by what failed or may have happened", func(ctx SpecContext) {
		w := newWorld(ctx, "a", "b", "c", "d").ready(ctx)
		golang := w.group("golang", "a", "b", "c", "d")
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		remove := memory.Call(plan.RemoveMember)
		for _, kind := range []platform.ErrorKind{platform.Unavailable, platform.Conflict, platform.Ambiguous} {
			w.server.Fail(remove, memory.Fault{Err: &platform.Error{Kind: kind, Doing: "removing"}})
			tried := w.server.Calls(remove)
			w.change(ctx, golang, func() {
				golang.Spec.Purpose = string(kind)
				golang.Spec.Members = slices.DeleteFunc(golang.Spec.Members, func(m v1alpha1.MemberSource) bool { return m.Person == "a" })
			})
			Eventually(func() int { return w.server.Calls(remove) }).Should(BeNumerically(">", tried+2), "it is tried again")
		}
		w.server.Fail(remove, memory.Fault{})
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Space("eng-golang").Members).To(HaveKeyWithValue("@a:memory", model.Removed))
		Expect(golang.Status.Proposal).To(BeNil())
	})
})
