// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"cmp"
	"container/heap"
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Budget is the one budget of requests to a platform, shared by everything
// that talks to it. The most urgent request that waits goes first, and in turn
// among equals. A platform that asks to wait makes all of them wait.
type Budget struct {
	limiter *rate.Limiter

	mu      sync.Mutex
	free    int
	seq     uint64
	waiting waiters
	pause   time.Time
}

// NewBudget allows so many requests a second, over a burst of the same size, and so many at once.
func NewBudget(perSecond, concurrency int) *Budget {
	return &Budget{limiter: rate.NewLimiter(rate.Limit(perSecond), perSecond), free: concurrency}
}

// Acquire waits for a turn, and returns what gives it back. The error is the context's.
func (b *Budget) Acquire(ctx context.Context, p Priority) (release func(), err error) {
	if err := b.slot(ctx, p); err != nil {
		return nil, err
	}
	release = sync.OnceFunc(b.release)
	if err := b.Wait(ctx); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// Wait waits for the rate and for a pause to end, without taking one of the
// concurrent places. It does not wait for what comes after the deadline: the
// error is the context's, but it can come before that is done.
func (b *Budget) Wait(ctx context.Context) error {
	for {
		if err := wait(ctx, b.Paused()); err != nil {
			return err
		}
		if b.limiter.Wait(ctx) != nil {
			return cmp.Or(ctx.Err(), context.DeadlineExceeded)
		}
		if b.Paused() == 0 { // a pause may have begun while the rate was waited for
			return nil
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) < d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
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

// Waiting is the number of requests that wait for a turn.
func (b *Budget) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}

func (b *Budget) slot(ctx context.Context, p Priority) error {
	b.mu.Lock()
	if b.free > 0 {
		b.free--
		b.mu.Unlock()
		return nil
	}
	b.seq++
	w := &waiter{priority: p, seq: b.seq, turn: make(chan struct{})}
	heap.Push(&b.waiting, w)
	b.mu.Unlock()

	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	if w.index >= 0 {
		heap.Remove(&b.waiting, w.index)
		b.mu.Unlock()
		return ctx.Err()
	}
	b.mu.Unlock()
	b.release() // the turn came in the meantime: pass it on
	return ctx.Err()
}

func (b *Budget) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		b.free++
		return
	}
	w := heap.Pop(&b.waiting).(*waiter)
	close(w.turn)
}

type waiter struct {
	priority Priority
	seq      uint64
	index    int
	turn     chan struct{}
}

// waiters is a heap: the most urgent first, and the longest waiting among equals.
type waiters []*waiter

func (w waiters) Len() int { return len(w) }

func (w waiters) Less(i, j int) bool {
	if w[i].priority != w[j].priority {
		return w[i].priority < w[j].priority
	}
	return w[i].seq < w[j].seq
}

func (w waiters) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].index, w[j].index = i, j
}

func (w *waiters) Push(x any) {
	item := x.(*waiter)
	item.index = len(*w)
	*w = append(*w, item)
}

func (w *waiters) Pop() any {
	old := *w
	last := old[len(old)-1]
	last.index = -1
	*w = old[:len(old)-1]
	return last
}
