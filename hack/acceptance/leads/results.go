// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package leads

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// results is what the run found out.
type results struct {
	took       time.Duration // from the apply to the last Ready
	led        map[string]int
	what       []string // in the order in which they came
	all, right map[string]int
	complaints []string
}

// exact notes whether what was found is what was wanted; both are sorted.
func (r *results) exact(what, where string, found, wanted []string) {
	if r.all[what] == 0 {
		r.what = append(r.what, what)
	}
	r.all[what]++
	if slices.Equal(found, wanted) {
		r.right[what]++
		return
	}
	r.complaints = append(r.complaints, fmt.Sprintf("%s are %v, not %v", where, found, wanted))
}

// show prints everything; the error says that not all is as it should be.
func (r *results) show() error {
	fmt.Printf("\n  everything was Ready after %.1f s\n", r.took.Seconds())
	for on, n := range r.led {
		fmt.Printf("  %d roles of leads on %s\n", n, on)
	}
	for _, what := range r.what {
		mark := "✓"
		if r.right[what] != r.all[what] {
			mark = "✗"
		}
		fmt.Printf("  %s %d of %d %s\n", mark, r.right[what], r.all[what], what)
	}
	for _, complaint := range r.complaints {
		fmt.Println("   ", complaint)
	}
	if len(r.complaints) > 0 {
		return errors.New("not everything is as it is declared")
	}
	return nil
}
