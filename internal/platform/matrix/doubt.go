// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"errors"
	"maps"
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
	rooms map[string]struct{}
	read  map[string]time.Time // when a room's state was read last
}

const (
	// rereadAfter is how long a room whose state was read is not read again.
	rereadAfter = 10 * time.Second
	// overdueAfter is how long before a poll something was written that the poll should have told of.
	overdueAfter = 5 * time.Second
)

func newDoubts() doubts { return doubts{rooms: map[string]struct{}{}, read: map[string]time.Time{}} }

// suspect notes that a room has to be read. The lock is held.
func (v *view) suspect(id string) { v.doubts.rooms[id] = struct{}{} }

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

// doubtful are the rooms to read now.
func (v *view) doubtful(now time.Time) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var ids []string
	for id := range v.doubts.rooms {
		if now.Sub(v.doubts.read[id]) >= rereadAfter {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// clear reads the state of rooms and takes it for what is so.
func (a *Adapter) clear(ctx context.Context, ids []string) error {
	var failed error
	for _, id := range ids {
		asked := time.Now()
		state, err := a.stateOf(ctx, id)
		switch {
		case platform.IsKind(err, platform.Forbidden), platform.IsKind(err, platform.NotFound): // not ours to read: a sync tells
			a.view.settleDoubt(id)
		case err != nil:
			failed = errors.Join(failed, err)
		default:
			a.hints.Add(a.view.replace(id, state, asked)...)
		}
	}
	return failed
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
	v.doubtSettled(id)
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
		r.readAt = max(r.readAt, e.Timestamp)
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
	v.meet(id)
	v.wake()
	return slices.Collect(maps.Keys(touched))
}

// settleDoubt notes that a room was read, or can't be.
func (v *view) settleDoubt(id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.doubtSettled(id)
}

func (v *view) doubtSettled(id string) {
	delete(v.doubts.rooms, id)
	v.doubts.read[id] = time.Now()
}
