// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package platformtest has what the specs of several adapters need.
package platformtest

import (
	"errors"
	"maps"
	"net/http"
	"sync"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// A Wire carries requests, counts them by route, and can lose the answer of one.
type Wire struct {
	mu     sync.Mutex
	counts map[string]int
	lose   string
}

// RoundTrip is that of an http.RoundTripper.
func (w *Wire) RoundTrip(req *http.Request) (*http.Response, error) {
	route := platform.Route(req.Context())
	w.mu.Lock()
	if w.counts == nil {
		w.counts = map[string]int{}
	}
	w.counts[route]++
	lose := w.lose == route
	if lose {
		w.lose = ""
	}
	w.mu.Unlock()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if lose && err == nil {
		_ = resp.Body.Close()
		return nil, errors.New("the connection was cut")
	}
	return resp, err
}

// Requests are those so far, long polls apart.
func (w *Wire) Requests() int {
	n := 0
	for route, count := range w.Counts() {
		if route != platform.LongPoll {
			n += count
		}
	}
	return n
}

// Counts are the requests so far by route.
func (w *Wire) Counts() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.counts)
}

// Of is how many requests a route had.
func (w *Wire) Of(route string) int { return w.Counts()[route] }

// LoseNext loses the answer of the next request of a route: it was done, and nobody says so.
func (w *Wire) LoseNext(route string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = route
}
