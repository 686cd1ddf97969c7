// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package crash_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"sync"
	"time"

	"github.com/cabildo-dev/cabildo/test/proxy"
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
	// made are the rooms of every createRoom that the homeserver answered.
	made []string
	// polls are the syncs that came from the manager that runs now.
	polls int
	// first is when the first of them came.
	first time.Time
	// late is not nil while the homeserver's news comes late: closed when it may come.
	late chan struct{}
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
	w.kubernetes, w.homeserver = httptest.NewUnstartedServer(beforeKube), httptest.NewServer(beforeHome)
	w.kubernetes.Config.ErrorLog = proxy.Silent // of handshakes with managers that were killed
	w.kubernetes.StartTLS()
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

// lateBy is how long the homeserver's news stays away when an answer of it was
// cut off: long enough for the manager to try again before it sees what it did.
const lateBy = 2 * time.Second

// isPoint is the key of a request's context that says whether it is the point.
type isPoint struct{}

func (w *wire) proxy(side string, to server) (http.Handler, error) {
	forward, err := proxy.Before(to.url, to.transport, w.answered)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		c, counts := callOf(side, r)
		ctx, alive := w.enter(r.Context(), c, counts)
		if !alive {
			proxy.Cut()
		}
		if at, _ := ctx.Value(isPoint{}).(bool); at && w.at.variant == midway {
			ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
				WroteRequest: func(httptrace.WroteRequestInfo) { w.strike() },
			})
		} else if at && w.late != nil {
			defer time.AfterFunc(lateBy, func() { close(w.late) })
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
	if c.route == "sync" {
		if w.polls++; w.polls == 1 {
			w.first = time.Now()
		}
	}
	if !counts {
		return ctx, true
	}
	w.calls = append(w.calls, c)
	if c != w.at.call {
		return ctx, true
	}
	w.times++
	if w.times == w.at.nth && c.side == matrix && w.at.variant == unanswered {
		w.late = make(chan struct{})
	}
	return context.WithValue(ctx, isPoint{}, w.times == w.at.nth), true
}

// news holds an answer of the sync back while news comes late.
func (w *wire) news(ctx context.Context) error {
	w.mu.Lock()
	late := w.late
	w.mu.Unlock()
	if late == nil {
		return nil
	}
	select {
	case <-late:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

const createRoom = "/_matrix/client/v3/createRoom"

// answered looks at an answer on its way to the manager, and strikes where it is to.
func (w *wire) answered(r *http.Response) error {
	at, _ := r.Request.Context().Value(isPoint{}).(bool)
	switch {
	case r.Request.URL.Path == "/_matrix/client/v3/sync":
		return w.news(r.Request.Context())
	case !at && r.Request.URL.Path != createRoom:
		return nil
	}
	body, err := proxy.Whole(r)
	if err != nil {
		return err
	}
	if r.Request.URL.Path == createRoom {
		w.makes(body)
	}
	if !at {
		return nil
	}
	w.strike()
	return errStruck
}

// makes notes the room of an answer to a createRoom.
func (w *wire) makes(body []byte) {
	var answer struct {
		Room string `json:"room_id"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Room == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made = append(w.made, answer.Room)
}

// strike has the manager killed, unless it is to live on.
func (w *wire) strike() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.hit && w.at.variant != unanswered {
		w.dying = make(chan struct{})
		w.struck <- struct{}{}
	}
	w.hit = true
}

// dead says that the manager is gone; the next one is let through.
func (w *wire) dead() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.dying)
	w.dying, w.polls = nil, 0
}

// end has the manager killed now, at no point at all.
func (w *wire) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dying = make(chan struct{})
	w.struck <- struct{}{}
}

// polled is how many syncs the manager that runs now has asked for; none while it is being replaced.
func (w *wire) polled() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dying != nil {
		return 0
	}
	return w.polls
}

// firstPoll is when the manager that runs now asked for everything; before it did, when the last one had.
func (w *wire) firstPoll() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first
}

// seen is what went through so far.
func (w *wire) seen() (calls []call, made []string, hit bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls), slices.Clone(w.made), w.hit
}
