// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// identify makes sure that our account is known, and is there: a server that came
// back from a backup may have lost the account of an application service.
func (a *Adapter) identify(ctx context.Context, refused error) error {
	gone := a.client.actAs != "" && (platform.IsKind(refused, platform.Forbidden) || platform.IsKind(refused, platform.Unauthorized))
	if a.us() != "" && !gone {
		return nil
	}
	_, err := a.whoami(ctx)
	return err
}

// whoami asks which account we act as, and registers the account of an
// application service that does not exist yet.
func (a *Adapter) whoami(ctx context.Context) (string, error) {
	account, err := a.askWho(ctx, false)
	if a.client.actAs != "" && (platform.IsKind(err, platform.Forbidden) || platform.IsKind(err, platform.Unauthorized)) {
		// The account may not exist, or be another server's; or the token is of no use.
		var service string
		if service, err = a.askWho(ctx, true); err == nil {
			err = a.ofOurServer(service)
		}
		if err == nil {
			err = a.register(ctx)
		}
		if err == nil {
			account, err = a.askWho(ctx, false)
		}
	}
	if err == nil {
		err = a.ofOurServer(account)
	}
	if err != nil {
		return "", err
	}
	a.mu.Lock()
	a.account = account
	a.mu.Unlock()
	a.view.mu.Lock()
	a.view.us = account
	a.view.mu.Unlock()
	return account, nil
}

// ofOurServer refuses a token that is for another server than the Platform's.
func (a *Adapter) ofOurServer(account string) error {
	if server := serverOf(account); a.cfg.ServerName != "" && server != a.cfg.ServerName {
		return platform.Refuse(platform.Invalid, askingWho, fmt.Sprintf(
			"the token is %s's, of the server %s, and the Platform's serverName is %s: correct one of them",
			account, server, a.cfg.ServerName))
	}
	return nil
}

const askingWho = "asking whose the access token is"

// askWho is the account that the server takes us for, or the application service's own.
func (a *Adapter) askWho(ctx context.Context, asService bool) (string, error) {
	var answer struct {
		User string `json:"user_id"`
	}
	if err := a.client.do(ctx, request{
		doing: askingWho, route: "GET /account/whoami", asService: asService,
		method: http.MethodGet, path: v3("account", "whoami"), into: &answer,
	}); err != nil {
		return "", err
	}
	local, _, found := strings.Cut(strings.TrimPrefix(answer.User, "@"), ":")
	if !found || local == "" || a.client.token.Hide(answer.User) != answer.User { // the account is shown to people
		return "", platform.Refuse(platform.Unavailable, askingWho, "the answer names no account: it is not from a Matrix homeserver")
	}
	return answer.User, nil
}

// register creates the account that the application service acts as. A server
// refuses to act as an account that does not exist, and as one that the
// registration's users do not cover; which of the two, only this tells.
func (a *Adapter) register(ctx context.Context) error {
	doing := "registering the account " + a.client.actAs
	err := a.client.do(ctx, request{
		doing: doing, route: "POST /register", method: http.MethodPost, path: v3("register"), asService: true,
		body: map[string]any{"type": "m.login.application_service", "username": a.cfg.Account, "inhibit_login": true},
	})
	var said *answer
	if !errors.As(err, &said) {
		return err
	}
	switch said.code {
	case "M_USER_IN_USE": // it exists, so it is not that
		return platform.Refuse(platform.Invalid, "acting as "+a.client.actAs, fmt.Sprintf(
			"the server does not let the application service do that (%v): its registration must cover the account under namespaces.users, or spec.matrix.account must name another one", said))
	case "M_EXCLUSIVE", "M_INVALID_USERNAME":
		return platform.Refuse(platform.Invalid, doing, fmt.Sprintf(
			"%v: the application service's registration must cover the account under namespaces.users, or spec.matrix.account must name another one", said))
	default:
		return err
	}
}

// unsyncable explains why the server refuses every /sync of an application
// service: Synapse has none for the account of its sender_localpart (500
// M_UNKNOWN, deliberately not implemented). Any other error is returned as it is.
func (a *Adapter) unsyncable(ctx context.Context, err error) error {
	var said *answer
	if !a.cfg.AppService || !errors.As(err, &said) || said.status != http.StatusInternalServerError {
		return err
	}
	if sender, whoErr := a.askWho(ctx, true); whoErr != nil || sender != a.us() {
		return err
	}
	return platform.Refuse(platform.Invalid, "reading the rooms as "+a.us(), fmt.Sprintf(
		"the homeserver has no /sync for the account of an application service's sender_localpart (%v): "+
			"give the registration another sender_localpart, such as cabildo-service, so that %s is an account of its own",
		said, a.us()))
}

// observing waits until the view is whole, the server has refused another /sync, or
// the adapter was closed. What failed before is not an answer: the server may be back.
func (a *Adapter) observing(ctx context.Context) error {
	a.begin()
	select {
	case a.poke <- struct{}{}:
	default:
	}
	return a.view.observing(ctx, a.life.Done())
}
