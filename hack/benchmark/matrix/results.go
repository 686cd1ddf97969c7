// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"fmt"
	"time"

	"github.com/cabildo-dev/cabildo/hack/benchmark/report"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// results is what was measured.
type results struct {
	name                        string // of the section
	versions                    string
	groups, people, memberships int

	cold, bare                 time.Duration
	coldCPU                    processors
	bareCPU                    time.Duration // of the homeserver
	coldRequests, bareRequests stack.Requests

	restarts []restart
	changes  []time.Duration // sorted

	resync        stack.Requests
	busiestSecond int // reads
}

// restart is one of them.
type restart struct {
	name string
	*stack.Restart
}

// figures are what may come of a restart when nothing has changed.
func (r restart) figures(groups int) []report.Figure {
	return []report.Figure{
		{What: r.name + ": groups looked at", Value: fmt.Sprint(r.Looked), Limit: fmt.Sprintf("at least %d", groups), OK: r.Looked >= groups},
		{What: r.name + ": resources Ready after it", Value: fmt.Sprint(r.Ready), Limit: fmt.Sprint(r.All), OK: r.Ready == r.All},
		report.AtMost(r.name+": requests to the homeserver", r.Requests.Reads()+r.Requests.Writes(), mostRequests),
		report.AtMost(r.name+": writes to the homeserver", r.Requests.Writes(), 0),
		report.AtMost(r.name+": writes to the API server, leases apart", r.ServerWrites(), 0),
	}
}

// The limits.
const (
	mostRatio    = 1.3
	mostRequests = 10
	mostChange   = 2 * time.Second
)

func (r *results) figures() []report.Figure {
	p95 := report.Percentile(r.changes, 95)
	all := []report.Figure{
		{What: "cold: from the first apply to the last Ready", Value: report.Seconds(r.cold)},
		{What: "bare loop: the same rooms", Value: report.Seconds(r.bare)},
		report.Ratio("cold over bare loop", r.cold.Seconds()/r.bare.Seconds(), mostRatio),
	}
	for _, one := range r.restarts {
		all = append(all, one.figures(r.groups)...)
	}
	return append(all, []report.Figure{
		{What: "change: one group, to the topic of its room, median", Value: report.Seconds(report.Percentile(r.changes, 50))},
		report.Under("change: the same, 95th percentile", p95, mostChange),
		{What: "change: the same, longest", Value: report.Seconds(r.changes[len(r.changes)-1])},
		report.AtMost("resync: writes to the homeserver", r.resync.Writes(), 0),
		{What: "resync: requests in the busiest second", Value: fmt.Sprint(r.busiestSecond)},
	}...)
}

// section is what the page says.
func (r *results) section() *report.Section {
	var complaints []string
	for _, one := range r.restarts {
		complaints = append(complaints, one.Complaints()...)
	}
	return &report.Section{
		Name:    r.name,
		Figures: r.figures(),
		Settings: []report.Setting{
			{Name: "servers", Value: r.versions},
			report.Machine(),
			{Name: "resources", Value: fmt.Sprintf("1 Platform, 1 Community, %d Groups; %d people with %d memberships", r.groups, r.people, r.memberships)},
			{Name: "request budget", Value: fmt.Sprintf("%d a second, %d at once; the bare loop: no rate, %d at once", stack.PerSecond, stack.Concurrency, stack.Concurrency)},
			{Name: "change", Value: fmt.Sprintf("%d groups, one after the other; a look into the room every %d ms", len(r.changes), lookEvery.Milliseconds())},
		},
		Notes: []string{fmt.Sprintf("Time of the processors: in the cold phase homeserver %s, manager %s, control plane %s; in the bare loop homeserver %s.",
			report.Seconds(r.coldCPU.homeserver), report.Seconds(r.coldCPU.manager), report.Seconds(r.coldCPU.plane), report.Seconds(r.bareCPU))},
		Requests: []report.Requests{
			{Of: "Cold", Asked: r.coldRequests, Groups: r.groups},
			{Of: "Bare loop", Asked: r.bareRequests, Groups: r.groups},
			{Of: "Restart, until nothing was left to do", Asked: r.restarts[0].Requests, Groups: r.groups},
			{Of: fmt.Sprintf("Resync, two intervals of %s", resyncInterval), Asked: r.resync, Groups: r.groups},
		},
		Complaints: complaints,
	}
}
