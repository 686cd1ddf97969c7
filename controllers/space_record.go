// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/grants"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// recall finds the record of what was granted in the space. A new space has a
// new one: who left the one before has not left this one. Where ours is gone or is another one, what was granted is not known
// any more: the record that begins then is partial, and with it nothing is taken
// away, until a person says that it may count.
func (r *spaceReconciler) recall(ctx context.Context, p *pass) *status.Problem {
	name := recordName(p.platform.Name, p.platform.Spec.OwnerID, p.subject.ref)
	record, err := r.records.recall(ctx, name)
	if err != nil {
		return status.Retry(v1alpha1.ReasonGrantRecordUnavailable, err, "What was granted before can't be read, so nothing is changed: %v.", err)
	}
	known, space := p.subject.known(p.platform.Name).Record, p.seen.Space
	if record != nil && known != "" && known != record.ID && known != record.Replaces {
		record = nil
	}
	given := "" // the record that is given up with the space that it is about
	if record != nil && p.givesUp(record) {
		record, given = nil, record.ID
	}
	if record != nil && space != nil && record.Space != "" && record.Space != space.ID && record.Space != space.Predecessor {
		record = nil
	}
	if record == nil {
		if record, err = r.records.begin(ctx); err != nil {
			return status.Retry(v1alpha1.ReasonGrantRecordUnavailable, err, "What is granted can't be recorded, so nothing is changed: %v.", err)
		}
		record.Partial = space != nil && space.Mark != nil && space.Mark.Ref == p.subject.ref && !space.Mark.Released
		record.Replaces = given
	}
	if record.Partial && space != nil && p.subject.object.GetAnnotations()[v1alpha1.NewRecordAnnotation] == space.ID {
		record.Partial = false
	}
	p.record, p.recordName = record, name
	return r.recallBrought(ctx, p)
}

// givesUp says that the record is about a space that is lost, and that a new space is to be made, as the annotation has it.
func (p *pass) givesUp(record *grants.Record) bool {
	about := record.Space
	if about == "" && record.Replaces == "" { // a record of an earlier version, which does not say
		about = p.subject.known(p.platform.Name).SpaceID
	}
	return about != "" && p.seen.Space == nil && p.subject.object.GetAnnotations()[v1alpha1.RecreateAnnotation] == about
}

// meet brings the record in line with what is seen, when that is all there is,
// and lets a platform that forgets who left know it from the record. Who the
// accounts are is taken over from every view: it decides nothing.
func (p *pass) meet() {
	space := p.seen.Space
	if space == nil || space.Members == nil {
		return
	}
	seen := make(map[string]model.Membership, len(space.Members))
	for account, membership := range space.Members {
		seen[p.known(account)] = membership
	}
	declared := make([]model.Member, len(p.members))
	for i, m := range p.members {
		declared[i] = model.Member{Account: p.known(m.Account), Role: m.Role}
	}
	if !p.seen.Complete || len(p.facts.unresolved) > 0 {
		return
	}
	if p.record.Size() > 0 {
		p.record.Bind(space.ID)
	}
	p.record.Meet(seen, declared)
	for _, m := range p.want.Members {
		if _, known := space.Members[m.Account]; !known && p.record.Declined(p.session.Stable(m.Account)) {
			space.Members[m.Account] = model.Left
		}
	}
}

// known is what the record knows an account by: what stays of it when it is
// renamed. What was recorded under its name is kept under that from now on.
func (p *pass) known(account string) string {
	stable := p.session.Stable(account)
	p.record.Rename(account, stable)
	return stable
}

// granted says whether an account is in the space because we added it.
func (p *pass) granted(account string) bool { return p.record.Granted(p.session.Stable(account)) }

// intend notes what is about to be granted and taken away, and keeps that
// before anything is done: a crash in between loses no grant and gives nothing
// of the budget back.
func (r *spaceReconciler) intend(ctx context.Context, p *pass, ops []plan.Operation) *status.Problem {
	if problem := r.bring(ctx, p, ops); problem != nil {
		return problem
	}
	now := r.clock.Now()
	for _, op := range ops {
		if op.Removes() {
			p.spend(op, 1, now)
			continue
		}
		for _, m := range op.Members {
			if op.Verb == plan.AddMember || p.granted(m.Account) {
				p.record.Give(model.Member{Account: p.session.Stable(m.Account), Role: m.Role}, now)
			}
		}
	}
	return r.keep(ctx, p)
}

// keep writes the record where it is not kept as it is. Where nothing may be written, neither is the record.
func (r *spaceReconciler) keep(ctx context.Context, p *pass) *status.Problem {
	if p.record == nil || p.effective.Management.Mode != v1alpha1.ModeEnforce || p.paused() {
		return nil
	}
	if err := r.records.keep(ctx, p.recordName, p.platform.Name, p.subject.ref, p.record); err != nil {
		return status.Retry(v1alpha1.ReasonGrantRecordUnavailable, err, "What is granted can't be recorded, so nothing is changed: %v.", err)
	}
	return nil
}

// budget is the baseline and the spend of the space's window. A window that
// nothing was spent in follows the space as it is seen.
func (r *spaceReconciler) budget(p *pass) (baseline, spent plan.Baseline) {
	w, length := p.record.Window, p.effective.Management.RemovalBudget.Window.Duration
	if p.windowOver = w.Began.IsZero() || r.clock.Since(w.Began) >= length; p.windowOver {
		return plan.BaselineOf(p.seen.Space), plan.Baseline{}
	}
	return plan.Baseline{Members: w.BaselineMembers, Roles: w.BaselineRoles}, plan.Baseline{Members: w.Members, Roles: w.Roles}
}

// spend counts an operation against the window, or takes that back with times -1. What a person let happen and
// the removal of somebody who has left cost nothing, and what was counted before a crash kept it from being done not a second time.
func (p *pass) spend(op plan.Operation, times int, now time.Time) {
	for _, one := range op.Each() {
		takes := one.Takes()
		if takes.Members+takes.Roles == 0 || p.approved(one) || p.ofLeaver(one) {
			continue
		}
		w := &p.record.Window
		if p.windowOver {
			*w = grants.Window{Began: now.UTC(), BaselineMembers: p.baseline.Members, BaselineRoles: p.baseline.Roles}
			p.windowOver = false
			p.record.Settle()
		}
		if times > 0 && !p.record.Count(one.String()) || times < 0 && !p.record.Uncount(one.String()) {
			continue
		}
		w.Members += times * takes.Members
		w.Roles += times * takes.Roles
	}
}

// recordFinding says whether it is known what was granted.
func recordFinding(passes []*pass) *status.Finding {
	var f *status.Finding
	for _, p := range passes {
		if p.record == nil || p.seen.Space == nil {
			continue
		}
		if p.record.Partial {
			return &status.Finding{Reason: v1alpha1.ReasonGrantRecordLost, Message: lostRecord(p.platform, p.seen.Space.ID)}
		}
		f = &status.Finding{}
	}
	return f
}

func lostRecord(on *v1alpha1.Platform, space string) string {
	return "The record of whom Cabildo added to space " + space + " on Platform " + on.Name +
		" is lost, so nobody is removed from it and no role taken away. Check who is in the space; then the annotation " +
		v1alpha1.NewRecordAnnotation + ": " + `"` + space + `"` + " lets the new record count: who is in it now came by themselves."
}

// recordID is what status says of the record; empty while none is kept.
func (p *pass) recordID() string {
	if p.record == nil || p.effective.Management.Mode != v1alpha1.ModeEnforce || p.paused() {
		return p.subject.known(p.platform.Name).Record
	}
	return p.record.ID
}
