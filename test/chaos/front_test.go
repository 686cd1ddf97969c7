// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package chaos_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	"github.com/cabildo-dev/cabildo/test/proxy"
)

// front stands before the chat server for one run: it disturbs as its fault
// says, and counts.
type front struct {
	*httptest.Server

	chat    chat
	fault   fault
	forward http.Handler
	traffic *traffic
	began   time.Time

	mu        sync.Mutex // guards what follows
	random    *rand.Rand
	came      map[kind]int
	disturbed int
	// quiet says that nothing is disturbed any more.
	quiet bool
	// blind says that no read works; unread is how many did not, and blindly how many removals came all the same.
	blind           bool
	unread, blindly int
	// news cuts what waits for news, and shuts what is open for it.
	news map[int]func()
	next int
	// made are the spaces that the server was ever asked to make, and made.
	made []string
}

func newFront(c chat, f fault, t *traffic, seed uint64) (*front, error) {
	forward, err := proxy.Before(c.url(), &http.Transport{MaxIdleConnsPerHost: 64}, nil)
	if err != nil {
		return nil, err
	}
	s := &front{
		chat: c, fault: f, forward: forward, traffic: t, began: time.Now(),
		random: dice(seed, f.name), came: map[kind]int{}, news: map[int]func(){},
	}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = proxy.Silent
	s.Config.ConnContext = withConnection
	s.Start()
	return s, nil
}

func (f *front) close() {
	f.cutNews()
	f.CloseClientConnections()
	f.Close()
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	on, _ := r.Context().Value(ofConnection{}).(*connection)
	x := &exchange{front: f, w: w, r: r, on: on, kind: f.chat.kind(r)}
	x.nth = f.counts(x.kind)
	over := f.traffic.comes(x.kind, f.chat.limit(r))
	defer over()
	on.carries(over)
	if x.kind == socket || x.kind == poll {
		defer f.waitsForNews(on.reset)()
	}
	if x.kind == socket {
		f.forward.ServeHTTP(w, r)
		return
	}
	if hold(r) != nil {
		proxy.Cut()
	}
	switch disturb := f.how(x.kind); {
	case disturb != nil:
		disturb(x)
	default:
		calm.disturb(x)
	}
}

// how a request is disturbed; nil when it isn't.
func (f *front) how(k kind) func(*exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.quiet:
		return nil
	case f.blind && !k.writes():
		f.unread++
		return breakRead
	case f.blind && k == removal:
		f.blindly++
	}
	return f.fault.disturb
}

// counts a request of a kind.
func (f *front) counts(k kind) (nth int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.came[k]++
	return f.came[k]
}

// met counts a request that is disturbed.
func (f *front) met() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.disturbed++
}

func (f *front) makes(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made = append(f.made, id)
}

// waitsForNews notes what waits for news, until it is over.
func (f *front) waitsForNews(cut func()) (over func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	id := f.next
	f.news[id] = cut
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.news, id)
	}
}

func (f *front) cutNews() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, cut := range f.news {
		cut()
	}
}

// darken breaks every read from now on.
func (f *front) darken() {
	f.mu.Lock()
	f.blind, f.unread, f.blindly = true, 0, 0
	f.mu.Unlock()
	f.cutNews()
}

// lighten ends that.
func (f *front) lighten() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blind = false
}

// darkness is how many reads were broken, and how many removals came in spite of it.
func (f *front) darkness() (unread, removals int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.unread, f.blindly
}

// calmDown ends the fault.
func (f *front) calmDown() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.quiet = true
}

func (f *front) seen() (made []string, disturbed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.made), f.disturbed
}
