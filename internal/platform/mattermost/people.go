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

	mu sync.Mutex // guards what follows
	// names are usernames by ID and ids IDs by username, as they were told last. A name that was given up leads to
	// who had it until somebody else has it: whoever was seen under it a moment ago is still the same.
	names map[string]string
	ids   map[string]string
	// current are the accounts, by ID, that were asked for since everybody was forgotten, and whether each can be
	// added to a space: one that was deactivated can't.
	current map[string]bool
	// remote are the accounts, by ID, of people of another server, who are here through a shared channel.
	remote map[string]bool

	// asking lets one request run at a time: who comes meanwhile goes with the next.
	asking sync.Mutex
	wanted map[string]struct{} // IDs; guarded by mu
	// sought are usernames, and forgotten is how often everybody was forgotten; guarded by mu.
	sought    map[string]struct{}
	forgotten int
}

func newPeople(c *client) *people {
	return &people{
		client: c, names: map[string]string{}, ids: map[string]string{}, current: map[string]bool{}, remote: map[string]bool{},
		wanted: map[string]struct{}{}, sought: map[string]struct{}{},
	}
}

// learn takes over what the server told.
func (p *people) learn(users ...*mm.User) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range users {
		p.names[u.Id], p.ids[u.Username], p.current[u.Id] = u.Username, u.Id, u.DeleteAt == 0
		delete(p.wanted, u.Id)
		if u.IsRemote() {
			p.remote[u.Id] = true
		}
	}
}

// isRemote says that an account is of somebody on another server. It is known of everybody whose name is.
func (p *people) isRemote(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.remote[id]
}

// renamed takes over a new name of somebody who is known.
func (p *people) renamed(id, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.current[id]; known {
		p.names[id], p.ids[name] = name, id
	}
}

// stable is what an account is called whatever its username is; the username where nobody is known by it. No
// username has a colon.
func (p *people) stable(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if id, known := p.ids[name]; known {
		return "id:" + id
	}
	return name
}

// forget has everybody asked for again. What was known is what is said of them until then.
func (p *people) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.current)
	p.forgotten++
}

// unknown are those of the IDs whose usernames are not known.
func (p *people) unknown(ids []string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var unknown []string
	for _, id := range ids {
		if _, known := p.current[id]; !known {
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

// username is what a username can be (servers 9.9 and 11.1, model.IsValidUsername).
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
		id := p.ids[name]
		switch {
		case p.current[id] && p.names[id] == name:
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

// Stable is the account's ID, which a new username doesn't change.
func (a *Adapter) Stable(account string) string { return a.people.stable(account) }

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
