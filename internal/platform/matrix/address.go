// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"net/http"
	"slices"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// setAddress makes an alias lead to the room and the room's own. The one that
// it had before goes on leading here.
func (w *write) setAddress(ctx context.Context, address string) error {
	content := aliasContent{}
	if address != "" {
		content.Alias = w.alias(address)
		if err := w.lead(ctx, content.Alias); err != nil {
			return err
		}
	}
	for _, old := range append([]string{w.is.alias}, w.is.altAliases...) {
		if old == "" || old == content.Alias || slices.Contains(content.Alternatives, old) {
			continue
		}
		// A server refuses the event when it names an alias that leads elsewhere.
		room, err := w.leadsTo(ctx, old, true, 0)
		if err != nil && addressOf(old, w.cfg.ServerName) != "" {
			return err
		}
		if err == nil && room == w.id {
			content.Alternatives = append(content.Alternatives, old)
		}
	}
	if err := w.put(ctx, typeAlias, "", content); err != nil {
		return err
	}
	w.creations.free(address, w.op.Space.Mark.Ref)
	return nil
}

// lead makes the alias lead to the room. One that leads to a duplicate of the
// same resource is taken from it.
func (w *write) lead(ctx context.Context, alias string) error {
	if room, ok := known(w.directory, w.directory.leads, alias, false, 0); ok && room == w.id {
		return nil // since an earlier attempt, of which the rest was refused
	}
	err := w.newAlias(ctx, alias)
	if !platform.IsKind(err, platform.AlreadyExists) {
		return err
	}
	holder, lookErr := w.leadsTo(ctx, alias, true, 0)
	switch {
	case lookErr != nil:
		return lookErr
	case holder == w.id:
		return nil
	case holder != "" && !w.sameResource(holder):
		return err
	case holder != "":
		if err := w.removeAlias(ctx, alias); err != nil {
			return err
		}
	}
	return w.newAlias(ctx, alias)
}

func (w *write) newAlias(ctx context.Context, alias string) error {
	err := w.client.do(ctx, request{
		doing: "making " + alias + " lead to " + w.id, route: "PUT /directory/room/{alias}",
		method: http.MethodPut, path: v3("directory", "room", alias), body: map[string]string{"room_id": w.id},
	})
	if err != nil {
		forget(w.directory, w.directory.leads, alias)
		return err
	}
	note(w.directory, w.directory.leads, alias, asked(w.directory, w.id))
	return nil
}

func (w *write) removeAlias(ctx context.Context, alias string) error {
	err := w.client.do(ctx, request{
		doing: "removing " + alias, route: "DELETE /directory/room/{alias}",
		method: http.MethodDelete, path: v3("directory", "room", alias),
	})
	forget(w.directory, w.directory.leads, alias)
	if platform.IsKind(err, platform.NotFound) {
		return nil
	}
	return err
}

// sameResource says whether another room carries the mark of the same resource.
func (w *write) sameResource(id string) bool {
	v := w.view
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.room(id)
	if r == nil {
		return false
	}
	mark := v.markOf(r)
	return mark != nil && mark.OwnerID == w.cfg.OwnerID && mark.Ref == w.op.Space.Mark.Ref
}
