// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// listing is what is known of whether the server lets us publish rooms in its
// directory. Synapse lets nobody by default (room_list_publication_rules), and
// tells that only who tries: 403 to the request, while a room that is made with
// visibility public is made, and stays private. The rules can be about single rooms.
type listing struct {
	mu sync.Mutex // guards what follows
	// retry is when a room is tried again that was refused before.
	retry time.Time
}

// retryListing is how long a room that was refused is not tried again: no
// answer tells when an administrator has changed the rules.
const retryListing = time.Hour

func newListing() *listing { return &listing{retry: time.Now().Add(retryListing)} }

// may says whether a room that was refused before is tried again. One room tries for all of them.
func (l *listing) may(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.retry) {
		return false
	}
	l.retry = now.Add(retryListing)
	return true
}

// allowed notes that a room which was refused is published now: the others are tried again.
func (l *listing) allowed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.retry = time.Time{}
}

// list puts the room into the server's directory or takes it out, and notes
// that where /sync shows it.
func (w *write) list(ctx context.Context, listed bool) error {
	refused := w.is.owner.ListingRefused && w.is.ownerSender == w.us
	if listed && refused && !w.listing.may(time.Now()) {
		return w.unlistable(nil)
	}
	visibility := "private"
	if listed {
		visibility = "public"
	}
	err := w.client.do(ctx, request{
		doing: "listing " + w.id + " as " + visibility, route: "PUT /directory/list/room/{room}",
		method: http.MethodPut, path: v3("directory", "list", "room", w.id), body: map[string]string{"visibility": visibility},
	})
	mark := w.op.Space.Mark
	if w.is.mark != nil {
		mark = *w.is.mark
	}
	switch {
	case listed && platform.IsKind(err, platform.Forbidden):
		note(w.directory, w.directory.listed, w.id, asked(w.directory, false))
		if !refused {
			if err := w.noteListing(ctx, mark, false, true); err != nil {
				return err
			}
		}
		return w.unlistable(err)
	case err != nil:
		forget(w.directory, w.directory.listed, w.id)
		return err
	}
	if listed && refused {
		w.listing.allowed()
		w.hints.Add(model.Ref{})
	}
	note(w.directory, w.directory.listed, w.id, asked(w.directory, listed))
	return w.noteListing(ctx, mark, listed, false)
}

// noteListing writes what is known of the listing where /sync shows it.
func (w *write) noteListing(ctx context.Context, mark model.Mark, listed, refused bool) error {
	content := w.is.owner.carryOver(mark)
	content.Listed, content.ListingRefused = &listed, refused
	return w.put(ctx, typeOwner, "", content)
}

// unlistable says that the server does not let us publish the room, and who can change that.
func (w *write) unlistable(answer error) error {
	return &platform.Error{Kind: platform.NotSupported, Err: answer, Doing: "the server does not let Cabildo publish the room in its directory; " +
		"its administrator can allow it (Synapse: room_list_publication_rules)"}
}
