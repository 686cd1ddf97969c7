// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cabildo-dev/cabildo/hack/benchmark/report"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// results is what was measured.
type results struct {
	versions string

	// Of the imported community.
	groups, people, memberships int
	imported                    cold
	bare                        time.Duration
	bareCPU                     time.Duration // of the server
	bareRequests                stack.Requests

	// Of the generated one.
	shape     stack.Shape
	generated cold
	restart   *stack.Restart
	rest      stack.Written
	byHand    []time.Duration // sorted
}

// The limits. A page of the server holds 200 channels or people.
const (
	mostRatio     = 1.3
	mostOverLeast = 1.1
	mostByHand    = 5 * time.Second
)

// mostAfterRestart: everything once in pages, who is in each group that declares members, and who we are.
func mostAfterRestart(s stack.Shape) int { return s.Groups/perPage + s.MemberGroups() + 10 }

// mostAtRest is for one interval.
func mostAtRest(s stack.Shape) int { return s.Groups/perPage + 5 }

// asked is how many requests there were.
func asked(r stack.Requests) int { return r.Reads() + r.Writes() }

// atRest is what one resync costs, rounded up. Their number follows the
// intervals with jitter, so that is what it is divided by.
func (r *results) atRest() int {
	n := max(r.rest.Requests[everything].Count, 1)
	return (asked(r.rest.Requests) + n - 1) / n
}

func (r *results) figures() []report.Figure {
	return []report.Figure{
		{What: "cold: from the first apply to the last Ready", Value: report.Seconds(r.imported.took)},
		{What: "bare loop: the same channels", Value: report.Seconds(r.bare)},
		report.Ratio("cold over bare loop", r.imported.took.Seconds()/r.bare.Seconds(), mostRatio),
		{What: "requests: from the first apply to the last Ready", Value: fmt.Sprint(asked(r.generated.requests))},
		{What: "requests: the fewest, one a space, a membership and a role", Value: fmt.Sprint(r.shape.Least())},
		report.Ratio("requests over the fewest", float64(asked(r.generated.requests))/float64(r.shape.Least()), mostOverLeast),
		{What: "restart: groups looked at", Value: fmt.Sprint(r.restart.Looked), Limit: fmt.Sprintf("at least %d", r.shape.Groups), OK: r.restart.Looked >= r.shape.Groups},
		{What: "restart: resources Ready after it", Value: fmt.Sprint(r.restart.Ready), Limit: fmt.Sprint(r.restart.All), OK: r.restart.Ready == r.restart.All},
		report.AtMost("restart: requests to Mattermost", asked(r.restart.Requests), mostAfterRestart(r.shape)),
		report.AtMost("restart: writes to Mattermost", r.restart.Requests.Writes(), 0),
		report.AtMost("restart: writes to the API server, leases apart", r.restart.ServerWrites(), 0),
		report.AtMost("hints: requests to Mattermost in a resync interval", r.atRest(), mostAtRest(r.shape)),
		report.AtMost("hints: writes to Mattermost", r.rest.Requests.Writes(), 0),
		report.AtMost("hints: writes to the API server, leases apart", r.rest.ServerWrites(), 0),
		{What: "by hand: until a change is back, median", Value: report.Seconds(report.Percentile(r.byHand, 50))},
		report.Under("by hand: the same, 95th percentile", report.Percentile(r.byHand, 95), mostByHand),
		{What: "by hand: the same, longest", Value: report.Seconds(r.byHand[len(r.byHand)-1])},
	}
}

// counts are numbers of things in words, the most first.
func counts(of map[string]int) string {
	var all []string
	for _, what := range slices.SortedFunc(maps.Keys(of), func(a, b string) int {
		return cmp.Or(cmp.Compare(of[b], of[a]), cmp.Compare(a, b))
	}) {
		all = append(all, fmt.Sprintf("%d %s", of[what], what))
	}
	return strings.Join(all, ", ")
}

// section is what the page says.
func (r *results) section() *report.Section {
	cpu := r.imported.cpu
	return &report.Section{
		Name:    "Mattermost",
		Figures: r.figures(),
		Settings: []report.Setting{
			{Name: "servers", Value: r.versions},
			report.Machine(),
			{Name: "cold", Value: fmt.Sprintf("1 Platform, 1 Community, %d Groups; %d people with %d memberships, those of the team included", r.groups, r.people, r.memberships)},
			{Name: "requests, restart, hints, by hand", Value: fmt.Sprintf("1 Platform, 1 Community with %d members, %d Groups, of which %d have %d members and one of these is a manager",
				r.shape.People, r.shape.Groups, r.shape.MemberGroups(), r.shape.Members)},
			{Name: "request budget", Value: fmt.Sprintf("%d a second, the most that a Platform can have, so that nothing waits for it; %d at once. The bare loop: no rate, %d at once",
				stack.MostPerSecond, stack.Concurrency, stack.Concurrency)},
			{Name: "hints", Value: fmt.Sprintf("resyncInterval %s, %d intervals, in which everything was read %d times", resyncInterval, intervals, r.rest.Requests[everything].Count)},
			{Name: "by hand", Value: fmt.Sprintf("%d channels, one after the other: renamed, archived, made private in turn; a look every %d ms", len(r.byHand), lookEvery.Milliseconds())},
		},
		Notes: []string{fmt.Sprintf("Time of the processors: in the cold phase Mattermost with its database %s, manager %s, control plane %s; in the bare loop Mattermost with its database %s.",
			report.Seconds(cpu.server), report.Seconds(cpu.manager), report.Seconds(cpu.plane), report.Seconds(r.bareCPU)),
			"Writes to the API server in the cold phase, events and leases apart: " + counts(r.imported.plane) + "."},
		Requests: []report.Requests{
			{Of: "Cold", Asked: r.imported.requests, Groups: r.groups},
			{Of: "Bare loop", Asked: r.bareRequests, Groups: r.groups},
			{Of: fmt.Sprintf("Requests, in %s", report.Seconds(r.generated.took)), Asked: r.generated.requests, Groups: r.shape.Groups},
			{Of: "Restart, until nothing was left to do", Asked: r.restart.Requests, Groups: r.shape.Groups},
			{Of: fmt.Sprintf("Hints, %d intervals of %s", intervals, resyncInterval), Asked: r.rest.Requests, Groups: r.shape.Groups},
		},
		Complaints: append(r.restart.Complaints(), r.rest.Complaints()...),
	}
}
