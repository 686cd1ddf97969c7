// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// countInterval is the least time between two writes of the same counts.
const countInterval = 30 * time.Second

// throttle lets something happen once an interval for each key.
type throttle struct {
	clock clock.PassiveClock
	mu    sync.Mutex
	last  map[string]time.Time
}

func newThrottle(c clock.PassiveClock) *throttle {
	return &throttle{clock: c, last: map[string]time.Time{}}
}

// wait is zero when it may happen now, which is then remembered; else how long it has to wait.
func (t *throttle) wait(key string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	if last, ok := t.last[key]; ok {
		if left := countInterval - now.Sub(last); left > 0 {
			return left
		}
	}
	t.last[key] = now
	return 0
}

// forget drops a key that is gone.
func (t *throttle) forget(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.last, key)
}
