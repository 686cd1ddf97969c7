// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// A room is upgraded by making another one, its successor, and a tombstone in
// the old one that names it (client-server API, "Room upgrades"). The server
// moves the aliases and copies part of the state; people come by themselves.
//
// A successor is ours when our account made it and both rooms name each other:
// nobody else can make a room as us. So an upgrade that an administrator does
// with our account is followed, and any other one is reported.

// successorFor is how long after the tombstone a successor of our own may take to show up.
const successorFor = time.Minute

// mostUpgrades bounds how many successors are followed one after the other.
const mostUpgrades = 16

// successor is the room that a room of ours was upgraded to with our account; nil where
// there is none, or it has not shown up. The lock is held.
func (v *view) successor(r *room) *room {
	if r.replacement == "" {
		return nil
	}
	next := v.room(r.replacement)
	if next == nil || next.creator != v.us || next.predecessor != r.id {
		return nil
	}
	return next
}

// predecessor is the room of which a room is the successor, or nil. The lock is held.
func (v *view) predecessor(r *room) *room {
	if r.predecessor == "" {
		return nil
	}
	if before := v.rooms[r.predecessor]; before != nil && v.successor(before) == r {
		return before
	}
	return nil
}

// predecessorID is the room of the same resource that was upgraded to a room. In a room that somebody
// else made, and that was adopted since, it is what that one says. The lock is held.
func (v *view) predecessorID(r *room) string {
	if r.predecessor == "" {
		return ""
	}
	before := v.rooms[r.predecessor]
	if before == nil || before.replacement != r.id || before.mark == nil {
		return ""
	}
	if is := v.markOf(r); is != nil && is.Ref != before.mark.Ref {
		return ""
	}
	return before.id
}

// inherits is the predecessor of which a room has not taken everything over yet, or nil. A server may
// copy our mark with the rest of the state (Dendrite), so the mark alone doesn't tell. The lock is held.
func (v *view) inherits(r *room) *room {
	if r == nil {
		return nil
	}
	if before := v.predecessor(r); before != nil && (r.ownerSender != v.us || r.owner.Succeeds != before.id) {
		return before
	}
	return nil
}

// latest is the room in which a room of ours goes on: itself, or the last of its successors. It is
// nil when somebody else upgraded it. The lock is held.
func (v *view) latest(r *room) *room {
	for range mostUpgrades {
		if r == nil || r.replacement == "" {
			return r
		}
		r = v.successor(r)
	}
	return nil
}

// replaced says which room of a resource was upgraded by somebody else, and awaited that
// we did it ourselves and the successor has not shown up yet. The lock is held.
func (v *view) replaced(ref model.Ref, now time.Time) (by *platform.Replacement, awaited bool) {
	for _, r := range v.marked(ref) {
		if r.replacement == "" || v.successor(r) != nil {
			continue
		}
		if r.replacedBy == v.us && now.Sub(time.UnixMilli(r.replacedAt)) < successorFor {
			return nil, true
		}
		by = &platform.Replacement{Old: r.id, New: r.replacement, By: r.replacedBy}
	}
	return by, false
}

// succeed has a successor take over what an upgrade leaves behind: who was in
// the room comes along, who was banned stays out, and the spaces that name the
// old room name it no more. It is done before the successor's mark says so, so
// that it is done again when it was cut off. It returns what the mark is to say.
func (w *write) succeed(ctx context.Context) (succeeds string, err error) {
	v := w.view
	v.mu.Lock()
	old := v.inherits(v.rooms[w.id])
	var before map[string]member
	if old != nil {
		before = maps.Clone(old.members)
	}
	v.mu.Unlock()
	if old == nil {
		return w.is.owner.Succeeds, nil
	}
	for _, account := range slices.Sorted(maps.Keys(before)) {
		is, known := w.is.members[account]
		switch was := before[account].state; {
		case account == w.us:
		case was == banned && is.state != banned:
			if err := w.ban(ctx, account); err != nil {
				return "", err
			}
		case was == present && (!known || is.state == invited): // some servers invite them, none joins them
			// Somebody who can't be added keeps nobody else from coming along.
			if err := w.addMember(ctx, model.Member{Account: account}); endsAll(err) {
				return "", err
			}
		}
	}
	for _, parent := range v.naming(old.id) {
		if err := w.disowned(ctx, parent, old.id); err != nil {
			return "", err
		}
	}
	return old.id, nil
}

// endsAll says that an error is not about one account.
func endsAll(err error) bool {
	for _, kind := range []platform.ErrorKind{platform.Unauthorized, platform.Unavailable, platform.Ambiguous, platform.RateLimited} {
		if platform.IsKind(err, kind) {
			return true
		}
	}
	return false
}

func (w *write) ban(ctx context.Context, account string) error {
	err := w.post(ctx, "banning "+account+" from "+w.id, "POST /rooms/{room}/ban", "ban", map[string]string{"user_id": account})
	if err != nil {
		return err
	}
	w.view.expectMember(w.id, account, banned)
	return nil
}
