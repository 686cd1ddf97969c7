// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// LongPoll in a route template exempts a request from the concurrent places:
// it waits on the server for news, and does no work there.
const LongPoll = "GET /sync"

// ClientOptions say how a platform is reached.
type ClientOptions struct {
	// Platform names the Platform resource in metrics.
	Platform string
	// CABundle is a PEM bundle that replaces the system's authorities; empty for the system's.
	CABundle string
	// ProxyURL is an HTTP proxy; empty for a direct connection.
	ProxyURL string
	Budget   *Budget
	Metrics  *Metrics
}

// NewClient returns the client that carries every request to a platform. It
// keeps to the budget, counts, and refuses to follow a redirect to another host.
// A request that never got its turn is RateLimited, and one that was sent
// elsewhere Invalid: neither did anything.
func NewClient(o ClientOptions) (*http.Client, error) {
	base := http.DefaultTransport.(*http.Transport).Clone()
	var err error
	if base.TLSClientConfig, base.Proxy, err = o.Dialing(); err != nil {
		return nil, err
	}
	base.MaxIdleConnsPerHost = 64
	base.ResponseHeaderTimeout = 2 * time.Minute
	o.Metrics.watch(o.Platform, o.Budget)
	return &http.Client{
		Transport:     &transport{next: base, platform: o.Platform, budget: o.Budget, metrics: o.Metrics},
		CheckRedirect: checkRedirect,
	}, nil
}

// Dialing is how a connection is made: with which certificates, nil for the system's, and through which proxy, nil for none.
func (o ClientOptions) Dialing() (certificates *tls.Config, proxy func(*http.Request) (*url.URL, error), err error) {
	if o.ProxyURL != "" {
		at, err := url.Parse(o.ProxyURL)
		if err != nil {
			return nil, nil, fmt.Errorf("parsing spec.proxyURL: %w", err)
		}
		proxy = http.ProxyURL(at)
	}
	if o.CABundle != "" {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM([]byte(o.CABundle)) {
			return nil, nil, errors.New("spec.caBundle holds no PEM certificate")
		}
		certificates = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return certificates, proxy, nil
}

// checkRedirect lets a request go on, as it is, on the same server.
func checkRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	refuse := func(because string) error {
		return &Error{
			Kind: Invalid, Doing: fmt.Sprintf("following a redirect from %s://%s to %s://%s", first.URL.Scheme, first.URL.Host, next.URL.Scheme, next.URL.Host),
			Err: errors.New(because),
		}
	}
	switch {
	case next.URL.Host != first.URL.Host, next.URL.Scheme != first.URL.Scheme:
		return refuse("credentials are for one server only")
	case next.Method != first.Method: // the answer to a GET would pass for the answer to a write
		return refuse("it makes a " + first.Method + " a " + next.Method)
	case len(via) >= 5:
		return refuse("there were too many")
	default:
		return nil
	}
}

// answerTimeout is how long a platform has for its whole answer to a request whose context has no deadline.
const answerTimeout = time.Minute

type transport struct {
	next     http.RoundTripper
	platform string
	budget   *Budget
	metrics  *Metrics
}

// RoundTrip takes a turn, counts the request, and makes requests wait when the platform says so.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	route := Route(ctx)
	limits := limitsOf(ctx)
	release, err := t.turn(ctx, route, limits)
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // nothing was read from it, so nothing is lost
		}
		return nil, err
	}
	end, bounded := ctx.Deadline()
	if !bounded { // from its turn on: what waits for one has asked nothing yet
		end = time.Now().Add(answerTimeout)
	}
	whole, cancel := context.WithDeadline(ctx, end)
	turn := release
	release, req = func() { cancel(); turn() }, req.WithContext(t.again(whole, cancel))
	start := time.Now()
	resp, err := t.next.RoundTrip(req)
	t.metrics.observe(t.platform, req.Method, route, resp, time.Since(start))
	if err != nil {
		release()
		return nil, err
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		t.pause(limits, retryAfter(resp))
	}
	resp.Body = &releasingBody{ReadCloser: resp.Body, release: release}
	return resp, nil
}

const (
	// shortPause is how long a request waits for the end of a pause of its limit. Longer ones are
	// refused at once, so that who asked can do something else meanwhile.
	shortPause = 2 * time.Second
	// longLimit is more than a limit for everybody asks to wait, and less than one for a single account: Synapse's
	// default for invitations is one in 3 s for who invites and for the room, and one in 330 s for who is invited.
	longLimit = 30 * time.Second
)

// pause makes wait whom a 429 is about.
func (t *transport) pause(limits []string, d time.Duration) {
	switch {
	case len(limits) == 0:
		t.budget.Pause(d)
	case d > longLimit:
		t.budget.PauseLimit(limits[len(limits)-1], d)
	default:
		t.budget.PauseLimit(limits[0], d)
	}
}

// turn waits for the turn of a request, and returns what gives it back. The error is RateLimited: nothing was sent.
func (t *transport) turn(ctx context.Context, route string, limits []string) (release func(), err error) {
	for {
		if err := t.unlimited(ctx, limits); err != nil {
			return nil, err
		}
		if release, err = t.acquire(ctx, route); err != nil {
			return nil, &Error{
				Kind: RateLimited, Doing: "waiting for a turn in the request budget of Platform " + t.platform,
				RetryAfter: t.budget.Paused(), Err: err,
			}
		}
		if t.budget.PausedUnder(limits) == 0 {
			return release, nil
		}
		release() // the pause began while we waited for the turn
	}
}

// unlimited waits for the end of a short pause of the limits.
func (t *transport) unlimited(ctx context.Context, limits []string) error {
	d := t.budget.PausedUnder(limits)
	if d == 0 {
		return nil
	}
	refused := &Error{
		Kind: RateLimited, Limited: true, RetryAfter: d, Doing: "waiting until Platform " + t.platform + " takes more requests like this one",
		Err: errors.New("the platform asked to wait"),
	}
	if end, bounded := ctx.Deadline(); d > shortPause || bounded && time.Until(end) < d {
		return refused
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return refused
	}
}

func (t *transport) acquire(ctx context.Context, route string) (release func(), err error) {
	if route == LongPoll {
		return func() {}, t.budget.Wait(ctx)
	}
	priority, came := PriorityOf(ctx), time.Now()
	release, err = t.budget.Acquire(ctx, priority)
	t.metrics.hasWaited(t.platform, priority, time.Since(came))
	return release, err
}

// again has a read take another turn that net/http sends again by itself,
// because the connection that it had kept open turned out to be dead.
func (t *transport) again(ctx context.Context, giveUp func()) context.Context {
	sent := false
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		if sent && t.budget.Wait(ctx) != nil {
			giveUp()
		}
		sent = true
	}})
}

// releasingBody keeps the turn until the answer has been read.
type releasingBody struct {
	io.ReadCloser
	release func()
}

func (b *releasingBody) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}

// retryAfter is how long a 429 asks to wait: the header Retry-After, or
// Matrix's retry_after_ms in the body, or one second; at most five minutes.
func retryAfter(resp *http.Response) time.Duration {
	const least, most = time.Second, 5 * time.Minute
	// Seconds as a number with a fraction hold every answer that makes sense; the others are clamped before they overflow.
	clamp := func(seconds float64) time.Duration {
		return time.Duration(min(max(seconds, 0), most.Seconds()) * float64(time.Second))
	}
	header := strings.TrimSpace(resp.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(header, 10, 64); err == nil {
		return clamp(float64(seconds))
	}
	if at, err := http.ParseTime(header); err == nil {
		return clamp(time.Until(at).Seconds())
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
	var said struct {
		Milliseconds float64 `json:"retry_after_ms"`
	}
	if err != nil || json.Unmarshal(body, &said) != nil || said.Milliseconds <= 0 {
		return least
	}
	return clamp(said.Milliseconds / 1000)
}
