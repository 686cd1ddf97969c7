// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"slices"

	"k8s.io/utils/ptr"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// observe looks at the space as it is on the platform. Where that does not show yet what was written, the pass ends.
func (r *spaceReconciler) observe(ctx context.Context, p *pass) *status.Problem {
	seen, err := p.session.Observe(platform.WithPriority(ctx, p.urgencyOfLook()), platform.Query{
		OwnerID: p.platform.Spec.OwnerID, Ref: p.subject.ref, Parent: p.want.Parent,
		Address: p.want.Address, KnownID: p.subject.known(p.platform.Name).SpaceID,
		Members: p.membersMatter(), Declared: accounts(p.want.Members), NoWait: r.cuts.may(p.subject.ref),
	})
	if err != nil {
		return r.platformProblem(p, err)
	}
	if p.settling = seen.Pending; p.settling {
		return status.Wait(v1alpha1.ReasonProgressing, "Platform %s has not shown yet what was written.", p.platform.Name)
	}
	p.seen = seen
	return nil
}

// membersMatter says that who is in the space has to be known: somebody is
// declared, nobody else may be there, or somebody was added before.
func (p *pass) membersMatter() bool {
	return len(p.want.Members) > 0 || p.record != nil && p.record.Size() > 0 || p.guests ||
		p.effective.Management.Membership == v1alpha1.MembershipExclusive
}

// platformProblem says what a platform's error means, and has the platform
// looked at when the trouble is the platform's own.
func (r *spaceReconciler) platformProblem(p *pass, err error) *status.Problem {
	problem := status.FromPlatform(p.platform.Name, err)
	switch problem.Reason {
	case v1alpha1.ReasonUnauthorized, v1alpha1.ReasonUnavailable:
		r.troubled(p.platform.Name)
	}
	return problem
}

// look observes, says who the space belongs to, and plans what is safe.
func (r *spaceReconciler) look(ctx context.Context, p *pass) ([]plan.Operation, *status.Problem) {
	// The first look was taken to check the accounts, before it was known who was added.
	if space := p.seen.Space; len(p.changed)+len(p.refusedNow) > 0 || p.collided || space != nil && space.Members == nil && p.membersMatter() {
		if problem := r.observe(ctx, p); problem != nil {
			return nil, problem
		}
	}
	if problem := claim(p); problem != nil {
		return nil, problem
	}
	p.meet()
	want, seen := p.want, p.seen.Space
	if holder := p.seen.Holder; holder != nil && seen != nil {
		// The new name is taken: everything else goes on under the old one.
		p.note(nameTaken(p, holder))
		want.Address = seen.Address
	}
	ops := plan.Diff(want, seen, p.seen.ParentID)
	ops = slices.DeleteFunc(ops, func(op plan.Operation) bool { return op.Verb == plan.RemoveMember && p.isInside(op.Members[0].Account) })
	if p.facts.noGuidelines != nil {
		p.note(p.facts.noGuidelines)
		ops = slices.DeleteFunc(ops, func(op plan.Operation) bool { return op.Field == plan.FieldGuidelines })
	}
	for _, id := range p.seen.Duplicates {
		ops = append(ops, plan.Operation{Verb: plan.Archive, SpaceID: id, Space: want})
	}
	safety, problem := r.safety(ctx, p)
	if problem != nil {
		return nil, problem
	}
	ops, p.held = plan.Filter(ops, safety)
	ops = slices.DeleteFunc(ops, func(op plan.Operation) bool { return slices.Contains(p.failed, op.Key()) })
	if lost := plan.Describe(p.held, plan.RecordLost); lost != "" {
		p.note(status.Stall(v1alpha1.ReasonGrantRecordLost, "%s would be taken away. %s", lost, lostRecord(p.platform, seen.ID)))
	}
	if back := plan.Describe(p.held, plan.Incomplete); back != "" {
		p.note(status.Wait(v1alpha1.ReasonViewIncomplete,
			"%s would be taken away, but not everything could be read (%s), so nothing is.", back, incompleteWhy(p)))
	}
	return ops, nil
}

func incompleteWhy(p *pass) string {
	switch {
	case !p.seen.Complete:
		return p.seen.Why
	case len(p.facts.unresolved) > 0:
		return p.facts.unresolved[0].Message
	case p.insideUnknown:
		return "the members of its groups"
	default:
		return "people without an account"
	}
}

func (r *spaceReconciler) safety(ctx context.Context, p *pass) (plan.Safety, *status.Problem) {
	budget := p.effective.Management.RemovalBudget
	var spent plan.Baseline
	p.baseline, spent = r.budget(p)
	spaces, err := r.spacesLeft(ctx, p)
	if err != nil {
		return plan.Safety{}, status.Retry(v1alpha1.ReasonGrantRecordUnavailable, err, "%v.", err)
	}
	waiting := func(op string) bool {
		text := p.platform.Name + ": " + op
		return p.subject.waiting(text, p.memberBudget()) || p.subject.waiting(text, p.spaceBudget())
	}
	return plan.Safety{
		Complete:  p.seen.Complete && len(p.facts.unresolved) == 0 && len(p.missing) == 0 && !p.insideUnknown,
		Exclusive: p.effective.Management.Membership == v1alpha1.MembershipExclusive,
		Operator:  p.session.Info.Account,
		Budget: plan.Budget{
			Percent: int(ptr.Deref(budget.Percent, 0)),
			Count:   int(ptr.Deref(budget.Count, 0)),
			Floor:   int(ptr.Deref(budget.Floor, 0)),
		},
		Granted: func(account string) bool {
			return p.granted(account) || p.left(account) && r.isGuest(ctx, p, account)
		},
		Left:       p.left,
		RecordLost: p.record.Partial,
		Delegated:  p.delegation(),
		Baseline:   p.baseline,
		Spent:      spent,
		SpacesLeft: spaces,
		Approved: func(op string) bool {
			return p.subject.lists(v1alpha1.ProposalApproved, p.platform.Name+": "+op) || !p.windowOver && p.record.Counted(op)
		},
		Waiting: waiting,
	}, nil
}

// spacesLeft is how many spaces may still be closed; only a pass that found duplicates has to know.
func (r *spaceReconciler) spacesLeft(ctx context.Context, p *pass) (int, error) {
	if len(p.seen.Duplicates) == 0 {
		return 0, nil
	}
	return r.closed.left(ctx, p.platform)
}
