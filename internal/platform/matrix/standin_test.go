// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// standIn is a homeserver that answers each route as a test has it, for what a
// real one does only now and then. It runs on a test's clock (synctest).
type standIn struct {
	// news are answers of /sync to a poll; without any, it ends when its time is over.
	news chan any

	mu      sync.Mutex // guards what follows
	rooms   any        // the answer of a /sync that reads everything
	state   map[string][]event
	answers map[string]reply
	asked   []*http.Request
}

// reply is the status and the body of an answer.
type reply func(*http.Request) (status int, body any)

type object = map[string]any

// always answers with the same.
func always(status int, body any) reply {
	return func(*http.Request) (int, any) { return status, body }
}

func refusal(status int, code string) reply {
	return always(status, object{"errcode": code, "error": "refused"})
}

// newStandIn knows our account, and has no room.
func newStandIn() *standIn {
	s := &standIn{news: make(chan any, 8), rooms: object{"next_batch": "s"}, state: map[string][]event{}}
	s.answers = map[string]reply{
		"GET /versions":           always(200, object{"versions": []string{"v1.11"}}),
		"GET /account/whoami":     always(200, object{"user_id": us}),
		"GET /capabilities":       always(200, object{"capabilities": object{"m.room_versions": object{"available": object{"12": "stable"}}}}),
		"GET /knock/{room}":       refusal(405, "M_UNRECOGNIZED"),
		"GET /federation/version": refusal(403, "M_FORBIDDEN"),
		platform.LongPoll:         s.sync,

		"GET /directory/list/room/{room}": always(200, object{"visibility": "private"}),
		"GET /directory/room/{alias}":     refusal(404, "M_NOT_FOUND"),
	}
	return s
}

func (s *standIn) sync(r *http.Request) (int, any) {
	if !r.URL.Query().Has("since") {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.state) == 0 {
			return 200, s.rooms
		}
		rooms := object{}
		for room, has := range s.state {
			rooms[room] = inState(has...)
		}
		return 200, changed(rooms)
	}
	milliseconds, _ := strconv.Atoi(r.URL.Query().Get("timeout"))
	timer := time.NewTimer(time.Duration(milliseconds) * time.Millisecond)
	defer timer.Stop()
	select {
	case news := <-s.news:
		return 200, news
	case <-timer.C:
	case <-r.Context().Done():
	}
	return 200, object{"next_batch": "s"}
}

// has is what a /sync that reads everything finds from now on: rooms by their ID.
func (s *standIn) has(rooms map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rooms = changed(rooms)
}

// takes has a room with this state, takes what is written into it, and shows that with the next poll.
func (s *standIn) takes(room string, has []event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state[room] = has
	s.answers["PUT /rooms/{room}/state/{type}"] = func(r *http.Request) (int, any) {
		path := strings.Split(r.URL.Path, "/") // /_matrix/client/v3/rooms/{room}/state/{type}/{key}
		var content json.RawMessage
		if len(path) != 9 || json.NewDecoder(r.Body).Decode(&content) != nil {
			return refusal(400, "M_NOT_JSON")(r)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		written := state(path[7], us, content, path[8])
		s.state[path[5]] = append(s.state[path[5]], written)
		s.news <- changed(map[string]any{path[5]: object{"timeline": object{"events": []event{written}}}})
		return 200, object{"event_id": written.ID}
	}
}

// on has a route answered like this from now on.
func (s *standIn) on(route string, answer reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[route] = answer
}

func (s *standIn) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	s.mu.Lock()
	s.asked = append(s.asked, req)
	answer := s.answers[platform.Route(req.Context())]
	s.mu.Unlock()
	if answer == nil {
		answer = refusal(404, "M_UNRECOGNIZED")
	}
	status, body := answer(req)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Request: req, StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(raw)), ContentLength: int64(len(raw)),
	}, nil
}

// of are the requests to a route so far.
func (s *standIn) of(route string) (found []*http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, req := range s.asked {
		if platform.Route(req.Context()) == route {
			found = append(found, req)
		}
	}
	return found
}

// opened is an adapter on the stand-in, which ends with the test.
func (s *standIn) opened(t *testing.T, options ...func(*platform.Config)) *Adapter {
	t.Helper()
	cfg := platform.Config{
		URL: "http://homeserver.invalid", ServerName: "example.com", OwnerID: "prod", Token: secret,
		Client: &http.Client{Transport: s}, ResyncInterval: 10 * time.Minute,
	}
	for _, option := range options {
		option(&cfg)
	}
	adapter, err := New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(adapter.Close)
	return adapter.(*Adapter)
}

// asService has the token be an application service's, which acts as our account.
func asService(c *platform.Config) { c.AppService, c.Account = true, "us" }

// sees observes a resource and expects an answer.
func sees(t *testing.T, a *Adapter, q platform.Query) platform.Observation {
	t.Helper()
	o, err := a.Observe(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// hints are those that are there by now.
func hints(a *Adapter) (refs []model.Ref) {
	for {
		synctest.Wait()
		select {
		case hint := <-a.Hints():
			refs = append(refs, hint.Ref)
		default:
			return refs
		}
	}
}

// changed is an answer of /sync with rooms, by their ID.
func changed(rooms map[string]any) object {
	return object{"next_batch": "s", "rooms": object{"join": rooms}}
}

// inState is a room in an answer of /sync that has these events as its state.
func inState(list ...event) object { return object{"state": object{"events": list}} }
