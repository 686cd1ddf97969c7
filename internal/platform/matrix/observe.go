// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// freshAddress is how old the knowledge of an address may be that a new space
// is about to take.
const freshAddress = 10 * time.Second

// Observe reads the view; only what /sync doesn't carry may take a request.
func (a *Adapter) Observe(ctx context.Context, q platform.Query) (platform.Observation, error) {
	a.begin()
	if err := a.view.ready(ctx); err != nil {
		return platform.Observation{Why: err.Error()}, err
	}
	if o, err := a.whole(); err != nil {
		return o, err
	}
	written := scope{room: q.KnownID, ref: q.Ref, parent: q.Parent}
	if q.NoWait && a.view.unsettled(written) {
		return platform.Observation{Pending: true}, nil
	}
	if err := a.view.settle(ctx, written, true); err != nil {
		if o, err := a.whole(); err != nil || !o.Complete {
			return o, err // the sync was lost while we waited
		}
		return platform.Observation{Why: err.Error()}, err
	}

	o, seen, err := a.look(q)
	if err != nil || !o.Complete {
		return o, err
	}
	if err := a.complete(ctx, q, &o, seen); err != nil {
		o.Complete, o.Why = false, err.Error()
		return o, err
	}
	return o, nil
}

// whole says whether the view can be observed at all.
func (a *Adapter) whole() (platform.Observation, error) {
	v := a.view
	v.mu.Lock()
	defer v.mu.Unlock()
	why, err := v.health(time.Now())
	return platform.Observation{Complete: why == "", Why: why}, err
}

// extras is what has to be known of a room to finish its observation.
type extras struct {
	id         string
	alias      string
	claim      *bool // of being listed
	guidelines []string
}

// look takes from the view all that it has, at one instant.
func (a *Adapter) look(q platform.Query) (platform.Observation, *extras, error) {
	v := a.view
	v.mu.Lock()
	defer v.mu.Unlock()
	var o platform.Observation
	why, err := v.health(time.Now())
	o.Complete, o.Why = why == "", why
	if err != nil {
		return o, nil, err
	}
	if q.Parent != nil {
		if parents := v.of(*q.Parent); len(parents) > 0 {
			o.ParentID = parents[0].id
		}
	}
	if q.KnownID != "" {
		o.Lost = v.rooms[q.KnownID] == nil
	}
	seen := []string{o.ParentID}
	for _, r := range v.marked(q.Ref) {
		seen = append(seen, r.id)
	}
	found := v.of(q.Ref)
	for _, r := range found {
		seen = append(seen, r.id)
	}
	if why := v.unread(seen...); why != "" {
		o.Complete, o.Why = false, why
	}
	if len(found) == 0 {
		var awaited bool
		if o.Replaced, awaited = v.replaced(q.Ref, time.Now()); awaited {
			o.Complete, o.Why = false, "the room was upgraded, and its successor has not shown up yet"
		}
		return o, nil, nil
	}
	o.Space = v.observed(found[0], o.ParentID, a.cfg.ServerName)
	for _, more := range found[1:] {
		// One that is archived already was retired, or everything is.
		if !more.archived {
			o.Duplicates = append(o.Duplicates, more.id)
		}
	}
	return o, found[0].extras(v.us), nil
}

// extras are read under the view's lock.
func (r *room) extras(us string) *extras {
	e := &extras{id: r.id, alias: r.alias}
	if r.ownerSender == us {
		e.claim = r.owner.Listed
	}
	for _, message := range []string{r.guidelines.Event, r.guidelines.Edit} {
		if message != "" {
			e.guidelines = append(e.guidelines, message)
		}
	}
	return e
}

// complete asks for what the view doesn't have, or takes it from memory.
func (a *Adapter) complete(ctx context.Context, q platform.Query, o *platform.Observation, seen *extras) error {
	holder, err := a.findAddress(ctx, q, o, seen)
	if err != nil {
		return err
	}
	a.view.waitFor(q.Ref, a.alias(q.Address), holder, time.Now())
	// A room that we were in and have lost is Lost, not somebody else's.
	if holder != "" && (!o.Lost || holder != q.KnownID) {
		if err := a.hold(ctx, q, o, holder); err != nil {
			return err
		}
	}
	if o.Space == nil {
		return nil
	}
	return a.finish(ctx, o.Space, seen, q.Verify)
}

// finish fills in what is asked for one room at a time.
func (a *Adapter) finish(ctx context.Context, space *model.Observed, seen *extras, verify bool) error {
	listed, err := a.isListed(ctx, seen.id, seen.claim, verify)
	if err != nil {
		return err
	}
	space.Settings.Listed = listed
	if space.GuidelinesDigest == "" {
		return nil
	}
	for _, message := range seen.guidelines {
		there, err := a.isThere(ctx, seen.id, message, verify)
		if err != nil {
			return err
		}
		if !there {
			space.GuidelinesDigest = ""
			a.view.lost(seen.id, message)
		}
	}
	return nil
}

// findAddress finds out which address leads to the space, and which other room
// the wanted address leads to.
func (a *Adapter) findAddress(ctx context.Context, q platform.Query, o *platform.Observation, seen *extras) (holder string, err error) {
	wanted := a.alias(q.Address)
	if seen == nil {
		if q.Address == "" {
			return "", nil
		}
		fresh := freshAddress
		if q.Verify {
			fresh = 0
		}
		return a.leadsTo(ctx, wanted, q.Verify, fresh)
	}
	if address := addressOf(seen.alias, a.cfg.ServerName); address != "" {
		presume(a.directory, a.directory.leads, seen.alias, seen.id)
		room, err := a.leadsTo(ctx, seen.alias, q.Verify, 0)
		if err != nil {
			return "", err
		}
		if room == seen.id {
			o.Space.Address = address
		}
	}
	if q.Address == "" || o.Space.Address == q.Address {
		return "", nil
	}
	room, err := a.leadsTo(ctx, wanted, q.Verify, 0)
	if err != nil || room == seen.id || slices.Contains(o.Duplicates, room) {
		return "", err
	}
	return room, nil
}

// hold describes the room that the wanted address leads to.
func (a *Adapter) hold(ctx context.Context, q platform.Query, o *platform.Observation, id string) error {
	v := a.view
	v.mu.Lock()
	o.Holder = &platform.Holder{ID: id}
	r := v.room(id)
	var seen *extras
	if r != nil {
		o.Holder.Mark = v.markOf(r)
		o.Holder.Space = v.observed(r, o.ParentID, a.cfg.ServerName)
		if r.alias == a.alias(q.Address) {
			o.Holder.Space.Address = q.Address
		}
		seen = r.extras(v.us)
	}
	v.mu.Unlock()
	if r == nil {
		return nil
	}
	return a.finish(ctx, o.Holder.Space, seen, q.Verify)
}

// addressOf is the address in an alias of the server; empty for another server's.
func addressOf(alias, server string) string {
	address, ours := strings.CutSuffix(strings.TrimPrefix(alias, "#"), ":"+server)
	if !ours {
		return ""
	}
	return address
}

// observed is the room in our words. The lock is held.
func (v *view) observed(r *room, parent, server string) *model.Observed {
	p := r.levels()
	out := &model.Observed{
		ID:          r.id,
		Version:     r.version,
		CreatedAt:   time.UnixMilli(r.createdAt),
		Mark:        v.markOf(r),
		Unmarked:    r.mark == nil || v.inherits(r) != nil,
		Predecessor: v.predecessorID(r),
		Archived:    r.archived,
		Linked:      v.linked(r, parent),
		Settings: model.Settings{
			DisplayName: r.name,
			Topic:       r.topic,
			Avatar:      r.avatar,
			Join:        r.join.model(parent),
			History:     historyOf(r.history),
			Guests:      guestsOf(r.guests),
			Servers:     serversOf(r.acl, server),
			Permissions: p.permissions(),
		},
		GuidelinesDigest: r.pinnedDigest(),
		Members:          make(map[string]model.Membership, len(r.members)),
		InvitedSince:     map[string]time.Time{},
		Roles:            map[string]model.Role{},
		Control:          r.control(v.us),
	}
	for account, m := range r.members {
		if account != v.us {
			out.Members[account] = memberships[m.state]
		}
		if account != v.us && m.state == invited {
			out.InvitedSince[account] = time.UnixMilli(m.at)
		}
	}
	for account, power := range p.users {
		if account != v.us && power > powerMember {
			out.Roles[account] = roleOf(power)
		}
	}
	return out
}

// linked says whether parent and room name each other.
func (v *view) linked(r *room, parent string) bool {
	space := v.room(parent)
	if space == nil {
		return false
	}
	_, down := space.children[r.id]
	_, up := r.parents[parent]
	return down && up
}

// pinnedDigest is the digest of the guidelines, if they are pinned and nobody
// took their text away.
func (r *room) pinnedDigest() string {
	g := r.guidelines
	if g.Event == "" || !slices.Contains(r.pins, g.Event) || r.isGone(g.Event) || r.isGone(g.Edit) {
		return ""
	}
	return g.Digest
}

func (r *room) isGone(message string) bool {
	_, gone := r.gone[message]
	return gone
}

// lost notes that a message of the guidelines turned out not to be there.
func (v *view) lost(id, message string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if r, known := v.rooms[id]; known {
		r.lose(message)
	}
}
