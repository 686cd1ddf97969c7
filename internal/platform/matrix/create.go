// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// creations is what we know of rooms that are being made. Making a room is the
// one write that is not idempotent in Matrix.
type creations struct {
	mu sync.Mutex // guards what follows
	// unanswered is when the answer of a createRoom was lost.
	unanswered map[model.Ref]time.Time
	// taken are the addresses that rooms are being made for.
	taken map[string]reservation
	// empty are rooms that we made since we started, and sent no message into.
	empty map[string]struct{}
}

type reservation struct {
	ref   model.Ref
	since time.Time
}

const (
	// createTimeout is how long a createRoom may take. It is never cancelled:
	// the server would go on with it, and we would not know.
	createTimeout = 2 * time.Minute
	// unansweredFor is how long a createRoom whose answer was lost keeps
	// another one from being sent, unless its room shows up before.
	unansweredFor = 30 * time.Second
	// reservedFor is how long an address is kept for a room that doesn't take it.
	reservedFor = 10 * time.Minute
)

func newCreations() *creations {
	return &creations{unanswered: map[model.Ref]time.Time{}, taken: map[string]reservation{}, empty: map[string]struct{}{}}
}

// reserve takes an address for a resource, or says whose it is.
func (c *creations) reserve(address string, ref model.Ref) (holder model.Ref, ok bool) {
	if address == "" {
		return ref, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.taken, func(_ string, r reservation) bool { return time.Since(r.since) > reservedFor })
	if held, there := c.taken[address]; there && held.ref != ref {
		return held.ref, false
	}
	c.taken[address] = reservation{ref: ref, since: time.Now()}
	return ref, true
}

// free gives an address back that the resource had reserved.
func (c *creations) free(address string, ref model.Ref) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken[address].ref == ref {
		delete(c.taken, address)
	}
}

func (c *creations) lost(ref model.Ref) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unanswered[ref] = time.Now()
}

// wait is how long to wait for the room of a createRoom whose answer was lost.
func (c *creations) wait(ref model.Ref) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	since, lost := c.unanswered[ref]
	if !lost {
		return 0
	}
	left := unansweredFor - time.Since(since)
	if left <= 0 {
		delete(c.unanswered, ref)
	}
	return max(left, 0)
}

func (c *creations) found(ref model.Ref) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.unanswered, ref)
}

// create makes the room of a resource, unless it is there already. It has no
// address yet: setting one is a step of its own, because a server may make the
// room and then fail to name it.
func (a *Adapter) create(ctx context.Context, op plan.Operation) (string, error) {
	want := op.Space
	ref := want.Mark.Ref
	doing := "making the space of " + ref.String()
	if want.Mark.OwnerID != a.cfg.OwnerID {
		return "", platform.Refuse(platform.Invalid, doing, "it is marked for the installation "+want.Mark.OwnerID+", and we are "+a.cfg.OwnerID)
	}
	defer a.rooms.Lock("create " + ref.String())()
	if err := a.current(ctx, doing, scope{ref: ref}); err != nil {
		return "", err
	}
	id, err := a.existing(ctx, doing, ref)
	if id != "" || err != nil {
		return id, err
	}
	if holder, ok := a.creations.reserve(want.Address, ref); !ok {
		return "", platform.Refuse(platform.AlreadyExists, doing, "the address "+want.Address+" is being taken by "+holder.String())
	}
	body, state, err := a.newRoom(ctx, op)
	if err != nil {
		a.creations.free(want.Address, ref)
		return "", err
	}

	var answer struct {
		Room string `json:"room_id"`
	}
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTimeout)
	defer cancel()
	err = a.client.do(whole, request{
		doing: doing, route: "POST /createRoom", method: http.MethodPost, path: v3("createRoom"), body: body, into: &answer,
	})
	switch {
	case platform.IsKind(err, platform.Ambiguous), err == nil && answer.Room == "":
		a.creations.lost(ref)
		if err == nil {
			err = platform.Refuse(platform.Ambiguous, doing, "the answer names no room")
		}
		return "", err
	case err != nil:
		a.creations.free(want.Address, ref)
		return "", err
	}
	a.creations.made(answer.Room)
	if !want.Settings.Listed { // a server may make a room and not publish it; then whether it did is asked
		note(a.directory, a.directory.listed, answer.Room, asked(a.directory, false))
	} else if _, err := a.isListed(ctx, answer.Room, nil, true); err != nil {
		doubt(a.directory, a.directory.listed, answer.Room)
	}
	a.view.expect(answer.Room, expectation{what: "the new room", ref: ref, met: func(r *room) bool { return r.hasAll(state) }})
	return answer.Room, nil
}

// existing looks for the room before another is made. Where the answer of an
// earlier attempt was lost, it gives that attempt's room time to show up.
func (a *Adapter) existing(ctx context.Context, doing string, ref model.Ref) (string, error) {
	wait := a.creations.wait(ref)
	limit := time.NewTimer(min(wait, seeWithin))
	defer limit.Stop()
	for {
		a.view.mu.Lock()
		found, changed := a.view.of(ref), a.view.changed
		a.view.mu.Unlock()
		if len(found) > 0 {
			a.creations.found(ref)
			return found[0].id, nil
		}
		if wait == 0 {
			return "", nil
		}
		select {
		case <-changed:
		case <-limit.C:
			if wait = a.creations.wait(ref); wait == 0 {
				continue
			}
			return "", &platform.Error{Kind: platform.Ambiguous, Doing: doing, RetryAfter: wait,
				Err: platform.Refuse(platform.Unavailable, "waiting for the room of an earlier attempt", "it has not shown up yet")}
		case <-ctx.Done():
			return "", &platform.Error{Kind: platform.Unavailable, Doing: doing, Err: ctx.Err()}
		}
	}
}

func (c *creations) made(room string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.empty[room] = struct{}{}
}

// untouched says, once, that no attempt to send a message into the room can have come before.
func (c *creations) untouched(room string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, empty := c.empty[room]
	delete(c.empty, room)
	return empty
}

// hasAll says whether the room has all these pieces of state.
func (r *room) hasAll(state []stateKey) bool {
	if r == nil {
		return false
	}
	for _, at := range state {
		if _, there := r.current[at]; !there {
			return false
		}
	}
	return true
}

type initialState struct {
	Type    string `json:"type"`
	Key     string `json:"state_key"`
	Content any    `json:"content"`
}

type createRoom struct {
	Version    string         `json:"room_version"`
	Preset     string         `json:"preset"`
	Visibility string         `json:"visibility"`
	Creation   map[string]any `json:"creation_content"`
	Powers     map[string]any `json:"power_level_content_override"`
	State      []initialState `json:"initial_state"`
}

// newRoom is the body of createRoom, and the state that the room will have.
func (a *Adapter) newRoom(ctx context.Context, op plan.Operation) (createRoom, []stateKey, error) {
	want, s := op.Space, op.Space.Settings
	offer, err := a.offered(ctx)
	if err != nil {
		return createRoom{}, nil, err
	}
	if offer.version == 0 {
		return createRoom{}, nil, platform.Refuse(platform.NotSupported, "making a space", "the server offers no stable room version that this release knows")
	}
	join, err := joinContent(s.Join, op.ParentID)
	if err != nil {
		return createRoom{}, nil, err
	}
	p := newPowers(s.Permissions)
	if offer.version < 12 {
		p.users[a.us()] = powerOperator
	}
	// What can't be an account keeps nobody else from having a room.
	members := slices.DeleteFunc(slices.Clone(want.Members), func(m model.Member) bool { return !validAccount(m.Account) })
	if err := p.setRoles(a.us(), members); err != nil {
		return createRoom{}, nil, err
	}
	body := createRoom{
		Version: strconv.Itoa(offer.version), Preset: "private_chat", Visibility: "private",
		Creation: map[string]any{createKey: keyOf(a.cfg.OwnerID, want.Mark.Ref)},
		Powers:   p.content(),
	}
	if s.Listed {
		body.Visibility = "public"
	}
	if want.Mark.Ref.Kind == model.KindCommunity {
		body.Creation["type"] = "m.space"
	}
	state := []stateKey{{typeCreate, ""}, {typePowers, ""}}
	add := func(kind, key string, content any) {
		body.State = append(body.State, initialState{Type: kind, Key: key, Content: content})
		state = append(state, stateKey{kind, key})
	}
	add(typeJoinRules, "", join)
	add(typeHistory, "", historySetting(s.History))
	add(typeGuests, "", guestsSetting(s.Guests))
	add(typeOwner, "", contentOf(want.Mark, &s.Listed))
	if s.Servers.OwnOnly || len(s.Servers.Blocked) > 0 {
		add(typeServerACL, "", aclSetting(s.Servers, a.cfg.ServerName))
	}
	if op.ParentID != "" {
		add(typeParent, op.ParentID, linkContent{Via: []string{a.cfg.ServerName}, Canonical: true})
	}
	if s.Avatar != "" {
		add(typeAvatar, "", map[string]string{"url": s.Avatar})
	}
	if s.DisplayName != "" {
		add(typeName, "", map[string]string{"name": s.DisplayName})
	}
	if s.Topic != "" {
		add(typeTopic, "", map[string]string{"topic": s.Topic})
	}
	return body, state, tooLarge(body.Powers, "making a space")
}
