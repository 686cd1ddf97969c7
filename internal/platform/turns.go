// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"container/list"
	"time"
)

// patience is how many turns more urgent requests may have one after the other
// while others wait: then one of these goes. A pass begins with a look at the
// space, so what nobody looks at is not put right, and nobody is taken out of
// it. The most urgent lose one turn in ten to each priority below them.
const patience = 10

// longEnough is how long a look waits behind grants before it has every third
// turn: the pass that waits for it keeps its space from every other change, and
// what came in the meantime may be a revocation.
const longEnough = time.Second

// turns are the requests that wait, and decide whose turn is next: the most
// urgent, and among equals each share in turn, so that a community with
// thousands of groups keeps no other one waiting for all of them.
type turns struct {
	// polls need no place, and go before everything else: there is one a session.
	polls  ring
	levels [priorities]ring
	// passed is how many turns went to more urgent requests while one of this priority waited.
	passed [priorities]int
}

// waiter is a request that waits for its turn.
type waiter struct {
	priority Priority
	share    string
	// poll says that it takes no place.
	poll bool
	// since is when it came.
	since time.Time
	// turn is closed when it has come.
	turn chan struct{}
	// at is where it stands in its share; nil when it doesn't wait any more.
	at *list.Element
}

func (t *turns) ring(w *waiter) *ring {
	if w.poll {
		return &t.polls
	}
	return &t.levels[w.priority]
}

func (t *turns) add(w *waiter)    { t.ring(w).add(w) }
func (t *turns) remove(w *waiter) { t.ring(w).remove(w) }

// any says whether somebody could go, when there is a place or is none.
func (t *turns) any(place bool) bool {
	return t.polls.waiting > 0 || place && t.waiting() > 0
}

// waiting is how many wait for a place.
func (t *turns) waiting() (n int) {
	for i := range t.levels {
		n += t.levels[i].waiting
	}
	return n
}

// next takes out whose turn it is. Somebody can go: any says so.
func (t *turns) next(now time.Time) *waiter {
	if t.polls.waiting > 0 {
		return t.polls.take()
	}
	chosen := -1
	for level := range t.levels {
		switch {
		case t.levels[level].waiting == 0:
			t.passed[level] = 0
		case chosen < 0, t.passed[level] >= patience:
			chosen = level
		case t.passed[level] > 1 && chosen > int(PriorityRevoke) && now.Sub(t.levels[level].first().since) >= longEnough:
			chosen = level
		}
	}
	t.passed[chosen] = 0
	for level := chosen + 1; level < len(t.levels); level++ {
		if t.levels[level].waiting > 0 {
			t.passed[level]++
		}
	}
	return t.levels[chosen].take()
}

// ring is the requests of one priority: the shares that have any, in the order
// of their turns, and in each the requests in the order in which they came.
type ring struct {
	shares  list.List // of *share
	byKey   map[string]*share
	waiting int
}

type share struct {
	key     string
	waiting list.List     // of *waiter
	at      *list.Element // where it stands in the ring
}

func (r *ring) add(w *waiter) {
	s := r.byKey[w.share]
	if s == nil {
		s = &share{key: w.share}
		s.at = r.shares.PushBack(s)
		if r.byKey == nil {
			r.byKey = map[string]*share{}
		}
		r.byKey[w.share] = s
	}
	w.at = s.waiting.PushBack(w)
	r.waiting++
}

// first is whose turn is next in the ring.
func (r *ring) first() *waiter {
	return r.shares.Front().Value.(*share).waiting.Front().Value.(*waiter)
}

func (r *ring) take() *waiter {
	w := r.first()
	r.shares.MoveToBack(r.byKey[w.share].at)
	r.remove(w)
	return w
}

func (r *ring) remove(w *waiter) {
	s := r.byKey[w.share]
	s.waiting.Remove(w.at)
	w.at = nil
	r.waiting--
	if s.waiting.Len() == 0 {
		r.shares.Remove(s.at)
		delete(r.byKey, s.key)
	}
}
