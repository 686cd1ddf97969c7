// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// expectation is something that we wrote and that /sync has to deliver before
// the room is observed again.
type expectation struct {
	what string
	// ref is the resource that a room was made for.
	ref   model.Ref
	since time.Time
	// met looks at the room, which is nil when it is not in the view.
	met func(*room) bool
}

const (
	// seeWithin is how long an observation waits for what was written.
	seeWithin = 10 * time.Second
	// forgetAfter is when we stop to expect what never came: it was
	// overwritten in a gap of the timeline, or undone by the server.
	forgetAfter = time.Minute
)

// expect notes that a room has to come to look like this.
func (v *view) expect(id string, e expectation) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e.met(v.rooms[id]) {
		return
	}
	e.since = time.Now()
	if v.pending[id] == nil {
		v.pending[id] = map[*expectation]struct{}{}
	}
	v.pending[id][&e] = struct{}{}
}

// expectEvent notes that a state event that we sent has to come.
func (v *view) expectEvent(id, kind, key, event string) {
	at := stateKey{kind, key}
	v.expect(id, expectation{what: kind, met: func(r *room) bool {
		return v.recent.has(event) || r != nil && r.current[at] == event
	}})
}

// expectMember notes that an account has to come to be in one of these states.
func (v *view) expectMember(id, account string, states ...membership) {
	v.expect(id, expectation{what: "a changed membership", met: func(r *room) bool {
		if r == nil {
			return true // we are out of the room ourselves
		}
		for _, state := range states {
			if r.members[account].state == state {
				return true
			}
		}
		return false
	}})
}

// meet takes away what a room's new look fulfils. The lock is held.
func (v *view) meet(id string) {
	for e := range v.pending[id] {
		if e.met(v.rooms[id]) {
			delete(v.pending[id], e)
		}
	}
	if len(v.pending[id]) == 0 {
		delete(v.pending, id)
	}
}

// settle waits until the view shows all that was written before into these
// rooms, and every room that was made for these resources.
func (v *view) settle(ctx context.Context, rooms []string, refs ...model.Ref) error {
	wanted := v.outstanding(rooms, refs)
	if len(wanted) == 0 {
		return nil
	}
	limit := time.NewTimer(seeWithin)
	defer limit.Stop()
	const doing = "waiting for what was written to come back"
	for {
		v.mu.Lock()
		what, failing, changed := v.still(wanted), v.failing, v.changed
		v.mu.Unlock()
		if what == "" {
			return nil
		}
		if failing != nil {
			return &platform.Error{Kind: platform.Unavailable, Doing: doing, Err: failing}
		}
		select {
		case <-changed:
		case <-limit.C:
			return refuse(platform.Unavailable, doing, "the server's sync has not shown "+what+" yet")
		case <-ctx.Done():
			return &platform.Error{Kind: platform.Unavailable, Doing: doing, Err: ctx.Err()}
		}
	}
}

// outstanding are the expectations on rooms, and on the rooms of resources.
func (v *view) outstanding(rooms []string, refs []model.Ref) map[*expectation]string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.pending) == 0 {
		return nil
	}
	concerned := map[string]bool{}
	for _, id := range rooms {
		concerned[id] = true
	}
	asked := map[model.Ref]bool{}
	for _, ref := range refs {
		asked[ref] = true
		for _, r := range v.of(ref) {
			concerned[r.id] = true
		}
	}
	out := map[*expectation]string{}
	for id, expectations := range v.pending {
		for e := range expectations {
			if concerned[id] || asked[e.ref] && e.ref != (model.Ref{}) {
				out[e] = id
			}
		}
	}
	return out
}

// still names one of the expectations that are not met yet, and forgets those
// that have been waited for long enough. The lock is held.
func (v *view) still(wanted map[*expectation]string) string {
	what := ""
	for e, id := range wanted {
		if _, pending := v.pending[id][e]; !pending {
			continue
		}
		if time.Since(e.since) > forgetAfter && v.lastGood.After(e.since) {
			delete(v.pending[id], e)
			continue
		}
		what = e.what
	}
	return what
}

// recentEvents remembers the events that came last.
type recentEvents struct {
	ids  map[string]struct{}
	ring [4096]string
	next int
}

func (r *recentEvents) add(id string) {
	if id == "" || r.has(id) {
		return
	}
	if r.ids == nil {
		r.ids = make(map[string]struct{}, len(r.ring))
	}
	delete(r.ids, r.ring[r.next])
	r.ids[id], r.ring[r.next] = struct{}{}, id
	r.next = (r.next + 1) % len(r.ring)
}

func (r *recentEvents) has(id string) bool {
	_, seen := r.ids[id]
	return seen
}
