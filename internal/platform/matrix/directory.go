// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// directory remembers what /sync doesn't carry: where addresses lead, which
// rooms the server lists, and whether the messages that are pinned are still
// there. Each fact is asked for when it is first needed and verified again
// after the resync interval, spread so that not everything is due at once.
//
// What we wrote ourselves and a room's own state says, such as its canonical
// alias, is taken as true at first: after a restart nothing is asked at once.
type directory struct {
	every time.Duration

	mu       sync.Mutex              // guards what follows
	leads    map[string]fact[string] // room ID by alias; empty for an alias that leads nowhere
	listed   map[string]fact[bool]   // by room ID
	messages map[string]fact[bool]   // whether the event is there, by event ID
}

type fact[T any] struct {
	value T
	asked time.Time
	due   time.Time
}

func newDirectory(every time.Duration) *directory {
	return &directory{
		every: every, leads: map[string]fact[string]{}, listed: map[string]fact[bool]{}, messages: map[string]fact[bool]{},
	}
}

// asked is a fact that the server told or that we just made true.
func asked[T any](d *directory, value T) fact[T] {
	now := time.Now()
	return fact[T]{value: value, asked: now, due: now.Add(d.every*3/4 + rand.N(d.every/2+1))} //nolint:gosec // jitter
}

// assumed is a fact that was never asked, and is verified some time within the interval.
func assumed[T any](d *directory, value T) fact[T] {
	return fact[T]{value: value, due: time.Now().Add(rand.N(d.every + 1))} //nolint:gosec // jitter
}

// known returns a fact while it need not be asked again. Younger than fresh is
// always good enough; with verify, nothing else is.
func known[T any](d *directory, facts map[string]fact[T], key string, verify bool, fresh time.Duration) (T, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, there := facts[key]
	now := time.Now()
	if !there || (verify || fresh > 0) && now.Sub(f.asked) > fresh || now.After(f.due) {
		var none T
		return none, false
	}
	return f.value, true
}

// note stores a fact.
func note[T any](d *directory, facts map[string]fact[T], key string, f fact[T]) {
	d.mu.Lock()
	defer d.mu.Unlock()
	facts[key] = f
}

// presume stores a fact unless there is one.
func presume[T any](d *directory, facts map[string]fact[T], key string, value T) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, there := facts[key]; !there {
		facts[key] = assumed(d, value)
	}
}

// doubt makes a fact to be asked, whatever a room's own state says.
func doubt[T any](d *directory, facts map[string]fact[T], key string) { note(d, facts, key, fact[T]{}) }

// forget makes a fact to be asked again.
func forget[T any](d *directory, facts map[string]fact[T], key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(facts, key)
}

// alias is the full alias of an address.
func (a *Adapter) alias(address string) string { return "#" + address + ":" + a.cfg.ServerName }

// Display is the alias of an address, as people type it.
func (a *Adapter) Display(address string) string {
	if address == "" {
		return ""
	}
	return a.alias(address)
}

// leadsTo returns the room that an alias leads to, or nothing.
func (a *Adapter) leadsTo(ctx context.Context, alias string, verify bool, fresh time.Duration) (string, error) {
	d := a.directory
	if room, ok := known(d, d.leads, alias, verify, fresh); ok {
		return room, nil
	}
	var answer struct {
		Room string `json:"room_id"`
	}
	err := a.client.do(ctx, request{
		doing: "looking where " + alias + " leads", route: "GET /directory/room/{alias}",
		method: http.MethodGet, path: v3("directory", "room", alias), into: &answer,
	})
	if err != nil && !platform.IsKind(err, platform.NotFound) {
		return "", err
	}
	note(d, d.leads, alias, asked(d, answer.Room))
	return answer.Room, nil
}

// isListed says whether the server's directory has a room. The claim is what
// the room's own state says; nil when it says nothing.
func (a *Adapter) isListed(ctx context.Context, room string, claim *bool, verify bool) (bool, error) {
	d := a.directory
	if claim != nil {
		presume(d, d.listed, room, *claim)
	}
	if listed, ok := known(d, d.listed, room, verify, 0); ok {
		return listed, nil
	}
	var answer struct {
		Visibility string `json:"visibility"`
	}
	if err := a.client.do(ctx, request{
		doing: "looking whether " + room + " is listed", route: "GET /directory/list/room/{room}",
		method: http.MethodGet, path: v3("directory", "list", "room", room), into: &answer,
	}); err != nil {
		return false, err
	}
	listed := answer.Visibility == "public"
	note(d, d.listed, room, asked(d, listed))
	return listed, nil
}

// isThere says whether a message that we sent has not been redacted.
func (a *Adapter) isThere(ctx context.Context, room, message string, verify bool) (bool, error) {
	d := a.directory
	presume(d, d.messages, message, true)
	if there, ok := known(d, d.messages, message, verify, 0); ok {
		return there, nil
	}
	var answer struct {
		Content  map[string]json.RawMessage `json:"content"`
		Unsigned struct {
			Redaction json.RawMessage `json:"redacted_because"`
		} `json:"unsigned"`
	}
	err := a.client.do(ctx, request{
		doing: "looking whether the pinned guidelines of " + room + " are there", route: "GET /rooms/{room}/event/{event}",
		method: http.MethodGet, path: v3("rooms", room, "event", message), into: &answer,
	})
	if err != nil && !platform.IsKind(err, platform.NotFound) {
		return false, err
	}
	there := err == nil && len(answer.Content) > 0 && len(answer.Unsigned.Redaction) == 0
	note(d, d.messages, message, asked(d, there))
	return there, nil
}
