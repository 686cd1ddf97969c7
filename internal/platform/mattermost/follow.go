// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// resync reads everything again at the interval, with jitter, and has what
// changed looked at. With it go the things that the listing doesn't tell: a
// batch of guidelines, and who is in a few spaces.
func (a *Adapter) resync(ctx context.Context) {
	ctx = platform.WithPriority(ctx, platform.PriorityDrift)
	for {
		every := a.cfg.ResyncInterval
		select {
		case <-ctx.Done():
			return
		case <-time.After(every*3/4 + rand.N(every/2+1)): //nolint:gosec // jitter
		}
		if err := a.relist(ctx); err != nil && ctx.Err() == nil {
			a.log.Info("Reading all teams and channels again did not work; what is known stays", "error", err.Error())
		}
	}
}

func (a *Adapter) relist(ctx context.Context) error {
	if err := a.whole(ctx, true); err != nil {
		return err
	}
	a.view.forgetUnheard()
	changed, err := a.verifyGuidelines(ctx, a.view.due(guidelinesAtOnce))
	if err != nil {
		return err
	}
	a.hints.Add(changed...)
	for _, s := range a.view.longestUnread(verifiedAtOnce) {
		before := s.members
		m, err := a.readMembers(ctx, s)
		if err != nil {
			return err
		}
		if before == nil || !m.same(before) {
			a.hints.Add(a.view.refOf(s.id)...)
		}
	}
	return nil
}

// verifiedAtOnce is in how many spaces is looked again who is there, at each resync. Coming and going is told at once;
// what is found like this is a role that somebody was given by hand.
const verifiedAtOnce = 1

// firstBackoff and mostBackoff bound the wait between attempts to connect the WebSocket.
const (
	firstBackoff = time.Second
	mostBackoff  = time.Minute
)

// follow keeps a WebSocket open. It tells that something changed; what, is
// read. Between two connections anything may have been missed, so that
// everything is read again after each. While many spaces are made there is none.
func (a *Adapter) follow(ctx context.Context) {
	wait := firstBackoff
	for ctx.Err() == nil {
		if a.creations.many() {
			rest(ctx, calm)
			continue
		}
		began := time.Now()
		err := a.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > mostBackoff {
			wait = firstBackoff
		}
		if err != nil {
			a.log.V(1).Info("The WebSocket is not connected; changes are seen at the resync", "error", a.client.token.Clean(err).Error())
		}
		rest(ctx, wait/2+rand.N(wait)) //nolint:gosec // jitter
		wait = min(wait*2, mostBackoff)
	}
}

// rest waits, or until the context ends.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// listen reads events until the connection breaks, or many spaces are made.
func (a *Adapter) listen(ctx context.Context) error {
	if a.cfg.Turn != nil { // a server that asks to wait is not asked for a WebSocket either
		if err := a.cfg.Turn(ctx); err != nil {
			return err
		}
	}
	dialer := websocket.Dialer{HandshakeTimeout: 30 * time.Second, TLSClientConfig: a.cfg.TLS, Proxy: a.cfg.Proxy}
	if dialer.Proxy == nil {
		dialer.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil } //nolint:nilnil // no proxy is no error
	}
	socket := "ws" + strings.TrimPrefix(strings.TrimRight(a.cfg.URL, "/"), "http") + mm.APIURLSuffix + "/websocket"
	conn, answer, err := dialer.DialContext(ctx, socket, http.Header{"Authorization": {"Bearer " + a.cfg.Token}})
	if answer != nil && answer.Body != nil {
		_ = answer.Body.Close()
	}
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	conn.SetReadLimit(1 << 20)
	alive := func() { _ = conn.SetReadDeadline(time.Now().Add(2 * pingEvery)) }
	alive()
	conn.SetPingHandler(func(data string) error {
		alive()
		return conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(10*time.Second))
	})
	conn.SetPongHandler(func(string) error { alive(); return nil })
	done := make(chan struct{})
	defer close(done)
	go ping(conn, done)
	defer a.view.disconnected()
	if a.view.connected() { // what happened meanwhile was not told
		a.people.forget()
		if err := a.whole(platform.WithPriority(ctx, platform.PriorityDrift), true); err != nil {
			return err
		}
	}
	for {
		_, data, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		alive()
		if e, err := mm.WebSocketEventFromJSON(strings.NewReader(string(data))); err == nil && e != nil {
			a.heard(ctx, e)
		}
		if a.creations.many() {
			return nil
		}
	}
}

// pingEvery is how often we ask whether the server is still there: it does so about every minute.
const pingEvery = time.Minute

func ping(conn *websocket.Conn, done <-chan struct{}) {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
			_ = conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(10*time.Second))
		}
	}
}

// settling is how long an event waits, so that the answer to a write of ours is there before what the write made
// the server tell is looked at.
const settling = 250 * time.Millisecond

// heard takes an event: which space it is about, and what it may have changed there.
func (a *Adapter) heard(ctx context.Context, e *mm.WebSocketEvent) {
	text := func(key string) string {
		value, _ := e.GetData()[key].(string)
		return value
	}
	id := text("channel_id")
	if id == "" {
		id = e.GetBroadcast().ChannelId
	}
	var changed func(s *space) bool // says whether the event tells something new
	switch e.EventType() {
	case mm.WebsocketEventChannelUpdated:
		var c mm.Channel
		if json.Unmarshal([]byte(text("channel")), &c) != nil {
			return
		}
		id = c.Id
		changed = func(s *space) bool {
			now := channelSpace(&c, a.us().id)
			return !now.same(s)
		}
	case mm.WebsocketEventChannelConverted:
		changed = func(*space) bool { return true }
	case mm.WebsocketEventChannelDeleted:
		changed = func(s *space) bool { return s.archivedAt == 0 }
	case mm.WebsocketEventChannelRestored:
		changed = func(s *space) bool { return s.archivedAt != 0 }
	case mm.WebsocketEventUpdateTeam, mm.WebsocketEventDeleteTeam, mm.WebsocketEventRestoreTeam:
		var t mm.Team
		if json.Unmarshal([]byte(text("team")), &t) != nil {
			return
		}
		id = t.Id
		changed = func(s *space) bool {
			now := teamSpace(&t, "")
			now.byUs = s.byUs
			return !now.same(s)
		}
	case mm.WebsocketEventUserAdded:
		changed = a.came(text("user_id"), true)
		// Who comes into a team by themselves is told to them alone. All others are told of the default channel, which they are in then.
		if team := text("team_id"); team != "" {
			a.soon(ctx, team, a.came(text("user_id"), true))
		}
	case mm.WebsocketEventUserRemoved:
		changed = a.came(text("user_id"), false)
	case mm.WebsocketEventAddedToTeam:
		id = text("team_id")
		changed = a.came(text("user_id"), true)
	case mm.WebsocketEventLeaveTeam:
		id = text("team_id")
		changed = a.came(text("user_id"), false)
	case mm.WebsocketEventUserUpdated:
		a.renamed(e)
		return
	default:
		return
	}
	a.soon(ctx, id, changed)
}

// soon tells of a space when the answers to our own writes are there.
func (a *Adapter) soon(ctx context.Context, id string, changed func(*space) bool) {
	a.tasks.Go(func() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(settling):
		}
		a.tell(id, changed)
	})
}

// tell has a space read again, and its resource looked at, when an event told something new of it.
func (a *Adapter) tell(id string, changed func(*space) bool) {
	defer a.spaces.Lock(id)()
	v := a.view
	v.mu.Lock()
	s := v.spaces[id]
	if s == nil || !changed(s) {
		v.mu.Unlock()
		return
	}
	s.stale = true
	refs := map[model.Ref]struct{}{}
	v.note(refs, s)
	v.mu.Unlock()
	for ref := range refs {
		a.hints.Add(ref)
	}
}

// came says whether somebody's coming or going is news. It forgets who is in the space then. The view's lock is held.
func (a *Adapter) came(user string, in bool) func(*space) bool {
	return func(s *space) bool {
		if s.members == nil {
			return false // nobody has looked, so nobody has to look again
		}
		if _, known := s.members.admins[user]; known == in {
			return false
		}
		s.members = nil
		return true
	}
}

// renamed takes over an account's new name.
func (a *Adapter) renamed(e *mm.WebSocketEvent) {
	encoded, err := json.Marshal(e.GetData()["user"])
	if err != nil {
		return
	}
	var u mm.User
	if json.Unmarshal(encoded, &u) == nil && u.Id != "" && u.Username != "" {
		a.people.renamed(u.Id, u.Username)
	}
}

// due are the spaces whose guidelines are to be verified next, in turn.
func (v *view) due(most int) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var ids []string
	for id, s := range v.spaces {
		if rec, recorded := v.records.get(id); recorded && rec.Post != "" && s.archivedAt == 0 && rec.OwnerID == v.ownerID {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	at, _ := slices.BinarySearch(ids, v.verified)
	ids = append(ids[at:], ids[:at]...)
	ids = ids[:min(len(ids), most)]
	if len(ids) > 0 {
		v.verified = ids[len(ids)-1] + "~" // after the last one
	}
	return ids
}

// longestUnread are the spaces of ours of which it is longest ago that was looked who is there.
func (v *view) longestUnread(most int) []*space {
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []*space
	for _, s := range v.spaces {
		if mark := v.markOf(s); mark != nil && mark.OwnerID == v.ownerID && !mark.Released && s.archivedAt == 0 {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b *space) int { return a.lastRead().Compare(b.lastRead()) })
	return all[:min(len(all), most)]
}

func (s *space) lastRead() time.Time {
	if s.members == nil {
		return time.Time{}
	}
	return s.members.read
}

// same says whether two readings say the same.
func (m *membership) same(as *membership) bool {
	if len(m.admins) != len(as.admins) {
		return false
	}
	for id, admin := range m.admins {
		if before, there := as.admins[id]; !there || before != admin {
			return false
		}
	}
	return true
}

// refOf is the resource of a space of ours.
func (v *view) refOf(id string) []model.Ref {
	v.mu.Lock()
	defer v.mu.Unlock()
	refs := map[model.Ref]struct{}{}
	if s := v.spaces[id]; s != nil {
		v.note(refs, s)
	}
	var out []model.Ref
	for ref := range refs {
		out = append(out, ref)
	}
	return out
}

// connected notes that the WebSocket is connected; true when it was before, so that something may have been missed.
func (v *view) connected() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	before := v.heard
	v.heard, v.hears = true, true
	if before {
		v.forgetMembers()
	}
	return before
}

func (v *view) disconnected() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.hears = false
}

// forgetMembers has it looked again who is where. The lock is held.
func (v *view) forgetMembers() {
	for _, s := range v.spaces {
		s.members = nil
	}
}

// forgetUnheard forgets who is where when nobody tells of changes.
func (v *view) forgetUnheard() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.hears {
		v.forgetMembers()
	}
}
