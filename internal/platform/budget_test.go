// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// plenty is a rate that nobody waits for.
const plenty = 1_000_000

// somePriority is what a request can have.
var somePriority = rapid.SampledFrom([]platform.Priority{platform.PriorityRevoke, platform.PriorityGrant, platform.PriorityDrift})

func acquire(t *testing.T, b *platform.Budget) (release func()) {
	t.Helper()
	release, err := b.Acquire(t.Context(), platform.PriorityGrant)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return release
}

// Requests come and go, some are given up; never are too many under way, none
// is forgotten, and in the end all places are free.
func TestNoMoreRequestsAreUnderWayThanAllowed(t *testing.T) {
	type request struct {
		comes, takes, givesUp time.Duration // givesUp is zero where it doesn't
		priority              platform.Priority
		share                 string
	}
	moment := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.IntRange(0, 5).Draw(t, "seconds")) * time.Second
	})
	someRequests := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) request {
		return request{moment.Draw(t, "comes"), moment.Draw(t, "takes"), moment.Draw(t, "gives up"), somePriority.Draw(t, "priority"), someShare.Draw(t, "share")}
	}), 1, 12)

	rapid.Check(t, func(rt *rapid.T) {
		places, requests := rapid.IntRange(1, 3).Draw(rt, "places"), someRequests.Draw(rt, "requests")
		var underWay, most, free int
		synctest.Test(t, func(t *testing.T) {
			budget := platform.NewBudget(plenty, places)
			var mu sync.Mutex
			begin := func(change int) {
				mu.Lock()
				defer mu.Unlock()
				underWay += change
				most = max(most, underWay)
			}
			var all sync.WaitGroup
			for _, r := range requests {
				all.Go(func() {
					time.Sleep(r.comes)
					ctx, cancel := context.WithCancel(platform.WithShare(t.Context(), r.share))
					defer cancel()
					if r.givesUp > 0 {
						time.AfterFunc(r.givesUp, cancel)
					}
					release, err := budget.Acquire(ctx, r.priority)
					if err != nil {
						return
					}
					begin(1)
					time.Sleep(r.takes)
					begin(-1)
					release()
					release() // twice is once
				})
			}
			all.Wait()
			for ; free <= places; free++ {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				_, err := budget.Acquire(ctx, platform.PriorityDrift)
				cancel()
				if err != nil {
					break
				}
			}
		})
		g := NewWithT(rt)
		g.Expect(most).To(BeNumerically("<=", places))
		g.Expect(underWay).To(BeZero())
		g.Expect(free).To(Equal(places), "places in the end")
	})
}

func TestTheMostUrgentGoesFirstAndTheLongestWaitingAmongEquals(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var queue, went []request
		for i, priority := range rapid.SliceOfN(somePriority, 2, 9).Draw(rt, "priorities") {
			queue = append(queue, request{priority: priority, came: i})
		}
		synctest.Test(t, func(t *testing.T) { went = line(t, queue) })
		slices.SortStableFunc(queue, func(a, b request) int { return int(a.priority - b.priority) })
		NewWithT(rt).Expect(went).To(Equal(queue))
	})
}

// The turn comes in the moment in which its request is given up.
func TestATurnThatComesTooLateIsPassedOn(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			budget := platform.NewBudget(plenty, 1)
			release := acquire(t, budget)
			ctx, giveUp := context.WithCancel(t.Context())
			go func() {
				if release, err := budget.Acquire(ctx, platform.PriorityRevoke); err == nil {
					release()
				}
			}()
			synctest.Wait()
			giveUp()
			release()
			acquire(t, budget)()
		})
	}
}

func TestAPauseHoldsEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		start := time.Now()
		budget := platform.NewBudget(1, 4)
		acquire(t, budget)() // and the rate is used up for a second
		went := make(chan time.Duration, 4)
		for range 3 {
			go func() {
				if release, err := budget.Acquire(t.Context(), platform.PriorityRevoke); err == nil {
					went <- time.Since(start)
					release()
				}
			}()
		}
		go func() { // as a long poll does
			if budget.Wait(t.Context()) == nil {
				went <- time.Since(start)
			}
		}()
		synctest.Wait() // all of them wait for the rate
		budget.Pause(time.Minute)
		budget.Pause(time.Second)
		g.Expect(budget.Paused()).To(Equal(time.Minute), "a shorter pause does not end a longer one")

		for range cap(went) {
			g.Expect(<-went).To(BeNumerically(">=", time.Minute))
		}
		g.Expect(budget.Paused()).To(BeZero())
	})
}

// A worker that waited out a long pause would not serve another platform.
func TestNobodyWaitsForWhatComesAfterTheirDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		start := time.Now()
		within := func(d time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			release, err := platform.NewBudget(1, 1).Acquire(ctx, platform.PriorityGrant)
			if err == nil {
				release()
			}
			return err
		}
		g.Expect(within(time.Second)).To(Succeed())

		budget := platform.NewBudget(1, 1)
		budget.Pause(time.Minute)
		for name, limit := range map[string]time.Duration{"a pause": time.Second, "a pause, just": time.Minute - 1} {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			_, err := budget.Acquire(ctx, platform.PriorityRevoke)
			cancel()
			g.Expect(err).To(MatchError(context.DeadlineExceeded), name)
		}

		slow := platform.NewBudget(1, 1)
		acquire(t, slow)()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		_, err := slow.Acquire(ctx, platform.PriorityRevoke)
		g.Expect(err).To(MatchError(context.DeadlineExceeded), "the rate")
		g.Expect(time.Since(start)).To(BeZero(), "said at once")

		g.Expect(budget.Wait(t.Context())).To(Succeed(), "without a deadline the pause is waited out")
		g.Expect(time.Since(start)).To(Equal(time.Minute))
		acquire(t, slow)()
	})
}

func TestAPauseThatIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := platform.NewBudget(plenty, 1)
		budget.Pause(time.Minute)
		ctx, giveUp := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			_, err := budget.Acquire(ctx, platform.PriorityGrant)
			failed <- err
		}()
		synctest.Wait()
		giveUp()
		NewWithT(t).Expect(<-failed).To(MatchError(context.Canceled))
		acquire(t, budget)()
	})
}

// In no second are there more requests than the rate allows, whatever pauses
// there were.
func TestTheRateIsKept(t *testing.T) {
	type pause struct{ comes, lasts time.Duration }
	rapid.Check(t, func(rt *rapid.T) {
		perSecond := rapid.IntRange(1, 35).Draw(rt, "per second")
		comes := rapid.SliceOfN(rapid.IntRange(0, 5000), 60, 60).Draw(rt, "comes after milliseconds")
		pauses := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) pause {
			return pause{
				time.Duration(rapid.IntRange(0, 4000).Draw(t, "comes")) * time.Millisecond,
				time.Duration(rapid.IntRange(1, 9).Draw(t, "lasts")) * time.Second,
			}
		}), 0, 2).Draw(rt, "pauses")
		var went []time.Duration
		synctest.Test(t, func(t *testing.T) {
			budget := platform.NewBudget(perSecond, 50)
			start := time.Now()
			var mu sync.Mutex
			var all sync.WaitGroup
			for _, milliseconds := range comes {
				all.Go(func() {
					time.Sleep(time.Duration(milliseconds) * time.Millisecond)
					acquire(t, budget)()
					mu.Lock()
					defer mu.Unlock()
					went = append(went, time.Since(start))
				})
			}
			for _, p := range pauses {
				time.Sleep(p.comes)
				budget.Pause(p.lasts)
			}
			all.Wait()
		})
		slices.Sort(went)
		for i := range went {
			if j := i + perSecond; j < len(went) && went[j]-went[i] < time.Second {
				rt.Fatalf("%d requests in %s, at %d a second", perSecond+1, went[j]-went[i], perSecond)
			}
		}
	})
}

// What is kept free for a few that go at once is not much.
func TestTheRateIsUsed(t *testing.T) {
	for _, perSecond := range []int{1, 2, 9, 10, 50, 1000} {
		synctest.Test(t, func(t *testing.T) {
			budget := platform.NewBudget(perSecond, 1)
			start := time.Now()
			for range 20 * perSecond {
				acquire(t, budget)()
			}
			NewWithT(t).Expect(time.Since(start)).To(BeNumerically("<=", 20*time.Second*10/9), "at %d a second", perSecond)
		})
	}
}
