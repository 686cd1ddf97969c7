// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// doubts are the rooms of which /sync may have left something out, or told what
// is no longer so. Their state is read as a whole (GET /rooms/{room}/state),
// which has what the server itself goes by. The view's lock guards it.
type doubts struct {
	rooms map[string]error     // why a room could not be read; nil for one that was not tried yet
	read  map[string]time.Time // when that was tried last
	// later are rooms of which a first answer may have lacked something, and nothing tells. They are read one
	// after the other, those with the most state first: the more is written into a room, the more of it is at the same time.
	later map[string]struct{}
	next  time.Time
	// every is the time from one of them to the next.
	every time.Duration
}

const (
	// laterFirst is when the first room is read only to be sure, at the latest, and laterShare which part of the
	// resync interval passes from one to the next: a start asks little.
	laterFirst = time.Second
	laterShare = 60
	// rereadAfter is how long a room that was tried to be read is not tried again.
	rereadAfter = 10 * time.Second
	// overdueAfter is how long before a poll something was written that the poll should have told of.
	overdueAfter = 5 * time.Second
)

func newDoubts() doubts {
	return doubts{rooms: map[string]error{}, read: map[string]time.Time{}, later: map[string]struct{}{}}
}

// suspect notes that a room has to be read. The lock is held.
func (v *view) suspect(id string) {
	if _, suspected := v.doubts.rooms[id]; !suspected {
		v.doubts.rooms[id] = nil
	}
}

// unread says which of some rooms could not be read, and why; empty for none. The lock is held.
func (v *view) unread(ids ...string) string {
	for _, id := range ids {
		if err := v.doubts.rooms[id]; err != nil {
			return fmt.Sprintf("the sync has left a doubt about %s: %v", id, err)
		}
	}
	return ""
}

// suspectOverdue suspects the rooms in which we wrote well before a poll was asked for that did not tell of it.
func (v *view) suspectOverdue(asked time.Time) {
	for id, expectations := range v.pending {
		for e := range expectations {
			if e.since.Add(overdueAfter).Before(asked) && v.rooms[id] != nil {
				v.suspect(id)
			}
		}
	}
}

// suspectChildless suspects the spaces that do not name a room which names them as its space. We write both
// together; where several were written at the same time, a first answer may lack one.
func (v *view) suspectChildless() {
	for id, r := range v.rooms {
		if !v.markedByUs(r) {
			continue
		}
		for parent := range r.parents {
			if space := v.rooms[parent]; space != nil && v.markedByUs(space) {
				if _, named := space.children[id]; !named {
					v.suspect(parent)
				}
			}
		}
	}
}

// size is how many pieces of state a room has. The lock is held.
func (v *view) size(id string) int {
	if r := v.rooms[id]; r != nil {
		return len(r.current) + len(r.members)
	}
	return 0
}

// nextDoubt is how long it takes until a room is to be read.
func (v *view) nextDoubt(now time.Time) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	next := time.Duration(math.MaxInt64)
	if len(v.doubts.rooms) > 0 {
		next = rereadAfter
	}
	if len(v.doubts.later) > 0 {
		next = min(next, max(v.doubts.next.Sub(now), 0))
	}
	return next
}

// verifyLater has a room read some time after a first answer that began in the midst of its history. Where that
// is a fork, the state before the timeline is one branch's, and what the other one has is in neither. With every
// first answer that would be so again, until somebody writes into the room.
func (v *view) verifyLater(id string, synced syncedRoom) {
	if synced.Timeline.Limited && synced.StateAfter == nil && synced.StateAfterUnstable == nil {
		v.doubts.later[id] = struct{}{}
		if v.doubts.next.IsZero() {
			v.doubts.next = time.Now().Add(min(laterFirst, v.doubts.every))
		}
	}
}

// doubtful are the rooms to read now.
func (v *view) doubtful(now time.Time) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.doubts.later) > 0 && !now.Before(v.doubts.next) {
		id := slices.MaxFunc(slices.Sorted(maps.Keys(v.doubts.later)), func(a, b string) int { return cmp.Compare(v.size(a), v.size(b)) })
		delete(v.doubts.later, id)
		v.doubts.next = now.Add(v.doubts.every)
		v.suspect(id)
	}
	maps.DeleteFunc(v.doubts.rooms, func(id string, _ error) bool { return v.rooms[id] == nil })
	maps.DeleteFunc(v.doubts.read, func(_ string, at time.Time) bool { return now.Sub(at) >= rereadAfter })
	var ids []string
	for id := range v.doubts.rooms {
		if _, lately := v.doubts.read[id]; !lately {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// clear reads the state of the rooms that are in doubt, and takes it for what is so. One
// that can't be read keeps no other waiting: it is not seen whole until it was.
func (a *Adapter) clear(ctx context.Context) {
	var failed error
	for _, id := range a.view.doubtful(time.Now()) {
		asked := time.Now()
		state, err := []event(nil), failed
		if err == nil {
			state, err = a.stateOf(ctx, id)
		}
		var said *answer
		switch {
		case platform.IsKind(err, platform.Forbidden), platform.IsKind(err, platform.NotFound): // not ours to read: a sync tells
			a.view.settleDoubt(id, nil)
		case err != nil:
			a.log.Info("could not read again the state of a room of which the sync left a doubt; it is tried again", "room", id, "reason", err.Error())
			a.view.settleDoubt(id, err)
			if !errors.As(err, &said) { // the others would get no answer either
				failed = err
			}
		default:
			a.hints.Add(a.view.replace(id, state, asked)...)
		}
	}
}

func (a *Adapter) stateOf(ctx context.Context, id string) ([]event, error) {
	var state []event
	err := a.client.do(platform.WithPriority(ctx, platform.PriorityRevoke), request{
		doing: "reading the state of " + id, route: "GET /rooms/{room}/state",
		method: http.MethodGet, path: v3("rooms", id, "state"), into: &state,
	})
	return state, err
}

// replace makes a room anew from its whole state, which was asked for at a time,
// and returns the resources that this changes something for.
func (v *view) replace(id string, state []event, asked time.Time) []model.Ref {
	v.mu.Lock()
	defer v.mu.Unlock()
	failed := v.doubts.rooms[id]
	v.doubtSettled(id, nil)
	before := v.rooms[id]
	if before == nil { // whether we are in it, a sync tells
		return nil
	}
	r := newRoom(id)
	r.gone = before.gone
	for _, e := range state {
		if e.StateKey == nil || !slices.Contains(readTypes, e.Type) {
			continue
		}
		r.fold(e, v.us, isSure)
		if serverOf(e.Sender) == serverOf(v.us) {
			r.readAt = max(r.readAt, e.Timestamp)
		}
		v.noteAccount(e)
		v.recent.add(e.ID)
	}
	for e := range v.pending[id] {
		if e.since.Before(asked) { // it is in the state, or was overwritten
			delete(v.pending[id], e)
		}
	}
	touched := map[model.Ref]struct{}{}
	if !maps.Equal(before.current, r.current) || !maps.Equal(before.members, r.members) {
		v.touchRoom(id, touched)
		v.unindex(before)
		v.rooms[id] = r
		v.index(r)
		v.touchRoom(id, touched)
	}
	if failed != nil { // it was not seen whole
		v.touchRoom(id, touched)
	}
	v.meet(id)
	v.wake()
	return slices.Collect(maps.Keys(touched))
}

// settleDoubt notes that a room was read, or why it can't be.
func (v *view) settleDoubt(id string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.doubtSettled(id, err)
}

func (v *view) doubtSettled(id string, err error) {
	v.doubts.read[id] = time.Now()
	if err != nil {
		v.doubts.rooms[id] = err
	} else {
		delete(v.doubts.rooms, id)
		delete(v.doubts.later, id)
	}
}
