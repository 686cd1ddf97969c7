// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// releaseTime bounds the best effort to mark a space as released.
const releaseTime = 10 * time.Second

// finish lets go of every space of a resource that is being deleted, as its
// deletion says, and then of the resource.
func (r *spaceReconciler) finish(ctx context.Context, s *subject) (ctrl.Result, error) {
	if !controllerutil.ContainsFinalizer(s.object, v1alpha1.SpaceFinalizer) {
		return ctrl.Result{}, nil
	}
	if err := r.decide(ctx, s); err != nil {
		return ctrl.Result{}, err
	}
	var problems []*status.Problem
	for _, known := range slices.Clone(s.status.Platforms) {
		problems = append(problems, r.leave(ctx, s, known))
	}
	r.propose(s)
	problems = append([]*status.Problem{awaited(s)}, problems...)
	if worst := status.Worst(problems...); worst != nil {
		status.Apply(&s.status.Conditions, status.Outcome{Generation: s.object.GetGeneration(), Problem: worst})
		if err := r.patchStatus(ctx, s); err != nil {
			return ctrl.Result{}, err
		}
		return resultOf(worst, jitter(desired.BuiltInResync))
	}
	r.counted.forget(s.ref.String())
	r.cuts.forget(s.ref)
	r.written.forget(s.object)
	controllerutil.RemoveFinalizer(s.object, v1alpha1.SpaceFinalizer)
	if err := r.Patch(ctx, s.object, client.MergeFrom(s.stored)); client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, fmt.Errorf("removing the finalizer from %s: %w", s.ref, err)
	}
	return ctrl.Result{}, nil
}

// leaveOthers lets go of the spaces on platforms that the community is no longer on.
func (r *spaceReconciler) leaveOthers(ctx context.Context, s *subject) *status.Problem {
	var problems []*status.Problem
	for _, known := range slices.Clone(s.status.Platforms) {
		if slices.ContainsFunc(s.community.Spec.Platforms, func(p v1alpha1.CommunityPlatform) bool {
			return p.PlatformRef.Name == known.Name
		}) {
			continue
		}
		problem := r.leave(ctx, s, known)
		if problem == nil {
			s.status.Platforms = slices.DeleteFunc(s.status.Platforms, func(p v1alpha1.PlatformSpaceStatus) bool { return p.Name == known.Name })
		}
		problems = append(problems, problem)
	}
	return status.Worst(problems...)
}

// leave lets go of one space. Retain is best effort: it marks the space as
// released and never stands in the way. Archive and Delete wait until they are
// done; a platform that is down is shown, not skipped.
func (r *spaceReconciler) leave(ctx context.Context, s *subject, known v1alpha1.PlatformSpaceStatus) *status.Problem {
	p, problem := r.leaving(ctx, s, known)
	deletion := p.effective.Management.Deletion
	must := deletion != v1alpha1.DeletionRetain && s.object.GetAnnotations()[v1alpha1.ForceReleaseAnnotation] != "true"
	switch {
	case p.effective.Management.Mode != v1alpha1.ModeEnforce:
		return nil // nothing is written, so the space stays as it is
	case p.platform != nil && p.paused():
		if !must {
			return nil
		}
		return status.Wait(v1alpha1.ReasonSuspended, "Suspended: the space on Platform %s is not touched, and deletion: %s waits.", known.Name, deletion)
	case problem == nil:
		problem = r.letGo(ctx, p, known, deletion)
	}
	if problem == nil {
		return nil
	}
	if problem.Reason == v1alpha1.ReasonRemovalBudgetExceeded && must {
		return problem
	}
	s.gate.unsure = true
	if !must {
		ctrl.LoggerFrom(ctx).Info("Left a space as it is, without marking it as released",
			"platform", known.Name, "space", known.SpaceID, "reason", problem.Reason)
		return nil
	}
	problem.Message = fmt.Sprintf("deletion: %s waits. %s The platform team can let go of the space with the annotation %s: \"true\".",
		deletion, problem.Message, v1alpha1.ForceReleaseAnnotation)
	return problem
}

// leaving finds the platform, the session and the management in force. The
// community or the platform may be gone: then what was recorded stands.
func (r *spaceReconciler) leaving(ctx context.Context, s *subject, known v1alpha1.PlatformSpaceStatus) (*pass, *status.Problem) {
	p := &pass{subject: s}
	var object v1alpha1.Platform
	err := r.Get(ctx, types.NamespacedName{Name: known.Name}, &object)
	if err == nil {
		p.platform = &object
	}
	switch {
	case p.platform != nil && s.community != nil:
		p.effective, _, _ = desired.Effective(desired.Inputs{Platform: p.platform, Community: s.community, Group: s.group})
	case s.status.Effective != nil:
		p.effective = *s.status.Effective.DeepCopy()
	}
	managed := desired.Management(p.effective.Management)
	p.effective.Management = &managed
	if p.platform == nil {
		if apierrors.IsNotFound(err) {
			return p, status.Wait(v1alpha1.ReasonPlatformNotFound, "Platform %s does not exist.", known.Name)
		}
		return p, status.Retry(v1alpha1.ReasonPlatformNotFound, err, "Platform %s could not be read: %v.", known.Name, err)
	}
	if p.session = r.sessions.Get(known.Name); p.session == nil {
		return p, status.Wait(v1alpha1.ReasonPlatformNotReady, "Platform %s is not ready: %s", known.Name, readyMessage(p.platform))
	}
	return p, nil
}

// letGo releases, archives or deletes the space, when it is ours.
func (r *spaceReconciler) letGo(ctx context.Context, p *pass, known v1alpha1.PlatformSpaceStatus, deletion v1alpha1.DeletionMode) *status.Problem {
	if deletion == v1alpha1.DeletionRetain {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, releaseTime)
		defer cancel()
	}
	p.want = model.Space{Mark: model.Mark{OwnerID: p.platform.Spec.OwnerID, Ref: p.subject.ref}}
	seen, err := p.session.Observe(ctx, platform.Query{OwnerID: p.platform.Spec.OwnerID, Ref: p.subject.ref, KnownID: known.SpaceID})
	if err != nil {
		return r.platformProblem(p, err)
	}
	if seen.Space == nil {
		if !seen.Complete {
			return status.Wait(v1alpha1.ReasonViewIncomplete, "Platform %s has not told everything yet (%s).", known.Name, seen.Why)
		}
		return nil // it is gone already, or not ours any more
	}
	p.want.Mark.Official = seen.Space.Mark.Official
	p.want.Address = seen.Space.Address
	verbs := map[v1alpha1.DeletionMode][]plan.Verb{
		v1alpha1.DeletionRetain:  {plan.Release},
		v1alpha1.DeletionArchive: {plan.Archive, plan.Release},
		v1alpha1.DeletionDelete:  {plan.Delete},
	}[deletion]
	did := false
	for _, verb := range verbs {
		op := plan.Operation{Verb: verb, SpaceID: seen.Space.ID, ParentID: seen.ParentID, Space: p.want}
		if verb == plan.Archive && seen.Space.Archived || verb == plan.Release && seen.Space.Mark.Released {
			continue // done before, by a look that the cache does not have yet
		}
		if problem := r.mayClose(ctx, p, op); problem != nil {
			return problem
		}
		if _, err := p.session.Apply(platform.WithPriority(ctx, platform.PriorityRevoke), op); err != nil {
			return r.platformProblem(p, err)
		}
		did = true
	}
	if !did {
		return nil
	}
	if deletion == v1alpha1.DeletionDelete { // otherwise it may come back, and so may its record
		err := errors.Join(
			r.records.forget(ctx, recordName(known.Name, p.platform.Spec.OwnerID, p.subject.ref)),
			r.records.forget(ctx, broughtName(p.platform, p.subject.ref)))
		if err != nil {
			return status.Retry(v1alpha1.ReasonGrantRecordUnavailable, err, "%v.", err)
		}
	}
	r.events.Eventf(p.subject.object, nil, corev1.EventTypeNormal, "SpaceLeft", "Apply",
		"Let go of space %s on Platform %s: %s.", seen.Space.ID, known.Name, deletion)
	return nil
}

// mayClose says why a space may not be archived or deleted now: more spaces of
// the platform would go than its budget allows, and nobody has let it happen.
func (r *spaceReconciler) mayClose(ctx context.Context, p *pass, op plan.Operation) *status.Problem {
	text, budget := line(p.platform.Name, op), p.spaceBudget()
	if !p.subject.waiting(text, budget) {
		if free, problem := r.reserve(ctx, p, op); free || problem != nil {
			return problem
		}
	}
	p.subject.hold(p.platform.Name, op, budget)
	return status.Stall(v1alpha1.ReasonRemovalBudgetExceeded, "%s: no more than %s go without a person's word.", text, budget)
}
