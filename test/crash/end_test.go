// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package crash_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// picture is what a run left on the homeserver: a line for each piece of state
// and each message of each room, without what differs in every run.
type picture []string

// builtIn is what the specification has rooms be that don't say it (v1.18 of
// the client-server API, m.room.guest_access and m.room.history_visibility). A
// homeserver that loses its client while it makes a room may leave such a room
// half made; what of it is already in force is not set again.
var builtIn = map[string]string{
	"m.room.guest_access":       `{"guest_access":"forbidden"}`,
	"m.room.history_visibility": `{"history_visibility":"shared"}`,
}

// look asks the homeserver what is there now, in every room that the operator is in.
func (w *world) look(ctx context.Context) (picture, error) {
	joined, err := w.operator.JoinedRooms(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking for the rooms: %w", err)
	}
	var lines picture
	for _, room := range joined.JoinedRooms {
		var state []*event.Event
		if err := w.read(ctx, &state, "rooms", room, "state"); err != nil {
			return nil, err
		}
		messages, err := w.messages(ctx, room, event.EventMessage)
		if err != nil {
			return nil, err
		}
		for _, e := range append(state, messages...) {
			key := ""
			if e.StateKey != nil {
				key = *e.StateKey
			}
			for _, own := range []string{"dev.cabildo.key", "dev.cabildo.attempt"} { // made of what is the run's own
				delete(e.Content.Raw, own)
			}
			if e.Type == event.StatePowerLevels {
				// Synapse adds it where it makes the power levels, and no version of a room has a use for it. A manager
				// that sees a room before all of it is made writes them without.
				delete(e.Content.Raw, "historical")
			}
			if e.Type == event.StateMember { // the profile in it is the server's
				maps.DeleteFunc(e.Content.Raw, func(field string, _ any) bool { return field != "membership" })
			}
			content, err := json.Marshal(e.Content.Raw)
			if err != nil {
				return nil, fmt.Errorf("reading %s of %s: %w", e.Type.Type, room, err)
			}
			if builtIn[e.Type.Type] == string(content) {
				continue
			}
			lines = append(lines, fmt.Sprintf("%s %s %q by %s: %s", room, e.Type.Type, key, e.Sender, content))
		}
		for i, e := range messages {
			lines = lines.with(e.ID.String(), fmt.Sprintf("{message %d}", i))
		}
	}
	for name, room := range w.rooms {
		lines = lines.with(room.String(), "{"+name+"}")
	}
	lines = lines.with(w.name, "{world}")
	slices.Sort(lines)
	return lines, nil
}

func (p picture) with(own, general string) picture {
	for i, line := range p {
		p[i] = strings.ReplaceAll(line, own, general)
	}
	return p
}

// differs says what is another than in a run that nothing disturbed.
func (p picture) differs(calm picture) error {
	var lines []error
	for _, line := range p {
		if !slices.Contains(calm, line) {
			lines = append(lines, fmt.Errorf("there is, and should not be: %s", line))
		}
	}
	for _, line := range calm {
		if !slices.Contains(p, line) {
			lines = append(lines, fmt.Errorf("there should be, and is not: %s", line))
		}
	}
	if len(lines) == 0 && len(p) != len(calm) {
		return fmt.Errorf("%d pieces of state and messages, and %d in a run that nothing disturbed", len(p), len(calm))
	}
	return errors.Join(lines...)
}

// check says what is wrong in the end, without a look at any other run: how
// many rooms were ever made, what they are now, and who was ever taken out.
func (w *world) check(ctx context.Context, made []string) error {
	wrong := []error{w.once(ctx, made)}
	wrong = append(wrong, w.stayed(ctx))
	golang, incidents, space := w.rooms["golang"], w.rooms["incidents"], w.rooms["engineering"]
	for alias, room := range map[string]id.RoomID{
		w.name: space, w.name + "-go": golang, w.name + "-golang": golang, w.name + "-incidents": incidents,
	} {
		leads, err := w.operator.ResolveAlias(ctx, id.NewRoomAlias(alias, w.homeserver.ServerName))
		if err != nil {
			wrong = append(wrong, fmt.Errorf("the address %s leads nowhere: %w", alias, err))
		} else if leads.RoomID != room {
			wrong = append(wrong, fmt.Errorf("the address %s leads to %s, not to %s", alias, leads.RoomID, room))
		}
	}
	for room, fields := range map[id.RoomID]map[string]map[string]any{
		space: {"m.room.name": {"name": "Engineering"}, "m.room.topic": {"topic": "Share practice, still."}},
		golang: {
			"m.room.name": {"name": "Go and friends"}, "m.room.topic": {"topic": "To talk, still."},
			"m.room.canonical_alias": {"alias": "#" + w.name + "-go:" + w.homeserver.ServerName},
			"dev.cabildo.owner":      {"ownerID": w.name, "name": "golang"},
		},
		incidents: {
			"m.room.name": {"name": "Incidents"}, "dev.cabildo.archived": {"archived": true},
			"dev.cabildo.owner": {"ownerID": w.name, "name": "incidents", "released": true},
		},
	} {
		for kind, want := range fields {
			wrong = append(wrong, w.holds(ctx, room, kind, want))
		}
	}
	for room, count := range map[id.RoomID]int{space: 1, golang: 1, incidents: 1} {
		messages, err := w.messages(ctx, room, event.EventMessage)
		if err == nil && len(messages) != count {
			err = fmt.Errorf("%d messages in %s: the guidelines are said once", len(messages), room)
		}
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}

// once checks that every space was made once, and is the same one still.
func (w *world) once(ctx context.Context, made []string) error {
	joined, err := w.operator.JoinedRooms(ctx)
	if err != nil {
		return fmt.Errorf("asking for the rooms: %w", err)
	}
	var known, there []string
	for _, room := range w.rooms {
		known = append(known, room.String())
	}
	for _, room := range joined.JoinedRooms {
		there = append(there, room.String())
	}
	slices.Sort(known)
	slices.Sort(there)
	strange := slices.ContainsFunc(made, func(room string) bool { return !slices.Contains(known, room) })
	if strange || !slices.Equal(there, known) {
		return fmt.Errorf("the spaces of the resources are %v; the operator is in the rooms %v, and made %v", known, there, made)
	}
	for name, status := range map[string]string{
		"engineering": w.community.Status.Platforms[0].SpaceID, "golang": w.golang.Status.Platforms[0].SpaceID,
	} {
		if status != w.rooms[name].String() {
			return fmt.Errorf("%s was %s and is %s", name, w.rooms[name], status)
		}
	}
	return nil
}

// stayed checks with the whole history that who belongs into a room is there,
// and was never taken out on the way.
func (w *world) stayed(ctx context.Context) error {
	var wrong []error
	for name, want := range map[string][]string{
		"engineering": {"ana", "omar"}, "golang": {"ana", "lea", "omar"}, "incidents": {"lea", "omar"},
	} {
		room := w.rooms[name]
		joined, err := w.operator.JoinedMembers(ctx, room)
		if err != nil {
			return fmt.Errorf("asking who is in %s: %w", name, err)
		}
		var there []string
		for account := range joined.Joined {
			if account != w.operator.UserID {
				there = append(there, account.Localpart())
			}
		}
		slices.Sort(there)
		if !slices.Equal(there, want) {
			wrong = append(wrong, fmt.Errorf("in %s are %v, and should be %v", name, there, want))
		}
		history, err := w.messages(ctx, room, event.StateMember)
		if err != nil {
			return err
		}
		for _, e := range history {
			account, membership := id.UserID(*e.StateKey).Localpart(), e.Content.Raw["membership"]
			if slices.Contains(want, account) && membership != "join" && membership != "invite" {
				wrong = append(wrong, fmt.Errorf("%s was taken out of %s on the way (%v)", account, name, membership))
			}
		}
	}
	return errors.Join(wrong...)
}

// holds checks fields of one piece of state.
func (w *world) holds(ctx context.Context, room id.RoomID, kind string, want map[string]any) error {
	var content map[string]any
	if err := w.read(ctx, &content, "rooms", room, "state", kind, ""); err != nil {
		return err
	}
	for _, field := range slices.Sorted(maps.Keys(want)) {
		if content[field] != want[field] {
			return fmt.Errorf("%s of %s: %s is %v, and should be %v", kind, room, field, content[field], want[field])
		}
	}
	return nil
}

// messages are all events of a type that a room ever had, the oldest first.
func (w *world) messages(ctx context.Context, room id.RoomID, kind event.Type) ([]*event.Event, error) {
	page, err := w.operator.Messages(ctx, room, "", "", mautrix.DirectionBackward,
		&mautrix.FilterPart{Types: []event.Type{kind}}, 500)
	if err != nil {
		return nil, fmt.Errorf("asking for the history of %s: %w", room, err)
	}
	var found []*event.Event
	for _, e := range page.Chunk {
		if e.Type.Type == kind.Type {
			found = append(found, e)
		}
	}
	slices.Reverse(found)
	return found, nil
}

func (w *world) read(ctx context.Context, into any, path ...any) error {
	url := w.operator.BuildURL(mautrix.ClientURLPath(append([]any{"v3"}, path...)))
	if _, err := w.operator.MakeRequest(ctx, "GET", url, nil, into); err != nil {
		return fmt.Errorf("reading %v: %w", path, err)
	}
	return nil
}
