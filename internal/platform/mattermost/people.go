// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	mm "github.com/mattermost/mattermost/server/public/model"
)

// people knows usernames by ID and back. A username can change; the WebSocket
// tells of that, and after a gap everybody is asked for again.
type people struct {
	client *client

	mu    sync.Mutex // guards what follows
	names map[string]string
	ids   map[string]string

	// asking lets one request run at a time: who comes meanwhile goes with the next.
	asking sync.Mutex
	wanted map[string]struct{} // IDs; guarded by mu
	// sought are usernames, and forgotten is how often everybody was forgotten; guarded by mu.
	sought    map[string]struct{}
	forgotten int
}

func newPeople(c *client) *people {
	return &people{
		client: c, names: map[string]string{}, ids: map[string]string{}, wanted: map[string]struct{}{}, sought: map[string]struct{}{},
	}
}

// learn takes over what the server told.
func (p *people) learn(users ...*mm.User) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range users {
		if old, known := p.names[u.Id]; known && old != u.Username && p.ids[old] == u.Id {
			delete(p.ids, old)
		}
		p.names[u.Id] = u.Username
		delete(p.wanted, u.Id)
		if u.DeleteAt == 0 { // a deactivated account can't be added to anything
			p.ids[u.Username] = u.Id
		} else if p.ids[u.Username] == u.Id {
			delete(p.ids, u.Username)
		}
	}
}

// renamed takes over a new name of somebody who is known.
func (p *people) renamed(id, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old, known := p.names[id]
	if !known || old == name {
		return
	}
	p.names[id] = name
	if p.ids[old] == id {
		delete(p.ids, old)
		p.ids[name] = id
	}
}

// forget has everybody asked for again.
func (p *people) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.names)
	clear(p.ids)
	p.forgotten++
}

// unknown are those of the IDs whose usernames are not known.
func (p *people) unknown(ids []string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var unknown []string
	for _, id := range ids {
		if _, known := p.names[id]; !known {
			unknown = append(unknown, id)
			p.wanted[id] = struct{}{}
		}
	}
	return unknown
}

// peopleAtOnce is how many people are asked for at once: an answer holds about 1 KB for each.
const peopleAtOnce = 1000

// name are the usernames of accounts. Who asks while another request is under
// way is served by the next one, so that a hundred spaces cost a few requests.
func (p *people) name(ctx context.Context, ids []string) (map[string]string, error) {
	for range 3 {
		if len(p.unknown(ids)) == 0 {
			break
		}
		if err := p.ask(ctx, ids); err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	names := make(map[string]string, len(ids))
	for _, id := range ids {
		if name, known := p.names[id]; known {
			names[id] = name
		}
	}
	return names, nil
}

func (p *people) ask(ctx context.Context, ids []string) error {
	p.asking.Lock()
	defer p.asking.Unlock()
	if len(p.unknown(ids)) == 0 { // somebody else asked for them
		return nil
	}
	p.mu.Lock()
	batch := slices.Sorted(maps.Keys(p.wanted))
	clear(p.wanted)
	p.mu.Unlock()
	for some := range slices.Chunk(batch, peopleAtOnce) {
		users, err := get(ctx, p.client, read("POST /users/ids", "reading the names of people"),
			func(ctx context.Context, api *mm.Client4) ([]*mm.User, *mm.Response, error) {
				return api.GetUsersByIds(ctx, some)
			})
		if err != nil {
			return err
		}
		p.learn(users...)
	}
	return nil
}

// username is what a username can be (server 9.9, model.IsValidUsername).
var username = regexp.MustCompile(`^[a-z0-9._-]{1,64}$`)

// find are the IDs of accounts by their usernames; who has no account that can
// be added is not among them. Who asks while another request is under way is
// served by the next one.
func (p *people) find(ctx context.Context, names []string) (map[string]string, error) {
	for {
		_, unknown, before := p.seek(names, true)
		if len(unknown) > 0 {
			if err := p.askNames(ctx, unknown); err != nil {
				return nil, err
			}
		}
		// What was answered may have been forgotten since.
		if found, _, after := p.seek(names, false); after == before {
			return found, nil
		}
	}
}

// seek returns who is known of the names, and who could have an account all the
// same; with want, it notes these for the next request.
func (p *people) seek(names []string, want bool) (found map[string]string, unknown []string, forgotten int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found = make(map[string]string, len(names))
	for _, name := range names {
		id, known := p.ids[name]
		switch {
		case known:
			found[name] = id
		case username.MatchString(name):
			unknown = append(unknown, name)
			if want {
				p.sought[name] = struct{}{}
			}
		}
	}
	return found, unknown, p.forgotten
}

// gathering is how long a request for people waits for others who look for
// some: a hundred spaces that are looked at together ask a few times.
const gathering = 50 * time.Millisecond

// askNames asks for everybody who is sought, unless somebody else did since these names are.
func (p *people) askNames(ctx context.Context, names []string) error {
	p.asking.Lock()
	defer p.asking.Unlock()
	rest(ctx, gathering)
	p.mu.Lock()
	still := slices.ContainsFunc(names, func(name string) bool {
		_, sought := p.sought[name]
		return sought
	})
	batch := slices.Sorted(maps.Keys(p.sought))
	p.mu.Unlock()
	if !still {
		return nil
	}
	for some := range slices.Chunk(batch, peopleAtOnce) {
		users, err := get(ctx, p.client, read("POST /users/usernames", "looking for people by their usernames"),
			func(ctx context.Context, api *mm.Client4) ([]*mm.User, *mm.Response, error) {
				return api.GetUsersByUsernames(ctx, some)
			})
		if err != nil {
			return err // they stay sought, so that whoever waits asks again
		}
		p.learn(users...)
		p.mu.Lock()
		for _, name := range some {
			delete(p.sought, name)
		}
		p.mu.Unlock()
	}
	return nil
}

// Missing are the accounts that don't exist or were deactivated.
func (a *Adapter) Missing(ctx context.Context, accounts []string) ([]string, error) {
	found, err := a.people.find(ctx, accounts)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(accounts), func(name string) bool {
		_, there := found[name]
		return there
	}), nil
}
