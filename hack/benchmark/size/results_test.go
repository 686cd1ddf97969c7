// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package size

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

// good are results that keep all limits, each at its edge where it has one.
func good() *results {
	took := make([]time.Duration, singly)
	for i := range took {
		took[i] = time.Millisecond
	}
	for i := 57; i < singly; i++ { // three of sixty are one in twenty
		took[i] = time.Minute
	}
	return &results{
		shape: shape, few: 1000, changes: took, memory: []int64{1, mostMemory - 1, 2}, cpu: 0.0199, watched: &stack.Written{},
		amongFew: perChange{took: 10 * time.Millisecond}, amongMany: perChange{took: 13 * time.Millisecond},
	}
}

func TestLimitsHoldAtTheirEdge(t *testing.T) {
	NewWithT(t).Expect(good().section().Missed()).To(BeEmpty())
}

func TestEachLimitCanBeMissed(t *testing.T) {
	for what, breakIt := range map[string]func(*results){
		"at rest: resident memory of the manager, the highest": func(r *results) { r.memory[1]++ },
		"at rest: the manager's part of one processor":         func(r *results) { r.cpu = mostCPU },
		"at rest: writes to the API server, leases apart":      func(r *results) { r.watched.Server = map[string]int{"PATCH groups/status": 1} },
		"at rest: resources that changed":                      func(r *results) { r.watched.Changed = []string{"Group a"} },
		"at rest: writes to the platform":                      func(r *results) { r.platformWrites = 1 },
		"change: the same, 95th percentile":                    func(r *results) { r.changes[56] = time.Second },
		"the second over the first":                            func(r *results) { r.amongMany.took += time.Millisecond },
	} {
		t.Run(what, func(t *testing.T) {
			r := good()
			breakIt(r)
			NewWithT(t).Expect(r.section().Missed()).To(Equal([]string{what}))
		})
	}
}
