// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package governance_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/governance"
)

var (
	now    = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	target = v1alpha1.DecisionTarget{Kind: v1alpha1.TargetGroup, Name: "market"}
)

// ids gives a new ID with every call.
func ids() func() string {
	n := 0
	return func() string { n++; return fmt.Sprintf("id-%d", n) }
}

func removals(accounts ...string) (waits []governance.Gated) {
	for _, a := range accounts {
		waits = append(waits, governance.Gated{Operation: "chat: remove " + a, Members: 1, Budget: "25 percent"})
	}
	return waits
}

func TestWhatWaitsIsOneProposalWithTheWholeListInOrder(t *testing.T) {
	g := NewWithT(t)
	waits := append(removals("ben", "ana", "ana"),
		governance.Gated{Operation: "chat: set roles: cai Member", Roles: 1, Budget: "25 percent"},
		governance.Gated{Operation: "chat: archive room", Spaces: 1, Budget: "3 spaces"})
	p := governance.Propose(nil, waits, ids())
	g.Expect(p.Operations).To(Equal([]string{"chat: archive room", "chat: remove ana", "chat: remove ben", "chat: set roles: cai Member"}))
	g.Expect(p.Summary).To(Equal("2 members and 1 role and 1 space"))
	g.Expect(p.Budget).To(Equal("25 percent; 3 spaces"))
	g.Expect(p.State).To(Equal(v1alpha1.ProposalOpen))
	sum := sha256.Sum256([]byte(strings.Join(p.Operations, "\n") + "\n"))
	g.Expect(p.Hash).To(Equal(hex.EncodeToString(sum[:])), "anybody can compute it from the list")
	g.Expect(governance.Propose(p, nil, ids())).To(BeNil(), "nothing waits, so nothing is proposed")
}

func TestAProposalStaysTheSameWhileItsListDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, id := NewWithT(t), ids()
		names := rapid.SliceOfN(rapid.StringMatching(`[a-c]`), 1, 4)
		first, second := names.Draw(t, "first"), names.Draw(t, "second")
		p := governance.Propose(nil, removals(first...), id)
		if rapid.Bool().Draw(t, "refused") {
			p.State = v1alpha1.ProposalRefused
		}
		q := governance.Propose(p, removals(second...), id)
		if slices.Equal(p.Operations, q.Operations) {
			g.Expect(q).To(BeIdenticalTo(p))
		} else {
			g.Expect(q.ID).NotTo(Equal(p.ID))
			g.Expect(q.Hash).NotTo(Equal(p.Hash))
			g.Expect(q.State).To(Equal(v1alpha1.ProposalOpen))
		}
	})
}

func TestAnotherBudgetAndAnApprovedProposalMakeANewOne(t *testing.T) {
	g, id := NewWithT(t), ids()
	p := governance.Propose(nil, removals("ana"), id)
	other := removals("ana")
	other[0].Budget = "50 percent"
	g.Expect(governance.Propose(p, other, id).ID).NotTo(Equal(p.ID))
	p.State = v1alpha1.ProposalApproved
	g.Expect(governance.Propose(p, removals("ana"), id).ID).NotTo(Equal(p.ID), "an approval counts once")
}

func TestAProposalListsNoMoreThanAPersonReads(t *testing.T) {
	g := NewWithT(t)
	var accounts []string
	for i := range 2*governance.MaxOperations + 1 {
		accounts = append(accounts, fmt.Sprintf("%04d", i))
	}
	p := governance.Propose(nil, removals(accounts...), ids())
	g.Expect(p.Operations).To(HaveLen(governance.MaxOperations))
	g.Expect(p.Summary).To(Equal("500 members"), "it says what it lists, and no more")
}

func decided(change func(*v1alpha1.GovernanceDecision)) v1alpha1.GovernanceDecision {
	d := v1alpha1.GovernanceDecision{
		ObjectMeta: metav1.ObjectMeta{Name: "yes", CreationTimestamp: metav1.NewTime(now.Add(-time.Hour))},
		Spec:       v1alpha1.GovernanceDecisionSpec{TargetRef: target, ProposalID: "one", Hash: "h", Verdict: v1alpha1.VerdictApprove},
	}
	if change != nil {
		change(&d)
	}
	return d
}

// Promise 4.
func TestADecisionCountsOnlyOnExactlyWhatItIsAboutAndInTime(t *testing.T) {
	open := func() *v1alpha1.Proposal {
		return &v1alpha1.Proposal{ID: "one", Hash: "h", State: v1alpha1.ProposalOpen}
	}
	at := func(d time.Duration) *metav1.Time { return &metav1.Time{Time: now.Add(d)} }
	for _, row := range []struct {
		what   string
		change func(*v1alpha1.GovernanceDecision)
		counts bool
		fate   governance.Fate
	}{
		{"what it is about", nil, true, governance.Pending},
		{"another proposal", func(d *v1alpha1.GovernanceDecision) { d.Spec.ProposalID = "two" }, false, governance.Void},
		{"another list", func(d *v1alpha1.GovernanceDecision) { d.Spec.Hash = "g" }, false, governance.Void},
		{"before it expires", func(d *v1alpha1.GovernanceDecision) { d.Spec.ExpiresAt = at(time.Second) }, true, governance.Pending},
		{"when it expires", func(d *v1alpha1.GovernanceDecision) { d.Spec.ExpiresAt = at(0) }, false, governance.Expired},
		{"after a day, where it does not say", func(d *v1alpha1.GovernanceDecision) {
			d.CreationTimestamp = *at(-24 * time.Hour)
		}, false, governance.Expired},
	} {
		t.Run(row.what, func(t *testing.T) {
			g, d := NewWithT(t), decided(row.change)
			found := governance.Decide(open(), target, []v1alpha1.GovernanceDecision{d}, nobody, now)
			g.Expect(found != nil).To(Equal(row.counts))
			g.Expect(governance.FateOf(&d, waiting(open()), now)).To(Equal(row.fate))
		})
	}
	g := NewWithT(t)
	elsewhere := decided(func(d *v1alpha1.GovernanceDecision) { d.Spec.TargetRef.Kind = v1alpha1.TargetCommunity })
	taken := decided(func(d *v1alpha1.GovernanceDecision) { d.DeletionTimestamp = at(0) })
	for _, d := range []v1alpha1.GovernanceDecision{elsewhere, taken} {
		g.Expect(governance.Decide(open(), target, []v1alpha1.GovernanceDecision{d}, nobody, now)).To(BeNil())
	}
	g.Expect(governance.Decide(nil, target, []v1alpha1.GovernanceDecision{decided(nil)}, nobody, now)).To(BeNil())
}

func TestOfSeveralDecisionsTheFirstThatWasMadeCounts(t *testing.T) {
	g := NewWithT(t)
	p := &v1alpha1.Proposal{ID: "one", Hash: "h", State: v1alpha1.ProposalOpen}
	yes := decided(nil)
	no := decided(func(d *v1alpha1.GovernanceDecision) {
		d.Name, d.Spec.Verdict, d.CreationTimestamp = "no", v1alpha1.VerdictRefuse, metav1.NewTime(now.Add(-2*time.Hour))
	})
	for _, order := range [][]v1alpha1.GovernanceDecision{{yes, no}, {no, yes}} {
		g.Expect(governance.Decide(p, target, order, nobody, now).Name).To(Equal("no"))
	}
}

// Promise 4.
func TestADecisionTakesEffectOnce(t *testing.T) {
	g, d := NewWithT(t), decided(nil)
	for _, state := range []v1alpha1.ProposalState{v1alpha1.ProposalApproved, v1alpha1.ProposalRefused} {
		p := &v1alpha1.Proposal{ID: "one", Hash: "h", State: state, Decision: "another"}
		g.Expect(governance.Decide(p, target, []v1alpha1.GovernanceDecision{d}, nobody, now)).To(BeNil())
		g.Expect(governance.FateOf(&d, waiting(p), now)).To(Equal(governance.Void), "somebody else was first")
	}
	own := &v1alpha1.Proposal{ID: "one", Hash: "h", State: v1alpha1.ProposalApproved, Decision: "yes"}
	g.Expect(governance.FateOf(&d, waiting(own), now)).To(Equal(governance.Underway))
	last := &v1alpha1.DecisionRecord{Name: "yes", ProposalID: "one"}
	g.Expect(governance.FateOf(&d, governance.Target{Last: last}, now)).To(Equal(governance.Decided))
	g.Expect(governance.FateOf(&d, governance.Target{}, now)).To(Equal(governance.Void))
}

// nobody is barred from deciding.
func nobody(*v1alpha1.GovernanceDecision) bool { return false }

func waiting(p *v1alpha1.Proposal) governance.Target {
	return governance.Target{Proposals: []*v1alpha1.Proposal{p}}
}
