// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/mattermost"
)

// mattermostServer is a Mattermost: one of our own, or one that somebody else runs.
type mattermostServer struct {
	url, what string
	// bot is Cabildo's account, admin a system administrator beside it.
	bot, admin mattermostAccount
	end        func()

	mu    sync.Mutex // guards what follows
	other string     // the token of another Cabildo
}

// startMattermost starts one of our own, of a release.
func startMattermost(ctx context.Context, release string) (server, error) {
	m, err := devenv.StartMattermost(ctx, devenv.MattermostOptions{Version: release, PermanentDeletion: true})
	if err != nil {
		return nil, err
	}
	s := &mattermostServer{
		url: m.URL, end: func() { _ = m.Close() },
		what: "Team Edition without a licence, with PostgreSQL, and permanent deletion allowed",
	}
	_, token, err := m.CreateBot(ctx, "cabildo")
	if err == nil {
		err = s.signIn(ctx, token, m.AdminToken)
	}
	if err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

// theirMattermost is one that runs already. The token has to be a system administrator's.
func theirMattermost(ctx context.Context, t target) (server, error) {
	s := &mattermostServer{url: t.url, what: "somebody's server", end: func() {}}
	if err := s.signIn(ctx, t.token, t.token); err != nil {
		return nil, fmt.Errorf("signing in with TOKEN: %w", err)
	}
	// What is made with Cabildo's own token is Cabildo's, so somebody else is needed for what is made by hand.
	admin, err := s.newAccount(ctx, "conformance-"+run)
	if err != nil {
		return nil, err
	}
	roles := mm.SystemUserRoleId + " " + mm.SystemAdminRoleId
	if _, err := s.bot.UpdateUserRoles(ctx, admin.id, roles); err != nil {
		return nil, fmt.Errorf("making %s an administrator: %w", admin.name, err)
	}
	bot := s.bot
	s.end = func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_, _ = bot.DeleteUser(ctx, admin.id)
	}
	s.admin = admin
	return s, nil
}

// signIn finds out whose the tokens are.
func (s *mattermostServer) signIn(ctx context.Context, bot, admin string) error {
	for token, into := range map[string]*mattermostAccount{bot: &s.bot, admin: &s.admin} {
		*into = mattermostAccount{at: s, Client4: s.client(token)}
		me, _, err := into.GetMe(ctx, "")
		if err != nil {
			return err
		}
		into.id, into.name = me.Id, me.Username
	}
	return nil
}

func (s *mattermostServer) client(token string) *mm.Client4 {
	c := mm.NewAPIv4Client(s.url)
	c.SetToken(token)
	return c
}

func (s *mattermostServer) software() string { return s.what }
func (s *mattermostServer) nobody() string   { return "nobody-has-this" }
func (s *mattermostServer) picture() string  { return "https://example.org/picture.png" }
func (s *mattermostServer) stop()            { s.end() }

// mattermostReads are the ends of paths that are posted to, and change nothing.
var mattermostReads = []string{"/names", "/ids", "/usernames", "/search"}

func (s *mattermostServer) open(ctx context.Context, as opening) (platform.Adapter, wire, error) {
	w := newHTTPWire(func(req *http.Request) traffic {
		if strings.HasSuffix(req.URL.Path, "/websocket") {
			return listening
		}
		for _, end := range mattermostReads {
			if strings.HasSuffix(req.URL.Path, end) {
				return reading
			}
		}
		if req.Method == http.MethodGet {
			return reading
		}
		return writing
	})
	cfg := platform.Config{
		Name: "conformance", OwnerID: as.ownerID, URL: s.url, Token: s.bot.AuthToken,
		Client: &http.Client{Transport: w}, ResyncInterval: time.Hour, Log: logr.Discard(),
	}
	if as.elsewhere {
		token, err := s.second(ctx)
		if err != nil {
			return nil, nil, err
		}
		cfg.Token = token
	}
	if as.token != "" {
		cfg.Token = as.token
	}
	adapter, err := mattermost.New(ctx, cfg)
	return adapter, w, err
}

// second is the token of another Cabildo.
func (s *mattermostServer) second(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.other != "" {
		return s.other, nil
	}
	bot, _, err := s.admin.CreateBot(ctx, &mm.Bot{Username: "cabildo-too-" + run})
	if err != nil {
		return "", err
	}
	if _, err := s.admin.UpdateUserRoles(ctx, bot.UserId, mm.SystemUserRoleId+" "+mm.SystemAdminRoleId); err != nil {
		return "", err
	}
	access, _, err := s.admin.CreateUserAccessToken(ctx, bot.UserId, "conformance")
	if err != nil {
		return "", err
	}
	s.other = access.Token
	return s.other, nil
}

func (s *mattermostServer) person(ctx context.Context, _ int) (person, error) {
	return s.newAccount(ctx, unique("person"))
}

// newAccount makes an account, with a token of its own: signing in with the password would take the server longer.
func (s *mattermostServer) newAccount(ctx context.Context, name string) (mattermostAccount, error) {
	p := mattermostAccount{at: s, name: name}
	user, _, err := s.admin.CreateUser(ctx, &mm.User{
		Username: name, Password: "a long Password 1!", Email: name + "@" + devenv.MattermostDomain,
	})
	if err != nil {
		return p, fmt.Errorf("making the account %s: %w", name, err)
	}
	access, _, err := s.admin.CreateUserAccessToken(ctx, user.Id, "conformance")
	if err != nil {
		return p, fmt.Errorf("making a token for %s: %w", name, err)
	}
	p.id, p.Client4 = user.Id, s.client(access.Token)
	return p, nil
}

func (s *mattermostServer) administrator() administrator { return mattermostAdministrator{s.admin} }
