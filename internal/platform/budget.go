// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"maps"
	"sync"
	"time"
)

// Budget is the one budget of requests to a platform, shared by everything
// that talks to it. Whose turn is next is decided in the moment in which a
// request may go, so what is urgent waits for none that only waits, too. A
// platform that asks to wait makes those wait that it limits together (see
// WithLimits), or all of them.
type Budget struct {
	perSecond, concurrency int

	mu      sync.Mutex // guards what follows
	free    int
	pace    pace
	pause   time.Time
	limited map[string]time.Time // until when requests under a limit wait
	waiting turns
	// wake gives turns when time is all that is missing; nil until that was so once.
	wake *time.Timer
}

// NewBudget allows so many requests in any second, and so many at once.
func NewBudget(perSecond, concurrency int) *Budget {
	return &Budget{perSecond: perSecond, concurrency: concurrency, free: concurrency, pace: newPace(perSecond)}
}

// Acquire waits for a turn, and returns what gives it back. It does not wait
// for what comes after the deadline: the error is the context's, but it can
// come before that is done.
func (b *Budget) Acquire(ctx context.Context, p Priority) (release func(), err error) {
	if err := b.await(ctx, &waiter{priority: p, share: Share(ctx), since: time.Now(), turn: make(chan struct{})}); err != nil {
		return nil, err
	}
	return sync.OnceFunc(b.release), nil
}

// Wait is Acquire without taking one of the concurrent places.
func (b *Budget) Wait(ctx context.Context) error {
	return b.await(ctx, &waiter{poll: true, turn: make(chan struct{})})
}

func (b *Budget) await(ctx context.Context, w *waiter) error {
	b.mu.Lock()
	if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) < b.until(time.Now()) {
		b.mu.Unlock()
		return context.DeadlineExceeded
	}
	b.waiting.add(w)
	b.give()
	b.mu.Unlock()

	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	waits := w.at != nil
	if waits {
		b.waiting.remove(w)
	}
	b.mu.Unlock()
	if !waits && !w.poll {
		b.release() // the turn came in the meantime: pass it on
	}
	return ctx.Err()
}

// give gives a turn to whoever may go now, and is called again when time lets
// the next one go. The lock is held.
func (b *Budget) give() {
	for b.waiting.any(b.free > 0) {
		now := time.Now()
		if d := b.until(now); d > 0 {
			b.later(d)
			return
		}
		w := b.waiting.next(now)
		b.pace.take(now)
		if !w.poll {
			b.free--
		}
		close(w.turn)
	}
}

// until is how long nobody may go. The lock is held.
func (b *Budget) until(now time.Time) time.Duration {
	return max(b.pause.Sub(now), b.pace.ready(now))
}

func (b *Budget) later(d time.Duration) {
	if b.wake != nil {
		b.wake.Reset(d)
		return
	}
	b.wake = time.AfterFunc(d, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.give()
	})
}

func (b *Budget) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free++
	b.give()
}

// Paused is how long every request still has to wait because the platform asked for it; zero when it doesn't.
func (b *Budget) Paused() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(time.Until(b.pause), 0)
}

// Pause makes every request wait for so long, because the platform asked for it.
func (b *Budget) Pause(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until := time.Now().Add(d); until.After(b.pause) {
		b.pause = until
	}
}

// PauseLimit makes the requests under one limit wait for so long, and no others.
func (b *Budget) PauseLimit(limit string, d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(b.limited, func(_ string, until time.Time) bool { return until.Before(now) })
	if b.limited == nil {
		b.limited = map[string]time.Time{}
	}
	if until := now.Add(d); until.After(b.limited[limit]) {
		b.limited[limit] = until
	}
}

// PausedUnder is how long requests under these limits still have to wait; zero when they don't.
func (b *Budget) PausedUnder(limits []string) (longest time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, limit := range limits {
		longest = max(longest, time.Until(b.limited[limit]))
	}
	return longest
}

// Use is what a budget allows, and how much of it is in use.
type Use struct {
	PerSecond, Concurrency int
	// InFlight is how many requests have a place, and Waiting how many wait for their turn, by priority.
	InFlight int
	Waiting  map[Priority]int
	// Paused is how long the platform has asked everybody to wait from now on.
	Paused time.Duration
}

// Use is the budget at this moment.
func (b *Budget) Use() Use {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := Use{
		PerSecond: b.perSecond, Concurrency: b.concurrency, InFlight: b.concurrency - b.free,
		Waiting: map[Priority]int{}, Paused: max(time.Until(b.pause), 0),
	}
	for priority := range b.waiting.levels {
		u.Waiting[Priority(priority)] = b.waiting.levels[priority].waiting
	}
	return u
}

// Waiting is the number of requests that wait for their turn.
func (b *Budget) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting.waiting()
}
