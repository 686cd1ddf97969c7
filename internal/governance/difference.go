// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package governance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// Difference says line by line what changes for a community that goes from one
// tier to another: its settings, their limits, its managers and what has to be approved.
func Difference(from, to *v1alpha1.Tier) []string {
	lines := []string{fmt.Sprintf("tier: %s instead of %s", to.Name, from.Name)}
	before, after := facts(from), facts(to)
	for _, what := range slices.Concat(defaultNames(), limitNames(), staffingNames(), []string{approvalName}) {
		was, is := before[what], after[what]
		switch {
		case was == is:
		case was == "":
			lines = append(lines, what+": "+is)
		case is == "":
			lines = append(lines, fmt.Sprintf("%s: none instead of %s", what, was))
		default:
			lines = append(lines, fmt.Sprintf("%s: %s instead of %s", what, is, was))
		}
	}
	return lines
}

const approvalName = "approval of new groups"

func defaultNames() []string { return prefixed("default ", append(Settings(), "onUnsupported")) }
func limitNames() []string   { return prefixed("limit of ", Settings()) }
func staffingNames() []string {
	return []string{"managers", "managers in all", "deputies", "members per manager", "while managers are missing"}
}

func prefixed(prefix string, names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = prefix + name
	}
	return out
}

// Settings are the moderation settings, as the API names them, in a fixed order.
func Settings() []string {
	return []string{
		"posting", "reactions", "massMentions", "invitations", "removals", "pins", "deletions", "guests", "history", "join", "blockedServers",
	}
}

// facts are what a tier says, in words.
func facts(t *v1alpha1.Tier) map[string]string {
	f := map[string]string{}
	if m := t.Moderation; m != nil && m.Defaults != nil {
		d := m.Defaults
		for name, value := range map[string]string{
			"posting": string(d.Posting), "reactions": string(d.Reactions), "massMentions": string(d.MassMentions),
			"invitations": string(d.Invitations), "removals": string(d.Removals), "pins": string(d.Pins),
			"deletions": string(d.Deletions), "guests": string(d.Guests), "history": string(d.History),
			"blockedServers": servers(d.BlockedServers), "onUnsupported": string(d.OnUnsupported),
		} {
			f["default "+name] = value
		}
	}
	if m := t.Moderation; m != nil && m.Limits != nil {
		l := m.Limits
		for name, value := range map[string]string{
			"posting": string(l.Posting), "reactions": string(l.Reactions), "massMentions": string(l.MassMentions),
			"invitations": string(l.Invitations), "removals": string(l.Removals), "pins": string(l.Pins),
			"deletions": string(l.Deletions), "guests": string(l.Guests), "history": string(l.History),
			"join": string(l.Join), "blockedServers": servers(l.BlockedServers),
		} {
			f["limit of "+name] = value
		}
	}
	if s := t.Staffing; s != nil {
		var rules []string
		for _, r := range s.Managers {
			rules = append(rules, DescribeRule(r))
		}
		f["managers"] = strings.Join(rules, ", ")
		for name, n := range map[string]*int32{"managers in all": s.Total, "deputies": s.Deputies, "members per manager": s.MembersPerManager} {
			if n != nil {
				f[name] = fmt.Sprint(*n)
			}
		}
		f["while managers are missing"] = map[v1alpha1.Enforcement]string{
			v1alpha1.EnforcementWarn: "the community is told", v1alpha1.EnforcementBlock: "new groups wait",
		}[cmp.Or(s.Enforcement, v1alpha1.EnforcementBlock)]
	}
	if a := t.Approvals; a != nil && a.GroupCreation == v1alpha1.ApprovalRequired {
		f[approvalName] = "a person's"
	}
	return f
}

// DescribeRule says how many managers a rule takes, such as 1 PartTime (20 percent) per business area.
func DescribeRule(r v1alpha1.StaffingRule) string {
	text := fmt.Sprintf("%d %s", r.Count, r.Commitment)
	if r.AllocationPercent != nil {
		text += fmt.Sprintf(" (%d percent)", *r.AllocationPercent)
	}
	if r.Per == v1alpha1.PerBusinessArea {
		text += " per business area"
	}
	return text
}

func servers(list []string) string { return strings.Join(slices.Sorted(slices.Values(list)), ", ") }
