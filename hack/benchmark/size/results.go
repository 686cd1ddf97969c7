// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package size

import (
	"fmt"
	"slices"
	"time"

	"github.com/cabildo-dev/cabildo/hack/benchmark/report"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// results is what was measured.
type results struct {
	versions string
	shape    stack.Shape
	few      int // groups of the small community

	grown               time.Duration // until all groups were Ready
	amongFew, amongMany perChange
	changes             []time.Duration // sorted

	rest           time.Duration
	memory         []int64 // bytes, sampled at rest
	cpu            float64 // of one core, at rest
	watched        *stack.Written
	platformWrites int
}

// The limits.
const (
	mostMemory = 300 << 20
	mostCPU    = 0.02
	mostChange = time.Second
	mostGrowth = 1.3
)

// highest is the most memory that was seen; 0 where the system doesn't tell.
func (r *results) highest() int64 {
	if len(r.memory) == 0 {
		return 0
	}
	return slices.Max(r.memory)
}

func (r *results) figures() []report.Figure {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
	return []report.Figure{
		{What: "at rest: resident memory of the manager, the highest", Value: fmt.Sprintf("%d MiB", r.highest()>>20),
			Limit: fmt.Sprintf("under %d MiB", mostMemory>>20), OK: r.highest() < mostMemory},
		{What: "at rest: the manager's part of one processor", Value: fmt.Sprintf("%.2f %%", 100*r.cpu),
			Limit: fmt.Sprintf("under %.0f %%", 100*mostCPU), OK: r.cpu < mostCPU},
		report.AtMost("at rest: writes to the API server, leases apart", r.watched.ServerWrites(), 0),
		report.AtMost("at rest: resources that changed", len(r.watched.Changed), 0),
		report.AtMost("at rest: writes to the platform", r.platformWrites, 0),
		{What: "change: one group, to the topic of its space, median", Value: report.Seconds(report.Percentile(r.changes, 50))},
		report.Under("change: the same, 95th percentile", report.Percentile(r.changes, 95), mostChange),
		{What: fmt.Sprintf("time for each changed group among %d", r.few), Value: ms(r.amongFew.took)},
		{What: fmt.Sprintf("time for each changed group among %d", r.shape.Groups), Value: ms(r.amongMany.took)},
		report.Ratio("the second over the first", r.amongMany.took.Seconds()/r.amongFew.took.Seconds(), mostGrowth),
		{What: fmt.Sprintf("processor time for each, among %d: manager, control plane", r.few), Value: ms(r.amongFew.manager) + ", " + ms(r.amongFew.plane)},
		{What: fmt.Sprintf("processor time for each, among %d: manager, control plane", r.shape.Groups), Value: ms(r.amongMany.manager) + ", " + ms(r.amongMany.plane)},
		{What: fmt.Sprintf("making %d more groups, until all are Ready", r.shape.Groups-r.few), Value: report.Seconds(r.grown)},
	}
}

// section is what the page says.
func (r *results) section() *report.Section {
	return &report.Section{
		Name:    "size",
		Figures: r.figures(),
		Settings: []report.Setting{
			{Name: "servers", Value: r.versions + "; the platform is in the memory of the manager, and counted with it"},
			report.Machine(),
			{Name: "resources", Value: fmt.Sprintf("1 Platform, 1 Community with %d members, %d Groups, of which %d have %d members",
				r.shape.People, r.shape.Groups, r.shape.MemberGroups(), r.shape.Members)},
			{Name: "at rest", Value: fmt.Sprintf("%s, after %s for settling; resyncInterval as built in; memory every %s", r.rest, min(settling, r.rest), sampleEvery)},
			{Name: "change", Value: fmt.Sprintf("%d groups, one after the other; a look at the space every %d ms", len(r.changes), lookEvery.Milliseconds())},
			{Name: "time for each changed group", Value: fmt.Sprintf("%d groups changed at once by %d clients, until all are Ready again, divided by their number; the median of %d rounds",
				min(atOnce, r.few), stack.Concurrency, rounds)},
		},
		Complaints: r.watched.Complaints(),
	}
}
