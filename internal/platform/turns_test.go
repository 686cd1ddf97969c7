// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// someShare is whose request it is: one of three communities, or nobody's.
var someShare = rapid.SampledFrom([]string{"", "a", "b", "c"})

// request is one that waits, and the number in which it came.
type request struct {
	priority platform.Priority
	share    string
	came     int
}

// line puts requests in line while the only place is taken, gives it free, and
// returns them in the order in which they had their turn.
func line(t *testing.T, requests []request) (went []request) {
	budget := platform.NewBudget(plenty, 1)
	release := acquire(t, budget)
	var all sync.WaitGroup
	for _, r := range requests {
		all.Go(func() {
			if release, err := budget.Acquire(platform.WithShare(t.Context(), r.share), r.priority); err == nil {
				went = append(went, r) // one at a time
				release()
			}
		})
		synctest.Wait()
	}
	NewWithT(t).Expect(budget.Waiting()).To(Equal(len(requests)))
	release()
	all.Wait()
	return went
}

// In each round everybody who waits has one turn, in the order in which they
// came first; in each share the order is kept.
func TestEqualsTakeTurns(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var requests []request
		priority := somePriority.Draw(rt, "priority")
		for i, share := range rapid.SliceOfN(someShare, 1, 60).Draw(rt, "shares") {
			requests = append(requests, request{priority, share, i})
		}
		var went []request
		synctest.Test(t, func(t *testing.T) { went = line(t, requests) })

		round, first, seen := map[int]int{}, map[string]int{}, map[string]int{}
		for i, r := range requests {
			if seen[r.share] == 0 {
				first[r.share] = i
			}
			round[i] = seen[r.share]
			seen[r.share]++
		}
		slices.SortFunc(requests, func(a, b request) int {
			return cmp.Or(round[a.came]-round[b.came], first[a.share]-first[b.share])
		})
		NewWithT(rt).Expect(went).To(Equal(requests))
	})
}

// Whoever waits is overtaken by ten more urgent turns in a row at most, and one
// more where two priorities are due at once; what is urgent keeps four turns of five.
func TestTheLessUrgentAreNotStarved(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var requests []request
		for i, priority := range rapid.SliceOfN(somePriority, 1, 150).Draw(rt, "priorities") {
			requests = append(requests, request{priority, someShare.Draw(rt, "share"), i})
		}
		var went []request
		synctest.Test(t, func(t *testing.T) { went = line(t, requests) })

		g := NewWithT(rt)
		g.Expect(went).To(ConsistOf(requests))
		left, since := map[platform.Priority]int{}, map[platform.Priority]int{}
		for _, r := range requests {
			left[r.priority]++
		}
		for i, r := range went {
			left[r.priority]--
			since[r.priority] = 0
			for p := platform.PriorityRevoke; p <= platform.PriorityDrift; p++ {
				if p == r.priority || left[p] == 0 {
					continue
				}
				since[p]++
				if p != platform.PriorityRevoke {
					g.Expect(since[p]).To(BeNumerically("<=", 11), "turns that passed a %s by, at turn %d", p, i)
				} else {
					g.Expect(since[p]).To(BeNumerically("<=", 2), "turns that passed a revocation by, at turn %d", i)
				}
			}
		}
	})
}

// load is requests that come one after the other in each stream, for ever.
type load struct {
	budget *platform.Budget
	takes  time.Duration
	all    sync.WaitGroup
	end    chan struct{}
}

func (l *load) stream(ctx context.Context, p platform.Priority) {
	l.all.Go(func() {
		for {
			select {
			case <-l.end:
				return
			default:
			}
			if release, err := l.budget.Acquire(ctx, p); err == nil {
				time.Sleep(l.takes)
				release()
			}
		}
	})
}

func (l *load) stop() {
	close(l.end)
	l.all.Wait()
}

// waits is how long a request waits for its turn. What starves is told after a minute.
func waits(ctx context.Context, t *testing.T, b *platform.Budget, p platform.Priority) (release func(), d time.Duration) {
	t.Helper()
	came := time.Now()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	release, err := b.Acquire(ctx, p)
	if err != nil {
		t.Fatalf("a request waited for %s in vain", time.Since(came))
	}
	return release, time.Since(came)
}

func TestALargeCommunityDoesNotHoldUpASmallOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const takes = 10 * time.Millisecond
		budget := platform.NewBudget(plenty, 1)
		ctx, background := t.Context(), load{budget: budget, takes: takes, end: make(chan struct{})}
		defer background.stop()
		for range 500 {
			background.stream(platform.WithShare(ctx, "large"), platform.PriorityGrant)
		}
		time.Sleep(time.Second)
		var longest time.Duration
		for range 50 {
			release, waited := waits(platform.WithShare(ctx, "small"), t, budget, platform.PriorityGrant)
			longest = max(longest, waited)
			time.Sleep(takes)
			release()
		}
		t.Logf("with 500 requests of another community in line, the longest wait was %s", longest)
		NewWithT(t).Expect(longest).To(BeNumerically("<=", 2*takes), "the turn under way, and the next")
	})
}

func TestAStreamOfGrantsDoesNotStarveALook(t *testing.T) {
	for name, urgent := range map[string][]platform.Priority{
		"grants":      {platform.PriorityGrant},
		"revocations": {platform.PriorityRevoke},
		"both":        {platform.PriorityRevoke, platform.PriorityGrant},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const takes = 10 * time.Millisecond
				budget := platform.NewBudget(plenty, 1)
				ctx, background := t.Context(), load{budget: budget, takes: takes, end: make(chan struct{})}
				defer background.stop()
				for _, p := range urgent {
					for range 20 {
						background.stream(ctx, p)
					}
				}
				time.Sleep(time.Second)
				for range 20 {
					release, waited := waits(ctx, t, budget, platform.PriorityDrift)
					NewWithT(t).Expect(waited).To(BeNumerically("<=", 12*takes))
					release()
				}
			})
		})
	}
}

// A pass that waits for a look keeps its space from every other change.
func TestLooksThatHaveWaitedGoBetweenGrants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const takes, looks = 10 * time.Millisecond, 200
		budget := platform.NewBudget(plenty, 1)
		ctx, background := t.Context(), load{budget: budget, takes: takes, end: make(chan struct{})}
		defer background.stop()
		for range 20 {
			background.stream(ctx, platform.PriorityGrant)
		}
		came := time.Now()
		var all sync.WaitGroup
		for range looks {
			all.Go(func() {
				if release, err := budget.Acquire(ctx, platform.PriorityDrift); err == nil {
					time.Sleep(takes)
					release()
				}
			})
		}
		all.Wait()
		NewWithT(t).Expect(time.Since(came)).To(BeNumerically("<=", time.Second+3*looks*takes))
	})
}

// The budget that a Platform has when it says nothing, answers that take a
// tenth of a second, and a thousand grants in line.
func TestARevocationDoesNotWaitBehindAThousandGrants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := platform.NewBudget(50, 8)
		ctx, background := t.Context(), load{budget: budget, takes: 100 * time.Millisecond, end: make(chan struct{})}
		defer background.stop()
		for i := range 1000 {
			background.stream(platform.WithShare(ctx, fmt.Sprint("community ", i%40)), platform.PriorityGrant)
		}
		time.Sleep(3 * time.Second)
		var longest time.Duration
		for i := range 100 {
			NewWithT(t).Expect(budget.Waiting()).To(BeNumerically(">", 900))
			release, waited := waits(ctx, t, budget, platform.PriorityRevoke)
			longest = max(longest, waited)
			release()
			time.Sleep(100*time.Millisecond + time.Duration(i)*time.Millisecond) // at any moment between two turns
		}
		t.Logf("with 1000 grants in line, the longest wait of a revocation was %s", longest)
		NewWithT(t).Expect(longest).To(BeNumerically("<=", 50*time.Millisecond))
	})
}

// Who only waits for the rate has no place yet that somebody more urgent could want.
func TestUrgencyCountsInTheMomentInWhichARequestMayGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := platform.NewBudget(1, 8)
		acquire(t, budget)() // and the rate is used up for a second
		var all sync.WaitGroup
		var mu sync.Mutex
		var went []platform.Priority
		for _, p := range []platform.Priority{platform.PriorityDrift, platform.PriorityGrant, platform.PriorityRevoke} {
			all.Go(func() {
				if release, err := budget.Acquire(t.Context(), p); err == nil {
					mu.Lock()
					defer mu.Unlock()
					went = append(went, p)
					release()
				}
			})
			synctest.Wait()
		}
		all.Wait()
		NewWithT(t).Expect(went).To(Equal([]platform.Priority{platform.PriorityRevoke, platform.PriorityGrant, platform.PriorityDrift}))
	})
}
