// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

// The types of state that need more than to be written down.
const (
	typeCreate     = "m.room.create"
	typeMember     = "m.room.member"
	typePowers     = "m.room.power_levels"
	typeAlias      = "m.room.canonical_alias"
	typePins       = "m.room.pinned_events"
	typeChild      = "m.space.child"
	typeParent     = "m.space.parent"
	typeJoinRules  = "m.room.join_rules"
	typeGuidelines = "dev.cabildo.guidelines"
)

// room is a room with everything that a client sees of it. The IDs of rooms
// and messages, which no two servers have in common, have a name in their
// place, so that rooms of two servers can be compared.
type room struct {
	alias   string
	leads   bool // the alias leads to this room
	listed  bool
	state   map[at]string // JSON
	message string        // the pinned guidelines, JSON; empty where there are none
	members []string      // who has joined, sorted; without the operator
}

// at is where a piece of state is.
type at struct{ kind, key string }

func roomName(alias string) string    { return "{room " + alias + "}" }
func messageName(alias string) string { return "{message in " + alias + "}" }

// readRooms reads the rooms that the operator is in: the space first, and then by alias.
func readRooms(ctx context.Context, s *stack.Stack) ([]room, error) {
	states, err := s.States(ctx)
	if err != nil {
		return nil, err
	}
	var names []string // pairs of an ID and its name
	raws := map[string]*rawRoom{}
	for id, state := range states {
		raw, err := readRaw(ctx, s, id, state)
		if err != nil {
			return nil, err
		}
		raws[id] = raw
		names = append(names, id, roomName(raw.alias))
		if raw.pinned != "" {
			names = append(names, raw.pinned, messageName(raw.alias))
		}
	}
	named := strings.NewReplacer(names...)
	var rooms []room
	for id, state := range states {
		r := raws[id].room
		r.state = map[at]string{}
		for _, e := range state {
			if e.Type == typeMember {
				continue
			}
			content, err := normal(e.Content)
			if err != nil {
				return nil, fmt.Errorf("reading %s of %s: %w", e.Type, r.alias, err)
			}
			r.state[at{e.Type, named.Replace(e.StateKey)}] = named.Replace(content)
		}
		rooms = append(rooms, r)
	}
	slices.SortFunc(rooms, func(a, b room) int {
		return cmp.Or(cmp.Compare(len(a.parent()), len(b.parent())), cmp.Compare(a.alias, b.alias))
	})
	return rooms, nil
}

// rawRoom is a room whose state still has the server's own IDs.
type rawRoom struct {
	room
	pinned string
}

// readRaw reads what is not in the state of a room, or decides about the names in it.
func readRaw(ctx context.Context, s *stack.Stack, id string, state []stack.StateEvent) (*rawRoom, error) {
	r := &rawRoom{}
	for _, e := range state {
		var content struct {
			Alias      string `json:"alias"`
			Membership string `json:"membership"`
			Message    string `json:"event_id"`
		}
		_ = json.Unmarshal(e.Content, &content) // what doesn't fit is none of these
		switch e.Type {
		case typeAlias:
			r.alias = content.Alias
		case typeMember:
			if content.Membership == "join" && e.StateKey != s.Homeserver.OperatorUserID {
				r.members = append(r.members, e.StateKey)
			}
		case typeGuidelines:
			r.pinned = content.Message
		}
	}
	slices.Sort(r.members)
	if r.alias == "" {
		return nil, fmt.Errorf("room %s has no address", id)
	}
	var directory struct {
		Room       string `json:"room_id"`
		Visibility string `json:"visibility"`
	}
	if err := s.Get(ctx, "/_matrix/client/v3/directory/room/"+url.PathEscape(r.alias), &directory); err != nil {
		return nil, err
	}
	r.leads = directory.Room == id
	if err := s.Get(ctx, "/_matrix/client/v3/directory/list/room/"+url.PathEscape(id), &directory); err != nil {
		return nil, err
	}
	r.listed = directory.Visibility == "public"
	if r.pinned == "" {
		return r, nil
	}
	var message struct {
		Content json.RawMessage `json:"content"`
	}
	path := "/_matrix/client/v3/rooms/" + url.PathEscape(id) + "/event/" + url.PathEscape(r.pinned)
	if err := s.Get(ctx, path, &message); err != nil {
		return nil, err
	}
	var err error
	r.message, err = normal(message.Content)
	return r, err
}

// normal is JSON with its keys sorted.
func normal(raw json.RawMessage) (string, error) {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return "", err
	}
	out, err := json.Marshal(value)
	return string(out), err
}

// parent is the name of the space that the room is in; empty for the space itself.
func (r room) parent() string {
	for where := range r.state {
		if where.kind == typeParent {
			return where.key
		}
	}
	return ""
}

// differences says what is not the same in two lists of rooms.
func differences(want, got []room) []string {
	has := map[string]room{}
	for _, r := range got {
		has[r.alias] = r
	}
	var out []string
	differ := func(alias, what string, want, got any) {
		if !reflect.DeepEqual(want, got) {
			out = append(out, fmt.Sprintf("%s: %s is %v, not %v", alias, what, got, want))
		}
	}
	differ("all", "the number of rooms", len(want), len(got))
	for _, w := range want {
		g, there := has[w.alias]
		if !there {
			out = append(out, w.alias+" is missing")
			continue
		}
		differ(w.alias, "the room that the address leads to", w.leads, g.leads)
		differ(w.alias, "whether it is listed", w.listed, g.listed)
		differ(w.alias, "the guidelines", w.message, g.message)
		differ(w.alias, "who has joined", w.members, g.members)
		differ(w.alias, "how much state there is", len(w.state), len(g.state))
		for where := range w.state {
			differ(w.alias, where.kind+" "+where.key, w.state[where], g.state[where])
		}
	}
	return out
}
