// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/directory"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// spaceReconciler takes every resource that has spaces the one way.
type spaceReconciler struct {
	base
	// troubled has a Platform probed.
	troubled func(name string)
	// counted holds back counts that change all the time.
	counted *throttle
	records *records
	brought *brought
	closed  *closures
	guard   decisionsGuard
	refused refusals
	cuts    cuts
	written *written
	// passLimit is how long a pass writes at a stretch.
	passLimit time.Duration
	// directories are the people that each Directory has.
	directories *directory.Directories
}

// openingInterval is how soon a resource is looked at again whose platform's session is being opened.
const openingInterval = 500 * time.Millisecond

// reconcile makes the spaces of a subject as declared and reports on it.
// The subject's object is changed on the way.
func (r *spaceReconciler) reconcile(ctx context.Context, s *subject) (ctrl.Result, error) {
	result, err := r.reconcileOnce(platform.WithShare(ctx, s.share()), s)
	if apierrors.IsConflict(err) { // somebody was faster, or the cache is behind: look again
		return ctrl.Result{RequeueAfter: jitter(openingInterval)}, nil
	}
	return result, err
}

// cacheInterval is how soon a resource is looked at again of which the cache does not have what we wrote.
const cacheInterval = 50 * time.Millisecond

// reconcileOnce is reconcile, on what was read of the subject.
func (r *spaceReconciler) reconcileOnce(ctx context.Context, s *subject) (ctrl.Result, error) {
	if r.written.behind(s.object) {
		return ctrl.Result{RequeueAfter: jitter(cacheInterval)}, nil
	}
	if r.opening(ctx, s) || r.reading(ctx, s) { // we have just started: nothing is known yet that would be worth a word
		return ctrl.Result{RequeueAfter: jitter(openingInterval)}, nil
	}
	if !s.object.GetDeletionTimestamp().IsZero() {
		return r.finish(ctx, s)
	}
	if controllerutil.AddFinalizer(s.object, v1alpha1.SpaceFinalizer) {
		if err := r.Patch(ctx, s.object, client.MergeFrom(s.stored)); err != nil {
			return ctrl.Result{}, fmt.Errorf("adding the finalizer to %s: %w", s.ref, err)
		}
		s.isStored()
	}
	if s.community == nil {
		problem := status.Wait(v1alpha1.ReasonCommunityNotFound,
			"Community %s does not exist in namespace %s. Make it, or correct communityRef with a new Group; the group's spaces stay as they are.",
			s.group.Spec.CommunityRef.Name, s.ref.Namespace)
		return r.report(ctx, s, facts{}, nil, problem)
	}
	f, problem := r.gather(ctx, s)
	if problem != nil {
		return r.report(ctx, s, f, nil, problem)
	}
	if err := r.decide(ctx, s); err != nil {
		return ctrl.Result{}, err
	}
	if s.group == nil {
		if err := r.evaluate(ctx, s, &f); err != nil {
			return ctrl.Result{}, err
		}
		r.staff(s, &f)
	}
	f.appoint(s)
	if err := r.found(ctx, s, f); err != nil {
		return ctrl.Result{}, err
	}
	var passes []*pass
	for _, entry := range s.community.Spec.Platforms {
		if f.governed.halt != nil && s.known(entry.PlatformRef.Name).SpaceID == "" {
			continue
		}
		p := &pass{subject: s, facts: f, entry: entry, halt: f.governed.halt}
		r.run(ctx, p)
		if p.opening { // we have just started: nothing is known yet that would be worth a word
			return ctrl.Result{RequeueAfter: jitter(openingInterval)}, nil
		}
		passes = append(passes, p)
		if p.settling {
			return r.cut(ctx, s, passes)
		}
	}
	if f.governed.halt != nil {
		return r.report(ctx, s, f, passes, f.governed.halt)
	}
	return r.report(ctx, s, f, passes, r.leaveOthers(ctx, s))
}

// found makes the spaces that there are none of yet, on every platform, before
// anything else is done on one: a thousand members on the first platform are
// not what the groups on the second one wait for. What stands in the way is
// met again, and said, by the passes that follow.
func (r *spaceReconciler) found(ctx context.Context, s *subject, f facts) error {
	if len(s.community.Spec.Platforms) < 2 || f.governed.halt != nil {
		return nil
	}
	made, before := false, s.gate
	for _, entry := range s.community.Spec.Platforms {
		if s.known(entry.PlatformRef.Name).SpaceID != "" {
			continue
		}
		p := &pass{subject: s, facts: f, entry: entry, onlyCreate: true}
		r.run(ctx, p)
		if space := p.seen.Space; len(p.changed) > 0 && space != nil {
			s.record(v1alpha1.PlatformSpaceStatus{
				Name: p.platform.Name, SpaceID: space.ID, Address: p.session.Display(space.Address), Record: p.recordID(),
			})
			made = true
		}
		r.tell(p)
	}
	s.gate = before
	if !made {
		return nil
	}
	return r.patchStatus(ctx, s)
}

// opening says that a platform of the subject's spaces is Ready, and this
// process has not opened its session yet. Nothing would wake the subject when it has.
func (r *spaceReconciler) opening(ctx context.Context, s *subject) bool {
	return slices.ContainsFunc(s.status.Platforms, func(known v1alpha1.PlatformSpaceStatus) bool {
		var object v1alpha1.Platform
		err := r.Get(ctx, types.NamespacedName{Name: known.Name}, &object)
		return err == nil && isReady(&object) && r.sessions.Get(known.Name) == nil
	})
}

// report turns the passes into the status, and writes it when it differs.
func (r *spaceReconciler) report(ctx context.Context, s *subject, f facts, passes []*pass, problem *status.Problem) (ctrl.Result, error) {
	outcome := status.Outcome{Generation: s.object.GetGeneration()}
	problems := []*status.Problem{problem}
	after := desired.BuiltInResync
	var pending []string
	differs := false
	for _, p := range passes {
		problems = append(problems, p.problems...)
		differs = differs || len(p.pending) > 0
		if p.effective.Management == nil || p.effective.Management.Mode != v1alpha1.ModeObserve {
			pending = append(pending, describe(p)...)
		}
		if p.platform != nil {
			after = min(after, resync(p.platform))
		}
		r.tell(p)
	}
	if passes == nil {
		s.gate.unsure = true
	}
	r.propose(s)
	problems = append(problems, awaited(s))
	if p := s.status.Proposal; p != nil && p.Kind == v1alpha1.ProposalCreation { // the rest is about a space that isn't there
		problems = slices.Insert(problems, 0, awaited(s))
	}
	outcome.Problem = status.Worst(problems...)
	if p := outcome.Problem; p == nil || p.Severity != status.Transient {
		r.cuts.forget(s.ref)
	}
	if outcome.Problem == nil {
		outcome.Halted, outcome.Message = halted(passes, differs)
	}
	outcome.Members, outcome.Moderation = findings(passes, r.clock.Now())
	outcome.Governed, outcome.Staffed = r.governanceFindings(s, f)
	outcome.Grants = recordFinding(passes)
	status.Apply(&s.status.Conditions, outcome)
	s.status.ObservedGeneration = s.object.GetGeneration()
	s.status.Pending = pending[:min(len(pending), status.MaxSamples)]
	soon := r.summarise(s, passes)

	if err := r.patchStatus(ctx, s); err != nil {
		return ctrl.Result{}, err
	}
	after = jitter(after)
	if soon > 0 {
		after = min(after, soon)
	}
	switch p := outcome.Problem; {
	case p != nil && p.Severity == status.Transient:
		return resultOf(p, after)
	case slices.ContainsFunc(passes, func(p *pass) bool { return p.more }):
		return ctrl.Result{RequeueAfter: atOnce, Priority: ptr.To(orderFirst)}, nil
	case f.nextExpiry.IsZero() || f.nextExpiry.Sub(r.clock.Now()) > after:
		return ctrl.Result{RequeueAfter: after, Priority: ptr.To(orderLast)}, nil
	default: // somebody may have to be taken out then
		return ctrl.Result{RequeueAfter: max(f.nextExpiry.Sub(r.clock.Now()), time.Second), Priority: ptr.To(orderFirst)}, nil
	}
}

// halted says why nothing is done on purpose, or what is there.
func halted(passes []*pass, differs bool) (reason, message string) {
	for _, p := range passes {
		if p.paused() {
			return v1alpha1.ReasonSuspended, "Suspended: nothing is written."
		}
		if p.effective.Management.Mode != v1alpha1.ModeEnforce && differs {
			reason = v1alpha1.ReasonPlanned
			if p.effective.Management.Mode == v1alpha1.ModeObserve {
				reason = v1alpha1.ReasonObserved
			}
			return reason, fmt.Sprintf("Mode %s: the space differs from what is declared, and is left as it is.", p.effective.Management.Mode)
		}
	}
	return "", "The space is as declared."
}

// findings are what informs and does not make the resource unready. They stay
// as they were where a pass did not come so far as to know.
func findings(passes []*pass, now time.Time) (members, moderation *status.Finding) {
	for _, p := range passes {
		if p.seen.Space == nil {
			return nil, nil
		}
		_, banned := p.people()
		f := unresolvedFinding(p.facts.unresolved, p.missing, banned, p.unanswered(now))
		if said := p.delegated(); said != "" {
			f.Reason, f.Message = cmp.Or(f.Reason, v1alpha1.ReasonMembersDelegated), strings.TrimSpace(f.Message+" "+said)
		}
		if members == nil || f.Reason != "" {
			members = f
		}
		reason, said := p.offLedger()
		if len(p.losses) > 0 {
			reason, said = cmp.Or(reason, v1alpha1.ReasonSettingsUnsupported), strings.TrimSpace(said+" "+describeLosses(p.platform.Name, p.losses))
		}
		switch {
		case said != "":
			if moderation != nil && moderation.Message != "" {
				said = moderation.Message + " " + said
			}
			moderation = &status.Finding{Reason: reason, Message: said}
		case moderation == nil && len(p.problems) == 0:
			moderation = &status.Finding{}
		}
	}
	return members, moderation
}

// summarise records IDs, what is in force, and counts. Counts alone are not
// worth a write each time; it returns when to come back for them.
func (r *spaceReconciler) summarise(s *subject, passes []*pass) time.Duration {
	counts := v1alpha1.MemberCounts{}
	counted := false
	soon := r.countGroups(s)
	for _, p := range passes {
		if p.effective.Management != nil {
			s.status.Effective = p.effective.DeepCopy()
		}
		space := p.seen.Space
		if p.platform == nil || space == nil {
			r.unseen(s, p)
			continue
		}
		if space.Mark != nil && space.Mark.Ref == s.ref {
			s.record(v1alpha1.PlatformSpaceStatus{
				Name: p.platform.Name, SpaceID: space.ID, Address: p.session.Display(space.Address), Record: p.recordID(),
				Ledger: p.ledger(),
			})
		}
		if !p.seen.Complete { // what was counted last stands: part of the people would look like a smaller community
			continue
		}
		c, _ := p.people()
		counted = true
		counts.Declared = max(counts.Declared, c.Declared)
		counts.Present = max(counts.Present, c.Present)
		counts.Invited = max(counts.Invited, c.Invited)
		counts.Left = max(counts.Left, c.Left)
		counts.Unresolved = max(counts.Unresolved, c.Unresolved)
	}
	if !counted || (s.status.Members != nil && *s.status.Members == counts) {
		return soon
	}
	if s.status.Members != nil {
		if wait := r.counted.wait(s.ref.String()); wait > 0 {
			return max(soon, wait)
		}
	}
	s.status.Members = &counts
	return soon
}

// unseen says of every setting of a space that is there, and could not be looked at, that it is not known.
func (r *spaceReconciler) unseen(s *subject, p *pass) {
	if p.platform == nil || p.effective.Moderation == nil {
		return
	}
	if known := s.known(p.platform.Name); known.SpaceID != "" {
		known.Ledger = status.Ledger(p.effective, p.want.Settings, nil, p.losses)
		s.record(known)
	}
}

// countGroups counts a community's groups, not more often than other counts.
func (r *spaceReconciler) countGroups(s *subject) time.Duration {
	if s.group != nil || int(s.community.Status.Groups) == len(s.groups) {
		return 0
	}
	if wait := r.counted.wait("groups of " + s.ref.String()); wait > 0 {
		return wait
	}
	s.community.Status.Groups = int32(len(s.groups))
	return 0
}

// record keeps one entry a platform, in the order in which they came.
func (s *subject) record(space v1alpha1.PlatformSpaceStatus) {
	i := slices.IndexFunc(s.status.Platforms, func(p v1alpha1.PlatformSpaceStatus) bool { return p.Name == space.Name })
	if i < 0 {
		s.status.Platforms = append(s.status.Platforms, space)
		return
	}
	if space.Ledger == nil { // nobody looked at the settings
		space.Ledger = s.status.Platforms[i].Ledger
	}
	s.status.Platforms[i] = space
}

// describe says what would be done, for status.pending.
func describe(p *pass) []string {
	var texts []string
	for _, op := range p.pending {
		texts = append(texts, line(p.platform.Name, op))
	}
	return texts
}

// tell makes the events of a pass: what happened to people's space, once.
func (r *spaceReconciler) tell(p *pass) {
	if len(p.changed) == 0 {
		return
	}
	reason, note := "SpaceUpdated", ""
	switch {
	case slices.Contains(p.changed, plan.Create):
		reason, note = "SpaceCreated", fmt.Sprintf("Made the space on Platform %s.", p.platform.Name)
	case slices.Contains(p.changed, plan.Mark) && p.seen.Space != nil:
		reason, note = "SpaceAttached", fmt.Sprintf("Took charge of space %s on Platform %s.", p.seen.Space.ID, p.platform.Name)
	case len(p.drifted) > 0:
		fields := make([]string, 0, len(p.drifted))
		for _, f := range p.drifted {
			fields = append(fields, string(f))
		}
		note = fmt.Sprintf("Set %s on Platform %s as declared.", strings.Join(fields, ", "), p.platform.Name)
	default:
		return
	}
	r.events.Eventf(p.subject.object, nil, corev1.EventTypeNormal, reason, "Apply", "%s", note)
}

// patchStatus writes the status where it differs. What people decide on is
// written only over what was read: a proposal that the cache doesn't have yet
// must not be replaced by another one of the same list.
func (r *spaceReconciler) patchStatus(ctx context.Context, s *subject) error {
	if equality.Semantic.DeepEqual(statusOf(s.stored), statusOf(s.object)) {
		return nil
	}
	patch := client.MergeFrom(s.stored)
	before := spaceStatusOf(s.stored)
	if !equality.Semantic.DeepEqual(before.Proposal, s.status.Proposal) || !equality.Semantic.DeepEqual(before.LastDecision, s.status.LastDecision) ||
		!equality.Semantic.DeepEqual(tierProposal(s.stored), tierProposal(s.object)) {
		patch = client.MergeFromWithOptions(s.stored, client.MergeFromWithOptimisticLock{})
	}
	r.written.intend(s.object)
	if err := r.Status().Patch(ctx, s.object, patch); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing the status of %s: %w", s.ref, err)
	}
	r.written.note(s.object)
	s.isStored()
	return nil
}

const (
	// longPass is how many steps are worth a word before they are taken.
	longPass = 20
	// builtInPassLimit is how long a pass writes before it ends, looks again and goes on: who has to be
	// taken out meanwhile does not wait for the last of a thousand who come in.
	builtInPassLimit = 10 * time.Second
	// atOnce is when a pass goes on that was ended with much left to do.
	atOnce = time.Millisecond
)

// progress says that there is much to do, and where the space is, before a
// long pass goes on: the groups of a large community need not wait for its last member.
func (r *spaceReconciler) progress(ctx context.Context, p *pass, steps int) {
	s := p.subject
	if space := p.seen.Space; steps < longPass || space == nil || space.Mark == nil || space.Mark.Ref != s.ref {
		return
	}
	s.record(v1alpha1.PlatformSpaceStatus{
		Name: p.platform.Name, SpaceID: p.seen.Space.ID, Address: s.known(p.platform.Name).Address, Record: p.recordID(),
	})
	status.Apply(&s.status.Conditions, status.Outcome{
		Generation: s.object.GetGeneration(),
		Problem:    atWork(p),
	})
	if err := r.patchStatus(ctx, s); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Saying that work goes on") // the report at the end says it again
	}
}

func atWork(p *pass) *status.Problem {
	return status.Wait(v1alpha1.ReasonProgressing, "At work on Platform %s: more than %d steps to go.", p.platform.Name, longPass)
}

// tierProposal is the proposal to move a community to another tier, or nil.
func tierProposal(o client.Object) *v1alpha1.Proposal {
	if c, is := o.(*v1alpha1.Community); is && c.Status.Governance != nil {
		return c.Status.Governance.Proposal
	}
	return nil
}

func statusOf(o client.Object) any {
	switch o := o.(type) {
	case *v1alpha1.Community:
		return o.Status
	case *v1alpha1.Group:
		return o.Status
	default:
		return nil
	}
}
