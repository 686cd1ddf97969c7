// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// accountPattern is a user ID, old ones included: @local:server.
var accountPattern = regexp.MustCompile(`^@[\x21-\x39\x3b-\x7e]+:([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

const maxAccount = 255

func validAccount(account string) bool {
	return len(account) <= maxAccount && accountPattern.MatchString(account)
}

// isLocal says whether an account is on our server.
func (a *Adapter) isLocal(account string) bool { return serverOf(account) == a.cfg.ServerName }

// serverOf is the server of an account.
func serverOf(account string) string {
	_, server, _ := strings.Cut(account, ":")
	return server
}

// addMember invites an account, and joins it where we may act for it. Servers
// refuse to invite who is in the room, so the view is asked first.
func (w *write) addMember(ctx context.Context, m model.Member) error {
	doing := "adding " + m.Account + " to " + w.id
	state := w.is.members[m.Account].state
	onBehalf := w.cfg.AppService && w.isLocal(m.Account)
	switch {
	case !validAccount(m.Account):
		return platform.Refuse(platform.Invalid, doing, "it is not a Matrix user ID")
	case m.Account == w.us, state == present, state == invited && !onBehalf:
		return nil
	case state == banned:
		return platform.Refuse(platform.Conflict, doing, "the account is banned there, and stays so until a person unbans it")
	}
	if state != invited && (!onBehalf || w.is.join.rule != "public") {
		if err := w.post(ctx, doing, "POST /rooms/{room}/invite", "invite", map[string]string{"user_id": m.Account}); err != nil {
			return ofOneAccount(err)
		}
		if !onBehalf {
			w.view.expectMember(w.id, m.Account, invited, present)
			return nil
		}
	}
	if err := w.client.do(ctx, request{
		doing: doing, route: "POST /rooms/{room}/join", method: http.MethodPost,
		path: v3("rooms", w.id, "join"), query: url.Values{keyActAs: {m.Account}},
	}); err != nil {
		return ofOneAccount(err)
	}
	w.view.expectMember(w.id, m.Account, present)
	return nil
}

// removeMember removes an account, or withdraws its invitation.
func (w *write) removeMember(ctx context.Context, account string) error {
	doing := "removing " + account + " from " + w.id
	if account == w.us {
		return platform.Refuse(platform.Invalid, doing, "the operator doesn't remove itself")
	}
	switch w.is.members[account].state {
	case present, invited, asking:
	default:
		return nil
	}
	if err := w.post(ctx, doing, "POST /rooms/{room}/kick", "kick", map[string]string{"user_id": account}); err != nil {
		return ofOneAccount(err)
	}
	w.view.expectMember(w.id, account, removed, left, banned)
	return nil
}

// ofOneAccount is the error of a step for one account. These steps can be
// repeated, and a server that breaks on one account (Dendrite answers a refused
// join with a 500) is no reason to leave the others alone.
func ofOneAccount(err error) error {
	var said *answer
	var typed *platform.Error
	if errors.As(err, &said) && said.status == http.StatusInternalServerError && errors.As(err, &typed) {
		return &platform.Error{Kind: platform.Conflict, Doing: typed.Doing, Err: said}
	}
	return err
}

// people remembers which accounts exist.
type people struct {
	mu     sync.Mutex // guards what follows
	exists map[string]time.Time
	absent map[string]time.Time
}

const (
	// existsFor is how long an account that was found is not looked for again.
	existsFor = time.Hour
	// absentFor is the same for one that was not: it may be made any time.
	absentFor = time.Minute
	// lookups is how many accounts are looked for at once.
	lookups = 4
)

func newPeople() *people {
	return &people{exists: map[string]time.Time{}, absent: map[string]time.Time{}}
}

func (p *people) known(account string) (exists, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, there := p.exists[account]; there && time.Since(at) < existsFor {
		return true, true
	}
	if at, there := p.absent[account]; there && time.Since(at) < absentFor {
		return false, true
	}
	return false, false
}

func (p *people) note(account string, exists bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.exists, account)
	delete(p.absent, account)
	if exists {
		p.exists[account] = time.Now()
	} else {
		p.absent[account] = time.Now()
	}
}

// Missing returns the accounts that can't be: those that are no user IDs, and
// those of our own server that it doesn't know. Whom we saw in a room exists,
// and so does, as far as anybody can tell, everybody on another server.
func (a *Adapter) Missing(ctx context.Context, accounts []string) ([]string, error) {
	absent := map[string]bool{}
	var ask []string
	for _, account := range accounts {
		switch exists, known := a.people.known(account); {
		case !validAccount(account):
			absent[account] = true
		case !a.isLocal(account), a.view.hasSeen(account), exists:
		case known:
			absent[account] = true
		default:
			ask = append(ask, account)
		}
	}
	found, err := a.lookUp(ctx, ask)
	if err != nil {
		return nil, err
	}
	for account, exists := range found {
		a.people.note(account, exists)
		if !exists {
			absent[account] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(accounts), func(account string) bool { return !absent[account] }), nil
}

// AccountsByEmail is what Matrix has not: addresses are looked up on identity servers, which are not the homeserver's.
func (a *Adapter) AccountsByEmail(context.Context, []string) (map[string]string, error) {
	return nil, platform.Refuse(platform.Invalid, "looking for accounts by e-mail address", "the client API tells nobody whose an e-mail address is")
}

// Stable is the account itself: a Matrix ID is never changed.
func (a *Adapter) Stable(account string) string { return account }

// lookUp asks for the profiles of accounts, a few at a time. The first failure
// ends it: an account that can't be asked for is not one that is missing.
func (a *Adapter) lookUp(ctx context.Context, accounts []string) (map[string]bool, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		mu    sync.Mutex
		found = map[string]bool{}
		tasks sync.WaitGroup
		queue = make(chan string, len(accounts))
	)
	for _, account := range accounts {
		queue <- account
	}
	close(queue)
	for range min(lookups, len(accounts)) {
		tasks.Go(func() {
			for account := range queue {
				if ctx.Err() != nil {
					return
				}
				err := a.client.do(ctx, request{
					doing: "looking for the account " + account, route: "GET /profile/{account}",
					method: http.MethodGet, path: v3("profile", account),
				})
				if err != nil && !platform.IsKind(err, platform.NotFound) && !platform.IsKind(err, platform.Forbidden) {
					cancel(err) // the first one stays the cause
					return
				}
				mu.Lock()
				// A server that shows no profile to strangers says nothing about the account: the invitation will tell.
				found[account] = !platform.IsKind(err, platform.NotFound)
				mu.Unlock()
			}
		})
	}
	tasks.Wait()
	err := context.Cause(ctx)
	if typed := (*platform.Error)(nil); err != nil && !errors.As(err, &typed) {
		err = &platform.Error{Kind: platform.Unavailable, Doing: "looking for accounts", Err: err}
	}
	return found, err
}

// hasSeen says whether an account was seen to do something.
func (v *view) hasSeen(account string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, seen := v.accounts[account]
	return seen
}
