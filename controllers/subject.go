// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// subject is a Community or a Group, seen as something that has a space on
// each of its platforms.
type subject struct {
	// object is the resource that is reconciled, and status the part of it that all kinds share.
	// stored is how the API server has it, as far as we know.
	object client.Object
	stored client.Object
	status *v1alpha1.SpaceStatus
	ref    model.Ref
	// community is nil when a Group's does not exist.
	community *v1alpha1.Community
	// group is nil for a Community.
	group   *v1alpha1.Group
	suspend bool
	sources []v1alpha1.MemberSource
	// groups are the Groups of a Community.
	groups []v1alpha1.Group
	// gate is what the passes found that a person's word is needed for.
	gate gate
}

func communitySubject(c *v1alpha1.Community, groups []v1alpha1.Group) *subject {
	return &subject{
		object: c, stored: c.DeepCopy(), status: &c.Status.SpaceStatus, ref: desired.CommunityRef(c),
		community: c, suspend: c.Spec.Suspend, sources: c.Spec.Members, groups: groups,
	}
}

func groupSubject(g *v1alpha1.Group, c *v1alpha1.Community) *subject {
	return &subject{
		object: g, stored: g.DeepCopy(), status: &g.Status.SpaceStatus, ref: desired.GroupRef(g),
		community: c, group: g, suspend: g.Spec.Suspend || (c != nil && c.Spec.Suspend), sources: g.Spec.Members,
	}
}

// isStored notes that the API server has the object as it is now.
func (s *subject) isStored() { s.stored = s.object.DeepCopyObject().(client.Object) }

// known is what was recorded for the space on a platform.
func (s *subject) known(platform string) v1alpha1.PlatformSpaceStatus {
	for _, p := range s.status.Platforms {
		if p.Name == platform {
			return p
		}
	}
	return v1alpha1.PlatformSpaceStatus{Name: platform}
}

// guidelines are the group's own, or the community's.
func (s *subject) guidelines() *v1alpha1.Guidelines {
	if s.group != nil && s.group.Spec.Guidelines != nil {
		return s.group.Spec.Guidelines
	}
	return s.community.Spec.Guidelines
}

// facts are what a subject refers to on every platform, read once a pass.
type facts struct {
	namespaceLabels map[string]string
	// guidelines is the text to pin; when it can't be read, noGuidelines says why, and what is pinned stays.
	guidelines   string
	noGuidelines *status.Problem
	people       []desired.Declared
	directories  *lookup
	managing     *managing
	governed     governed
	// gone are managers of the community who have left the organisation.
	gone       []string
	unresolved []desired.Unresolved
	nextExpiry time.Time
}

// gather reads what the subject refers to.
func (r *spaceReconciler) gather(ctx context.Context, s *subject) (facts, *status.Problem) {
	var f facts
	namespace := metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := r.Get(ctx, types.NamespacedName{Name: s.ref.Namespace}, &namespace); err != nil {
		return f, status.Retry(v1alpha1.ReasonNamespaceNotGranted, err, "Namespace %s could not be read: %v.", s.ref.Namespace, err)
	}
	f.namespaceLabels = namespace.Labels

	var problem *status.Problem
	if f.governed, problem = r.governing(ctx, s, f.namespaceLabels); problem != nil {
		return f, problem
	}
	f.guidelines, f.noGuidelines = r.guidelineText(ctx, s)
	f.directories = r.lookup(ctx, s.ref.Namespace, f.namespaceLabels)
	f.managing = r.managing(ctx, s.ref.Namespace, rulesOf(f.governed.policy, r.directories, leaversOf(ctx, r.Client, r.directories, *s.community)))
	f.people, f.unresolved = desired.People(s.sources, r.groupsOf(ctx, s), f.directories, f.managing.managersOf, r.clock.Now())
	f.nextExpiry = desired.NextExpiry(s.sources, r.clock.Now())
	if g := s.guidelines(); g != nil && g.RoleCards == v1alpha1.RoleCardsShown && f.noGuidelines == nil {
		f.guidelines, f.noGuidelines = f.managing.withCards(f.guidelines, s.community)
	}
	return f, nil
}

// appoint adds those whom a formal role brings into the subject's spaces, and
// who stands in for managers that are gone. What of it is not known keeps everybody where they are.
func (f *facts) appoint(s *subject) {
	f.people = desired.Join(f.people, f.managing.appointed(s.community))
	if who := interim(f.governed.policy, s.community, f.managing.rules.Left); who != "" {
		f.people = desired.Join(f.people, []desired.Declared{desired.Appointed(who, v1alpha1.RoleManager)})
	}
	for _, trouble := range []*desired.Refusal{f.managing.trouble, f.managing.untold} {
		if trouble == nil || slices.Contains(f.unresolved, desired.Unresolved{Reason: trouble.Reason, Message: trouble.Message}) {
			continue
		}
		f.unresolved = append(f.unresolved, desired.Unresolved{Reason: trouble.Reason, Message: trouble.Message})
	}
	f.nextExpiry = earliest(f.nextExpiry, f.managing.next)
}

// groupsOf looks up the groups that a subject takes members from.
func (r *spaceReconciler) groupsOf(ctx context.Context, s *subject) func(name string) *v1alpha1.Group {
	return func(name string) *v1alpha1.Group {
		var g v1alpha1.Group
		if err := r.Get(ctx, types.NamespacedName{Namespace: s.ref.Namespace, Name: name}, &g); err != nil {
			return nil
		}
		return &g
	}
}

// inside are the people of a Community's Groups, who have to be in the
// community on a platform where groups are inside of it. whole says that all of them are known.
func (r *spaceReconciler) inside(ctx context.Context, s *subject, f facts) (people []desired.Declared, whole bool) {
	whole = true
	for i := range s.groups {
		some, unresolved := desired.People(s.groups[i].Spec.Members, r.groupsOf(ctx, s), f.directories, f.managing.managersOf, r.clock.Now())
		whole = whole && len(unresolved) == 0
		for _, d := range some {
			people = append(people, desired.Declared{Person: d.Person})
		}
	}
	return people, whole
}

// guidelineText reads the guidelines, from the ConfigMap where they are in one.
func (r *spaceReconciler) guidelineText(ctx context.Context, s *subject) (string, *status.Problem) {
	g := s.guidelines()
	if g == nil || g.ConfigMapKeyRef == nil {
		if g == nil {
			return "", nil
		}
		return g.Text, nil
	}
	name := types.NamespacedName{Namespace: s.ref.Namespace, Name: g.ConfigMapKeyRef.Name}
	var cm corev1.ConfigMap
	if err := r.Get(ctx, name, &cm); apierrors.IsNotFound(err) {
		return "", status.Wait(v1alpha1.ReasonGuidelinesNotFound,
			"ConfigMap %s with the guidelines does not exist, or lacks the label %s=true, without which it is not read.", name, v1alpha1.ReadLabel)
	} else if err != nil {
		return "", status.Retry(v1alpha1.ReasonGuidelinesNotFound, err, "ConfigMap %s could not be read: %v.", name, err)
	}
	text, ok := cm.Data[g.ConfigMapKeyRef.Key]
	if !ok {
		return "", status.Wait(v1alpha1.ReasonGuidelinesNotFound,
			"ConfigMap %s has no key %s with the guidelines.", name, g.ConfigMapKeyRef.Key)
	}
	const most = 16384
	if len(text) > most {
		return "", status.Stall(v1alpha1.ReasonInvalidSpec,
			"The guidelines in ConfigMap %s, key %s, are %d bytes long; at most %d can be pinned.", name, g.ConfigMapKeyRef.Key, len(text), most)
	}
	return text, nil
}

// unresolvedFinding says which sources and people could not be resolved.
func unresolvedFinding(unresolved []desired.Unresolved, missing, banned, unanswered []string) *status.Finding {
	f := &status.Finding{}
	add := func(reason, message string) {
		if f.Reason == "" {
			f.Reason = reason
		} else {
			f.Message += " "
		}
		f.Message += message
	}
	for i, u := range unresolved {
		if i == status.MaxSamples {
			add(u.Reason, fmt.Sprintf("%d more sources.", len(unresolved)-i))
			break
		}
		add(u.Reason, u.Message+".")
	}
	if len(missing) > 0 {
		add(v1alpha1.ReasonPeopleNotFound, fmt.Sprintf(
			"Declared, but without an account: %s (%d in all). Correct the names, or take them out; everybody else is served.", status.Sample(missing), len(missing)))
	}
	if len(banned) > 0 {
		add(v1alpha1.ReasonPeopleBanned, fmt.Sprintf(
			"Banned from the space, though declared: %s (%d in all). Unban them there, or take them out.", status.Sample(banned), len(banned)))
	}
	if len(unanswered) > 0 {
		add(v1alpha1.ReasonInvitationsUnanswered, fmt.Sprintf(
			"Invited more than %d days ago, and not in the space: %s (%d in all). The account may be deactivated or unused; the server does not tell. Ask them to accept, or take them out.",
			int(answerWithin.Hours()/24), status.Sample(unanswered), len(unanswered)))
	}
	return f
}

// answerWithin is how long an invitation may stay open before it is reported.
const answerWithin = 3 * 24 * time.Hour

// unanswered are the declared accounts that were invited long ago and have neither come nor declined.
func (p *pass) unanswered(now time.Time) []string {
	var open []string
	for _, m := range p.want.Members {
		if since, invited := p.seen.Space.InvitedSince[m.Account]; invited && now.Sub(since) > answerWithin {
			open = append(open, m.Account)
		}
	}
	return open
}
