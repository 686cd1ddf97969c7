// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package governance

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// Governing is the policy that governs a namespace with these labels: of those
// that pick it the one with the highest priority, and of equals the first by
// name. nil when none does.
func Governing(policies []v1alpha1.GovernancePolicy, namespaceLabels map[string]string) *v1alpha1.GovernancePolicy {
	var found *v1alpha1.GovernancePolicy
	for i := range policies {
		p := &policies[i]
		if !Picks(p, namespaceLabels) {
			continue
		}
		if found == nil || cmp.Or(cmp.Compare(found.Spec.Priority, p.Spec.Priority), strings.Compare(p.Name, found.Name)) < 0 {
			found = p
		}
	}
	return found
}

// Picks says that a policy governs a namespace with these labels where no other does. The API takes no selector
// that can't be read; one that can't be read picks nothing.
func Picks(p *v1alpha1.GovernancePolicy, namespaceLabels map[string]string) bool {
	selector, err := metav1.LabelSelectorAsSelector(&p.Spec.Governs.NamespaceSelector)
	return err == nil && p.DeletionTimestamp.IsZero() && selector.Matches(labels.Set(namespaceLabels))
}

// Lacks are what a policy requires of a community and the community does not say, in words.
func Lacks(p *v1alpha1.GovernancePolicy, c *v1alpha1.Community) []string {
	r := p.Spec.Requires
	if r == nil {
		return nil
	}
	var lacks []string
	if r.Purpose == v1alpha1.RequirementRequired && strings.TrimSpace(c.Spec.Purpose) == "" {
		lacks = append(lacks, "a purpose (spec.purpose)")
	}
	if n := int(r.Objectives) - len(c.Spec.Objectives); n > 0 {
		lacks = append(lacks, fmt.Sprintf("%s (spec.objectives)", plural(n, "objective", "objectives")))
	}
	if r.Sponsor == v1alpha1.RequirementRequired && c.Spec.Sponsor == nil {
		lacks = append(lacks, "a sponsor (spec.sponsor)")
	}
	return lacks
}

// Reserved is the first of the policy's reserved patterns that one of these names has; empty when none has.
func Reserved(p *v1alpha1.GovernancePolicy, names ...string) (pattern, name string) {
	if p.Spec.Names == nil {
		return "", ""
	}
	for _, name := range names {
		for _, pattern := range p.Spec.Names.Reserved {
			if matches(pattern, name) {
				return pattern, name
			}
		}
	}
	return "", ""
}

// matches compares a name with a glob, whole. Names have no /, at which path.Match would stop.
func matches(glob, name string) bool {
	ok, err := path.Match(glob, name)
	return err == nil && ok
}

// Barred says why somebody can't approve a proposal; empty when they can. It
// is about approvals alone: everybody with the verb may refuse. An automation account of any policy is one everywhere.
// requester is who asked for it; empty where that is not known.
func Barred(d *v1alpha1.GovernanceDecision, policies []v1alpha1.GovernancePolicy, requester string) (reason, message string) {
	by := d.Spec.DecidedBy
	switch {
	case d.Spec.Verdict != v1alpha1.VerdictApprove:
		return "", ""
	case requester != "" && by == requester:
		return v1alpha1.ReasonRequesterCantApprove, fmt.Sprintf(
			"%s wrote what this decision approves, and nobody approves their own. Have somebody else decide.", by)
	}
	for i := range policies {
		p := &policies[i]
		if a := p.Spec.Approvals; a != nil && slices.ContainsFunc(a.Automation, func(glob string) bool { return matches(glob, by) }) {
			return v1alpha1.ReasonAutomationCantApprove, fmt.Sprintf(
				"%s is an automation account of GovernancePolicy %s, and those don't approve. Have a person decide.", by, p.Name)
		}
	}
	return "", ""
}

// TierOf is the tier of a policy with this name, or nil.
func TierOf(p *v1alpha1.GovernancePolicy, name string) *v1alpha1.Tier {
	for i := range p.Spec.Tiers {
		if p.Spec.Tiers[i].Name == name {
			return &p.Spec.Tiers[i]
		}
	}
	return nil
}

// Ranked are the tiers by rank, the lowest first.
func Ranked(p *v1alpha1.GovernancePolicy) []*v1alpha1.Tier {
	tiers := make([]*v1alpha1.Tier, len(p.Spec.Tiers))
	for i := range p.Spec.Tiers {
		tiers[i] = &p.Spec.Tiers[i]
	}
	slices.SortFunc(tiers, func(a, b *v1alpha1.Tier) int { return cmp.Compare(a.Rank, b.Rank) })
	return tiers
}

// NextTier is the tier after the one with this name, and what it takes; nil after the last.
func NextTier(p *v1alpha1.GovernancePolicy, name string) *v1alpha1.NextTier {
	at := TierOf(p, name)
	for _, t := range Ranked(p) {
		if at == nil || t.Rank <= at.Rank || t.EnterWhen == nil {
			continue
		}
		next := &v1alpha1.NextTier{Tier: t.Name}
		for _, threshold := range t.EnterWhen.AnyOf {
			next.When = append(next.When, Describe(threshold))
		}
		return next
	}
	return nil
}

// Interval is the time between two looks at a community's numbers.
func Interval(p *v1alpha1.GovernancePolicy) time.Duration { return rulesOf(p).interval }

// rules are how a policy evaluates, with what is built in.
type rules struct {
	interval    time.Duration
	after       int
	percent     int
	minimumStay time.Duration
}

func rulesOf(p *v1alpha1.GovernancePolicy) rules {
	r := rules{interval: 24 * time.Hour, after: 3, percent: 90, minimumStay: 2400 * time.Hour}
	e := p.Spec.Evaluation
	if e == nil {
		return r
	}
	if e.Interval != nil {
		r.interval = e.Interval.Duration
	}
	if e.PromoteAfter != nil {
		r.after = int(*e.PromoteAfter)
	}
	if e.LeaveBelowPercent != nil {
		r.percent = int(*e.LeaveBelowPercent)
	}
	if e.MinimumStay != nil {
		r.minimumStay = e.MinimumStay.Duration
	}
	return r
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
