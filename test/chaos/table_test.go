// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package chaos_test

import (
	"fmt"
	"sync"
	"time"
)

// table prints what came of each run as it ends.
type table struct {
	mu   sync.Mutex // guards what follows
	rows int
}

const layout = "%-11s %-21s %-10s %-10s %-8s %-9s %-6s %-9s %-8s %-9s %-10s %7s\n"

func (t *table) add(on chat, f fault, v verdict, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows == 0 {
		fmt.Printf(layout, "PLATFORM", "FAULT", "CONVERGED", "DUPLICATES", "FOREIGN", "WRONGLY", "EARLY", "MOST IN", "MOST AT", "REQUESTS", "DISTURBED", "SECONDS")
		fmt.Printf(layout, "", "", "", "", "TOUCHED", "REMOVED", "", fmt.Sprintf("1 s of %d", perSecond), fmt.Sprintf("once of %d", concurrency), "", "", "")
	}
	t.rows++
	converged := "yes"
	if v.err != nil || len(v.unlike) > 0 {
		converged = "NO"
	}
	fmt.Printf(layout, on, f.name, converged, count(len(v.duplicates)), count(len(v.touched)), count(len(v.removed)), count(v.traffic.early),
		count(v.traffic.inASecond), count(v.traffic.atOnce), count(v.traffic.requests), count(v.disturbed), fmt.Sprintf("%.1f", took.Seconds()))
}

func count(n int) string { return fmt.Sprint(n) }
