// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/hack/stack"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// bareLoop makes rooms that are described already, as a script would that is
// run once: it reads nothing, checks nothing, and stops at the first error. It
// has the operator's HTTP client, as many requests under way, and no rate. It acts as the operator's account does.
type bareLoop struct {
	homeserver *devenv.LocalHomeserver
	client     *http.Client
	counts     *prometheus.Registry

	mu  sync.Mutex
	ids map[string]string // what the server has for a name in the descriptions
}

func newBareLoop(homeserver *devenv.LocalHomeserver) (*bareLoop, error) {
	b := &bareLoop{homeserver: homeserver, counts: prometheus.NewRegistry(), ids: map[string]string{}}
	const unlimited = 1_000_000 // a second
	var err error
	b.client, err = platform.NewClient(platform.ClientOptions{
		Platform: stack.PlatformName, Budget: platform.NewBudget(unlimited, stack.Concurrency), Metrics: platform.NewMetrics(b.counts),
	})
	return b, err
}

// run makes the space, and then its members and its rooms, one worker a room.
func (b *bareLoop) run(ctx context.Context, rooms []room) (took time.Duration, err error) {
	began := time.Now()
	space := rooms[0]
	if err := b.make(ctx, space); err != nil {
		return 0, err
	}
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(stack.Concurrency)
	workers.Go(func() error { return b.join(ctx, space) })
	for _, r := range rooms[1:] {
		workers.Go(func() error {
			if err := b.make(ctx, r); err != nil {
				return err
			}
			child := space.state[at{typeChild, roomName(r.alias)}]
			if err := b.put(ctx, b.id(roomName(space.alias)), at{typeChild, b.id(roomName(r.alias))}, child); err != nil {
				return err
			}
			return b.join(ctx, r)
		})
	}
	err = workers.Wait()
	return time.Since(began), err
}

// make makes a room with all that createRoom can carry, address and
// invitations included, and pins its guidelines.
func (b *bareLoop) make(ctx context.Context, r room) error {
	create, err := r.creation(b.names(r))
	if err != nil {
		return err
	}
	var answer struct {
		Room  string `json:"room_id"`
		Event string `json:"event_id"`
	}
	if err := b.do(ctx, http.MethodPost, "/createRoom", "/createRoom", create, &answer); err != nil {
		return err
	}
	b.learn(roomName(r.alias), answer.Room)
	if r.message == "" {
		return nil
	}
	path := "/rooms/" + url.PathEscape(answer.Room) + "/send/m.room.message/guidelines"
	if err := b.do(ctx, http.MethodPut, "/rooms/{room}/send/{type}/{txn}", path, json.RawMessage(r.message), &answer); err != nil {
		return err
	}
	b.learn(messageName(r.alias), answer.Event)
	for _, where := range []at{{kind: typePins}, {kind: typeGuidelines}} {
		if err := b.put(ctx, answer.Room, where, b.names(r).Replace(r.state[where])); err != nil {
			return err
		}
	}
	return nil
}

// creation is the body of createRoom.
func (r room) creation(names *strings.Replacer) (map[string]any, error) {
	var content map[string]any
	if err := json.Unmarshal([]byte(r.state[at{kind: typeCreate}]), &content); err != nil {
		return nil, fmt.Errorf("reading how %s was made: %w", r.alias, err)
	}
	version := content["room_version"]
	for _, ofServer := range []string{"room_version", "creator"} {
		delete(content, ofServer)
	}
	type event struct {
		Type    string          `json:"type"`
		Key     string          `json:"state_key"`
		Content json.RawMessage `json:"content"`
	}
	var state []event
	for where, content := range r.state {
		switch where.kind {
		case typeCreate, typePowers, typeAlias, typePins, typeGuidelines, typeChild:
		default:
			state = append(state, event{where.kind, names.Replace(where.key), json.RawMessage(names.Replace(content))})
		}
	}
	body := map[string]any{
		"room_version": version, "preset": "private_chat", "visibility": visibility(r.listed), "creation_content": content,
		"power_level_content_override": json.RawMessage(r.state[at{kind: typePowers}]),
		"room_alias_name":              localpart(r.alias),
		"initial_state":                state,
	}
	if len(r.members) > 0 && !strings.Contains(r.state[at{kind: typeJoinRules}], `"public"`) {
		body["invite"] = r.members
	}
	return body, nil
}

func visibility(listed bool) string {
	if listed {
		return "public"
	}
	return "private"
}

func localpart(alias string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(alias, "#"), ":")
	return name
}

// join joins the members, as the application service may.
func (b *bareLoop) join(ctx context.Context, r room) error {
	path := "/rooms/" + url.PathEscape(b.id(roomName(r.alias))) + "/join"
	for _, account := range r.members {
		if err := b.send(ctx, http.MethodPost, "/rooms/{room}/join", path, account, struct{}{}, nil); err != nil {
			return err
		}
	}
	return nil
}

func (b *bareLoop) put(ctx context.Context, id string, where at, content string) error {
	path := "/rooms/" + url.PathEscape(id) + "/state/" + where.kind + "/" + url.PathEscape(where.key)
	return b.do(ctx, http.MethodPut, "/rooms/{room}/state/{type}", path, json.RawMessage(content), nil)
}

// learn remembers what the server has for a name.
func (b *bareLoop) learn(name, id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids[name] = id
}

func (b *bareLoop) id(name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ids[name]
}

// names puts the server's IDs in the place of the names that a room's state has.
func (b *bareLoop) names(r room) *strings.Replacer {
	var pairs []string
	for _, name := range []string{roomName(r.alias), r.parent(), messageName(r.alias)} {
		if id := b.id(name); id != "" {
			pairs = append(pairs, name, id)
		}
	}
	return strings.NewReplacer(pairs...)
}

// do sends one request as the operator's account.
func (b *bareLoop) do(ctx context.Context, method, route, path string, body, into any) error {
	return b.send(ctx, method, route, path, b.homeserver.OperatorUserID, body, into)
}

// send sends one request as an account, and sends it again only when the server asks for that.
func (b *bareLoop) send(ctx context.Context, method, route, path, as string, body, into any) error {
	content, err := json.Marshal(body)
	if err != nil {
		return err
	}
	where := b.homeserver.URL + "/_matrix/client/v3" + path + "?" + url.Values{"user_id": {as}}.Encode()
	for {
		request, err := http.NewRequestWithContext(platform.WithRoute(ctx, method+" "+route), method, where, bytes.NewReader(content))
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+b.homeserver.ASToken)
		request.Header.Set("Content-Type", "application/json")
		response, err := b.client.Do(request)
		if err != nil {
			return err
		}
		answer, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		switch {
		case err != nil:
			return err
		case response.StatusCode == http.StatusTooManyRequests: // the client makes the next one wait
		case response.StatusCode != http.StatusOK:
			return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, answer)
		case into != nil:
			return json.Unmarshal(answer, into)
		default:
			return nil
		}
	}
}

// requests are what the loop asked.
func (b *bareLoop) requests() (stack.Requests, error) { return stack.GatherRequests(b.counts) }
