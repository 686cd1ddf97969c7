// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// archive closes the room: everybody can still read what was said, and nobody
// can write, invite or come in. The marker comes last, so that a half-closed
// room is closed again.
func (w *write) archive(ctx context.Context) error {
	if err := w.shut(ctx); err != nil {
		return err
	}
	return w.put(ctx, typeArchived, "", archivedContent{Archived: true})
}

// shut takes from people what they can do in the room, and takes the room out
// of the directory. Who can't write can't mention anybody, so that is left as it is.
func (w *write) shut(ctx context.Context) error {
	permissions := w.is.levels().permissions()
	for action, role := range permissions {
		if role == model.RoleUnknown {
			permissions[action] = builtIn[action]
		}
	}
	for _, action := range []model.Action{
		model.ActionPost, model.ActionReact, model.ActionInvite, model.ActionPin,
	} {
		permissions[action] = model.RoleOperator
	}
	p := newPowers(permissions)
	p.users, p.notifyRoom = w.is.levels().clone().users, w.is.levels().notifyRoom
	if err := w.putPowers(ctx, p); err != nil {
		return err
	}
	invite, err := joinContent(model.JoinInvite, "")
	if err != nil {
		return err
	}
	if err := w.put(ctx, typeJoinRules, "", invite); err != nil {
		return err
	}
	return w.list(ctx, false)
}

// delete goes as far as a client can: it closes the room, takes its addresses
// and its place in the parent, removes everybody, and leaves it for good. What
// is left is the server administrator's to purge. Cut off halfway, it is done
// again from the start: the mark goes with the room itself.
func (w *write) delete(ctx context.Context) error {
	if err := w.shut(ctx); err != nil {
		return err
	}
	if err := w.removeAliases(ctx); err != nil {
		return err
	}
	if err := w.unlink(ctx); err != nil {
		return err
	}
	for _, account := range slices.Sorted(maps.Keys(w.is.members)) {
		if account == w.us {
			continue
		}
		if err := w.removeMember(ctx, account); err != nil {
			return err
		}
	}
	if err := w.post(ctx, "leaving "+w.id, "POST /rooms/{room}/leave", "leave", nil); err != nil {
		return err
	}
	w.view.expect(w.id, expectation{what: "our leaving", met: func(r *room) bool { return r == nil }})
	return w.post(ctx, "forgetting "+w.id, "POST /rooms/{room}/forget", "forget", nil)
}

func (w *write) removeAliases(ctx context.Context) error {
	var answer struct {
		Aliases []string `json:"aliases"`
	}
	if err := w.client.do(ctx, request{
		doing: "reading the addresses of " + w.id, route: "GET /rooms/{room}/aliases",
		method: http.MethodGet, path: v3("rooms", w.id, "aliases"), into: &answer,
	}); err != nil {
		return err
	}
	for _, alias := range answer.Aliases {
		if err := w.removeAlias(ctx, alias); err != nil {
			return err
		}
	}
	w.creations.free(w.op.Space.Address, w.op.Space.Mark.Ref)
	return nil
}

// unlink takes the room out of the spaces that name it.
func (w *write) unlink(ctx context.Context) error {
	for _, parent := range w.view.naming(w.id) {
		if err := w.disowned(ctx, parent); err != nil {
			return err
		}
	}
	return nil
}

// disowned has a parent name the room no more; see adopted.
func (w *write) disowned(ctx context.Context, parent string) error {
	defer w.rooms.LockAside(parent)()
	return w.putInto(ctx, parent, typeChild, w.id, linkContent{})
}

// naming are the spaces of our installation that name a room as their own.
func (v *view) naming(id string) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.room(id)
	if r == nil {
		return nil
	}
	var out []string
	for _, parent := range slices.Sorted(maps.Keys(r.parents)) {
		space := v.room(parent)
		if space == nil {
			continue
		}
		if _, named := space.children[id]; named && v.markedByUs(space) {
			out = append(out, parent)
		}
	}
	return out
}

func (v *view) markedByUs(r *room) bool {
	mark := v.markOf(r)
	return mark != nil && mark.OwnerID == v.ownerID
}

// post does what a room's endpoints do without telling an event.
func (w *write) post(ctx context.Context, doing, route, verb string, body any) error {
	return w.client.do(ctx, request{
		doing: doing, route: route, method: http.MethodPost, path: v3("rooms", w.id, verb), body: body,
	})
}
