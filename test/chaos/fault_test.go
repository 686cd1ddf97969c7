// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package chaos_test

import (
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"time"
)

// kind is what a request is for, as far as faults care.
type kind int

const (
	// read asks, write changes; creation makes a space, and removal takes somebody out.
	read kind = iota
	write
	creation
	removal
	// poll is a read that waits for news.
	poll
	// socket is a connection on which the server tells news. Faults leave it alone, but for cutting it.
	socket
)

func (k kind) writes() bool { return k == write || k == creation || k == removal }

// A fault is what goes wrong between the manager and the server, from the
// first request of a run to the last. It is met again and again, and never so
// much of it at once that no work gets through: what has no end is an outage.
type fault struct {
	name string
	says string
	// disturb deals with one request. One that it leaves alone it asks and sends.
	disturb func(*exchange)
	// blinds says that reads are broken, all of them, while a removal is due.
	blinds bool
}

// calm is no fault: what the runs with one are compared with.
var calm = fault{name: "none", says: "nothing goes wrong", disturb: func(x *exchange) { x.send(x.ask()) }}

var faults = []fault{
	{name: "latency", says: "every request and every answer takes up to 200 ms longer", disturb: func(x *exchange) {
		x.met()
		x.rest(x.upTo(200 * time.Millisecond))
		a := x.ask()
		x.rest(x.upTo(200 * time.Millisecond))
		x.send(a)
	}},
	{name: "cut connections", says: "one request in six: the connection is reset before it, in the middle of the answer, or when it is idle after it",
		disturb: func(x *exchange) {
			if !x.struck(6) {
				x.send(x.ask())
				return
			}
			x.met()
			switch {
			case x.nth > 1 && x.oneIn(3):
				x.cut()
			case x.oneIn(2):
				x.half(x.ask(), false)
			default:
				x.send(x.ask())
				time.AfterFunc(x.upTo(30*time.Millisecond), x.on.reset)
			}
		}},
	{name: "lost answers", says: "one write in five is done, the first making of a space among them, and the connection is reset instead of an answer", disturb: func(x *exchange) {
		a := x.ask()
		if x.kind.writes() && x.struck(5) {
			x.met()
			x.cut()
		}
		x.send(a)
	}},
	{name: "429 with Retry-After", says: "one request in twenty, for three seconds", disturb: func(x *exchange) {
		if !x.oneIn(20) {
			x.send(x.ask())
			return
		}
		x.met()
		asked := time.Now()
		x.refuse(http.StatusTooManyRequests, x.chat.tooMany(), "Retry-After", "3")
		x.flush()
		x.traffic.asksToWait(x.chat.limit(x.r), asked, 3*time.Second)
	}},
	{name: "429 without", says: "one request in ten; the manager waits for a second of its own accord", disturb: func(x *exchange) {
		if !x.oneIn(10) {
			x.send(x.ask())
			return
		}
		x.met()
		x.refuse(http.StatusTooManyRequests, x.chat.tooMany())
	}},
	{name: "5xx in bursts", says: "for one second in four everything is a 500, 502 or 504; half of the writes are done all the same", disturb: func(x *exchange) {
		if !x.within(time.Second, 4*time.Second) && !x.struck(never) {
			x.send(x.ask())
			return
		}
		x.met()
		if x.kind.writes() && x.struck(2) {
			x.ask()
		}
		x.refuse([]int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout}[x.among(3)], "<html>upstream error</html>")
	}},
	{name: "404 of a gateway", says: "for one second in five everything is a 404 that is not the server's, as when it is taken out of a gateway", disturb: func(x *exchange) {
		if !x.within(time.Second, 5*time.Second) {
			x.send(x.ask())
			return
		}
		x.met()
		x.refuse(http.StatusNotFound, "404 page not found\n")
	}},
	{name: "truncated bodies", says: "one answer in seven ends in its middle, or pretends that its first half is all", disturb: func(x *exchange) {
		a := x.ask()
		if len(a.body) < 2 || !x.struck(7) {
			x.send(a)
			return
		}
		x.met()
		x.half(a, x.oneIn(2))
	}},
	{name: "slow pages", says: "every second answer to a read trickles for up to two seconds", disturb: func(x *exchange) {
		a := x.ask()
		if x.kind.writes() || !x.oneIn(2) {
			x.send(a)
			return
		}
		x.met()
		x.trickle(a, x.upTo(2*time.Second))
	}},
	{name: "incomplete views", says: "no read works while a removal is due", blinds: true, disturb: calm.disturb},
}

// breakRead is what becomes of a read while there is no view.
func breakRead(x *exchange) {
	x.met()
	switch x.among(3) {
	case 0:
		x.refuse(http.StatusInternalServerError, "<html>upstream error</html>")
	case 1:
		x.cut()
	default:
		x.half(x.ask(), x.oneIn(2))
	}
}

// dice decide what a fault meets: the same in every run with the same seed, as
// far as requests come in the same order.
func dice(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// among is a number from 0 to below n.
func (f *front) among(n int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.random.IntN(n)
}

func (f *front) oneIn(n int) bool { return n != never && f.among(n) == 0 }

const never = 0

// struck says whether a request meets the fault: one in so many, and always the
// first that makes a space and the first that takes somebody out. Of these there
// are too few for dice, and they are what matters most.
func (x *exchange) struck(oneIn int) bool {
	return x.nth == 1 && (x.kind == creation || x.kind == removal) || x.oneIn(oneIn)
}

func (f *front) upTo(d time.Duration) time.Duration { return time.Duration(f.among(int(d) + 1)) }

// within says whether now is in the burst that comes once in every so long.
func (f *front) within(burst, every time.Duration) bool { return time.Since(f.began)%every < burst }
