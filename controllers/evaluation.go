// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/governance"
	"github.com/cabildo-dev/cabildo/internal/managers"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// staff counts the managers of a community, and notes when the last one is
// gone. Who stands in then is decided by the result. What is not known changes nothing.
func (r *spaceReconciler) staff(s *subject, f *facts) {
	at := governanceOf(s.community)
	if f.governed.policy == nil {
		at.Staffing, at.VacantSince = nil, nil
		return
	}
	council := f.managing.of(s.community)
	if f.managing.trouble != nil || council.Unknown > 0 {
		return
	}
	members := 0
	if m := s.status.Members; m != nil {
		members = int(m.Present)
	}
	had := at.Staffing != nil && at.Staffing.Managers > 0
	at.Staffing = managers.Staff(f.governed.tier.Staffing, s.community.Spec.BusinessAreas, members, council.Serving)
	at.Staffing.Provisional = int32(council.Provisional)
	f.gone = council.Gone
	switch {
	case len(council.Serving) > 0:
		at.VacantSince = nil
	case had && at.VacantSince == nil:
		at.VacantSince = &metav1.Time{Time: r.clock.Now()}
		r.events.Eventf(s.object, nil, corev1.EventTypeWarning, v1alpha1.ReasonVacant, "Staff", "The last community manager that counts is gone.")
	}
	if at.VacantSince != nil {
		f.nextExpiry = earliest(f.nextExpiry, after(at.VacantSince.Add(vacancyOf(f.governed.policy).grace), r.clock.Now()))
	}
}

// after is a moment that is still to come; zero when it is not.
func after(at, now time.Time) time.Time {
	if at.After(now) {
		return at
	}
	return time.Time{}
}

// governanceOf is the part of a community's status that is about governance, made where it is not there.
func governanceOf(c *v1alpha1.Community) *v1alpha1.GovernanceStatus {
	if c.Status.Governance == nil {
		c.Status.Governance = &v1alpha1.GovernanceStatus{}
	}
	return c.Status.Governance
}

// evaluate looks at a community's numbers, and proposes another tier when
// enough looks in a row spoke for it. A decision that was made on such a
// proposal is taken up first.
func (r *spaceReconciler) evaluate(ctx context.Context, s *subject, f *facts) error {
	at, policy := governanceOf(s.community), f.governed.policy
	if policy == nil {
		at.Policy, at.Evaluation, at.Next, at.Proposal = "", nil, nil, nil
		return nil
	}
	at.Policy = policy.Name
	if err := r.decideTier(ctx, s, f); err != nil {
		return err
	}
	at = governanceOf(s.community) // a write reads the status anew
	now := r.clock.Now()
	measures := r.measures(s, f)
	position, toward := governance.Evaluate(policy, positionOf(at), measures, now)
	setPosition(at, position)
	f.governed.tier = governance.TierOf(policy, at.Tier)
	at.Next = governance.NextTier(policy, at.Tier)
	if e := at.Evaluation; e != nil {
		f.nextExpiry = earliest(f.nextExpiry, after(e.At.Add(governance.Interval(policy)), now))
	}
	before := at.Proposal
	at.Proposal = governance.ProposeTier(policy, before, f.governed.tier, toward, measures, func() string { return string(uuid.NewUUID()) })
	if p := at.Proposal; p != nil && (before == nil || before.ID != p.ID) {
		r.events.Eventf(s.object, nil, corev1.EventTypeNormal, "TierProposed", "Evaluate", "%s: %s. %s",
			p.Summary, strings.Join(p.Evidence, "; "), howToApprove(s, "proposal "+p.ID))
	}
	return nil
}

// decideTier moves a community to the tier that a person approved.
func (r *spaceReconciler) decideTier(ctx context.Context, s *subject, f *facts) error {
	at := s.community.Status.Governance
	if s.suspend || at.Proposal == nil || at.Evaluation == nil {
		return nil
	}
	to := governance.TierOf(f.governed.policy, at.Evaluation.Toward)
	if to == nil || governance.Hash(governance.Difference(f.governed.tier, to)) != at.Proposal.Hash {
		return nil // the policy is another since: what would change now is another proposal
	}
	d, err := r.decider().on(ctx, s.object, v1alpha1.TargetCommunity, at.Proposal)
	if d == nil || err != nil {
		return err
	}
	// Said first, so that what became of it is not overwritten; and then it is known whatever is decided after it.
	if err := r.takenUp(ctx, d); err != nil {
		return err
	}
	p := at.Proposal
	p.Decision, p.DecidedBy = d.Name, d.Spec.DecidedBy
	s.status.LastDecision = recordOf(p, d.Spec.Verdict)
	if d.Spec.Verdict == v1alpha1.VerdictRefuse {
		p.State = v1alpha1.ProposalRefused
	} else {
		at.Proposal = nil
		setPosition(at, governance.Move(to, r.clock.Now()))
		f.governed.tier = to
	}
	if err := r.patchStatus(ctx, s); err != nil {
		return err
	}
	r.events.Eventf(s.object, d, corev1.EventTypeNormal, "Tier"+string(d.Spec.Verdict)+"d", "Decide", "%s, decided by %s.", p.Summary, d.Spec.DecidedBy)
	return nil
}

func positionOf(at *v1alpha1.GovernanceStatus) governance.Position {
	p := governance.Position{Tier: at.Tier}
	if at.TierSince != nil {
		p.Since = at.TierSince.Time
	}
	if e := at.Evaluation; e != nil {
		p.Toward, p.Passes, p.At = e.Toward, int(e.Passes), e.At.Time
	}
	return p
}

func setPosition(at *v1alpha1.GovernanceStatus, p governance.Position) {
	if at.Tier != p.Tier || at.TierSince == nil {
		at.TierSince = &metav1.Time{Time: p.Since}
	}
	at.Tier = p.Tier
	if p.Toward == "" {
		at.Evaluation = nil
		return
	}
	at.Evaluation = &v1alpha1.TierEvaluation{Toward: p.Toward, Passes: int32(p.Passes), At: metav1.Time{Time: p.At}}
}

// measures are a community's numbers, as far as they are known.
func (r *spaceReconciler) measures(s *subject, f *facts) governance.Measures {
	groups := len(s.groups)
	m := governance.Measures{Groups: &groups, DeclaredAreas: len(s.community.Spec.BusinessAreas), Importance: s.community.Spec.Importance}
	if known := s.status.Members; known != nil {
		members := int(known.Present)
		m.Members = &members
	}
	e := f.governed.policy.Spec.Evaluation
	if e == nil || e.Areas == nil {
		return m
	}
	state := r.directories.Open(e.Areas.DirectoryRef.Name).State()
	if state.View == nil || len(f.unresolved) > 0 {
		m.AreasUnknown = true
		return m
	}
	m.Areas = map[string]int{}
	for _, d := range f.people {
		person, known := state.View.Person(d.Person)
		if !known {
			continue
		}
		for _, a := range person.Attributes {
			if a.Name == e.Areas.Attribute {
				m.Areas[a.Value]++
				break
			}
		}
	}
	return m
}

// gapsOf says which managers are missing, in words.
func gapsOf(s *v1alpha1.StaffingStatus) []string {
	var gaps []string
	places := int32(0)
	for _, p := range s.Places {
		if p.Gap == 0 {
			continue
		}
		places += p.Gap
		text := fmt.Sprintf("%d %s", p.Gap, p.Commitment)
		if p.BusinessArea != "" {
			text += " for " + p.BusinessArea
		}
		if p.AllocationPercent > 0 {
			text += fmt.Sprintf(" with %d percent", p.AllocationPercent)
		}
		gaps = append(gaps, text)
	}
	if more := s.RequiredManagers - s.Managers; more > places {
		gaps = append(gaps, fmt.Sprintf("%d managers in all, of %d", more, s.RequiredManagers))
	}
	if more := s.RequiredDeputies - s.Deputies; more > 0 {
		gaps = append(gaps, fmt.Sprintf("%d of %d deputies", more, s.RequiredDeputies))
	}
	return gaps
}

// governanceFindings say whether a community is governed and has the managers that it needs.
func (r *spaceReconciler) governanceFindings(s *subject, f facts) (isGoverned, staffed *status.Finding) {
	g := f.governed
	if s.group != nil || s.community == nil {
		return nil, nil
	}
	if g.halt != nil {
		isGoverned = &status.Finding{Reason: g.halt.Reason, Message: g.halt.Message}
	} else if g.policy != nil {
		isGoverned = &status.Finding{Message: fmt.Sprintf("GovernancePolicy %s governs the community, in tier %s.", g.policy.Name, s.community.Status.Governance.Tier)}
	}
	at := s.community.Status.Governance
	if g.policy == nil || at == nil || at.Staffing == nil {
		return isGoverned, nil
	}
	gaps := gapsOf(at.Staffing)
	lacks := strings.Join(gaps, ", ")
	switch v := vacancyOf(g.policy); {
	case at.VacantSince != nil && !r.clock.Now().Before(at.VacantSince.Add(v.grace)):
		staffed = &status.Finding{Reason: v1alpha1.ReasonOrphaned, Message: fmt.Sprintf(
			"Nobody has managed the community since %s. %sDeclare a CommunityManager, or archive the community.", at.VacantSince.UTC().Format(time.DateOnly), standsIn(f, s.community))}
	case at.VacantSince != nil:
		staffed = &status.Finding{Reason: v1alpha1.ReasonVacant, Message: fmt.Sprintf(
			"The last manager that counts is gone since %s. %sDeclare a CommunityManager by %s.", at.VacantSince.UTC().Format(time.DateOnly), standsIn(f, s.community),
			at.VacantSince.Add(v.grace).UTC().Format(time.DateOnly))}
	case len(gaps) > 0:
		message := fmt.Sprintf("Tier %s takes more managers: missing %s.", at.Tier, lacks)
		if at.Staffing.Provisional > 0 {
			message += fmt.Sprintf(" %d provisional, who don't count until they are appointed and trained.", at.Staffing.Provisional)
		}
		if missingManagers(g.tier, s.community) != "" {
			message += " New groups wait until then."
		}
		staffed = &status.Finding{Reason: v1alpha1.ReasonUnderstaffed, Message: message}
	default:
		staffed = &status.Finding{Message: fmt.Sprintf("Tier %s has the managers that it takes: %d, and %d deputies.", at.Tier, at.Staffing.Managers, at.Staffing.Deputies)}
	}
	if staffed.Reason != "" && len(f.gone) > 0 {
		staffed.Message += fmt.Sprintf(" Left the organisation, and still declared: %s. Name somebody else.", status.Sample(f.gone))
	}
	return isGoverned, staffed
}

func standsIn(f facts, c *v1alpha1.Community) string {
	if who := interim(f.governed.policy, c, f.managing.rules.Left); who != "" {
		return fmt.Sprintf("The sponsor, %s, stands in. ", who)
	}
	return "Nobody stands in. "
}

// tierChanged says that what a community's groups inherit from its governance is another.
func tierChanged(before, after *v1alpha1.GovernanceStatus) bool {
	type inherited struct {
		policy, tier string
		vacant       bool
		gaps         string
	}
	of := func(g *v1alpha1.GovernanceStatus) inherited {
		if g == nil {
			return inherited{}
		}
		i := inherited{policy: g.Policy, tier: g.Tier, vacant: g.VacantSince != nil}
		if g.Staffing != nil {
			i.gaps = strings.Join(slices.Sorted(slices.Values(gapsOf(g.Staffing))), ",")
		}
		return i
	}
	return of(before) != of(after)
}
