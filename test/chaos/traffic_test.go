// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package chaos_test

import (
	"slices"
	"sync"
	"time"
)

// traffic is what came to the server, counted where it comes in: what the
// manager thinks it sends is its own affair.
type traffic struct {
	mu       sync.Mutex // guards what follows
	came     []time.Time
	now      int
	mostOnce int
	waits    []span
	early    int
}

// span is a time in which nobody may come who is under a limit: the empty one is everybody's.
type span struct {
	limit    string
	from, to time.Time
}

// grace is how long after a 429 something may still come that had its turn
// before, on a machine that has other things to do.
const grace = time.Second

// comes counts a request under a limit, and what it returns counts that it is
// over. What waits for news takes none of the concurrent places.
func (t *traffic) comes(k kind, limit string) (over func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.came = append(t.came, now)
	if slices.ContainsFunc(t.waits, func(s span) bool { return s.limit == limit && now.After(s.from) && now.Before(s.to) }) {
		t.early++
	}
	if k == poll || k == socket {
		return func() {}
	}
	t.now++
	t.mostOnce = max(t.mostOnce, t.now)
	return sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.now--
	})
}

// asksToWait notes that the server has just asked everybody under a limit to
// wait, in an answer that it began to write at that moment: nobody can have
// begun to wait before.
func (t *traffic) asksToWait(limit string, at time.Time, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waits = append(t.waits, span{limit, time.Now().Add(grace), at.Add(d)})
}

// late is how much later than another a request may come that was sent before
// it: so much shorter is the second in which they are counted.
const late = 100 * time.Millisecond

// sum is what came in all, the most in any second and at once, and how many
// came while they were asked to wait.
type sum struct{ requests, inASecond, atOnce, early int }

func (t *traffic) sum() sum {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := sum{requests: len(t.came), atOnce: t.mostOnce, early: t.early}
	first := 0
	for i, at := range t.came {
		for at.Sub(t.came[first]) >= time.Second-late {
			first++
		}
		s.inASecond = max(s.inASecond, i-first+1)
	}
	return s
}
