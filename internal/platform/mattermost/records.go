// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// record is what we keep about a space in a preference of our own account: a
// place that no user can write to, and of which one request reads everything.
// A value holds 2,000 characters (model.Preference), a record needs at most 700.
type record struct {
	OwnerID   string `json:"ownerID,omitempty"`
	Kind      string `json:"kind,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	Released  bool   `json:"released,omitempty"`
	Official  bool   `json:"official,omitempty"`
	// Post holds the guidelines, and Digest is theirs; empty when there are none.
	Post   string `json:"post,omitempty"`
	Digest string `json:"digest,omitempty"`
	// Icon is the digest of the team's picture that we set, and IconAt when the server had it.
	Icon   string `json:"icon,omitempty"`
	IconAt int64  `json:"iconAt,omitempty"`
}

func (r record) mark() *model.Mark {
	if r.OwnerID == "" || r.Name == "" {
		return nil
	}
	return &model.Mark{
		OwnerID: r.OwnerID, Ref: model.Ref{Kind: model.Kind(r.Kind), Namespace: r.Namespace, Name: r.Name},
		Released: r.Released, Official: r.Official,
	}
}

// marked is the record with another mark.
func (r record) marked(m model.Mark) record {
	r.OwnerID, r.Kind, r.Namespace, r.Name = m.OwnerID, string(m.Ref.Kind), m.Ref.Namespace, m.Ref.Name
	r.Released, r.Official = m.Released, m.Official
	return r
}

// recordCategory is the category of our preferences; their name is the space's ID.
const recordCategory = "cabildo_space"

// recordsAtOnce is how many preferences one request may write (servers 9.9 and 11.1, api4/preference.go).
const recordsAtOnce = 100

// records are those of all spaces of our account, and which of them the server doesn't have yet.
type records struct {
	client *client
	// us is the ID of our account.
	us func() string

	mu      sync.Mutex // guards what follows
	all     map[string]record
	unsaved map[string]struct{}
	// spaces are those of each resource; one can be there twice, or no longer be its.
	spaces map[model.Ref][]string
	// saving lets one writer at a time, so that an older value never follows a newer one.
	saving sync.Mutex
}

func newRecords(c *client, us func() string) *records {
	return &records{client: c, us: us, all: map[string]record{}, unsaved: map[string]struct{}{}, spaces: map[model.Ref][]string{}}
}

func (r *records) get(space string) (record, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec, there := r.all[space]
	return rec, there
}

// set changes a record; save writes it.
func (r *records) set(space string, rec record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all[space] == rec {
		return
	}
	r.all[space] = rec
	r.unsaved[space] = struct{}{}
	r.index(space, rec)
}

// index remembers a space by the resource that it is for. The lock is held.
func (r *records) index(space string, rec record) {
	if mark := rec.mark(); mark != nil && !slices.Contains(r.spaces[mark.Ref], space) {
		r.spaces[mark.Ref] = append(r.spaces[mark.Ref], space)
	}
}

// of are the spaces that carry a mark of this installation for a resource.
func (r *records) of(ownerID string, ref model.Ref) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []string
	for _, space := range r.spaces[ref] {
		if mark := r.all[space].mark(); mark != nil && mark.OwnerID == ownerID && mark.Ref == ref {
			found = append(found, space)
		}
	}
	return found
}

// load reads all records. What was not saved yet stays as it is here.
func (r *records) load(ctx context.Context) error {
	r.saving.Lock()
	defer r.saving.Unlock()
	preferences, err := get(ctx, r.client, read("GET /users/{user}/preferences", "reading the records of our spaces"),
		func(ctx context.Context, api *mm.Client4) (mm.Preferences, *mm.Response, error) {
			return api.GetPreferences(ctx, mm.Me)
		})
	if err != nil {
		return err
	}
	all := map[string]record{}
	for _, p := range preferences {
		var rec record
		if p.Category == recordCategory && json.Unmarshal([]byte(p.Value), &rec) == nil {
			all[p.Name] = rec
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for space := range r.unsaved {
		all[space] = r.all[space]
	}
	r.all = all
	clear(r.spaces)
	for space, rec := range all {
		r.index(space, rec)
	}
	return nil
}

// pending is how many records are to be saved.
func (r *records) pending() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.unsaved)
}

// save writes what is not saved yet: one space's record, and as many others as one request takes. With an empty
// space it writes all of them, but for those that come while it does: they are gathered again.
func (r *records) save(ctx context.Context, space string) error {
	r.saving.Lock()
	defer r.saving.Unlock()
	for {
		batch, values := r.batch(space)
		if len(batch) == 0 {
			return nil
		}
		if err := r.client.do(ctx, write("PUT /users/{user}/preferences", "recording whose spaces are"),
			func(ctx context.Context, api *mm.Client4) (*mm.Response, error) {
				return api.UpdatePreferences(ctx, mm.Me, batch)
			}); err != nil {
			return err
		}
		r.saved(values)
		if space != "" || len(batch) < recordsAtOnce {
			return nil
		}
	}
}

// batch is what one request writes. It is empty when the space's record is saved already.
func (r *records) batch(space string) (mm.Preferences, map[string]record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := slices.Sorted(maps.Keys(r.unsaved))
	if space != "" {
		if _, unsaved := r.unsaved[space]; !unsaved {
			return nil, nil
		}
		names = slices.Insert(slices.DeleteFunc(names, func(n string) bool { return n == space }), 0, space)
	}
	names = names[:min(len(names), recordsAtOnce)]
	var batch mm.Preferences
	values := map[string]record{}
	us := r.us()
	for _, name := range names {
		value, _ := json.Marshal(r.all[name]) // strings, booleans and numbers can always be encoded
		batch = append(batch, mm.Preference{UserId: us, Category: recordCategory, Name: name, Value: string(value)})
		values[name] = r.all[name]
	}
	return batch, values
}

// saved notes what the server has now, unless it changed in the meantime.
func (r *records) saved(values map[string]record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, value := range values {
		if r.all[name] == value {
			delete(r.unsaved, name)
		}
	}
}

// gather is how long records of new spaces wait for others to be written with. Until then the space is known to be
// ours by its maker and its name.
const gather = time.Second

// keep writes records in the background until the context ends.
func (a *Adapter) keepRecords(ctx context.Context) {
	ticker := time.NewTicker(gather)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if a.records.pending() == 0 {
			continue
		}
		if err := a.records.save(platform.WithPriority(ctx, platform.PriorityGrant), ""); err != nil && ctx.Err() == nil {
			a.log.Info("Recording whose spaces are did not work; it is tried again", "error", err.Error())
		}
	}
}
