// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"
)

// httpWire is the wire of an adapter that speaks HTTP: the transport of its client.
type httpWire struct {
	// kind sorts a request.
	kind func(*http.Request) traffic

	mu             sync.Mutex // guards what follows
	sent           map[traffic]int
	toLose, toFail int
	hasLost, isCut bool
	delay          time.Duration
	// flying ends the requests that are under way.
	flying map[*http.Request]context.CancelFunc
}

// traffic is what a request is for.
type traffic int

const (
	reading traffic = iota
	writing
	// listening waits for news.
	listening
)

func newHTTPWire(kind func(*http.Request) traffic) *httpWire {
	return &httpWire{kind: kind, sent: map[traffic]int{}, flying: map[*http.Request]context.CancelFunc{}}
}

var errCut = errors.New("the connection was cut")

// RoundTrip sends a request, unless the wire is cut.
func (w *httpWire) RoundTrip(req *http.Request) (*http.Response, error) {
	kind := w.kind(req)
	ctx, cancel := context.WithCancel(req.Context())
	w.mu.Lock()
	if w.isCut {
		w.mu.Unlock()
		cancel()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	w.sent[kind]++
	lose, fail := kind == writing && reaches(&w.toLose), kind == reading && reaches(&w.toFail)
	w.hasLost = w.hasLost || lose
	delay := time.Duration(0)
	if kind == writing {
		delay = w.delay
	}
	w.flying[req] = cancel
	w.mu.Unlock()

	defer func() {
		w.mu.Lock()
		delete(w.flying, req)
		w.mu.Unlock()
	}()
	if fail {
		cancel()
		return &http.Response{
			Status: "503 Service Unavailable", StatusCode: http.StatusServiceUnavailable, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), ContentLength: 2, Request: req,
		}, nil
	}
	// A write that has begun goes on when whoever waits for it gives up.
	under := ctx
	if delay > 0 {
		under = context.WithoutCancel(ctx)
	}
	resp, err := http.DefaultTransport.RoundTrip(req.WithContext(under))
	if err == nil && delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			_ = resp.Body.Close()
			return nil, ctx.Err()
		}
	}
	w.mu.Lock()
	cut := w.isCut
	w.mu.Unlock()
	switch {
	case err != nil && cut:
		return nil, errCut
	case err == nil && (lose || cut):
		_ = resp.Body.Close()
		cancel()
		return nil, errCut
	case err == nil:
		resp.Body = &endsWith{resp.Body, cancel}
	default:
		cancel()
	}
	return resp, err
}

// reaches counts down to the one that is meant.
func reaches(n *int) bool {
	if *n == 0 {
		return false
	}
	*n--
	return *n == 0
}

// endsWith gives up a context with the body.
type endsWith struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *endsWith) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

func (w *httpWire) count(kind traffic) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent[kind]
}

func (w *httpWire) reads() int  { return w.count(reading) }
func (w *httpWire) writes() int { return w.count(writing) }

func (w *httpWire) lose(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.toLose, w.hasLost = n, false
}

func (w *httpWire) lost() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hasLost
}

func (w *httpWire) fail(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.toFail = n
}

func (w *httpWire) slow(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delay = d
}

func (w *httpWire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isCut = true
	for _, cancel := range w.flying {
		cancel()
	}
}

func (w *httpWire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isCut, w.toLose, w.toFail, w.delay = false, 0, 0, 0
}
