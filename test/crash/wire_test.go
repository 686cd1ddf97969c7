// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package crash_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
)

// wire is what the manager of one run talks through: a proxy before each
// server. It counts the calls, and strikes at one of them.
type wire struct {
	kubernetes, homeserver *httptest.Server
	// struck tells that the manager is to be killed.
	struck chan struct{}

	at trial

	mu    sync.Mutex // guards what follows
	calls []call     // in the order in which they came
	times int        // how often the call of the point came
	hit   bool
	// made are the rooms that the homeserver made for the manager.
	made []string
	// dying is not nil from the strike until the manager is dead. What the manager
	// sends in that time reaches nobody.
	dying chan struct{}
}

type server struct {
	url       string
	transport http.RoundTripper
}

// newWire puts proxies on loopback before the servers. The zero trial strikes nowhere.
func newWire(kube, home server, at trial) (*wire, error) {
	w := &wire{at: at, struck: make(chan struct{}, 1)}
	beforeKube, err := w.proxy(kubernetes, kube)
	if err != nil {
		return nil, err
	}
	beforeHome, err := w.proxy(matrix, home)
	if err != nil {
		return nil, err
	}
	w.kubernetes, w.homeserver = httptest.NewTLSServer(beforeKube), httptest.NewServer(beforeHome)
	return w, nil
}

func (w *wire) close() {
	for _, s := range []*httptest.Server{w.kubernetes, w.homeserver} {
		s.CloseClientConnections()
		s.Close()
	}
}

// errStruck ends the request at which the wire strikes, without an answer.
var errStruck = errors.New("struck here")

type isPoint struct{}

func (w *wire) proxy(side string, to server) (http.Handler, error) {
	target, err := url.Parse(to.url)
	if err != nil {
		return nil, fmt.Errorf("reading the URL of %s: %w", side, err)
	}
	forward := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:      to.transport,
		ModifyResponse: w.answered,
		ErrorLog:       log.New(io.Discard, "", 0),
		// What goes wrong behind the proxy is a connection that is cut, as it is without one.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		c, counts := callOf(side, r)
		ctx, alive := w.enter(r.Context(), c, counts)
		if !alive {
			panic(http.ErrAbortHandler)
		}
		forward.ServeHTTP(rw, r.WithContext(ctx))
	}), nil
}

// enter counts a call, and holds up what a manager sends that is being killed.
func (w *wire) enter(ctx context.Context, c call, counts bool) (context.Context, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if dying := w.dying; dying != nil {
		w.mu.Unlock()
		<-dying
		w.mu.Lock()
		return ctx, false
	}
	ctx = context.WithValue(ctx, isPoint{}, false)
	if !counts {
		return ctx, true
	}
	w.calls = append(w.calls, c)
	if c == w.at.call {
		w.times++
		ctx = context.WithValue(ctx, isPoint{}, w.times == w.at.nth)
	}
	return ctx, true
}

// answered looks at an answer on its way to the manager, and strikes where it is to.
func (w *wire) answered(r *http.Response) error {
	at, _ := r.Request.Context().Value(isPoint{}).(bool)
	creates := r.Request.Method == http.MethodPost && r.Request.URL.Path == "/_matrix/client/v3/createRoom"
	if !at && !creates {
		return nil
	}
	body, err := io.ReadAll(r.Body) // the server is done when all of it is here
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	defer w.mu.Unlock()
	var answer struct {
		Room string `json:"room_id"`
	}
	if creates && json.Unmarshal(body, &answer) == nil && answer.Room != "" && !slices.Contains(w.made, answer.Room) {
		w.made = append(w.made, answer.Room)
	}
	if !at {
		return nil
	}
	w.hit = true
	if w.at.variant == killed {
		w.dying = make(chan struct{})
		w.struck <- struct{}{}
	}
	return errStruck
}

// dead says that the manager is gone; the next one is let through.
func (w *wire) dead() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.dying)
	w.dying = nil
}

// seen is what went through so far.
func (w *wire) seen() (calls []call, made []string, hit bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls), slices.Clone(w.made), w.hit
}
