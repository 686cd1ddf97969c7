// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/governance"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// gate is what a person's word is needed for, over all the platforms of a resource.
type gate struct {
	// waits is what waits now; unsure says that this is not all of it, because not everything could be seen.
	waits  []governance.Gated
	unsure bool
	// unfinished says that something which was let happen could not be done yet.
	unfinished bool
}

// line is an operation on one account as a proposal lists it.
func line(platform string, op plan.Operation) string { return platform + ": " + op.String() }

// lists says whether the resource's proposal is in this state and lists an operation.
func (s *subject) lists(state v1alpha1.ProposalState, text string) bool {
	p := s.status.Proposal
	return p != nil && p.State == state && slices.Contains(p.Operations, text)
}

// waiting says whether an operation waits for a person's word, or was refused
// one. With another budget than then it is thought over again.
func (s *subject) waiting(text, budget string) bool {
	return (s.lists(v1alpha1.ProposalOpen, text) || s.lists(v1alpha1.ProposalRefused, text)) &&
		strings.Contains(s.status.Proposal.Budget, budget)
}

// approved says whether a person let an operation on one account happen.
func (p *pass) approved(op plan.Operation) bool {
	return p.subject.lists(v1alpha1.ProposalApproved, line(p.platform.Name, op))
}

// hold has an operation wait for a person's word.
func (s *subject) hold(platform string, op plan.Operation, budget string) {
	takes := op.Takes()
	s.gate.waits = append(s.gate.waits, governance.Gated{
		Operation: line(platform, op), Members: takes.Members, Roles: takes.Roles, Spaces: takes.Spaces, Budget: budget,
	})
}

// decide takes up the decision on the resource's proposal, if there is one. It
// is written down before anything is done, so that it counts once.
func (r *spaceReconciler) decide(ctx context.Context, s *subject) error {
	p := s.status.Proposal
	if s.suspend {
		return nil
	}
	if e := s.status.Effective; e != nil && e.Management != nil && e.Management.Mode != v1alpha1.ModeEnforce {
		return nil
	}
	d, err := r.decider().on(ctx, s.object, v1alpha1.TargetKind(s.ref.Kind), p)
	if d == nil || err != nil {
		return err
	}
	p.State, p.Decision, p.DecidedBy = v1alpha1.ProposalApproved, d.Name, d.Spec.DecidedBy
	if d.Spec.Verdict == v1alpha1.VerdictRefuse {
		p.State = v1alpha1.ProposalRefused
		s.status.LastDecision = recordOf(p, v1alpha1.VerdictRefuse)
	}
	if err := r.patchStatus(ctx, s); err != nil {
		return err
	}
	if p.State == v1alpha1.ProposalApproved {
		if err := r.takenUp(ctx, d); err != nil {
			return err
		}
	}
	r.events.Eventf(s.object, d, corev1.EventTypeNormal, string(p.State), "Decide", "%s: %s, decided by %s.", p.State, p.Summary, p.DecidedBy)
	return nil
}

// takenUp says on the decision that it is being carried out. Its target may be
// gone before anybody else looks, where it was about the target's end.
func (r *spaceReconciler) takenUp(ctx context.Context, d *v1alpha1.GovernanceDecision) error {
	before := d.DeepCopy()
	status.Apply(&d.Status.Conditions, status.Outcome{
		Generation: d.Generation,
		Problem:    status.Wait(v1alpha1.ReasonProgressing, "%s %s carries it out.", d.Spec.TargetRef.Kind, d.Spec.TargetRef.Name),
	})
	d.Status.ObservedGeneration = d.Generation
	if err := r.Status().Patch(ctx, d, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("saying on GovernanceDecision %s that it counts: %w", d.Name, err)
	}
	return nil
}

func recordOf(p *v1alpha1.Proposal, verdict v1alpha1.Verdict) *v1alpha1.DecisionRecord {
	return &v1alpha1.DecisionRecord{Name: p.Decision, ProposalID: p.ID, Verdict: verdict, DecidedBy: p.DecidedBy, Summary: p.Summary}
}

// propose makes what waits the resource's proposal, when all of it is known,
// and closes one that was carried out.
func (r *spaceReconciler) propose(s *subject) {
	before := s.status.Proposal
	if s.gate.unsure || (before != nil && before.State == v1alpha1.ProposalApproved && s.gate.unfinished) {
		return
	}
	if before != nil && before.State == v1alpha1.ProposalApproved {
		s.status.LastDecision = recordOf(before, v1alpha1.VerdictApprove)
	}
	s.status.Proposal = governance.Propose(before, s.gate.waits, func() string { return string(uuid.NewUUID()) })
	if p := s.status.Proposal; p != nil && (before == nil || before.ID != p.ID) {
		r.events.Eventf(s.object, nil, corev1.EventTypeWarning, "ApprovalNeeded", "Propose", "%s", awaited(s).Message)
	}
}

// howToApprove says how a proposal on the subject is approved.
func howToApprove(s *subject, what string) string {
	return fmt.Sprintf("Approve %s with: kubectl cabildo approve %s/%s -n %s", what, strings.ToLower(string(s.ref.Kind)), s.ref.Name, s.ref.Namespace)
}

// awaited says what waits for a person's word, and how it is given; nil when nothing does.
func awaited(s *subject) *status.Problem {
	p := s.status.Proposal
	if p == nil {
		return nil
	}
	creation := p.Kind == v1alpha1.ProposalCreation
	switch {
	case p.State == v1alpha1.ProposalApproved && creation:
		return status.Wait(v1alpha1.ReasonProgressing, "%s let be made by %s: at work.", p.Summary, p.DecidedBy)
	case p.State == v1alpha1.ProposalApproved:
		return status.Wait(v1alpha1.ReasonProgressing, "%s let go by %s: at work.", p.Summary, p.DecidedBy)
	case p.State == v1alpha1.ProposalRefused && creation:
		return status.Stall(v1alpha1.ReasonProposalRefused, "%s refused the new group. Change it to what may be, or take it out.", p.DecidedBy)
	case p.State == v1alpha1.ProposalRefused:
		return status.Stall(v1alpha1.ReasonProposalRefused,
			"The declaration takes away %s, and %s refused that. Correct the declaration to what is there, or change it to what may be.", p.Summary, p.DecidedBy)
	case creation:
		return status.Stall(v1alpha1.ReasonCreationWaits,
			"The tier of the community has new groups wait for a person's word: %s. %s", p.Summary, howToApprove(s, "proposal "+p.ID))
	default:
		return status.Stall(v1alpha1.ReasonRemovalBudgetExceeded,
			"%s would be taken away beyond the removal budget (%s), and waits. %s; or correct the declaration.",
			p.Summary, p.Budget, howToApprove(s, "proposal "+p.ID))
	}
}

// budgetOf says in words which removal budget an operation goes beyond.
func (p *pass) budgetOf(op plan.Operation) string {
	if op.Takes().Spaces > 0 {
		return p.spaceBudget()
	}
	return p.memberBudget()
}

func (p *pass) memberBudget() string {
	b := p.effective.Management.RemovalBudget
	return fmt.Sprintf("%d percent, at least %d, at most %d, in %s", *b.Percent, *b.Floor, *b.Count, b.Window.Duration)
}

func (p *pass) spaceBudget() string {
	b := desired.SpaceBudget(p.platform)
	return fmt.Sprintf("%d spaces of Platform %s in %s", b.Count, p.platform.Name, b.Window)
}
