// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"slices"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// expectation is something that we wrote and that /sync has to deliver before
// the room is observed again.
type expectation struct {
	what string
	// key is the state key of what was written, where there is one.
	key string
	// ref is the resource that a room was made for.
	ref   model.Ref
	since time.Time
	// met looks at the room, which is nil when it is not in the view.
	met func(*room) bool
}

const (
	// seeWithin is how long an observation waits for what was written.
	seeWithin = 30 * time.Second
	// forgetAfter is when we stop to expect what never came: it was
	// overwritten in a gap of the timeline, or undone by the server. A new
	// room is expected until everything was read anew without it, because a
	// second one would be made in its place.
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
	v.expect(id, expectation{what: kind, key: key, met: func(r *room) bool {
		return v.recent.has(event) || r != nil && r.current[at].id == event
	}})
}

// expectMember notes that an account has to come to be in one of these states.
func (v *view) expectMember(id, account string, states ...membership) {
	v.expect(id, expectation{what: typeMember, key: account, met: func(r *room) bool {
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

// scope says which of the things that were written before matter.
type scope struct {
	// room is a room by its ID; empty where it is not known.
	room string
	// ref is a resource: every room that is there for it, or is being made.
	ref model.Ref
	// parent is the community of a group; of what is written into its space only the link to the rooms above matters.
	parent *model.Ref
	// kinds limits it to these types of state; empty for all.
	kinds []string
	// account limits memberships to one.
	account string
}

// settle waits until the view shows all that was written before in this scope. In a hurry it keeps the sync from its pauses.
func (v *view) settle(ctx context.Context, s scope, hurry bool) error {
	wanted := v.outstanding(s)
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
		if hurry {
			select {
			case v.wanted <- struct{}{}:
			default:
			}
		}
		select {
		case <-changed:
		case <-limit.C:
			return platform.Refuse(platform.Unavailable, doing, "the server's sync has not shown "+what+" yet")
		case <-ctx.Done():
			return &platform.Error{Kind: platform.Unavailable, Doing: doing, Err: ctx.Err()}
		}
	}
}

// unsettled says that settle would have to wait, and not in vain.
func (v *view) unsettled(s scope) bool {
	wanted := v.outstanding(s)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.still(wanted) == "" || v.failing != nil {
		return false
	}
	for e := range wanted {
		if time.Since(e.since) > seeWithin {
			return false
		}
	}
	return true
}

// outstanding are the expectations in a scope, with their rooms.
func (v *view) outstanding(s scope) map[*expectation]string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.pending) == 0 {
		return nil
	}
	own, parents := map[string]bool{s.room: s.room != ""}, map[string]bool{}
	if s.ref != (model.Ref{}) {
		for _, r := range v.of(s.ref) {
			own[r.id] = true
		}
	}
	if s.parent != nil {
		for _, r := range v.of(*s.parent) {
			parents[r.id] = true
		}
	}
	matters := func(id string, e *expectation) bool {
		switch {
		case e.ref != (model.Ref{}):
			return e.ref == s.ref || own[id] || s.parent != nil && e.ref == *s.parent
		case own[id]:
			return len(s.kinds) == 0 || slices.Contains(s.kinds, e.what) && (e.what != typeMember || e.key == s.account)
		default:
			return parents[id] && own[e.key]
		}
	}
	out := map[*expectation]string{}
	for id, expectations := range v.pending {
		for e := range expectations {
			if matters(id, e) {
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
		read := v.lastGood
		if v.rooms[id] == nil {
			read = v.lastWhole
		}
		if read.After(e.since.Add(forgetAfter)) {
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
