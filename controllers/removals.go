// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
)

// removals remembers what was taken away from each space in the window of its
// budget, so that many small plans take away no more than one large one. It is
// kept in memory: a restart begins a new window.
type removals struct {
	clock  clock.PassiveClock
	mu     sync.Mutex
	spaces map[string]*window
}

type window struct {
	began    time.Time
	baseline plan.Baseline
	spent    plan.Baseline
}

func newRemovals(c clock.PassiveClock) *removals {
	return &removals{clock: c, spaces: map[string]*window{}}
}

// state is the baseline and the spend of a space. A window that nothing was
// spent in follows the space as it is seen.
func (r *removals) state(space string, length time.Duration, seen *model.Observed) (baseline, spent plan.Baseline) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.spaces[space]
	if w == nil || r.clock.Since(w.began) >= length {
		delete(r.spaces, space)
		return plan.BaselineOf(seen), plan.Baseline{}
	}
	return w.baseline, w.spent
}

// spend counts what an operation took away; baseline is what state said before it.
func (r *removals) spend(space string, baseline plan.Baseline, op plan.Operation) {
	if !op.Removes() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.spaces[space]
	if w == nil {
		w = &window{began: r.clock.Now(), baseline: baseline}
		r.spaces[space] = w
	}
	took := op.Takes()
	w.spent.Members += took.Members
	w.spent.Roles += took.Roles
}
