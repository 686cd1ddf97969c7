// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// Explain says of a community which policy governs it, in which tier it is and
// why, what is missing for the next one, and of each setting where it comes
// from and what each platform proved of it. policy is nil for somebody who may not read it.
func Explain(c *v1alpha1.Community, policy *v1alpha1.GovernancePolicy, width int) string {
	e := explanation{width: width}
	e.line(c.Name, c.Spec.DisplayName)
	e.governance(c, policy)
	e.conditions(c.Status.Conditions)
	e.settings(c.Status.SpaceStatus)
	return e.out.String()
}

// ExplainGroup is Explain for a group, whose community says the rest.
func ExplainGroup(g *v1alpha1.Group, width int) string {
	e := explanation{width: width}
	e.line(g.Name, g.Spec.DisplayName)
	e.line("community", g.Spec.CommunityRef.Name)
	e.proposal("group", g.Namespace, g.Name, g.Status.Proposal)
	e.conditions(g.Status.Conditions)
	e.settings(g.Status.SpaceStatus)
	return e.out.String()
}

// explanation is text with a column of words on the left.
type explanation struct {
	out   strings.Builder
	width int
}

const left = 14

func (e *explanation) line(word, text string) {
	room := 0
	if e.width > 0 {
		room = max(e.width-left, 40)
	}
	for i, line := range wrap(printable(text), room) {
		if i > 0 {
			word = ""
		}
		pad := max(left-columnsOf(word), 2)
		e.out.WriteString(strings.TrimRight(printable(word)+strings.Repeat(" ", pad)+line, " ") + "\n")
	}
}

func (e *explanation) governance(c *v1alpha1.Community, policy *v1alpha1.GovernancePolicy) {
	g := c.Status.Governance
	if g == nil || g.Policy == "" {
		e.line("governed by", "no GovernancePolicy: nothing is provisioned until one governs the namespace")
		return
	}
	e.line("governed by", "GovernancePolicy "+g.Policy)
	tier := g.Tier
	if g.TierSince != nil {
		tier += ", since " + g.TierSince.UTC().Format(time.DateOnly)
	}
	e.line("tier", tier)
	if at := tierOf(policy, g.Tier); at != nil && at.EnterWhen != nil {
		var when []string
		for _, threshold := range at.EnterWhen.AnyOf {
			when = append(when, missing(threshold, c))
		}
		e.line("why", "the numbers now: "+strings.Join(when, "; or "))
	} else {
		e.line("why", numbers(c))
	}
	e.next(c, policy)
	if v := g.Evaluation; v != nil {
		e.line("looks", fmt.Sprintf("%d in a row speak for %s, the last on %s", v.Passes, v.Toward, v.At.UTC().Format(time.DateOnly)))
	}
	e.proposal("community", c.Namespace, c.Name, g.Proposal)
	e.proposal("community", c.Namespace, c.Name, c.Status.Proposal)
	if line := governanceLine(*c); line != "" {
		staffing, _, _ := strings.Cut(strings.TrimPrefix(line, "staffing  "), "   ")
		e.line("managers", staffing)
	}
	if at := tierOf(policy, g.Tier); at != nil && at.Reviews != nil {
		e.line("reviews", reviews(at.Reviews))
	}
}

// next says what the next tier takes, and how much of it is missing.
func (e *explanation) next(c *v1alpha1.Community, policy *v1alpha1.GovernancePolicy) {
	n := c.Status.Governance.Next
	if n == nil {
		e.line("next", "none: this is the last tier")
		return
	}
	t := tierOf(policy, n.Tier)
	if t == nil || t.EnterWhen == nil {
		e.line("next", fmt.Sprintf("%s takes %s", n.Tier, strings.Join(n.When, "; or ")))
		return
	}
	var when []string
	for _, threshold := range t.EnterWhen.AnyOf {
		when = append(when, missing(threshold, c))
	}
	e.line("next", fmt.Sprintf("%s: %s", n.Tier, strings.Join(when, "; or ")))
}

func (e *explanation) proposal(kind, namespace, name string, p *v1alpha1.Proposal) {
	if p == nil {
		return
	}
	e.line("proposal", wouldDo(p))
	for _, operation := range p.Operations {
		e.line("", "  "+operation)
	}
	for _, evidence := range p.Evidence {
		e.line("", "  because of "+evidence)
	}
	switch p.State {
	case v1alpha1.ProposalOpen:
		e.line("", fmt.Sprintf("kubectl cabildo approve %s/%s -n %s", kind, name, namespace))
	default:
		e.line("", fmt.Sprintf("%s by %s", p.State, p.DecidedBy))
	}
}

// conditions are those that are not as they should be.
func (e *explanation) conditions(conditions []metav1.Condition) {
	for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionGoverned, v1alpha1.ConditionStaffed, v1alpha1.ConditionMembersResolved, v1alpha1.ConditionModerationEnforced} {
		c := meta.FindStatusCondition(conditions, kind)
		if c == nil || c.Status == metav1.ConditionTrue && kind != v1alpha1.ConditionReady {
			continue
		}
		e.line(kind, fmt.Sprintf("%s: %s", c.Reason, c.Message))
	}
}

// settings is a table: of each setting its value, where it comes from, and its state on each platform.
func (e *explanation) settings(s v1alpha1.SpaceStatus) {
	var names []string
	wanted := map[string]string{}
	for _, p := range s.Platforms {
		for _, entry := range p.Ledger {
			if _, known := wanted[entry.Setting]; !known {
				names = append(names, entry.Setting)
				wanted[entry.Setting] = entry.Wanted
			}
		}
	}
	if len(names) == 0 {
		return
	}
	from := map[string]string{}
	if s.Effective != nil {
		for _, o := range s.Effective.Origins {
			from[o.Setting] = o.From
		}
	}
	head := []string{"SETTING", "VALUE", "FROM"}
	for _, p := range s.Platforms {
		head = append(head, strings.ToUpper(p.Name))
	}
	rows := [][]string{head}
	var notes []string
	for _, name := range names {
		row := []string{name, cmp.Or(wanted[name], "none"), cmp.Or(from[name], "built in")}
		for _, p := range s.Platforms {
			i := slices.IndexFunc(p.Ledger, func(l v1alpha1.LedgerEntry) bool { return l.Setting == name })
			if i < 0 {
				row = append(row, "")
				continue
			}
			row = append(row, string(p.Ledger[i].State))
			if l := p.Ledger[i]; l.Reason != "" {
				note := fmt.Sprintf("%s on %s: %s", l.Setting, p.Name, l.Reason)
				if l.Seen != "" {
					note += fmt.Sprintf(" (it is %s)", l.Seen)
				}
				notes = append(notes, note)
			}
		}
		rows = append(rows, row)
	}
	e.out.WriteString("\n" + table(rows))
	for _, note := range notes {
		for _, line := range wrap(printable(note), e.width) {
			e.out.WriteString(line + "\n")
		}
	}
}

// table lays cells out in columns.
func table(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], columnsOf(printable(cell)))
		}
	}
	var out strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			cell = printable(cell)
			line.WriteString(cell + strings.Repeat(" ", widths[i]-columnsOf(cell)+gap))
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return out.String()
}

func tierOf(policy *v1alpha1.GovernancePolicy, name string) *v1alpha1.Tier {
	if policy == nil {
		return nil
	}
	for i := range policy.Spec.Tiers {
		if policy.Spec.Tiers[i].Name == name {
			return &policy.Spec.Tiers[i]
		}
	}
	return nil
}

// missing says of a threshold how much of it a community has.
func missing(t v1alpha1.Threshold, c *v1alpha1.Community) string {
	var parts []string
	if t.Members != nil {
		has := "an unknown number"
		if m := c.Status.Members; m != nil {
			has = fmt.Sprint(m.Present)
		}
		parts = append(parts, fmt.Sprintf("%s of %d members", has, *t.Members))
	}
	if t.Groups != nil {
		parts = append(parts, fmt.Sprintf("%d of %d groups", c.Status.Groups, *t.Groups))
	}
	switch {
	case t.BusinessAreas != nil && t.MembersPerArea != nil:
		parts = append(parts, fmt.Sprintf("%d business areas with %d members each", *t.BusinessAreas, *t.MembersPerArea))
	case t.BusinessAreas != nil:
		parts = append(parts, fmt.Sprintf("%d of %d business areas", len(c.Spec.BusinessAreas), *t.BusinessAreas))
	}
	if t.Importance != "" {
		parts = append(parts, fmt.Sprintf("importance %s (it is %s)", t.Importance, cmp.Or(c.Spec.Importance, v1alpha1.ImportanceStandard)))
	}
	return strings.Join(parts, " and ")
}

// numbers are what tiers go by.
func numbers(c *v1alpha1.Community) string {
	members := "an unknown number of members"
	if m := c.Status.Members; m != nil {
		members = plural(int(m.Present), "member")
	}
	return fmt.Sprintf("%s, %s, %s, importance %s", members, plural(int(c.Status.Groups), "group"),
		plural(len(c.Spec.BusinessAreas), "business area"), cmp.Or(c.Spec.Importance, v1alpha1.ImportanceStandard))
}

// reviews are the cadences of a tier, in days.
func reviews(r *v1alpha1.Reviews) string {
	var parts []string
	for _, part := range []struct {
		what     string
		interval *v1alpha1.ReviewInterval
	}{
		{"the policy every %s", r.Policy}, {"a report every %s", r.Report}, {"acknowledged within %s", r.ReportAcknowledged},
		{"managers confirmed every %s", r.Managers}, {"members every %s", r.Members}, {"guests every %s", r.Guests},
	} {
		if part.interval != nil {
			parts = append(parts, fmt.Sprintf(part.what, days(*part.interval)))
		}
	}
	return strings.Join(parts, ", ")
}

func days(i v1alpha1.ReviewInterval) string {
	d, err := time.ParseDuration(string(i))
	if err != nil || d%(24*time.Hour) != 0 {
		return string(i)
	}
	return plural(int(d/(24*time.Hour)), "day")
}
