// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"slices"
	"time"

	"github.com/cabildo-dev/cabildo/hack/benchmark/report"
)

// results is what was measured.
type results struct {
	read, indexed time.Duration
	held          int64 // bytes of heap
	refreshed     []time.Duration
	changed       int // refreshes that said that something changed
	computed      []time.Duration
	members       int
}

// mostComputed is the limit for the members of all groups.
const mostComputed = time.Second

func (r *results) section() *report.Section {
	slices.Sort(r.refreshed)
	slices.Sort(r.computed)
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
		},
		Settings: []report.Setting{
			{Name: "server", Value: "OpenLDAP's slapd, over TLS, in pages of 500"},
			report.Machine(),
			{Name: "directory", Value: fmt.Sprintf("%d people; %d groups of %d, each tenth with another one in it", people, teams, inTeam)},
			{Name: "refresh", Value: fmt.Sprintf("%d times", refreshes)},
			{Name: "members", Value: fmt.Sprintf("%d groups, each with %d groups of the directory and one of %d values of an attribute; %d times", spaces, teamsOfSpace, areas, computedTimes)},
		},
	}
}
