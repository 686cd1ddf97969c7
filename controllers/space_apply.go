// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// apply does the operations in order. What fails for one person or setting
// blocks only that; what fails for the whole platform ends the pass.
func (r *spaceReconciler) apply(ctx context.Context, p *pass, ops []plan.Operation) (wrote bool, ended *status.Problem) {
	began := r.clock.Now()
	for i, op := range ops {
		if len(ops)-i > longPass && r.clock.Since(began) > r.passLimit {
			p.more = true
			return wrote, r.stop(ctx, p, ops[i:], atWork(p))
		}
		if free, problem := r.reserve(ctx, p, op); problem != nil {
			return wrote, r.stop(ctx, p, ops[i:], problem)
		} else if !free {
			continue
		}
		_, err := p.session.Apply(platform.WithPriority(ctx, priority(op)), op)
		var answer *platform.Error
		switch {
		case err == nil:
			wrote = true
			p.changed = append(p.changed, op.Verb)
			if op.Verb == plan.Set {
				p.drifted = append(p.drifted, op.Field)
			}
		case !errors.As(err, &answer), answer.Kind == platform.Ambiguous: // it may have happened
			return wrote, r.stop(ctx, p, ops[i+1:], r.platformProblem(p, err))
		case op.Verb == plan.Create && answer.Kind == platform.AlreadyExists && !p.collided: // by what, the next look shows
			p.collided = true
			return true, nil
		case op.Verb == plan.Create, endsPass(answer):
			return wrote, r.stop(ctx, p, ops[i:], r.platformProblem(p, err))
		default:
			p.failed = append(p.failed, op.Key())
			if !r.refused.refused(p, op, err) {
				p.note(itemProblem(p, op, err))
			}
			p.undone(op)
		}
		if ctx.Err() != nil {
			return wrote, r.stop(ctx, p, ops[i+1:],
				status.Retry(v1alpha1.ReasonProgressing, ctx.Err(), "Stopped before everything was done; it goes on."))
		}
	}
	return wrote, nil
}

// stop ends a pass, and gives back to the budget what was not done.
func (r *spaceReconciler) stop(ctx context.Context, p *pass, left []plan.Operation, problem *status.Problem) *status.Problem {
	for _, op := range left {
		p.undone(op)
	}
	if kept := r.keep(context.WithoutCancel(ctx), p); kept != nil { // then the budget is smaller than it could be
		ctrl.LoggerFrom(ctx).Error(kept, "Giving back to the removal budget what was not done")
	}
	return problem
}

// reserve takes a space that is to be closed out of the platform's budget.
func (r *spaceReconciler) reserve(ctx context.Context, p *pass, op plan.Operation) (bool, *status.Problem) {
	if op.Takes().Spaces == 0 || p.approved(op) {
		return true, nil
	}
	free, err := r.closed.reserve(ctx, p.platform, op.SpaceID)
	if err != nil {
		return false, status.Retry(v1alpha1.ReasonGrantRecordUnavailable, err, "%v.", err)
	}
	return free, nil
}

// undone takes back that an operation was counted, and remembers what was let happen and is still to do.
func (p *pass) undone(op plan.Operation) {
	if !op.Removes() {
		return
	}
	p.spend(op, -1, time.Time{})
	for _, one := range op.Each() {
		p.subject.gate.unfinished = p.subject.gate.unfinished || p.approved(one)
	}
}

// endsPass says that an error is about the platform, not about one item.
func endsPass(answer *platform.Error) bool {
	switch answer.Kind {
	case platform.Unauthorized, platform.Unavailable:
		return true
	case platform.RateLimited:
		return !answer.Limited
	default:
		return false
	}
}

func itemProblem(p *pass, op plan.Operation, err error) *status.Problem {
	if (op.Verb == plan.AddMember || op.Verb == plan.RemoveMember) && !platform.IsKind(err, platform.RateLimited) {
		return status.Retry(v1alpha1.ReasonPeopleNotAdded, err,
			"Platform %s does not let Cabildo %s: %v. Everybody else is served; it is tried again.", p.platform.Name, op, err)
	}
	return status.FromPlatform(p.platform.Name, err)
}
