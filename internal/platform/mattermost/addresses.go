// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"strings"
	"sync"
	"time"

	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// addresses knows accounts by their verified e-mail addresses, for a while: no
// event tells of a new one. The server shows nobody whether a single address is
// verified (model.User.ClearNonProfileFields), so it is taken to be where the
// server lets in nobody without that, and where an identity provider gave it.
type addresses struct {
	client *client
	// asking lets one search run at a time: who comes meanwhile has its answers.
	asking sync.Mutex
	known  map[string]owner // by address in lower case; guarded by asking
}

// owner is the account of an address; the ID is empty where there is none.
type owner struct {
	id    string
	asked time.Time
}

// addressKept is how long an answer about an address is believed.
const addressKept = 10 * time.Minute

// askedOneByOne is for how many addresses one request each is less than reading everybody in pages.
const askedOneByOne = 20

func newAddresses(c *client) *addresses { return &addresses{client: c, known: map[string]owner{}} }

// find are the IDs of accounts by address.
func (x *addresses) find(ctx context.Context, list []string, verifies bool) (map[string]string, error) {
	x.asking.Lock()
	defer x.asking.Unlock()
	var unknown []string
	for _, address := range list {
		if o, known := x.known[address]; !known || time.Since(o.asked) > addressKept {
			unknown = append(unknown, address)
		}
	}
	ask := x.each
	if len(unknown) > askedOneByOne {
		ask = x.everybody
	}
	if err := ask(ctx, unknown, verifies); err != nil {
		return nil, err
	}
	found := make(map[string]string, len(list))
	for _, address := range list {
		if id := x.known[address].id; id != "" {
			found[address] = id
		}
	}
	return found, nil
}

// each asks for one address after the other.
func (x *addresses) each(ctx context.Context, list []string, verifies bool) error {
	for _, address := range list {
		user, err := get(ctx, x.client, read("GET /users/email/{address}", "looking for somebody by their e-mail address"),
			func(ctx context.Context, api *mm.Client4) (*mm.User, *mm.Response, error) {
				return api.GetUserByEmail(ctx, address, "")
			})
		if err != nil && !platform.IsKind(err, platform.NotFound) {
			return err
		}
		x.known[address] = owner{asked: time.Now()}
		if err == nil && strings.EqualFold(user.Email, address) && isTheirs(user, verifies) {
			x.known[address] = owner{user.Id, time.Now()}
		}
	}
	return nil
}

// everybody reads all accounts, and knows of each address in the list whose it is.
func (x *addresses) everybody(ctx context.Context, list []string, verifies bool) error {
	ids := map[string]string{}
	for page := 0; ; page++ {
		users, err := get(ctx, x.client, read("GET /users", "reading everybody's e-mail address"),
			func(ctx context.Context, api *mm.Client4) ([]*mm.User, *mm.Response, error) {
				return api.GetUsers(ctx, page, perPage, "")
			})
		if err != nil {
			return err
		}
		for _, u := range users {
			if isTheirs(u, verifies) {
				ids[strings.ToLower(u.Email)] = u.Id
			}
		}
		if len(users) < perPage {
			break
		}
	}
	for _, address := range list {
		x.known[address] = owner{ids[address], time.Now()}
	}
	return nil
}

// isTheirs says that an account that is in use has shown its address to be its own.
func isTheirs(u *mm.User, verifies bool) bool {
	return u.DeleteAt == 0 && !u.IsBot && (verifies || u.AuthService != "")
}

// AccountsByEmail are usernames by verified address.
func (a *Adapter) AccountsByEmail(ctx context.Context, list []string) (map[string]string, error) {
	ids, err := a.addresses.find(ctx, list, a.offered().verifies)
	if err != nil {
		return nil, err
	}
	of := make([]string, 0, len(ids))
	for _, id := range ids {
		of = append(of, id)
	}
	names, err := a.people.name(ctx, of)
	if err != nil {
		return nil, err
	}
	found := make(map[string]string, len(ids))
	for address, id := range ids {
		if name, known := names[id]; known {
			found[address] = name
		}
	}
	return found, nil
}
