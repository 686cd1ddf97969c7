// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// view is what /sync told: every room that we are in, found by ID and by whose
// it is, and what we wrote and have not seen back yet.
type view struct {
	ownerID string

	mu    sync.Mutex // guards everything below
	us    string     // our account
	rooms map[string]*room
	// ours are the rooms of each resource of our installation.
	ours map[model.Ref]map[string]struct{}
	// keyed are the rooms that we made and that carry no mark, by their key.
	keyed map[string]map[string]struct{}
	// refs are the resources of keys, as far as somebody asked for them.
	refs map[string]model.Ref
	// accounts are those that exist, because we saw them do something.
	accounts map[string]struct{}
	recent   recentEvents
	pending  map[string]map[*expectation]struct{} // by room
	doubts   doubts
	waiting  waiting
	// changed is closed and replaced whenever something above or below changes.
	changed chan struct{}
	// wanted wakes the sync: somebody waits for what was written.
	wanted chan struct{}

	// synced says that a first sync was folded whole.
	synced bool
	// failing is why the last sync failed; nil when it didn't, and told says that everybody was woken for it.
	failing error
	told    bool
	// polls counts the answers of /sync, refusals among them.
	polls int
	// lastGood is when the last sync succeeded, lastWhole when one that brought everything did.
	lastGood, lastWhole time.Time
}

func newView(ownerID string) *view {
	v := &view{
		ownerID: ownerID, refs: map[string]model.Ref{}, accounts: map[string]struct{}{},
		pending: map[string]map[*expectation]struct{}{}, changed: make(chan struct{}), wanted: make(chan struct{}, 1),
		doubts: newDoubts(), waiting: newWaiting(),
	}
	v.clear()
	return v
}

func (v *view) clear() {
	v.rooms = map[string]*room{}
	v.ours = map[model.Ref]map[string]struct{}{}
	v.keyed = map[string]map[string]struct{}{}
}

// wake tells everybody who waits. The lock is held.
func (v *view) wake() {
	close(v.changed)
	v.changed = make(chan struct{})
}

// fold takes in the answer of a sync that was asked for at a time, and returns
// the resources whose rooms changed. A first sync replaces everything.
func (v *view) fold(answer *syncAnswer, first bool, asked time.Time) []model.Ref {
	v.mu.Lock()
	defer v.mu.Unlock()
	touched := map[model.Ref]struct{}{}
	if first {
		v.foldWhole(answer, touched)
	} else {
		for id, synced := range answer.Rooms.Join {
			v.foldRoom(id, synced, v.recent.has, touched)
		}
		for id := range answer.Rooms.Leave {
			v.drop(id, touched)
		}
	}
	v.suspectOverdue(asked)
	return slices.Collect(maps.Keys(touched))
}

// arrived notes that the answer of a sync was folded, and lets the view be observed.
func (v *view) arrived(first bool, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if first {
		v.lastWhole = now
	}
	v.synced, v.failing, v.told, v.lastGood = true, nil, false, now
	v.polls++
	v.wake()
}

func (v *view) isSynced() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.synced
}

// foldWhole makes the view anew from an answer that has everything, and finds
// out what is different. The very first one is no news.
func (v *view) foldWhole(answer *syncAnswer, touched map[model.Ref]struct{}) {
	before, were := v.rooms, v.refsOfAll()
	v.clear()
	ignored := map[model.Ref]struct{}{}
	for id, synced := range answer.Rooms.Join {
		v.rooms[id] = newRoom(id)
		if old, known := before[id]; known {
			v.rooms[id].gone = old.gone
		}
		v.foldRoom(id, synced, never, ignored)
		// What is older than what we knew, or lacks something of it, is one branch of the room's
		// history, or a server that came back from a backup: the room's state tells which.
		old, known := before[id]
		if !known {
			v.verifyLater(id, synced)
		}
		if known && v.rooms[id].regressed(old) {
			v.unindex(v.rooms[id])
			v.rooms[id] = old
			v.index(old)
			v.suspect(id)
		}
	}
	v.suspectChildless()
	if !v.synced {
		return
	}
	for id, r := range v.rooms {
		if old, known := before[id]; !known || !reflect.DeepEqual(old, r) {
			v.touchRoom(id, touched)
		}
	}
	for id, ref := range were {
		if _, still := v.rooms[id]; !still {
			touched[ref] = struct{}{}
		}
	}
}

// refsOfAll are the resources of all rooms that have one.
func (v *view) refsOfAll() map[string]model.Ref {
	out := map[string]model.Ref{}
	for id, r := range v.rooms {
		if ref, ours := v.refOf(r); ours {
			out[id] = ref
		}
	}
	return out
}

// never says of an event that it did not come before: where a room is made anew, that is of no matter.
func never(string) bool { return false }

func (v *view) foldRoom(id string, synced syncedRoom, cameBefore func(string) bool, touched map[model.Ref]struct{}) {
	r, known := v.rooms[id]
	if !known {
		r = newRoom(id)
		v.rooms[id] = r
	}
	before, hadRef := v.refOf(r)
	changed := !known
	var came []string
	take := func(e event, is standing, folds bool) {
		came = append(came, e.ID)
		if e.Type == typeRedaction {
			changed = r.redact(redacted(e), v.us) || changed
			return
		}
		if folds {
			if is == isNew && cameBefore(e.ID) {
				is = isOld
			}
			switch r.fold(e, v.us, is) {
			case folded:
				changed = true
				if e.Type == typeChild {
					v.touchRoom(*e.StateKey, touched)
				}
			case outdated:
				v.suspect(id)
			}
		}
		v.noteAccount(e)
	}
	// The state is how the room was before the timeline, unless the server
	// says how it is after it: then the timeline is history, and folds nothing.
	after := cmp.Or(synced.StateAfter, synced.StateAfterUnstable)
	for _, e := range synced.State.Events {
		take(e, isNew, true)
	}
	for _, e := range synced.Timeline.Events {
		take(e, isNew, after == nil)
	}
	if after != nil {
		for _, e := range after.Events {
			take(e, isSure, true)
		}
	}
	for _, event := range came {
		v.recent.add(event)
	}
	v.meet(id)
	if !changed {
		return
	}
	v.index(r)
	if hadRef {
		touched[before] = struct{}{}
	}
	v.touchRoom(id, touched)
}

// redacted is the event that a redaction takes away.
func redacted(e event) string {
	if e.Redacts != "" {
		return e.Redacts
	}
	return decode[struct{ Redacts string }](e.Content).Redacts
}

// noteAccount remembers who exists: who came or went by themselves, and whom
// we invited, which we do only with accounts that exist.
func (v *view) noteAccount(e event) {
	if e.Type != typeMember || e.StateKey == nil || (e.Sender != *e.StateKey && e.Sender != v.us) {
		return
	}
	v.accounts[intern(*e.StateKey)] = struct{}{}
}

// drop takes a room out that we are no longer in.
func (v *view) drop(id string, touched map[model.Ref]struct{}) {
	if _, known := v.rooms[id]; known {
		v.touchRoom(id, touched)
		v.unindex(v.rooms[id])
		delete(v.rooms, id)
	}
	delete(v.pending, id) // nothing of it comes any more
}

// touchRoom notes the resource of a room, if it has one, and those that wait for its address.
func (v *view) touchRoom(id string, touched map[model.Ref]struct{}) {
	maps.Copy(touched, v.waiting.byRoom[id])
	if r, known := v.rooms[id]; known {
		if ref, ours := v.refOf(r); ours {
			touched[ref] = struct{}{}
		}
	}
}

// room is a room that we know; nil for one that we are not in. The lock is held.
//
// While we join a room, a server may tell of its latest changes first and of
// the room as a whole in the next answer (Dendrite does). Until m.room.create
// has come, the room is not one that can be judged.
func (v *view) room(id string) *room {
	if r, there := v.rooms[id]; there && r.creator != "" {
		return r
	}
	return nil
}

// refOf is the resource of our installation that the room is indexed for.
func (v *view) refOf(r *room) (model.Ref, bool) {
	if r.mark != nil {
		return r.mark.Ref, r.mark.OwnerID == v.ownerID
	}
	if _, keyed := v.keyed[r.key][r.id]; keyed {
		ref, known := v.refs[r.key]
		return ref, known
	}
	if before := v.predecessor(r); before != nil {
		return v.refOf(before)
	}
	return model.Ref{}, false
}

// index finds out anew whose the room is.
func (v *view) index(r *room) {
	v.unindex(r)
	r.mark = r.trustedMark(v.us, v.ownerID)
	switch {
	case r.mark != nil && r.mark.OwnerID == v.ownerID:
		addTo(v.ours, r.mark.Ref, r.id)
	case r.mark == nil && r.key != "" && r.creator == v.us:
		addTo(v.keyed, r.key, r.id)
	}
}

func (v *view) unindex(r *room) {
	if r.mark != nil {
		removeFrom(v.ours, r.mark.Ref, r.id)
	}
	removeFrom(v.keyed, r.key, r.id)
	r.mark = nil
}

func addTo[K, V comparable](index map[K]map[V]struct{}, key K, id V) {
	if index[key] == nil {
		index[key] = map[V]struct{}{}
	}
	index[key][id] = struct{}{}
}

func removeFrom[K, V comparable](index map[K]map[V]struct{}, key K, id V) {
	delete(index[key], id)
	if len(index[key]) == 0 {
		delete(index, key)
	}
}

// of are the rooms of a resource: those that are not archived first, and then
// the oldest first. A room that was upgraded is not among them, but its
// successor is, where that is ours. The lock is held.
func (v *view) of(ref model.Ref) []*room {
	var found []*room
	for _, r := range v.marked(ref) {
		if r = v.latest(r); r != nil && !slices.Contains(found, r) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b *room) int {
		return cmp.Or(compareBool(a.archived, b.archived), cmp.Compare(a.createdAt, b.createdAt), cmp.Compare(a.id, b.id))
	})
	return found
}

// marked are the rooms with the mark or the key of a resource, upgraded ones included.
func (v *view) marked(ref model.Ref) []*room {
	key := keyOf(v.ownerID, ref)
	v.refs[key] = ref
	var found []*room
	for _, index := range []map[string]struct{}{v.ours[ref], v.keyed[key]} {
		for id := range index {
			found = append(found, v.rooms[id])
		}
	}
	return found
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// markOf is whose the room is, for a resource that it was found for.
func (v *view) markOf(r *room) *model.Mark {
	if r.mark != nil {
		mark := *r.mark
		return &mark
	}
	if ref, ours := v.refOf(r); ours {
		return &model.Mark{OwnerID: v.ownerID, Ref: ref}
	}
	return nil
}

// fail notes that a sync went wrong. It says whether that has just become an
// error of everything that is observed.
func (v *view) fail(err error, now time.Time) (lost bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failing = err
	v.polls++
	_, unhealthy := v.health(now)
	lost = v.synced && unhealthy != nil && !v.told
	v.told = v.told || lost
	v.wake()
	return lost
}

// patience is how long a view that lost its connection is worth an
// observation; after that, or when the token is refused, it is an error.
const patience = time.Minute

// health says whether the view is whole, why not, and whether that is an error
// by now. The lock is held.
func (v *view) health(now time.Time) (why string, err error) {
	switch {
	case v.failing == nil && v.synced:
		return "", nil
	case v.failing == nil:
		return "the first sync has not come yet", platform.Refuse(platform.Unavailable, "reading the rooms", "the first sync has not come yet")
	case !v.synced, now.Sub(v.lastGood) > patience, platform.IsKind(v.failing, platform.Unauthorized):
		return v.failing.Error(), v.failing
	default:
		return fmt.Sprintf("the view of the rooms is from %s: %v", v.lastGood.UTC().Format(time.RFC3339), v.failing), nil
	}
}

// ready waits until the first sync has come or failed.
func (v *view) ready(ctx context.Context) error {
	for {
		v.mu.Lock()
		known, changed := v.synced || v.failing != nil, v.changed
		v.mu.Unlock()
		if known {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return &platform.Error{Kind: platform.Unavailable, Doing: "waiting for the first sync", Err: ctx.Err()}
		}
	}
}

// observing waits until the view is whole, another /sync than those so far was refused, or there will be none.
func (v *view) observing(ctx context.Context, end <-chan struct{}) error {
	v.mu.Lock()
	before := v.polls
	v.mu.Unlock()
	for {
		v.mu.Lock()
		whole, failing, refused, changed := v.synced && v.failing == nil, v.failing, v.polls > before, v.changed
		v.mu.Unlock()
		switch {
		case whole:
			return nil
		case failing != nil && refused:
			return failing
		}
		select {
		case <-changed:
		case <-end:
			return errClosed
		case <-ctx.Done():
			return &platform.Error{Kind: platform.Unavailable, Doing: "waiting for the first sync", Err: ctx.Err()}
		}
	}
}
