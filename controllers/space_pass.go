// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/grants"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// pass is one look at one space on one platform, and what came of it.
type pass struct {
	subject *subject
	facts   facts
	entry   v1alpha1.CommunityPlatform

	platform *v1alpha1.Platform
	session  *platform.Session
	// opening says that the platform is Ready, and this process has not opened its session yet.
	opening   bool
	effective v1alpha1.EffectiveSettings
	want      model.Space
	losses    []platform.Loss
	members   []model.Member
	// inside are the accounts in a community's groups, where who is in a group has to be in the community, and
	// insideUnknown says that not all of them are known.
	inside        []model.Member
	insideUnknown bool
	// guests says that somebody came into the space of a community with one of its groups, and began when it was asked.
	guests bool
	began  time.Time
	// nameless are people of whom the platform's directory does not say what their account is, and missing those
	// and the accounts that don't exist.
	nameless, missing []string
	// leavers are the accounts of those who have left a directory of the subject.
	leavers func() map[string]bool
	failed  []string

	seen platform.Observation
	// record is what was granted in the space; nil until it was recalled.
	record     *grants.Record
	recordName string
	// windowOver says that the window of the removal budget begins with the next removal, and baseline what it is a percentage of.
	windowOver bool
	baseline   plan.Baseline

	// halt says why nothing is done but to take out who has left; nil when all may be done.
	halt *status.Problem

	// more says that the pass ended with much left to do, and goes on at once.
	more bool
	// settling says that the pass ended because the platform has not shown yet what was written.
	settling bool

	// onlyCreate says that the space is made where there is none, and nothing else is done.
	onlyCreate bool

	// collided says that a space could not be made because its name is taken.
	collided bool

	// cannot says of settings that the server refused to set why, and refusedNow which of them it was asked for in this pass.
	cannot     map[plan.Field]string
	refusedNow []plan.Field

	held     []plan.Held
	pending  []plan.Operation
	changed  []plan.Verb
	drifted  []plan.Field
	problems []*status.Problem
}

// maxRounds bounds how often a pass looks again after it has written. One
// round makes the space, one the rest; the third sees that nothing is left.
const maxRounds = 4

// run makes the space of the subject on one platform as it is declared.
func (r *spaceReconciler) run(ctx context.Context, p *pass) {
	if p.halt != nil {
		p.note(p.halt)
		p.subject.gate.unsure = true
	}
	for _, step := range []func(context.Context, *pass) *status.Problem{
		r.resolve,
		r.desire,
		r.checkAccounts,
		r.recall,
		r.converge,
	} {
		if problem := step(ctx, p); problem != nil {
			p.problems = append(p.problems, problem)
			p.subject.gate.unsure = true
			return
		}
	}
}

// converge looks and applies until nothing is left to do, and keeps the record of it.
func (r *spaceReconciler) converge(ctx context.Context, p *pass) *status.Problem {
	for range maxRounds {
		ops, problem := r.look(ctx, p)
		if problem != nil {
			return problem
		}
		if p.effective.Management.Mode != v1alpha1.ModeEnforce || p.paused() {
			p.pending = ops
			p.subject.gate.unsure = true
			return nil
		}
		if p.halt != nil {
			if ops = p.ofLeavers(ops); len(ops) == 0 {
				return nil
			}
		}
		creates := len(ops) > 0 && ops[0].Verb == plan.Create
		if p.onlyCreate && !creates || (creates || p.takesOver()) && !p.mayCreate() {
			return nil
		}
		if ops = r.refused.skip(p, ops); len(ops) == 0 {
			return r.settle(ctx, p)
		}
		if problem := r.intend(ctx, p, ops); problem != nil {
			return problem
		}
		r.progress(ctx, p, len(ops))
		wrote, problem := r.apply(ctx, p, ops)
		if problem != nil {
			return problem
		}
		if !wrote && len(p.refusedNow) == 0 {
			return r.settle(ctx, p)
		}
	}
	return status.Retry(v1alpha1.ReasonApplyFailed, errors.New("the space still differs"),
		"Platform %s took every change, but the space still differs from what is declared. It is tried again.", p.platform.Name)
}

// settle ends a pass that did what it could: what was held back for a person
// waits, unless not everything could be seen, and the record is kept as it is now.
func (r *spaceReconciler) settle(ctx context.Context, p *pass) *status.Problem {
	r.refused.remember(p)
	for _, h := range p.held {
		switch h.Why {
		case plan.OverBudget:
			p.subject.hold(p.platform.Name, h.Operation, p.budgetOf(h.Operation))
		case plan.Incomplete:
			p.subject.gate.unsure = true
		default:
		}
	}
	if p.seen.Complete {
		p.record.Settle()
	}
	if problem := r.meetBrought(ctx, p); problem != nil {
		return problem
	}
	return r.keep(ctx, p)
}

// paused says that nothing may be written.
func (p *pass) paused() bool { return p.subject.suspend || p.platform.Spec.Suspend }

// resolve finds the platform, its session and the grant.
func (r *spaceReconciler) resolve(ctx context.Context, p *pass) *status.Problem {
	name := p.entry.PlatformRef.Name
	var object v1alpha1.Platform
	if err := r.Get(ctx, types.NamespacedName{Name: name}, &object); apierrors.IsNotFound(err) {
		return status.Wait(v1alpha1.ReasonPlatformNotFound,
			"Platform %s does not exist. Correct platformRef, or ask the platform team to make it.", name)
	} else if err != nil {
		return status.Retry(v1alpha1.ReasonPlatformNotFound, err, "Platform %s could not be read: %v.", name, err)
	}
	p.platform = &object
	standing := p.subject.community.Spec.Standing
	if p.subject.group != nil {
		standing = p.subject.group.Spec.Standing
	}
	address := desired.Address(desired.SpaceName(p.subject.community, p.entry), p.subject.group)
	refusal, err := desired.Granted(&object, p.subject.ref.Namespace, p.facts.namespaceLabels, address, standing)
	if err != nil {
		return status.Stall(v1alpha1.ReasonInvalidPlatform, "%v. The platform team corrects it.", err)
	}
	var refused *status.Problem
	if refusal != nil {
		refused = status.Stall(refusal.Reason, "%s", refusal.Message)
	} else {
		refused = p.reserved(address, standing)
	}
	if refused != nil && p.subject.known(name).SpaceID == "" {
		return refused
	}
	if refused != nil { // what exists stays as it is, and who has left loses access all the same
		p.halt = refused
		p.note(refused)
		p.subject.gate.unsure = true
	}
	if p.session = r.sessions.Get(name); p.session == nil {
		p.opening = isReady(&object)
		return status.Wait(v1alpha1.ReasonPlatformNotReady,
			"Platform %s is not ready: %s Nothing is changed until it is.", name, readyMessage(&object))
	}
	return nil
}

func readyMessage(p *v1alpha1.Platform) string {
	for _, c := range p.Status.Conditions {
		if c.Type == v1alpha1.ConditionReady && c.Reason != v1alpha1.ReasonReady {
			return c.Reason + ": " + c.Message
		}
	}
	return "it has not been reached yet."
}

// desire computes the wanted space in the platform's normal form.
func (r *spaceReconciler) desire(ctx context.Context, p *pass) *status.Problem {
	members, nameless, problem := r.accounts(ctx, p, p.facts.people)
	if problem != nil {
		return problem
	}
	p.members, p.nameless, p.missing = members, nameless, nameless
	if problem := r.lookInside(ctx, p); problem != nil {
		return problem
	}
	in := desired.Inputs{
		Platform: p.platform, Community: p.subject.community, Group: p.subject.group,
		SpaceName:  desired.SpaceName(p.subject.community, p.entry),
		Guidelines: p.facts.guidelines, Members: members, Tier: p.facts.governed.tier,
	}
	if p.facts.governed.policy != nil {
		in.Policy = p.facts.governed.policy.Name
	}
	effective, refused, tooLoose := desired.Effective(in)
	if refused != nil {
		return status.Stall(refused.Reason, "%s", refused.Message)
	}
	if tooLoose != nil {
		p.note(status.Stall(tooLoose.Reason, "%s", tooLoose.Message))
	}
	p.effective = effective
	p.want, p.losses = p.session.Normalize(desired.Space(in, effective))
	for _, loss := range p.losses {
		if loss.Fatal {
			return status.Stall(v1alpha1.ReasonInvalidName, "%s: %s.", loss.Setting, loss.Message)
		}
	}
	if len(p.losses) > 0 && effective.Moderation.OnUnsupported == v1alpha1.BlockUnsupported {
		return status.Stall(v1alpha1.ReasonSettingsUnsupported,
			"Platform %s can't hold what is declared, and onUnsupported is Block. %s", p.platform.Name, describeLosses(p.platform.Name, p.losses))
	}
	return nil
}

// note remembers a problem that lets the rest go on, once.
func (p *pass) note(problem *status.Problem) {
	for _, known := range p.problems {
		if known.Reason == problem.Reason {
			if known.RetryAfter > 0 && problem.RetryAfter > 0 { // what can go on first does
				known.RetryAfter = min(known.RetryAfter, problem.RetryAfter)
			}
			return
		}
	}
	p.problems = append(p.problems, problem)
}
