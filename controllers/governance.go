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

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/directory"
	"github.com/cabildo-dev/cabildo/internal/governance"
	"github.com/cabildo-dev/cabildo/internal/managers"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// governed is what the policy of a namespace says about one of its communities.
type governed struct {
	// policy is nil when none governs the namespace, and tier the one that the community is in.
	policy *v1alpha1.GovernancePolicy
	tier   *v1alpha1.Tier
	// halt says why no space is made and none is changed; nil when all is well. Who has left loses access all the same.
	halt *status.Problem
}

// policyOf is the policy that governs a namespace with these labels, or nil. It is shared, so nobody may change it.
func policyOf(ctx context.Context, reader client.Reader, namespaceLabels map[string]string) (*v1alpha1.GovernancePolicy, error) {
	var policies v1alpha1.GovernancePolicyList
	if err := reader.List(ctx, &policies, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing the GovernancePolicies: %w", err)
	}
	return governance.Governing(policies.Items, namespaceLabels), nil
}

// policyFor is the policy that governs a namespace, or nil.
func policyFor(ctx context.Context, reader client.Reader, namespace string) (*v1alpha1.GovernancePolicy, error) {
	labels, err := labelsOf(ctx, reader, namespace)
	if err != nil {
		return nil, err
	}
	return policyOf(ctx, reader, labels)
}

// governing finds what governs the subject's community, and whether it may have spaces.
func (r *spaceReconciler) governing(ctx context.Context, s *subject, namespaceLabels map[string]string) (governed, *status.Problem) {
	policy, err := policyOf(ctx, r.Client, namespaceLabels)
	if err != nil {
		return governed{}, status.Retry(v1alpha1.ReasonPolicyUnavailable, err, "What governs the community can't be read, so nothing is changed: %v.", err)
	}
	g := governed{policy: policy}
	c := s.community
	if policy == nil {
		g.halt = status.Stall(v1alpha1.ReasonNotGoverned,
			"No GovernancePolicy governs namespace %s, so no space is made and none is changed. Ask the platform team for a GovernancePolicy whose spec.governs picks this namespace.", c.Namespace)
		return g, nil
	}
	if lacks := governance.Lacks(policy, c); len(lacks) > 0 {
		g.halt = status.Stall(v1alpha1.ReasonRequirementsNotMet,
			"GovernancePolicy %s asks Community %s for what it does not say: %s. Until it does, no space is made and none is changed.", policy.Name, c.Name, strings.Join(lacks, ", "))
	}
	at := c.Status.Governance
	if at != nil && at.Policy == policy.Name {
		g.tier = governance.TierOf(policy, at.Tier)
	}
	switch {
	case g.tier != nil:
	case s.group == nil: // it gets one when it is evaluated
		g.tier = governance.Ranked(policy)[0]
	default: // a lower tier may be looser, so nothing is taken for granted
		return g, status.Wait(v1alpha1.ReasonCommunityNotReady,
			"Community %s has not been looked at under GovernancePolicy %s as it is now. The group follows its tier, and goes on when it has one.", c.Name, policy.Name)
	}
	return g, nil
}

// rulesOf are the rules by which a policy counts managers. A directory that
// can't be read, or a group that is not there, leaves open who is trained.
func rulesOf(policy *v1alpha1.GovernancePolicy, directories *directory.Directories, left func(string) bool) managers.Rules {
	if policy == nil || policy.Spec.Managers == nil {
		return managers.Rules{Left: left}
	}
	rules := managers.Rules{Policy: policy.Spec.Managers, Left: left}
	if !rules.ProofAsked() {
		return rules
	}
	group := policy.Spec.Managers.TrainedGroup
	state := directories.Open(group.DirectoryRef.Name).State()
	answers := map[string]managers.Answer{}
	elsewhere := managers.Unknown
	if state.View != nil {
		found := state.View.Group(group.Name)
		for _, username := range found.Usernames {
			answers[username] = managers.Yes
		}
		if found.Known && !found.Unsure && state.Trouble == "" {
			elsewhere = managers.No
		}
	}
	rules.Trained = func(person string) managers.Answer {
		if answer, known := answers[person]; known {
			return answer
		}
		return elsewhere
	}
	return rules
}

// leaversOf says of a person whether they have left the directory of any of a
// community's platforms, which says who people are there.
func leaversOf(ctx context.Context, reader client.Reader, directories *directory.Directories, communities ...v1alpha1.Community) func(person string) bool {
	var states []*directory.State
	for _, c := range communities {
		for _, entry := range c.Spec.Platforms {
			var p v1alpha1.Platform
			if err := reader.Get(ctx, client.ObjectKey{Name: entry.PlatformRef.Name}, &p); err != nil {
				continue // nobody is known to have left what can't be read
			}
			if p.Spec.Accounts != nil && p.Spec.Accounts.DirectoryRef != nil {
				states = append(states, directories.Open(p.Spec.Accounts.DirectoryRef.Name).State())
			}
		}
	}
	return func(person string) bool {
		return slices.ContainsFunc(states, func(s *directory.State) bool { return s.Left(person) })
	}
}

// isMade says that the subject has a space somewhere.
func (s *subject) isMade() bool {
	return slices.ContainsFunc(s.status.Platforms, func(p v1alpha1.PlatformSpaceStatus) bool { return p.SpaceID != "" })
}

// takesOver says that the space that is seen was not the subject's before.
func (p *pass) takesOver() bool {
	s := p.seen.Space
	return s != nil && (s.Mark == nil || s.Mark.Ref != p.subject.ref || s.Mark.OwnerID != p.platform.Spec.OwnerID)
}

// mayCreate says whether a pass may make or take over the subject's first space: a new group
// may have to wait until its community has managers, or for a person's word.
func (p *pass) mayCreate() bool {
	g := p.subject.group
	if g == nil || p.subject.isMade() {
		return true
	}
	tier, c := p.facts.governed.tier, p.subject.community
	if gap := missingManagers(tier, c); gap != "" {
		p.note(status.Wait(v1alpha1.ReasonCommunityUnderstaffed,
			"Community %s lacks managers (%s), and tier %s of GovernancePolicy %s has new groups wait until it has them.",
			c.Name, gap, tier.Name, p.facts.governed.policy.Name))
		p.subject.gate.unsure = true
		return false
	}
	if tier.Approvals == nil || tier.Approvals.GroupCreation != v1alpha1.ApprovalRequired {
		return true
	}
	verb := "make"
	if p.takesOver() {
		verb = "take over the space of"
	}
	text := fmt.Sprintf("%s: %s %s %q as %s, %s", p.platform.Name, verb, p.want.Address, p.want.Settings.DisplayName, p.effective.Visibility, p.effective.Join)
	if p.subject.lists(v1alpha1.ProposalApproved, text) {
		return true
	}
	p.subject.gate.waits = append(p.subject.gate.waits, governance.Gated{
		Kind: v1alpha1.ProposalCreation, Operation: text, Spaces: 1,
	})
	return false
}

// missingManagers says which managers a community lacks, where its tier has new groups wait for them; empty otherwise.
func missingManagers(tier *v1alpha1.Tier, c *v1alpha1.Community) string {
	at := c.Status.Governance
	if tier.Staffing == nil || cmp.Or(tier.Staffing.Enforcement, v1alpha1.EnforcementBlock) != v1alpha1.EnforcementBlock || at == nil || at.Staffing == nil {
		return ""
	}
	return strings.Join(gapsOf(at.Staffing), ", ")
}

// reserved says why the space's name can't be taken under the policy; nil when it can.
func (p *pass) reserved(address string, standing v1alpha1.Standing) *status.Problem {
	policy := p.facts.governed.policy
	if policy == nil || standing == v1alpha1.StandingOfficial {
		return nil
	}
	names := []string{address}
	if g := p.subject.group; g != nil {
		names = append(names, cmp.Or(g.Spec.SpaceName, g.Name))
	}
	pattern, name := governance.Reserved(policy, names...)
	if pattern == "" {
		return nil
	}
	return status.Stall(v1alpha1.ReasonNameReserved,
		"GovernancePolicy %s reserves names like %s, and %q is one. Choose another spaceName, or have the platform team make the space official: standing: Official, with official: Allowed in the access of Platform %s.",
		policy.Name, pattern, name, p.platform.Name)
}

// ofLeavers leaves of the operations what may be done while the subject is not
// governed or not granted: taking out who has left.
func (p *pass) ofLeavers(ops []plan.Operation) []plan.Operation {
	return slices.DeleteFunc(ops, func(op plan.Operation) bool { return !p.ofLeaver(op) })
}

// interim is who stands in for the managers of a community that has none any more; empty when nobody does.
func interim(policy *v1alpha1.GovernancePolicy, c *v1alpha1.Community, left func(string) bool) string {
	at := c.Status.Governance
	if policy == nil || at == nil || at.VacantSince == nil || c.Spec.Sponsor == nil || vacancyOf(policy).interim == v1alpha1.InterimNobody {
		return ""
	}
	if sponsor := c.Spec.Sponsor.Person; left == nil || !left(sponsor) {
		return sponsor
	}
	return ""
}

type vacancy struct {
	interim v1alpha1.Interim
	grace   time.Duration
}

// vacancyOf is what a policy says about communities whose last manager is gone, with what is built in.
func vacancyOf(policy *v1alpha1.GovernancePolicy) vacancy {
	v := vacancy{v1alpha1.InterimSponsor, 30 * 24 * time.Hour}
	if m := policy.Spec.Managers; m != nil && m.Vacancy != nil {
		v.interim = cmp.Or(m.Vacancy.Interim, v.interim)
		if m.Vacancy.Grace != nil {
			v.grace = m.Vacancy.Grace.Duration
		}
	}
	return v
}
