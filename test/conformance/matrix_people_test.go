// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/cabildo-dev/cabildo/internal/model"
)

func (p matrixAccount) account() string { return p.id }

func (p matrixAccount) join(ctx context.Context, space string) error {
	return p.post(ctx, space, "join", nil)
}

func (p matrixAccount) ask(ctx context.Context, space string) error {
	return p.call(ctx, http.MethodPost, "/knock/"+url.PathEscape(space), nil, nil)
}

func (p matrixAccount) leave(ctx context.Context, space string) error {
	return p.post(ctx, space, "leave", nil)
}

// matrixMessage is what is read of a message.
type matrixMessage struct {
	ID      string `json:"event_id"`
	Sender  string `json:"sender"`
	Content struct {
		Body string `json:"body"`
		New  *struct {
			Body string `json:"body"`
		} `json:"m.new_content"`
	} `json:"content"`
}

func (p matrixAccount) messages(ctx context.Context, room string) ([]matrixMessage, error) {
	filter := url.QueryEscape(`{"types":["m.room.message"]}`)
	var answer struct {
		Chunk []matrixMessage `json:"chunk"`
	}
	err := p.call(ctx, http.MethodGet, in(room, "messages")+"?dir=b&limit=50&filter="+filter, nil, &answer)
	return answer.Chunk, err
}

// read asks for what a client shows. What a room doesn't have is not there.
func (p matrixAccount) read(ctx context.Context, room string) (sight, error) {
	s := sight{members: map[string]model.Role{}}
	messages, err := p.messages(ctx, room)
	if err != nil {
		return s, err
	}
	for _, m := range messages {
		s.said = append(s.said, m.Content.Body)
	}
	var name struct{ Name string }
	var topic struct{ Topic string }
	var pins struct{ Pinned []string }
	var levels struct{ Users map[string]int }
	for kind, into := range map[string]any{
		"m.room.name": &name, "m.room.topic": &topic, "m.room.pinned_events": &pins, "m.room.power_levels": &levels,
	} {
		_ = p.get(ctx, room, kind, into)
	}
	s.name, s.topic = name.Name, topic.Topic
	var joined struct{ Joined map[string]json.RawMessage }
	if err := p.call(ctx, http.MethodGet, in(room, "joined_members"), nil, &joined); err != nil {
		return s, err
	}
	for account := range joined.Joined {
		if account != p.at.us.id {
			s.members[account] = map[int]model.Role{0: model.RoleMember, 50: model.RoleModerator, 75: model.RoleManager}[levels.Users[account]]
		}
	}
	for _, pin := range pins.Pinned {
		text, err := p.textOf(ctx, room, pin)
		if err != nil {
			return s, err
		}
		s.pinned = append(s.pinned, text)
	}
	return s, nil
}

// textOf is the text of a message after its latest edit.
func (p matrixAccount) textOf(ctx context.Context, room, event string) (string, error) {
	var first matrixMessage
	if err := p.call(ctx, http.MethodGet, in(room, "event", event), nil, &first); err != nil {
		return "", err
	}
	var edits struct {
		Chunk []matrixMessage `json:"chunk"`
	}
	if err := p.call(ctx, http.MethodGet, "/v1"+in(room, "relations", event, "m.replace"), nil, &edits); err != nil {
		return "", err
	}
	if len(edits.Chunk) > 0 && edits.Chunk[0].Content.New != nil {
		return edits.Chunk[0].Content.New.Body, nil
	}
	return first.Content.Body, nil
}

func (p matrixAccount) try(ctx context.Context, action model.Action, room, about string) error {
	switch action {
	case model.ActionPost:
		_, err := p.say(ctx, room, about)
		return err
	case model.ActionInvite:
		return p.post(ctx, room, "invite", map[string]string{"user_id": about})
	case model.ActionRemove:
		return p.post(ctx, room, "kick", map[string]string{"user_id": about})
	case model.ActionPin:
		message, err := p.at.us.say(ctx, room, "something")
		if err != nil {
			return err
		}
		return p.put(ctx, room, "m.room.pinned_events", map[string]any{"pinned": []string{message}})
	case model.ActionDelete:
		message, err := p.at.us.say(ctx, room, "something")
		if err != nil {
			return err
		}
		return p.call(ctx, http.MethodPut, in(room, "redact", message, unique("txn")), nil, nil)
	case model.ActionReact:
		message, err := p.at.us.say(ctx, room, "something")
		if err != nil {
			return err
		}
		return p.call(ctx, http.MethodPut, in(room, "send", "m.reaction", unique("txn")), map[string]any{
			"m.relates_to": map[string]string{"rel_type": "m.annotation", "event_id": message, "key": "👍"},
		}, nil)
	default:
		return fmt.Errorf("nobody can try to %s by hand", action)
	}
}

func (p matrixAccount) say(ctx context.Context, room, text string) (event string, err error) {
	var answer struct {
		Event string `json:"event_id"`
	}
	err = p.call(ctx, http.MethodPut, in(room, "send", "m.room.message", unique("txn")),
		map[string]string{"msgtype": "m.text", "body": text}, &answer)
	return answer.Event, err
}

// makeRoom makes a room by hand.
func (p matrixAccount) makeRoom(ctx context.Context, kind model.Kind, body map[string]any) (string, error) {
	if kind == model.KindCommunity {
		creation, _ := body["creation_content"].(map[string]any)
		if creation == nil {
			creation = map[string]any{}
		}
		creation["type"] = "m.space"
		body["creation_content"] = creation
	}
	body["preset"] = "private_chat"
	var answer struct {
		Room string `json:"room_id"`
	}
	err := p.call(ctx, http.MethodPost, "/createRoom", body, &answer)
	return answer.Room, err
}

func (p matrixAccount) take(ctx context.Context, kind model.Kind, address, _ string) (string, error) {
	return p.makeRoom(ctx, kind, map[string]any{"room_alias_name": address, "name": "Taken by hand"})
}

// forge copies the mark and the key of a room, into one that Cabildo is in.
func (p matrixAccount) forge(ctx context.Context, kind model.Kind, address, _, from string) (string, error) {
	us := p.at.us
	var create, mark map[string]any
	if err := us.get(ctx, from, "m.room.create", &create); err != nil {
		return "", err
	}
	if err := us.get(ctx, from, "dev.cabildo.owner", &mark); err != nil {
		return "", err
	}
	room, err := p.makeRoom(ctx, kind, map[string]any{
		"room_alias_name": address, "name": "Forged", "invite": []string{us.id},
		"creation_content": map[string]any{"dev.cabildo.key": create["dev.cabildo.key"]},
	})
	if err != nil {
		return "", err
	}
	if err := p.put(ctx, room, "dev.cabildo.owner", mark); err != nil {
		return "", err
	}
	return room, us.join(ctx, room)
}

// matrixAdministrator is Cabildo's own account: nobody else has power over its rooms.
type matrixAdministrator struct{ matrixAccount }

func (a matrixAdministrator) take(ctx context.Context, kind model.Kind, address, parent string) (string, error) {
	return a.matrixAccount.take(ctx, kind, address, parent)
}

// count reads the names of all rooms that Cabildo is in. Synapse answers the same /sync from a cache for two minutes.
func (a matrixAdministrator) count(ctx context.Context, name string) (int, error) {
	part := `{"types":["m.room.name","dev.cabildo.archived"],"limit":20}`
	filter := `{"presence":{"not_types":["*"]},"account_data":{"not_types":["*"]},"room":{"not_rooms":["!` + unique("nonce") + `:nonce.invalid"],"ephemeral":{"not_types":["*"]},"state":` + part + `,"timeline":` + part + `}}`
	type events struct {
		Events []struct {
			Type    string
			Content struct {
				Name     string
				Archived bool
			}
		}
	}
	var answer struct {
		Rooms struct {
			Join map[string]struct{ State, Timeline events }
		}
	}
	if err := a.call(ctx, http.MethodGet, "/sync?timeout=0&filter="+url.QueryEscape(filter), nil, &answer); err != nil {
		return 0, err
	}
	n := 0
	for _, room := range answer.Rooms.Join {
		is, archived := "", false
		for _, e := range append(room.State.Events, room.Timeline.Events...) {
			if e.Type == "m.room.name" {
				is = e.Content.Name
			} else {
				archived = e.Content.Archived
			}
		}
		if is == name && !archived {
			n++
		}
	}
	return n, nil
}

func (a matrixAdministrator) rename(ctx context.Context, room, name string) error {
	return a.put(ctx, room, "m.room.name", map[string]string{"name": name})
}

func (a matrixAdministrator) archive(ctx context.Context, room string) error {
	return a.put(ctx, room, "dev.cabildo.archived", map[string]bool{"archived": true})
}

func (a matrixAdministrator) shut(ctx context.Context, room string) error {
	return a.put(ctx, room, "m.room.join_rules", map[string]string{"join_rule": "invite"})
}

func (a matrixAdministrator) open(ctx context.Context, room string) error {
	return a.put(ctx, room, "m.room.join_rules", map[string]string{"join_rule": "public"})
}

// add is an invitation, which only the account itself can accept.
func (a matrixAdministrator) add(ctx context.Context, room, account string) error {
	return a.post(ctx, room, "invite", map[string]string{"user_id": account})
}

func (a matrixAdministrator) remove(ctx context.Context, room, account string) error {
	return a.post(ctx, room, "kick", map[string]string{"user_id": account})
}

func (a matrixAdministrator) ban(ctx context.Context, room, account string) error {
	return a.post(ctx, room, "ban", map[string]string{"user_id": account})
}

func (a matrixAdministrator) promote(ctx context.Context, room, account string, role model.Role) error {
	var levels map[string]any
	if err := a.get(ctx, room, "m.room.power_levels", &levels); err != nil {
		return err
	}
	users, _ := levels["users"].(map[string]any)
	if users == nil {
		users = map[string]any{}
	}
	users[account] = map[model.Role]int{model.RoleModerator: 50, model.RoleManager: 75}[role]
	levels["users"] = users
	return a.put(ctx, room, "m.room.power_levels", levels)
}

func (a matrixAdministrator) callAccount(context.Context, string, string) error {
	return errors.New("an account keeps its name")
}

func (a matrixAdministrator) unpin(ctx context.Context, room string) error {
	return a.put(ctx, room, "m.room.pinned_events", map[string]any{"pinned": []string{}})
}

// lose has Cabildo out of the room, in which nobody is left who could let it in.
func (a matrixAdministrator) lose(ctx context.Context, room string) error {
	return a.leave(ctx, room)
}
