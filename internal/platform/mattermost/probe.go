// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"fmt"
	"slices"
	"strings"

	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// offer is what the server can do.
type offer struct {
	// version of the server that this was found out of.
	version string
	// licensed says that who may do what can be set for each channel.
	licensed bool
	// deletes says that channels and teams can be removed for good.
	deletes bool
	// policies says that access policies of channels are in force.
	policies bool
	// sorts says that the first part of a channel's display name is the category of the sidebar that it is shown in.
	sorts bool
	// verifies says that nobody gets in before their e-mail address is verified.
	verifies bool
	// fixed is who may do what where that can't be set for each space.
	fixed map[model.Action]model.Role
	// channels is the same in channels, whose administrators can do less than a team's; nil where it is the same.
	channels map[model.Action]model.Role
}

// by is who may do what in teams or channels by the server's roles.
func (o offer) by(team bool) map[model.Action]model.Role {
	if team || o.channels == nil {
		return o.fixed
	}
	return o.channels
}

// Probe asks the server who we are, and when its version is new what it can
// do, and begins to follow it.
func (a *Adapter) Probe(ctx context.Context) (platform.Info, error) {
	version, err := a.whoami(ctx)
	if err != nil {
		return platform.Info{}, err
	}
	a.mu.Lock()
	known := a.offer
	a.mu.Unlock()
	if known == nil || known.version != version {
		if known, err = a.ask(ctx, version); err != nil {
			return platform.Info{}, err
		}
		a.mu.Lock()
		a.offer = known
		a.mu.Unlock()
	}
	a.begin()
	return platform.Info{
		Server:       a.client.token.Hide(strings.TrimSpace("Mattermost " + shortVersion(version))),
		Account:      a.us().name,
		Nested:       true,
		Capabilities: known.capabilities(),
	}, nil
}

// shortVersion is the release in X-Version-Id, such as 9.9.0 in 9.9.0.9.9.0.hash.false.
func shortVersion(id string) string {
	parts := strings.SplitN(id, ".", 4)
	return strings.Join(parts[:min(len(parts), 3)], ".")
}

// identify returns our account, and asks for it when it is not known yet.
func (a *Adapter) identify(ctx context.Context) (account, error) {
	if us := a.us(); us.id != "" {
		return us, nil
	}
	_, err := a.whoami(ctx)
	return a.us(), err
}

// whoami asks whose the token is. The answer tells the server's version as well.
func (a *Adapter) whoami(ctx context.Context) (version string, err error) {
	const doing = "asking whose the access token is"
	me, err := get(ctx, a.client, read("GET /users/me", doing),
		func(ctx context.Context, api *mm.Client4) (*mm.User, *mm.Response, error) {
			me, resp, err := api.GetMe(ctx, "")
			if resp != nil {
				version = resp.ServerVersion
			}
			return me, resp, err
		})
	if err != nil {
		return "", err
	}
	switch {
	case !mm.IsValidId(me.Id) || me.Username == "" || a.client.token.Hide(me.Username) != me.Username: // the account is shown to people
		return "", platform.Refuse(platform.Unavailable, doing, "the answer names no account: it is not from a Mattermost server")
	case !slices.Contains(strings.Fields(me.Roles), mm.SystemAdminRoleId):
		return "", platform.Refuse(platform.Forbidden, doing, fmt.Sprintf(
			"the token is %s's, who is not a system administrator: only one can govern teams and channels that it is not in. Give the bot account that role",
			me.Username))
	}
	a.mu.Lock()
	a.account = account{id: me.Id, name: me.Username, email: me.Email}
	a.mu.Unlock()
	return version, nil
}

// ask asks for the configuration, the licence, and the permissions of the built-in roles.
func (a *Adapter) ask(ctx context.Context, version string) (*offer, error) {
	config, err := get(ctx, a.client, read("GET /config", "reading what the server allows"),
		func(ctx context.Context, api *mm.Client4) (*mm.Config, *mm.Response, error) {
			return api.GetConfig(ctx)
		})
	if err != nil {
		return nil, err
	}
	licence, err := get(ctx, a.client, read("GET /license/client", "reading the server's licence"),
		func(ctx context.Context, api *mm.Client4) (map[string]string, *mm.Response, error) {
			return api.GetOldClientLicense(ctx, "")
		})
	if err != nil {
		return nil, err
	}
	names := []string{mm.ChannelUserRoleId, mm.ChannelAdminRoleId, mm.TeamUserRoleId, mm.TeamAdminRoleId}
	roles, err := get(ctx, a.client, read("POST /roles/names", "reading what the roles may do"),
		func(ctx context.Context, api *mm.Client4) ([]*mm.Role, *mm.Response, error) {
			return api.GetRolesByNames(ctx, names)
		})
	if err != nil {
		return nil, err
	}
	return &offer{
		version: version,
		// The licence's feature Advanced Permissions is told as CustomPermissionsSchemes (model.License, utils.GetClientLicense).
		licensed: licence["IsLicensed"] == "true" && licence["CustomPermissionsSchemes"] == "true",
		policies: policies(config, licence),
		sorts:    enabled(config.ExperimentalSettings.ExperimentalChannelCategorySorting),
		deletes:  enabled(config.ServiceSettings.EnableAPIChannelDeletion) && enabled(config.ServiceSettings.EnableAPITeamDeletion),
		verifies: enabled(config.EmailSettings.RequireEmailVerification),
		fixed:    fixedBy(roles, mm.ChannelAdminRoleId, mm.TeamAdminRoleId),
		channels: fixedBy(roles, mm.ChannelAdminRoleId),
	}, nil
}

// enabled says that a setting is on. One that the server does not have is off.
func enabled(setting *bool) bool { return setting != nil && *setting }

// builtIn is who may do what on a server whose roles were not changed.
var builtIn = map[model.Action]model.Role{
	model.ActionPost: model.RoleMember, model.ActionReact: model.RoleMember, model.ActionMentionAll: model.RoleMember,
	model.ActionInvite: model.RoleMember, model.ActionRemove: model.RoleMember, model.ActionPin: model.RoleMember,
	model.ActionDelete: model.RoleManager, model.ActionGovern: model.RoleOperator,
}

// needs are the permissions of which one lets somebody do a thing in a channel.
// Who can write can pin: there is no permission of its own for it.
var needs = map[model.Action][]string{
	model.ActionPost:       {mm.PermissionCreatePost.Id},
	model.ActionReact:      {mm.PermissionAddReaction.Id},
	model.ActionMentionAll: {mm.PermissionUseChannelMentions.Id},
	model.ActionInvite:     {mm.PermissionManagePublicChannelMembers.Id, mm.PermissionManagePrivateChannelMembers.Id},
	model.ActionRemove:     {mm.PermissionManagePublicChannelMembers.Id, mm.PermissionManagePrivateChannelMembers.Id},
	model.ActionPin:        {mm.PermissionCreatePost.Id},
	model.ActionDelete:     {mm.PermissionDeleteOthersPosts.Id},
}

// fixedBy says who may do what by the permissions of the server's roles, which
// hold in every space; managers are the roles that a manager has there. Who administers a channel does not administer its team.
func fixedBy(roles []*mm.Role, managers ...string) map[model.Action]model.Role {
	may := map[string][]string{}
	for _, r := range roles {
		may[r.Name] = r.Permissions
	}
	fixed := map[model.Action]model.Role{model.ActionGovern: model.RoleOperator}
	for action, permissions := range needs {
		can := func(names ...string) bool {
			return slices.ContainsFunc(names, func(name string) bool {
				return slices.ContainsFunc(permissions, func(p string) bool { return slices.Contains(may[name], p) })
			})
		}
		switch {
		case can(mm.ChannelUserRoleId, mm.TeamUserRoleId):
			fixed[action] = model.RoleMember
		case can(managers...):
			fixed[action] = model.RoleManager
		default:
			fixed[action] = model.RoleOperator
		}
	}
	return fixed
}

func (o *offer) capabilities() map[platform.Capability]platform.Support {
	supported := platform.Support{State: platform.Supported}
	unsupported := func(reason string) platform.Support {
		return platform.Support{State: platform.Unsupported, Reason: reason}
	}
	moderate, remove := supported, supported
	if !o.licensed {
		moderate = platform.Support{
			State:  platform.Unlicensed,
			Reason: "who may do what in one channel is set with a licence that has advanced permissions; without it the server's roles hold everywhere",
		}
	}
	if !o.deletes {
		remove = unsupported("the server's settings EnableAPIChannelDeletion and EnableAPITeamDeletion are off, so spaces are archived instead")
	}
	byEmail := supported
	if !o.verifies {
		byEmail.Reason = "the server verifies no addresses (EmailSettings.RequireEmailVerification is off), so only accounts that an identity provider lets in are found"
	}
	return map[platform.Capability]platform.Support{
		platform.CanJoinOnBehalf:   supported,
		platform.CanJoinByRequest:  unsupported("nobody can ask to come into a channel; people are added"),
		platform.CanJoinFromParent: supported,
		platform.CanModerate:       moderate,
		platform.CanArchive:        supported,
		platform.CanDelete:         remove,
		platform.CanFederate:       unsupported("people of other servers have no accounts on this one"),
		platform.CanBan:            unsupported("who was removed can be added again by whoever may add people, and comes back into what is open"),
		platform.CanFindByEmail:    byEmail,
		platform.CanRename:         supported,
	}
}
