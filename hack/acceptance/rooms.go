// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// wanted is a room as the manifests have it.
type wanted struct {
	what    string // Community or Group and its name
	alias   string
	name    string
	topic   string
	members []string // user IDs, with the operator
	pins    int
}

// room is a room as the homeserver has it.
type room struct {
	id, creator, name, topic, alias string
	members                         []string
	children, parents               []string
	pins                            int
}

// checkRooms asks the homeserver, as the operator's account, for every room
// that it is in, and compares them with the manifests one by one.
func (a *acceptance) checkRooms(ctx context.Context) error {
	rooms, err := a.rooms(ctx)
	if err != nil {
		return err
	}
	mine := map[string]room{} // by ID
	for _, r := range rooms {
		if r.creator == a.Homeserver.OperatorUserID {
			mine[r.id] = r
		}
	}
	wants := a.wanted()
	a.results.rooms = len(wants)
	a.results.expect("rooms that the operator is in", len(wants), len(rooms))
	a.results.expect("rooms that the operator made", len(wants), len(mine))

	ids, err := a.resolve(ctx, wants)
	if err != nil {
		return err
	}
	var names, topics, aliases, members, pins, parents, joined int
	for _, w := range wants {
		r, ok := mine[ids[w.alias]]
		if !ok {
			a.results.complain("%s: %s leads to no room of ours", w.what, w.alias)
			continue
		}
		aliases += a.same(w.what, "canonical alias", r.alias, w.alias)
		names += a.same(w.what, "name", r.name, w.name)
		topics += a.same(w.what, "topic", r.topic, w.topic)
		pins += a.same(w.what, "pinned messages", r.pins, w.pins)
		if slices.Equal(r.members, w.members) {
			members++
			joined += len(r.members) - 1
		} else {
			a.results.complain("%s: members are %v, not %v", w.what, r.members, w.members)
		}
		if w.what == a.communityWhat() {
			continue
		}
		parents += a.same(w.what, "parents", fmt.Sprint(r.parents), fmt.Sprint([]string{ids[wants[0].alias]}))
	}
	n := len(wants)
	a.results.expect("rooms that their address leads to", n, aliases)
	a.results.expect("rooms with the right name", n, names)
	a.results.expect("rooms with the right topic", n, topics)
	a.results.expect("rooms with the guidelines pinned", n, pins)
	a.results.expect("rooms with exactly the declared members", n, members)
	a.results.expect("people joined, over all rooms", memberships(wants), joined)
	a.results.expect("rooms whose parent is the space", n-1, parents)

	var children, listed []string
	for _, w := range wants[1:] {
		children = append(children, ids[w.alias])
	}
	listed = slices.Clone(mine[ids[wants[0].alias]].children)
	slices.Sort(children)
	slices.Sort(listed)
	a.results.expect("children of the space", n-1, len(listed))
	a.results.expect("children of the space are the rooms of the groups", 1, boolCount(slices.Equal(children, listed)))
	return nil
}

func (a *acceptance) same(what, field string, got, want any) int {
	if got == want {
		return 1
	}
	a.results.complain("%s: %s is %q, not %q", what, field, got, want)
	return 0
}

func memberships(wants []wanted) int {
	n := 0
	for _, w := range wants {
		n += len(w.members) - 1
	}
	return n
}

func (a *acceptance) communityWhat() string { return "Community " + a.manifests.Community.Name }

// wanted lists the space first, and then the rooms.
func (a *acceptance) wanted() []wanted {
	c := a.manifests.Community
	pins := boolCount(c.Spec.Guidelines != nil)
	all := []wanted{{
		what: a.communityWhat(), alias: a.alias(c.Name), name: c.Spec.DisplayName, topic: c.Spec.Purpose,
		members: a.userIDs(c.Spec.Members), pins: pins,
	}}
	for _, g := range a.manifests.Groups {
		all = append(all, wanted{
			what:  "Group " + g.Name,
			alias: a.alias(c.Name + "-" + cmp.Or(g.Spec.SpaceName, g.Name)),
			name:  g.Spec.DisplayName, topic: g.Spec.Purpose,
			members: a.userIDs(g.Spec.Members), pins: pins,
		})
	}
	return all
}

func (a *acceptance) alias(name string) string { return "#" + name + ":" + a.Homeserver.ServerName }

func (a *acceptance) userIDs(sources []v1alpha1.MemberSource) []string {
	ids := []string{a.Homeserver.OperatorUserID}
	for _, s := range sources {
		ids = append(ids, "@"+s.Person+":"+a.Homeserver.ServerName)
	}
	slices.Sort(ids)
	return ids
}

// rooms are the rooms that the operator is in.
func (a *acceptance) rooms(ctx context.Context) ([]room, error) {
	states, err := a.States(ctx)
	if err != nil {
		return nil, err
	}
	var rooms []room
	for id, state := range states {
		rooms = append(rooms, readRoom(id, state))
	}
	return rooms, nil
}

// content is what of an event's content is compared.
type content struct {
	Name       string   `json:"name"`
	Topic      string   `json:"topic"`
	Alias      string   `json:"alias"`
	Membership string   `json:"membership"`
	Via        []string `json:"via"`
	Pinned     []string `json:"pinned"`
}

func readRoom(id string, state []stack.StateEvent) room {
	r := room{id: id}
	for _, e := range state {
		var c content
		_ = json.Unmarshal(e.Content, &c) // what doesn't fit says nothing that is wanted
		switch e.Type {
		case "m.room.create":
			r.creator = e.Sender
		case "m.room.name":
			r.name = c.Name
		case "m.room.topic":
			r.topic = c.Topic
		case "m.room.canonical_alias":
			r.alias = c.Alias
		case "m.room.pinned_events":
			r.pins = len(c.Pinned)
		case "m.room.member":
			if c.Membership == "join" {
				r.members = append(r.members, e.StateKey)
			}
		case "m.space.child":
			if len(c.Via) > 0 {
				r.children = append(r.children, e.StateKey)
			}
		case "m.space.parent":
			if len(c.Via) > 0 {
				r.parents = append(r.parents, e.StateKey)
			}
		}
	}
	slices.Sort(r.members)
	return r
}

// resolve asks where each address leads to.
func (a *acceptance) resolve(ctx context.Context, wants []wanted) (map[string]string, error) {
	ids := map[string]string{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(stack.Concurrency)
	for _, w := range wants {
		group.Go(func() error {
			var answer struct {
				RoomID string `json:"room_id"`
			}
			err := a.Get(ctx, "/_matrix/client/v3/directory/room/"+url.PathEscape(w.alias), &answer)
			if err != nil && !errors.Is(err, stack.ErrNotFound) {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			ids[w.alias] = answer.RoomID
			return nil
		})
	}
	return ids, group.Wait()
}
