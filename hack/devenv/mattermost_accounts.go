// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"
)

// A MattermostAccount is a person on the server, ready to use.
type MattermostAccount struct {
	ID       string
	Username string
	Token    string
	Email    string
}

// MattermostDomain is that of everybody's email address.
const MattermostDomain = "cabildo.test"

// Client is a client of the server with a token.
func (m *Mattermost) Client(token string) *model.Client4 {
	client := model.NewAPIv4Client(m.URL)
	client.SetToken(token)
	return client
}

// Admin is a client of the server with the rights of a system administrator.
func (m *Mattermost) Admin() *model.Client4 { return m.Client(m.AdminToken) }

// makeAdministrator makes the first account, which the server gives all rights.
func (m *Mattermost) makeAdministrator(ctx context.Context) error {
	admin, err := m.create(ctx, m.Client(""), "devenv-admin", newSecret(), "")
	if err != nil {
		return err
	}
	m.AdminToken = admin.Token
	return nil
}

// CreatePerson makes an ordinary account with a name, the first word of which
// is the given name. An account that exists is logged in to with the password
// and keeps the name that it has.
func (m *Mattermost) CreatePerson(ctx context.Context, username, password, displayName string) (MattermostAccount, error) {
	account, err := m.create(ctx, m.Admin(), username, password, displayName)
	var refused *model.AppError
	if errors.As(err, &refused) && strings.HasSuffix(refused.Id, "_exists.app_error") {
		return m.Login(ctx, username, password)
	}
	return account, err
}

func (m *Mattermost) create(ctx context.Context, as *model.Client4, username, password, displayName string) (MattermostAccount, error) {
	given, family, _ := strings.Cut(displayName, " ")
	_, _, err := as.CreateUser(ctx, &model.User{
		Username:  username,
		Password:  password,
		Email:     username + "@" + MattermostDomain,
		FirstName: given,
		LastName:  family,
	})
	var refused *model.AppError
	if errors.As(err, &refused) && refused.Id == "api.user.create_user.user_limits.exceeded" {
		return MattermostAccount{}, fmt.Errorf("creating user %s: Mattermost %s takes no more accounts without a licence (11.1: 250); make takes MATTERMOST=%s: %w",
			username, cmp.Or(m.options.Version, MattermostVersion()), MattermostOldest, err)
	}
	if err != nil {
		return MattermostAccount{}, fmt.Errorf("creating user %s: %w", username, err)
	}
	return m.Login(ctx, username, password)
}

// Login logs in with a password, as a new session.
func (m *Mattermost) Login(ctx context.Context, username, password string) (MattermostAccount, error) {
	client := m.Client("")
	user, _, err := client.Login(ctx, username, password)
	if err != nil {
		return MattermostAccount{}, fmt.Errorf("logging in as %s: %w", username, err)
	}
	return MattermostAccount{ID: user.Id, Username: user.Username, Token: client.AuthToken, Email: user.Email}, nil
}

// CreateBot makes a bot that is a system administrator, as the operator's
// account is, and returns its user ID and an access token.
func (m *Mattermost) CreateBot(ctx context.Context, name string) (userID, token string, err error) {
	admin := m.Admin()
	bot, _, err := admin.CreateBot(ctx, &model.Bot{Username: name, DisplayName: name, Description: "Looks after communities."})
	if err != nil {
		return "", "", fmt.Errorf("creating bot %s: %w", name, err)
	}
	roles := model.SystemUserRoleId + " " + model.SystemAdminRoleId
	if _, err := admin.UpdateUserRoles(ctx, bot.UserId, roles); err != nil {
		return "", "", fmt.Errorf("making bot %s an administrator: %w", name, err)
	}
	access, _, err := admin.CreateUserAccessToken(ctx, bot.UserId, "cabildo")
	if err != nil {
		return "", "", fmt.Errorf("making a token for bot %s: %w", name, err)
	}
	return bot.UserId, access.Token, nil
}
