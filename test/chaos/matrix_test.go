// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package chaos_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// matrix is a real homeserver.
type matrix struct {
	name   string
	server *devenv.LocalHomeserver
	// operator acts as Cabildo does; pat is an ordinary account.
	operator, pat *mautrix.Client
}

// on opens a homeserver, by its name in the table.
func on(name string, options stack.HomeserverOptions) func(context.Context) (chat, error) {
	return func(ctx context.Context) (chat, error) { return openMatrix(ctx, name, options) }
}

func openMatrix(ctx context.Context, name string, options stack.HomeserverOptions) (_ chat, err error) {
	m := &matrix{name: name}
	if m.server, err = options.Start(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.close())
		}
	}()
	for _, name := range people {
		token, err := m.server.CreateUser(ctx, name, "correct horse")
		if err != nil {
			return nil, err
		}
		if name == "pat" {
			if m.pat, err = mautrix.NewClient(m.server.URL, m.user(name), token); err != nil {
				return nil, err
			}
		}
	}
	if err := m.server.RegisterOperator(ctx); err != nil { // it is in foreign rooms before the manager comes
		return nil, err
	}
	m.operator, err = mautrix.NewClient(m.server.URL, id.UserID(m.server.OperatorUserID), m.server.ASToken)
	if err != nil {
		return nil, err
	}
	m.operator.SetAppServiceUserID = true
	return m, nil
}

func (m *matrix) String() string { return m.name }
func (m *matrix) url() string    { return m.server.URL }
func (m *matrix) close() error   { return m.server.Close() }
func (m *matrix) tooMany() string {
	return `{"errcode":"M_LIMIT_EXCEEDED","error":"Too many requests"}`
}

func (m *matrix) user(name string) id.UserID { return id.NewUserID(name, m.server.ServerName) }

// acting is a client for somebody of the server.
func (m *matrix) acting(name string) (*mautrix.Client, error) {
	c, err := mautrix.NewClient(m.server.URL, m.user(name), m.server.ASToken)
	if err == nil {
		c.SetAppServiceUserID = true
	}
	return c, err
}

// placeholders are for the IDs in a path, by their sigil.
var placeholders = map[byte]string{'!': "{room}", '#': "{alias}", '@': "{account}", '$': "{event}"}

// limit is one for each kind of request: a homeserver limits how often rooms are made apart from how often state is
// written, and both apart from the sync.
func (m *matrix) limit(r *http.Request) string {
	var parts []string
	for part := range strings.SplitSeq(strings.Trim(r.URL.EscapedPath(), "/"), "/") {
		plain, err := url.PathUnescape(part)
		if err != nil || plain == "" {
			plain = part
		}
		if plain != "" && placeholders[plain[0]] != "" {
			plain = placeholders[plain[0]]
		}
		parts = append(parts, plain)
	}
	// What is written into a room, and under which key, makes no difference.
	if i := slices.Index(parts, "rooms"); i >= 0 && len(parts) > i+3 {
		parts = append(parts[:i+3], "…")
	}
	return r.Method + " " + strings.Join(parts, "/")
}

const createRoom = "/v3/createRoom"

func (m *matrix) kind(r *http.Request) kind {
	switch {
	case strings.HasSuffix(r.URL.Path, "/v3/sync"):
		return poll
	case r.Method == http.MethodGet:
		return read
	case strings.HasSuffix(r.URL.Path, "/kick"), strings.HasSuffix(r.URL.Path, "/ban"):
		return removal
	case strings.HasSuffix(r.URL.Path, createRoom):
		return creation
	default:
		return write
	}
}

func (m *matrix) made(r *http.Request, body []byte) string {
	var said struct {
		Room string `json:"room_id"`
	}
	if !strings.HasSuffix(r.URL.Path, createRoom) || json.Unmarshal(body, &said) != nil {
		return ""
	}
	return said.Room
}

func (m *matrix) declare(p *v1alpha1.PlatformSpec, url string) map[string]string {
	p.Type = v1alpha1.PlatformMatrix
	p.Matrix = &v1alpha1.MatrixPlatform{HomeserverURL: url, ServerName: m.server.ServerName}
	return map[string]string{"url": url, "asToken": m.server.ASToken}
}

func (m *matrix) foreign(ctx context.Context, world string) (string, error) {
	return m.roomOf(ctx, world+"-tea")
}

func (m *matrix) rival(ctx context.Context, world, _ string) (string, error) {
	return m.roomOf(ctx, world+"-coffee")
}

// roomOf is a room of pat's in which the operator is, and has all power.
func (m *matrix) roomOf(ctx context.Context, alias string) (string, error) {
	room, err := m.pat.CreateRoom(ctx, &mautrix.ReqCreateRoom{
		Preset: "public_chat", Name: "Drinks", Topic: "To drink.", RoomAliasName: alias, RoomVersion: id.RoomV11,
		PowerLevelOverride: &event.PowerLevelsEventContent{Users: map[id.UserID]int{m.pat.UserID: 100, m.operator.UserID: 100}},
	})
	if err != nil {
		return "", fmt.Errorf("making a foreign room: %w", err)
	}
	if _, err := m.operator.JoinRoomByID(ctx, room.RoomID); err != nil {
		return "", fmt.Errorf("joining the foreign room: %w", err)
	}
	kim, err := m.acting("kim")
	if err != nil {
		return "", err
	}
	if _, err := kim.JoinRoomByID(ctx, room.RoomID); err != nil {
		return "", fmt.Errorf("joining the foreign room: %w", err)
	}
	_, err = m.pat.SendText(ctx, room.RoomID, "Who is in?")
	return room.RoomID.String(), err
}

// comeIn has pat invited by ana, who may, and join.
func (m *matrix) comeIn(ctx context.Context, space string) error {
	ana, err := m.acting("ana")
	if err != nil {
		return err
	}
	if _, err := ana.InviteUser(ctx, id.RoomID(space), &mautrix.ReqInviteUser{UserID: m.pat.UserID}); err != nil {
		return fmt.Errorf("inviting pat: %w", err)
	}
	_, err = m.pat.JoinRoomByID(ctx, id.RoomID(space))
	return err
}

func (m *matrix) picture(ctx context.Context, space string) (picture, error) {
	var state []*event.Event
	if err := m.read(ctx, &state, "rooms", space, "state"); err != nil {
		return nil, err
	}
	messages, err := m.history(ctx, space, event.EventMessage)
	if err != nil {
		return nil, err
	}
	var lines picture
	for _, e := range append(state, messages...) {
		key := ""
		if e.StateKey != nil {
			key = *e.StateKey
		}
		for _, own := range []string{"dev.cabildo.key", "dev.cabildo.attempt"} { // made of what is the run's own
			delete(e.Content.Raw, own)
		}
		if e.Type == event.StatePowerLevels {
			// Synapse adds it where it makes the power levels, and no version of a room has a use for it. A manager that
			// sees a room before all of it is made writes them without.
			delete(e.Content.Raw, "historical")
		}
		content, err := json.Marshal(e.Content.Raw)
		if err != nil {
			return nil, fmt.Errorf("reading %s of %s: %w", e.Type.Type, space, err)
		}
		lines = append(lines, fmt.Sprintf("%s %s %q by %s: %s", space, e.Type.Type, key, e.Sender, content))
	}
	for i, e := range messages {
		lines = lines.with(e.ID.String(), fmt.Sprintf("{message %d}", i))
	}
	return lines, nil
}

func (m *matrix) takenOut(ctx context.Context, space string) ([]string, error) {
	history, err := m.history(ctx, space, event.StateMember)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range history {
		gone := e.Content.Raw["membership"] == "leave" || e.Content.Raw["membership"] == "ban"
		if gone && e.Sender.String() != *e.StateKey {
			out = append(out, id.UserID(*e.StateKey).Localpart())
		}
	}
	return out, nil
}

// unknown are rooms that carry the world's mark.
func (m *matrix) unknown(ctx context.Context, world string, known []string) ([]string, error) {
	joined, err := m.operator.JoinedRooms(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking for the rooms: %w", err)
	}
	var found []string
	for _, room := range joined.JoinedRooms {
		if slices.Contains(known, room.String()) {
			continue
		}
		var mark struct {
			OwnerID string `json:"ownerID"`
		}
		if err := m.read(ctx, &mark, "rooms", room, "state", "dev.cabildo.owner", ""); err == nil && mark.OwnerID == world {
			found = append(found, room.String())
		} else if err != nil && !errors.Is(err, mautrix.MNotFound) {
			return nil, err
		}
	}
	return found, nil
}

// history is all events of a type that a room ever had, the oldest first.
func (m *matrix) history(ctx context.Context, space string, of event.Type) ([]*event.Event, error) {
	page, err := m.operator.Messages(ctx, id.RoomID(space), "", "", mautrix.DirectionBackward,
		&mautrix.FilterPart{Types: []event.Type{of}}, 500)
	if err != nil {
		return nil, fmt.Errorf("asking for the history of %s: %w", space, err)
	}
	found := slices.DeleteFunc(page.Chunk, func(e *event.Event) bool { return e.Type.Type != of.Type })
	slices.Reverse(found)
	return found, nil
}

func (m *matrix) read(ctx context.Context, into any, path ...any) error {
	at := m.operator.BuildURL(mautrix.ClientURLPath(append([]any{"v3"}, path...)))
	if _, err := m.operator.MakeRequest(ctx, http.MethodGet, at, nil, into); err != nil {
		return fmt.Errorf("reading %v: %w", path, err)
	}
	return nil
}
