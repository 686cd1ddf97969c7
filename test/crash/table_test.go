// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package crash_test

import (
	"fmt"
	"sync"
	"time"
)

// table prints what came of each run as it ends, and counts.
type table struct {
	mu                       sync.Mutex // guards what follows
	runs, failed, notReached int
	longest                  time.Duration
}

func (t *table) add(at trial, o outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.runs == 0 {
		fmt.Printf("%-62s %-10s %-11s %s\n", "POINT", "VARIANT", "RESULT", "SECONDS")
	}
	t.runs++
	t.longest = max(t.longest, o.took)
	result := "as it was"
	switch {
	case o.err != nil:
		t.failed++
		result = "FAILED"
	case !o.hit:
		t.notReached++
		result = "not reached"
	}
	fmt.Printf("%-62s %-10s %-11s %7.1f\n", at.point, at.variant, result, o.took.Seconds())
	if o.err != nil { // at once: whoever ends a long run should not lose it
		fmt.Printf("%v\n%s\n", o.err, o.evidence)
	}
}

func (t *table) summarise(took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Printf("%d runs: %d as in an undisturbed one, %d failed, %d did not reach their point; %.0f s, the longest run %.1f s\n",
		t.runs, t.runs-t.failed-t.notReached, t.failed, t.notReached, took.Seconds(), t.longest.Seconds())
}
