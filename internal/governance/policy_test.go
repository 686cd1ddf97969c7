// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package governance_test

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/governance"
)

func named(name string, priority int32, labels map[string]string) v1alpha1.GovernancePolicy {
	p := v1alpha1.GovernancePolicy{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Spec.Priority, p.Spec.Governs.NamespaceSelector.MatchLabels = priority, labels
	return p
}

func TestTheHighestPriorityGovernsAndOfEqualsTheFirst(t *testing.T) {
	g := NewWithT(t)
	sales := map[string]string{"department": "sales"}
	policies := []v1alpha1.GovernancePolicy{named("z", 5, nil), named("b", 5, nil), named("strict", 9, sales), named("low", -1, nil)}
	g.Expect(governance.Governing(policies, nil).Name).To(Equal("b"))
	g.Expect(governance.Governing(policies, sales).Name).To(Equal("strict"))
	deleted := named("gone", 99, nil)
	deleted.DeletionTimestamp = &metav1.Time{Time: time.Now()}
	g.Expect(governance.Governing(append(policies, deleted), sales).Name).To(Equal("strict"))
	g.Expect(governance.Governing(policies[2:3], nil)).To(BeNil())
	unreadable := named("x", 99, nil)
	unreadable.Spec.Governs.NamespaceSelector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Odd"}}
	g.Expect(governance.Picks(&unreadable, nil)).To(BeFalse())
}

func TestWhatACommunityLacks(t *testing.T) {
	g := NewWithT(t)
	p := named("default", 0, nil)
	c := &v1alpha1.Community{}
	g.Expect(governance.Lacks(&p, c)).To(BeEmpty())
	p.Spec.Requires = &v1alpha1.Requirements{Purpose: v1alpha1.RequirementRequired, Objectives: 2, Sponsor: v1alpha1.RequirementRequired}
	c.Spec.Purpose = "  "
	c.Spec.Objectives = make([]v1alpha1.Objective, 1)
	g.Expect(governance.Lacks(&p, c)).To(Equal([]string{"a purpose (spec.purpose)", "1 objective (spec.objectives)", "a sponsor (spec.sponsor)"}))
	c.Spec.Purpose, c.Spec.Objectives, c.Spec.Sponsor = "Why.", make([]v1alpha1.Objective, 2), &v1alpha1.Person{Person: "ana"}
	g.Expect(governance.Lacks(&p, c)).To(BeEmpty())
}

func TestReservedNamesAreWholeNames(t *testing.T) {
	g := NewWithT(t)
	p := named("default", 0, nil)
	pattern, _ := governance.Reserved(&p, "hr")
	g.Expect(pattern).To(BeEmpty())
	p.Spec.Names = &v1alpha1.NameRules{Reserved: []string{"hr", "official-*"}}
	for name, want := range map[string]string{"hr": "hr", "hr-friends": "", "three": "", "official-news": "official-*", "unofficial-news": ""} {
		pattern, _ := governance.Reserved(&p, name)
		g.Expect(pattern).To(Equal(want), name)
	}
	_, taken := governance.Reserved(&p, "eng-hr", "hr")
	g.Expect(taken).To(Equal("hr"))
}

func TestNobodyApprovesTheirOwnAndRobotsDont(t *testing.T) {
	g := NewWithT(t)
	p := named("default", 0, nil)
	p.Spec.Approvals = &v1alpha1.ApprovalRules{Automation: []string{"system:serviceaccount:argocd:*"}}
	barred := func(by string, verdict v1alpha1.Verdict) string {
		d := &v1alpha1.GovernanceDecision{}
		d.Spec.DecidedBy, d.Spec.Verdict = by, verdict
		reason, _ := governance.Barred(d, []v1alpha1.GovernancePolicy{named("other", 0, nil), p}, "ana")
		return reason
	}
	g.Expect(barred("omar", v1alpha1.VerdictApprove)).To(BeEmpty())
	g.Expect(barred("ana", v1alpha1.VerdictApprove)).To(Equal(v1alpha1.ReasonRequesterCantApprove))
	g.Expect(barred("ana", v1alpha1.VerdictRefuse)).To(BeEmpty())
	g.Expect(barred("system:serviceaccount:argocd:controller", v1alpha1.VerdictApprove)).To(Equal(v1alpha1.ReasonAutomationCantApprove))
	g.Expect(barred("system:serviceaccount:argocd-x:controller", v1alpha1.VerdictApprove)).To(BeEmpty())
}

func TestATierProposalStaysWhileItWouldChangeTheSame(t *testing.T) {
	g := NewWithT(t)
	p := ladder()
	id := 0
	ids := func() string { id++; return string(rune('0' + id)) }
	seed, small := governance.TierOf(p, "Seed"), governance.TierOf(p, "Small")
	g.Expect(governance.ProposeTier(p, nil, seed, nil, has(9), ids)).To(BeNil())
	first := governance.ProposeTier(p, nil, seed, small, has(60), ids)
	g.Expect(first.Kind).To(Equal(v1alpha1.ProposalTier))
	g.Expect(first.Evidence).To(ContainElements("members: 60", "groups: not known", "Small takes 50 members"))
	g.Expect(governance.ProposeTier(p, first, seed, small, has(61), ids)).To(BeIdenticalTo(first), "the evidence is that of its day")
	small.Staffing = &v1alpha1.Staffing{Total: ptr.To[int32](2)}
	again := governance.ProposeTier(p, first, seed, small, has(61), ids)
	g.Expect(again.ID).NotTo(Equal(first.ID))
	g.Expect(governance.Hash(again.Operations)).To(Equal(again.Hash))
}
