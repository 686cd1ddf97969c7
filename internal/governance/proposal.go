// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package governance decides what the rules of an organisation say about its
// spaces. It is pure: resources and the time are passed in.
package governance

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// MaxOperations is how many operations one proposal lists. An approver reads
// all that they approve, so what goes beyond comes in a proposal after it.
const MaxOperations = 500

// decisionLife is how long a decision counts that does not say.
const decisionLife = 24 * time.Hour

// Gated is one operation that waits for a person's word: it takes something away, or makes a group's first space.
type Gated struct {
	// Kind of the proposal that it belongs to; empty for a removal.
	Kind v1alpha1.ProposalKind
	// Operation says it for people: what, of whom, and on which platform.
	Operation string
	// Members, Roles and Spaces are what it takes away, or makes.
	Members, Roles, Spaces int
	// Budget is the removal budget that it goes beyond, in words.
	Budget string
}

// Hash identifies a list of operations: the sha256 of its lines.
func Hash(operations []string) string {
	sum := sha256.New()
	for _, op := range operations {
		sum.Write([]byte(op + "\n"))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Propose returns the proposal for what waits now. It is the one before while
// its list is the same: what waits stays the same proposal with the same
// decision, and anything else is another one, with an ID of its own.
func Propose(before *v1alpha1.Proposal, waits []Gated, newID func() string) *v1alpha1.Proposal {
	waits = slices.Clone(waits)
	slices.SortFunc(waits, func(a, b Gated) int { return cmp.Compare(a.Operation, b.Operation) })
	waits = slices.CompactFunc(waits, func(a, b Gated) bool { return a.Operation == b.Operation })
	waits = waits[:min(len(waits), MaxOperations)]
	if len(waits) == 0 {
		return nil
	}
	p := &v1alpha1.Proposal{Kind: waits[0].Kind, State: v1alpha1.ProposalOpen}
	var members, roles, spaces int
	var budgets []string
	for _, w := range waits {
		p.Operations = append(p.Operations, w.Operation)
		members, roles, spaces = members+w.Members, roles+w.Roles, spaces+w.Spaces
		budgets = append(budgets, w.Budget)
	}
	slices.Sort(budgets)
	p.Budget = strings.Join(slices.Compact(budgets), "; ")
	p.Summary = count(members, roles, spaces)
	if p.Kind == v1alpha1.ProposalCreation {
		p.Summary = plural(spaces, "new space", "new spaces")
	}
	p.Hash = Hash(p.Operations)
	if before != nil && before.State != v1alpha1.ProposalApproved && before.Hash == p.Hash && before.Budget == p.Budget {
		return before
	}
	p.ID = newID()
	return p
}

// ProposeTier returns the proposal to move a community to another tier; nil
// where nothing speaks for one. It is the one before while it would change the
// same, so that its evidence is what it was when it was proposed.
func ProposeTier(policy *v1alpha1.GovernancePolicy, before *v1alpha1.Proposal, here, toward *v1alpha1.Tier, m Measures, newID func() string) *v1alpha1.Proposal {
	if toward == nil {
		return nil
	}
	changes := Difference(here, toward)
	hash := Hash(changes)
	if before != nil && before.Hash == hash {
		return before
	}
	return &v1alpha1.Proposal{
		Kind: v1alpha1.ProposalTier, ID: newID(), Hash: hash, State: v1alpha1.ProposalOpen,
		Summary: fmt.Sprintf("tier %s instead of %s", toward.Name, here.Name), Operations: changes, Evidence: Evidence(policy, here, toward, m),
	}
}

// Kind is what a proposal is about.
func Kind(p *v1alpha1.Proposal) v1alpha1.ProposalKind {
	return cmp.Or(p.Kind, v1alpha1.ProposalRemoval)
}

// count says in words what is taken away.
func count(members, roles, spaces int) string {
	var parts []string
	for _, part := range []struct {
		n         int
		one, many string
	}{{members, "member", "members"}, {roles, "role", "roles"}, {spaces, "space", "spaces"}} {
		if part.n > 0 {
			parts = append(parts, plural(part.n, part.one, part.many))
		}
	}
	return strings.Join(parts, " and ")
}

// Decide returns the decision that takes effect on an open proposal, or nil: it
// names the proposal, its kind and its list, has not expired, and is not of somebody who is barred. Of several the first that was made counts.
func Decide(p *v1alpha1.Proposal, target v1alpha1.DecisionTarget, decisions []v1alpha1.GovernanceDecision, barred func(*v1alpha1.GovernanceDecision) bool, now time.Time) *v1alpha1.GovernanceDecision {
	if p == nil || p.State != v1alpha1.ProposalOpen {
		return nil
	}
	var first *v1alpha1.GovernanceDecision
	for i := range decisions {
		d := &decisions[i]
		switch {
		case d.Spec.TargetRef != target, !isAbout(d, p):
		case !d.DeletionTimestamp.IsZero(), !now.Before(Expiry(d)), barred(d):
		case first == nil, before(d, first):
			first = d
		}
	}
	return first
}

// isAbout says that a decision is about exactly this proposal.
func isAbout(d *v1alpha1.GovernanceDecision, p *v1alpha1.Proposal) bool {
	return d.Spec.ProposalID == p.ID && d.Spec.Hash == p.Hash && cmp.Or(d.Spec.ProposalKind, v1alpha1.ProposalRemoval) == Kind(p)
}

func before(a, b *v1alpha1.GovernanceDecision) bool {
	if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
		return c < 0
	}
	return a.Name < b.Name
}

// Expiry is when a decision stops to count.
func Expiry(d *v1alpha1.GovernanceDecision) time.Time {
	if d.Spec.ExpiresAt != nil {
		return d.Spec.ExpiresAt.Time
	}
	return d.CreationTimestamp.Add(decisionLife)
}

// Fate is what became of a decision.
type Fate string

// The fates.
const (
	// Decided: it took effect, or is about to.
	Decided Fate = "Decided"
	// Underway: it was taken up, and is being carried out.
	Underway Fate = "Underway"
	// Pending: its target will take it up.
	Pending Fate = "Pending"
	// Void: there is no such proposal any more, or it has another list.
	Void Fate = "Void"
	// Expired: nobody took it up in time.
	Expired Fate = "Expired"
)

// Target is what a decision's target says: what waits there, and which decision took effect last.
type Target struct {
	Proposals []*v1alpha1.Proposal
	Last      *v1alpha1.DecisionRecord
}

// FateOf says what became of a decision on a target.
func FateOf(d *v1alpha1.GovernanceDecision, t Target, now time.Time) Fate {
	if t.Last != nil && t.Last.Name == d.Name && t.Last.ProposalID == d.Spec.ProposalID {
		return Decided
	}
	for _, p := range t.Proposals {
		switch {
		case p == nil || !isAbout(d, p):
			continue
		case p.State == v1alpha1.ProposalApproved && p.Decision == d.Name:
			return Underway
		case p.State == v1alpha1.ProposalRefused && p.Decision == d.Name:
			return Decided
		case p.State != v1alpha1.ProposalOpen:
			return Void // somebody else decided first
		case !now.Before(Expiry(d)):
			return Expired
		default:
			return Pending
		}
	}
	return Void
}
