// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
)

// limiting is a platform that answers 429 to some paths, and a client that keeps to that. It runs on a test's clock.
type limiting struct {
	client *http.Client
	budget *Budget

	mu sync.Mutex // guards what follows
	// waits is how long a path asks to wait; zero for not at all.
	waits map[string]time.Duration
	came  map[string]int
}

func withLimits(t *testing.T, test func(t *testing.T, g Gomega, p *limiting)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &limiting{budget: NewBudget(1000, 4), waits: map[string]time.Duration{}, came: map[string]int{}}
		p.client = &http.Client{Transport: &transport{next: p, platform: "chat", budget: p.budget}}
		test(t, NewWithT(t), p)
	})
}

func (p *limiting) RoundTrip(req *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	path := req.URL.Path
	p.came[path]++
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: req}
	if wait := p.waits[path]; wait > 0 {
		resp.StatusCode = http.StatusTooManyRequests
		resp.Header.Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
	}
	return resp, nil
}

// limit has a path ask to wait for so long from now on.
func (p *limiting) limit(path string, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waits[path] = wait
}

// send sends a request that is under these limits. The status is zero for one that was not sent.
func (p *limiting) send(ctx context.Context, path string, limits ...string) (status int, waited time.Duration, refused *Error) {
	start := time.Now()
	if len(limits) > 0 {
		ctx = WithLimits(ctx, limits...)
	}
	if path == "/sync" {
		ctx = WithRoute(ctx, LongPoll)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://chat.invalid"+path, http.NoBody)
	if err != nil {
		panic(err)
	}
	resp, err := p.client.Do(req)
	waited = time.Since(start)
	if err != nil {
		errors.As(err, &refused)
		return 0, waited, refused
	}
	_ = resp.Body.Close()
	return resp.StatusCode, waited, nil
}

func TestALimitHoldsForTheRequestsUnderItAlone(t *testing.T) {
	withLimits(t, func(t *testing.T, g Gomega, p *limiting) {
		p.limit("/create", time.Minute)
		status, _, _ := p.send(t.Context(), "/create", "create")
		g.Expect(status).To(Equal(http.StatusTooManyRequests))
		status, waited, refused := p.send(t.Context(), "/create", "create")
		g.Expect(status).To(BeZero())
		g.Expect(waited).To(BeZero(), "said at once, so that who asked can do something else")
		g.Expect(refused).To(HaveField("Kind", RateLimited))
		g.Expect(refused.Limited).To(BeTrue())
		g.Expect(refused.RetryAfter).To(Equal(time.Minute))
		g.Expect(refused.Doing).To(ContainSubstring("Platform chat"))
		g.Expect(p.came["/create"]).To(Equal(1))

		for path, limits := range map[string][]string{"/state": {"state"}, "/sync": {LongPoll}, "/nothing": nil} {
			status, waited, _ := p.send(t.Context(), path, limits...)
			g.Expect(status).To(Equal(http.StatusOK), path)
			g.Expect(waited).To(BeZero(), path)
		}
		g.Expect(p.budget.Paused()).To(BeZero(), "not everybody waits")

		p.limit("/create", 0)
		time.Sleep(time.Minute)
		status, waited, _ = p.send(t.Context(), "/create", "create")
		g.Expect(status).To(Equal(http.StatusOK))
		g.Expect(waited).To(BeZero())
	})
}

func TestAShortPauseIsWaitedForWhereThereIsTime(t *testing.T) {
	withLimits(t, func(t *testing.T, g Gomega, p *limiting) {
		p.limit("/state", 2*time.Second)
		_, _, _ = p.send(t.Context(), "/state", "state")
		p.limit("/state", 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		status, waited, refused := p.send(ctx, "/state", "state")
		g.Expect(status).To(BeZero())
		g.Expect(waited).To(BeZero(), "its time is over before")
		g.Expect(refused.Limited).To(BeTrue())
		status, waited, _ = p.send(t.Context(), "/state", "state")
		g.Expect(status).To(Equal(http.StatusOK))
		g.Expect(waited).To(Equal(2 * time.Second))
	})
}

func TestALongPauseHoldsForTheNarrowestLimitAndAShorterOneForTheWidest(t *testing.T) {
	withLimits(t, func(t *testing.T, g Gomega, p *limiting) {
		invites := func(account string) (int, *Error) {
			status, _, refused := p.send(t.Context(), "/invite/"+account, "invite", "invite "+account)
			return status, refused
		}
		p.limit("/invite/a", 5*time.Minute)
		_, _ = invites("a")
		_, refused := invites("a")
		g.Expect(refused.RetryAfter).To(Equal(5 * time.Minute))
		g.Expect(invites("b")).To(Equal(http.StatusOK), "nobody else waits for a")

		p.limit("/invite/b", 10*time.Second)
		_, _ = invites("b")
		_, refused = invites("c")
		g.Expect(refused).NotTo(BeNil(), "we invite too often")
		g.Expect(refused.RetryAfter).To(Equal(10 * time.Second))
		time.Sleep(10 * time.Second)
		g.Expect(invites("c")).To(Equal(http.StatusOK))
		_, refused = invites("a")
		g.Expect(refused.RetryAfter).To(Equal(5*time.Minute - 10*time.Second))
	})
}

func TestWithoutLimitsEverybodyWaits(t *testing.T) {
	withLimits(t, func(t *testing.T, g Gomega, p *limiting) {
		p.limit("/posts", 10*time.Second)
		_, _, _ = p.send(t.Context(), "/posts")
		g.Expect(p.budget.Paused()).To(Equal(10 * time.Second))
		for _, path := range []string{"/teams", "/sync"} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, _, refused := p.send(ctx, path)
			cancel()
			g.Expect(refused).To(HaveField("Kind", RateLimited), path)
			g.Expect(refused.Limited).To(BeFalse(), path)
		}
		_, waited, _ := p.send(t.Context(), "/teams")
		g.Expect(waited).To(Equal(10 * time.Second))
	})
}

// A limit may begin while a request waits for its turn in the budget.
func TestALimitHoldsForWhoWaitedForATurn(t *testing.T) {
	withLimits(t, func(t *testing.T, g Gomega, p *limiting) {
		var held []func()
		for range 4 {
			release, err := p.budget.Acquire(t.Context(), PriorityGrant)
			g.Expect(err).NotTo(HaveOccurred())
			held = append(held, release)
		}
		done := make(chan *Error)
		go func() {
			_, _, refused := p.send(t.Context(), "/create", "create")
			done <- refused
		}()
		synctest.Wait()
		p.budget.PauseLimit("create", time.Minute)
		for _, release := range held {
			release()
		}
		g.Expect(<-done).To(HaveField("Limited", true))
		g.Expect(p.came).To(BeEmpty())
		g.Expect(p.budget.Use().InFlight).To(BeZero(), "its turn is free again")
	})
}

func TestALimitThatIsOverIsForgotten(t *testing.T) {
	withLimits(t, func(_ *testing.T, g Gomega, p *limiting) {
		for i := range 1000 {
			p.budget.PauseLimit("invite "+strconv.Itoa(i), time.Minute)
			p.budget.PauseLimit("invite "+strconv.Itoa(i), time.Second)
			g.Expect(p.budget.PausedUnder([]string{"invite " + strconv.Itoa(i)})).To(Equal(time.Minute), "a shorter one does not end it")
			time.Sleep(time.Second)
		}
		g.Expect(len(p.budget.limited)).To(BeNumerically("<=", 62))
	})
}
