// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package governance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// Measures are the numbers of a community. Those that are not known are nil.
type Measures struct {
	Members *int
	Groups  *int
	// Areas is how many members each business area has, and DeclaredAreas how many areas the community declares.
	// Where a policy does not say how to count members by area, the declared ones are all that is known.
	Areas         map[string]int
	DeclaredAreas int
	// AreasUnknown says that members by area can't be counted now, though the policy says how.
	AreasUnknown bool
	Importance   v1alpha1.Importance
}

// Position is where a community is among the tiers, and what speaks for another one.
type Position struct {
	Tier  string
	Since time.Time
	// Toward is the tier that the last Passes looks spoke for, the last of them at At; empty when none did.
	Toward string
	Passes int
	At     time.Time
}

// Evaluate looks at a community's numbers once. A higher tier counts when its
// threshold is met; a lower one when the tier's own is not, by the low-water
// mark, after the minimum stay. What is not known changes nothing. proposed is
// the tier that enough looks in a row spoke for, the nearest of those that
// they spoke for; nil when there is none. It never changes the tier by itself:
// people do, with Move. A community without a tier gets one.
func Evaluate(p *v1alpha1.GovernancePolicy, at Position, m Measures, now time.Time) (next Position, proposed *v1alpha1.Tier) {
	tiers, rules := Ranked(p), rulesOf(p)
	here := slices.IndexFunc(tiers, func(t *v1alpha1.Tier) bool { return t.Name == at.Tier })
	if here < 0 {
		return place(tiers, at, m, rules, now), nil
	}
	toward, known := direction(tiers, here, m, rules, now.Sub(at.Since))
	row := slices.IndexFunc(tiers, func(t *v1alpha1.Tier) bool { return t.Name == at.Toward })
	inRow := row >= 0 && row != here && at.Passes > 0
	switch {
	case !known: // nothing changes, and a row is neither longer nor broken
	case toward == here:
		at.Toward, at.Passes, at.At = "", 0, time.Time{}
	case !inRow || row > here != (toward > here):
		at.Toward, at.Passes, at.At = tiers[toward].Name, 1, now
	case at.Passes < rules.after: // what is seen in between does not count, and does not go unseen
		at.Toward = tiers[nearer(here, row, toward)].Name
		if now.Sub(at.At) >= rules.interval {
			at.Passes, at.At = at.Passes+1, now
		}
	case nearer(here, row, toward) != row: // the proposed tier is no longer what the numbers say
		at.Toward, at.Passes, at.At = tiers[toward].Name, 1, now
	}
	if at.Toward == "" || at.Passes < rules.after {
		return at, nil
	}
	return at, TierOf(p, at.Toward)
}

// place gives a community a tier that has none. A new one begins in the lowest.
// One whose tier is no longer there comes where its numbers keep it.
func place(tiers []*v1alpha1.Tier, at Position, m Measures, r rules, now time.Time) Position {
	to := 0
	if at.Tier != "" {
		for i, t := range tiers {
			if met(t, m, r.percent) == yes {
				to = i
			}
		}
	}
	return Position{Tier: tiers[to].Name, Since: now}
}

// Move is the position of a community in a tier that people approved.
func Move(t *v1alpha1.Tier, now time.Time) Position { return Position{Tier: t.Name, Since: now} }

// direction is the tier that a community's numbers speak for, and whether that can be told.
func direction(tiers []*v1alpha1.Tier, here int, m Measures, r rules, stay time.Duration) (toward int, known bool) {
	known = true
	for i := len(tiers) - 1; i > here; i-- {
		switch met(tiers[i], m, 100) {
		case yes:
			return i, true // a tier above that is not known may be what it comes to later
		case unknown:
			known = false
		case no:
		}
	}
	if !known || stay < r.minimumStay {
		return here, known
	}
	for i := here; i >= 0; i-- {
		switch met(tiers[i], m, r.percent) {
		case yes:
			return i, true
		case unknown:
			return here, false
		case no:
		}
	}
	return 0, true
}

// nearer is the one of two tiers on one side that is nearer.
func nearer(here, a, b int) int {
	if a > here {
		return min(a, b)
	}
	return max(a, b)
}

// answer is no, unknown or yes; of all that must hold the least counts, of any that may hold the most.
type answer int8

const (
	no answer = iota
	unknown
	yes
)

// met says whether a tier's threshold is met, at a percentage of its numbers. The lowest tier's always is.
func met(t *v1alpha1.Tier, m Measures, percent int) answer {
	if t.EnterWhen == nil {
		return yes
	}
	best := no
	for _, threshold := range t.EnterWhen.AnyOf {
		best = max(best, m.reach(threshold, percent))
	}
	return best
}

func (m Measures) reach(t v1alpha1.Threshold, percent int) answer {
	least := yes
	must := func(a answer) { least = min(least, a) }
	number := func(is *int, needs *int32) {
		switch {
		case needs == nil:
		case is == nil:
			must(unknown)
		case !enough(*is, int(*needs), percent):
			must(no)
		}
	}
	number(m.Members, t.Members)
	number(m.Groups, t.Groups)
	if t.BusinessAreas != nil {
		number(m.areas(t.MembersPerArea, percent), t.BusinessAreas)
	}
	if t.Importance != "" && importance(m.Importance) < importance(t.Importance) {
		must(no)
	}
	return least
}

// areas are how many business areas there are with so many members each; nil where that is not known.
func (m Measures) areas(each *int32, percent int) *int {
	n := 0
	switch {
	case m.AreasUnknown:
		return nil
	case m.Areas == nil && each != nil: // nothing says who is of which area
	case m.Areas == nil:
		n = m.DeclaredAreas
	default:
		needs := 1
		if each != nil {
			needs = int(*each)
		}
		for _, members := range m.Areas {
			if enough(members, needs, percent) {
				n++
			}
		}
	}
	return &n
}

// enough says that a number is at least a percentage of another.
func enough(is, needs, percent int) bool { return is*100 >= needs*percent }

func importance(i v1alpha1.Importance) int {
	return slices.Index([]v1alpha1.Importance{v1alpha1.ImportanceStandard, v1alpha1.ImportanceStrategic, v1alpha1.ImportanceCore}, i)
}

// Describe says what a threshold takes, such as 1000 members and 5 business areas.
func Describe(t v1alpha1.Threshold) string {
	var parts []string
	if t.Members != nil {
		parts = append(parts, plural(int(*t.Members), "member", "members"))
	}
	if t.Groups != nil {
		parts = append(parts, plural(int(*t.Groups), "group", "groups"))
	}
	if t.BusinessAreas != nil {
		areas := plural(int(*t.BusinessAreas), "business area", "business areas")
		if t.MembersPerArea != nil {
			areas += fmt.Sprintf(" with %s each", plural(int(*t.MembersPerArea), "member", "members"))
		}
		parts = append(parts, areas)
	}
	if t.Importance != "" {
		parts = append(parts, "importance "+string(t.Importance))
	}
	return strings.Join(parts, " and ")
}

// Evidence says the numbers of a community, and what the tier that they speak for takes.
func Evidence(p *v1alpha1.GovernancePolicy, here, toward *v1alpha1.Tier, m Measures) []string {
	var lines []string
	count := func(what string, n *int) {
		if n == nil {
			lines = append(lines, what+": not known")
			return
		}
		lines = append(lines, fmt.Sprintf("%s: %d", what, *n))
	}
	count("members", m.Members)
	count("groups", m.Groups)
	if m.Areas != nil || !m.AreasUnknown {
		count("business areas", m.areas(nil, 100))
	}
	if m.Importance != "" {
		lines = append(lines, "importance: "+string(m.Importance))
	}
	r := rulesOf(p)
	if toward.Rank > here.Rank {
		return append(lines, fmt.Sprintf("%s takes %s", toward.Name, anyOf(toward)),
			fmt.Sprintf("seen in %s", plural(r.after, "look", "looks in a row")))
	}
	return append(lines, fmt.Sprintf("%s takes %s, and is left below %d percent of that", here.Name, anyOf(here), r.percent),
		fmt.Sprintf("seen in %s", plural(r.after, "look", "looks in a row")))
}

func anyOf(t *v1alpha1.Tier) string {
	if t.EnterWhen == nil {
		return "nothing"
	}
	var each []string
	for _, threshold := range t.EnterWhen.AnyOf {
		each = append(each, Describe(threshold))
	}
	return strings.Join(each, ", or ")
}
