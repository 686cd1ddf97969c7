// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"slices"
	"time"

	"github.com/cabildo-dev/cabildo/hack/benchmark/report"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// results is what was measured.
type results struct {
	homeserver    string
	read, indexed time.Duration
	held          int64 // bytes of heap
	refreshed     []time.Duration
	changed       int // refreshes that said that something changed
	computed      []time.Duration
	members       int
	// revoked is how long it took to take one person out of all rooms, and bare the same for a loop that only does that.
	revoked, bare []time.Duration
}

// mostComputed is the limit for the members of all groups.
const mostComputed = time.Second

// mostRevoked is the limit for the time of the operator over the bare loop's.
const mostRevoked = 1.5

func (r *results) section() *report.Section {
	slices.Sort(r.refreshed)
	slices.Sort(r.computed)
	slices.Sort(r.revoked)
	slices.Sort(r.bare)
	revoked, bare := report.Percentile(r.revoked, 50), report.Percentile(r.bare, 50)
	return &report.Section{
		Name: "directory",
		Figures: []report.Figure{
			{What: "first: reading everybody and every group", Value: report.Seconds(r.read)},
			{What: "first: making it something to look up in", Value: report.Seconds(r.indexed)},
			{What: "memory that is held from then on", Value: fmt.Sprintf("%.1f MiB", float64(r.held)/(1<<20))},
			{What: "refresh without a change, median", Value: report.Seconds(report.Percentile(r.refreshed, 50))},
			report.AtMost("refreshes without a change that had a group looked at", r.changed, 0),
			{What: "members: memberships that were computed", Value: fmt.Sprint(r.members)},
			report.Under("members: of all groups from scratch, on one core, the longest", r.computed[len(r.computed)-1], mostComputed),
			{What: "one person disabled: from the reading that tells to the last room, median", Value: report.Seconds(revoked)},
			{What: "one person disabled: the same, the longest", Value: report.Seconds(r.revoked[len(r.revoked)-1])},
			{What: "one person disabled: a bare loop of the same removals, median", Value: report.Seconds(bare)},
			report.Ratio("one person disabled: medians, operator over bare loop", revoked.Seconds()/bare.Seconds(), mostRevoked),
		},
		Settings: []report.Setting{
			{Name: "server", Value: "OpenLDAP's slapd, over TLS, in pages of 500"},
			report.Machine(),
			{Name: "directory", Value: fmt.Sprintf("%d people; %d groups of %d, each tenth with another one in it", people, teams, inTeam)},
			{Name: "refresh", Value: fmt.Sprintf("%d times", refreshes)},
			{Name: "members", Value: fmt.Sprintf("%d groups, each with %d groups of the directory and one of %d values of an attribute; %d times", spaces, teamsOfSpace, areas, computedTimes)},
			{Name: "one person disabled", Value: fmt.Sprintf("in %d groups of %d people on %s, %d times, then %d others with the bare loop in the same rooms; timed from the end of the reading to the last removal as the homeserver dates it", rooms, inCrew, r.homeserver, rounds, rounds)},
			{Name: "requests", Value: fmt.Sprintf("%d at once for both; %d a second for the operator, no rate for the bare loop", stack.Concurrency, stack.PerSecond)},
		},
	}
}
