// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform_test

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// chat is a server, and a client that has one place for requests to it.
type chat struct {
	*httptest.Server
	budget *platform.Budget
	client *http.Client
}

func newChat(t *testing.T, handler http.HandlerFunc) *chat {
	t.Helper()
	c := &chat{Server: httptest.NewServer(handler), budget: platform.NewBudget(plenty, 1)}
	t.Cleanup(c.Close)
	client, err := platform.NewClient(platform.ClientOptions{Platform: "chat", Budget: c.budget})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	t.Cleanup(client.CloseIdleConnections)
	c.client = client
	return c
}

// send sends a request with our token.
func (c *chat) send(ctx context.Context, method, path, body string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.URL+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer secret")
	return c.client.Do(req)
}

// get sends a request and reads the answer; the place is free again.
func (c *chat) get(t *testing.T, path string) {
	t.Helper()
	resp, err := c.send(t.Context(), http.MethodGet, path, "")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	read(t, resp)
}

func read(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(resp.Body.Close()).To(Succeed())
	return string(body)
}

// expectFree fails when the place is taken.
func (c *chat) expectFree(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	release, err := c.budget.Acquire(ctx, platform.PriorityDrift)
	NewWithT(t).Expect(err).NotTo(HaveOccurred(), "the place is not free")
	release()
}

func TestA429MakesTheWholeSessionWaitAndIsStillReadable(t *testing.T) {
	for name, tc := range map[string]struct {
		header, body string
		wait         time.Duration
	}{
		"seconds in the header":    {"7", "slow", 7 * time.Second},
		"a date in the header":     {time.Now().Add(time.Minute).UTC().Format(http.TimeFormat), "slow", time.Minute},
		"milliseconds in the body": {"", `{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":4000}`, 4 * time.Second},
		"nothing":                  {"", "slow", time.Second},
		"a long body":              {"", strings.Repeat("slow ", 100_000), time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			c := newChat(t, func(w http.ResponseWriter, _ *http.Request) {
				if tc.header != "" {
					w.Header().Set("Retry-After", tc.header)
				}
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = io.WriteString(w, tc.body)
			})
			resp, err := c.send(t.Context(), http.MethodGet, "/", "")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(resp.StatusCode).To(Equal(http.StatusTooManyRequests))
			g.Expect(c.budget.Paused()).To(And(BeNumerically("<=", tc.wait), BeNumerically(">", tc.wait-5*time.Second), BeNumerically(">", 0)))
			g.Expect(read(t, resp) == tc.body).To(BeTrue(), "the body is as it was sent")
		})
	}
}

func TestOtherAnswersAreNoReasonToWait(t *testing.T) {
	c := newChat(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	c.get(t, "/")
	NewWithT(t).Expect(c.budget.Paused()).To(BeZero())
}

// The adapter tells from this that a write did not happen.
func TestARequestThatHadNoTurnWasNotSent(t *testing.T) {
	g := NewWithT(t)
	var hits atomic.Int32
	c := newChat(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	c.budget.Pause(time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	body := &closing{Reader: strings.NewReader("{}")}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, c.URL, body)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = c.client.Do(req) //nolint:bodyclose // there is no answer
	g.Expect(err).To(MatchError(context.DeadlineExceeded))
	var typed *platform.Error
	g.Expect(errors.As(err, &typed)).To(BeTrue())
	g.Expect(typed.Kind).To(Equal(platform.RateLimited))
	g.Expect(typed.Doing).To(ContainSubstring("Platform chat"))
	g.Expect(typed.RetryAfter).To(BeNumerically("~", time.Hour, time.Minute))
	g.Expect(hits.Load()).To(BeZero())
	g.Expect(body.closed.Load()).To(BeTrue(), "who sends has given the body away")
}

type closing struct {
	io.Reader
	closed atomic.Bool
}

func (c *closing) Close() error {
	c.closed.Store(true)
	return nil
}

func TestAPlaceIsHeldUntilTheAnswerIsRead(t *testing.T) {
	g := NewWithT(t)
	c := newChat(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	resp, err := c.send(t.Context(), http.MethodGet, "/", "")
	g.Expect(err).NotTo(HaveOccurred())
	second := make(chan string)
	go func() {
		resp, err := c.send(t.Context(), http.MethodGet, "/", "")
		if err != nil {
			second <- err.Error()
			return
		}
		_ = resp.Body.Close()
		second <- resp.Status
	}()
	g.Eventually(c.budget.Waiting).Should(Equal(1), "the second request waits for the first one's place")
	g.Expect(second).NotTo(Receive())
	g.Expect(read(t, resp)).To(Equal("hello"))
	g.Eventually(second).Should(Receive(Equal("200 OK")))
	g.Expect(resp.Body.Close()).To(Succeed(), "closing twice gives back one place")
	c.expectFree(t)
}

func TestAPlaceIsFreeAfterAnError(t *testing.T) {
	g := NewWithT(t)
	c := newChat(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err := c.send(t.Context(), http.MethodPost, "/", "{}") //nolint:bodyclose // there is no answer
	g.Expect(err).To(HaveOccurred())
	c.expectFree(t)
}

func TestALongPollTakesNoPlace(t *testing.T) {
	g := NewWithT(t)
	c := newChat(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "news") })
	held, err := c.budget.Acquire(t.Context(), platform.PriorityGrant)
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	resp, err := c.send(platform.WithRoute(ctx, platform.LongPoll), http.MethodGet, "/sync", "")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(read(t, resp)).To(Equal("news"))
	held()
	c.expectFree(t)

	c.budget.Pause(time.Hour)
	_, err = c.send(platform.WithRoute(ctx, platform.LongPoll), http.MethodGet, "/sync", "") //nolint:bodyclose // there is no answer
	g.Expect(err).To(MatchError(context.DeadlineExceeded), "but it keeps to a pause")
}

func TestRevocationsOvertakeChecks(t *testing.T) {
	g := NewWithT(t)
	var mu sync.Mutex
	var came []string
	c := newChat(t, func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		came = append(came, r.URL.Path)
	})
	held, err := c.budget.Acquire(t.Context(), platform.PriorityGrant)
	g.Expect(err).NotTo(HaveOccurred())
	var all sync.WaitGroup
	for i, r := range []struct {
		path string
		ctx  context.Context
	}{
		{"/drift", platform.WithPriority(t.Context(), platform.PriorityDrift)},
		{"/unsaid", t.Context()},
		{"/revoke", platform.WithPriority(t.Context(), platform.PriorityRevoke)},
	} {
		all.Go(func() {
			if resp, err := c.send(r.ctx, http.MethodGet, r.path, ""); err == nil {
				_ = resp.Body.Close()
			}
		})
		g.Eventually(c.budget.Waiting).Should(Equal(i + 1))
	}
	held()
	all.Wait()
	g.Expect(came).To(Equal([]string{"/revoke", "/unsaid", "/drift"}))
}

// Promise 11.
func TestCredentialsAreForOneServer(t *testing.T) {
	var hits atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer other.Close()
	c := newChat(t, func(w http.ResponseWriter, r *http.Request) {
		to := other.URL
		if r.URL.Path == "/tls" {
			to = "https://" + r.Host
		}
		http.Redirect(w, r, to+"/elsewhere", http.StatusTemporaryRedirect)
	})
	for _, path := range []string{"/host", "/tls"} {
		_, err := c.send(t.Context(), http.MethodPut, path, "{}") //nolint:bodyclose // there is no answer
		g := NewWithT(t)
		g.Expect(err).To(MatchError(ContainSubstring("credentials are for one server only")), path)
		var typed *platform.Error
		g.Expect(errors.As(err, &typed)).To(BeTrue(), "the adapter tells it from a write that may have happened")
		g.Expect(typed.Kind).To(Equal(platform.Invalid))
		g.Expect(err.Error()).NotTo(ContainSubstring("secret"))
		g.Expect(hits.Load()).To(BeZero(), "the other server was asked")
		c.expectFree(t)
	}
}

func TestARedirectOnTheSameServerIsFollowed(t *testing.T) {
	g := NewWithT(t)
	c := newChat(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "/new", http.StatusPermanentRedirect)
			return
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.Method+" "+string(body)+" "+r.Header.Get("Authorization"))
	})
	resp, err := c.send(t.Context(), http.MethodPut, "/old", "{}")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(read(t, resp)).To(Equal("PUT {} Bearer secret"))
	c.expectFree(t)
}

// A gate in front of the server sends who isn't logged in to its login page:
// that page would be the answer to the write.
func TestAWriteDoesNotBecomeARead(t *testing.T) {
	g := NewWithT(t)
	var reads atomic.Int32
	c := newChat(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			reads.Add(1)
		}
		if r.URL.Path != "/login" {
			http.Redirect(w, r, "/login", http.StatusFound)
		}
	})
	_, err := c.send(t.Context(), http.MethodPut, "/state", "{}") //nolint:bodyclose // there is no answer
	g.Expect(err).To(MatchError(ContainSubstring("it makes a PUT a GET")))
	g.Expect(reads.Load()).To(BeZero())
	c.get(t, "/state")
	g.Expect(reads.Load()).To(BeNumerically("==", 2), "a read is redirected")
}

func TestRedirectsWithoutEnd(t *testing.T) {
	var hits atomic.Int32
	c := newChat(t, func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		http.Redirect(w, r, "/again", http.StatusFound)
	})
	_, err := c.send(t.Context(), http.MethodGet, "/", "") //nolint:bodyclose // there is no answer
	NewWithT(t).Expect(err).To(MatchError(ContainSubstring("there were too many")))
	NewWithT(t).Expect(hits.Load()).To(BeNumerically("==", 5))
	c.expectFree(t)
}

func TestAProxyIsUsedWhereItIsNamed(t *testing.T) {
	g := NewWithT(t)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "by proxy to "+r.URL.String())
	}))
	defer proxy.Close()
	client, err := platform.NewClient(platform.ClientOptions{ProxyURL: proxy.URL, Budget: platform.NewBudget(plenty, 1)})
	g.Expect(err).NotTo(HaveOccurred())
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://chat.invalid/versions")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(read(t, resp)).To(Equal("by proxy to http://chat.invalid/versions"))

	_, err = platform.NewClient(platform.ClientOptions{ProxyURL: "http://[proxy"})
	g.Expect(err).To(MatchError(ContainSubstring("spec.proxyURL")))
}

func TestOnlyTheNamedAuthoritiesAreTrusted(t *testing.T) {
	g := NewWithT(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of who doesn't trust it
	server.StartTLS()
	defer server.Close()
	bundle := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))

	get := func(bundle string) (*http.Response, error) {
		client, err := platform.NewClient(platform.ClientOptions{CABundle: bundle, Budget: platform.NewBudget(plenty, 1)})
		g.Expect(err).NotTo(HaveOccurred())
		t.Cleanup(client.CloseIdleConnections)
		return client.Get(server.URL)
	}
	resp, err := get(bundle)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(read(t, resp)).To(Equal("hello"))
	_, err = get("") //nolint:bodyclose // there is no answer
	g.Expect(err).To(MatchError(ContainSubstring("x509")), "the system's authorities don't know the server")

	_, err = platform.NewClient(platform.ClientOptions{CABundle: "not a certificate"})
	g.Expect(err).To(MatchError(ContainSubstring("spec.caBundle")))
}

// Promise 12.
func TestRequestsAreCountedByRouteAndNeverByPerson(t *testing.T) {
	g := NewWithT(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/rooms/!a:x":
			w.WriteHeader(http.StatusNotFound)
		case "/broken":
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	registry := prometheus.NewPedanticRegistry()
	client, err := platform.NewClient(platform.ClientOptions{
		Platform: "chat", Budget: platform.NewBudget(plenty, 1), Metrics: platform.NewMetrics(registry),
	})
	g.Expect(err).NotTo(HaveOccurred())
	defer client.CloseIdleConnections()
	for _, r := range []struct{ method, path, route string }{
		{"GET", "/rooms/!a:x", "GET /rooms/{room}"}, {"GET", "/rooms/!b:x", "GET /rooms/{room}"},
		{"GET", "/rooms/!c:x", "GET /rooms/{room}"}, {"PUT", "/rooms/!b:x", ""}, {"POST", "/broken", "POST /broken"},
	} {
		ctx := t.Context()
		if r.route != "" {
			ctx = platform.WithRoute(ctx, r.route)
		}
		req, err := http.NewRequestWithContext(ctx, r.method, server.URL+r.path, http.NoBody)
		g.Expect(err).NotTo(HaveOccurred())
		if resp, err := client.Do(req); err == nil {
			g.Expect(resp.Body.Close()).To(Succeed())
		}
	}

	requests, timed := map[string]float64{}, map[string]uint64{}
	families, err := registry.Gather()
	g.Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			var labels []string
			for _, label := range metric.GetLabel() {
				labels = append(labels, label.GetName()+"="+label.GetValue())
			}
			key := strings.Join(labels, " ")
			switch family.GetName() {
			case "cabildo_platform_requests_total":
				requests[key] = metric.GetCounter().GetValue()
			case "cabildo_platform_request_duration_seconds":
				timed[key] = metric.GetHistogram().GetSampleCount()
			}
		}
	}
	g.Expect(requests).To(Equal(map[string]float64{
		"code=404 method=GET platform=chat route=GET /rooms/{room}": 1,
		"code=200 method=GET platform=chat route=GET /rooms/{room}": 2,
		"code=200 method=PUT platform=chat route=other":             1,
		"code=0 method=POST platform=chat route=POST /broken":       1,
	}))
	g.Expect(timed).To(Equal(map[string]uint64{
		"method=GET platform=chat route=GET /rooms/{room}": 3,
		"method=PUT platform=chat route=other":             1,
		"method=POST platform=chat route=POST /broken":     1,
	}))
}

// net/http sends a read again when the connection that it had kept is dead.
func TestAReadThatIsSentAgainTakesAnotherTurn(t *testing.T) {
	g := NewWithT(t)
	var mu sync.Mutex
	var came []time.Time
	c := newChat(t, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		came = append(came, time.Now())
		second := len(came) == 2
		mu.Unlock()
		if second {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "hello")
	})
	client, err := platform.NewClient(platform.ClientOptions{Budget: platform.NewBudget(5, 1)})
	g.Expect(err).NotTo(HaveOccurred())
	defer client.CloseIdleConnections()
	c.client = client
	c.get(t, "/")
	c.get(t, "/")
	g.Expect(came).To(HaveLen(3), "the second was sent again")
	g.Expect(came[2].Sub(came[1])).To(BeNumerically("~", 200*time.Millisecond, 150*time.Millisecond))
}
