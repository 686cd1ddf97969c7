// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"

	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// moderated are the actions that a licence lets one channel set, and the words
// for them in channel moderations (servers 9.9 and 11.1, model.ChannelModeratedPermissions).
var moderated = map[model.Action]bool{
	model.ActionPost: true, model.ActionReact: true, model.ActionMentionAll: true, model.ActionInvite: true, model.ActionRemove: true,
}

var moderations = map[string][]model.Action{
	"create_post":          {model.ActionPost},
	"create_reactions":     {model.ActionReact},
	"use_channel_mentions": {model.ActionMentionAll},
	"manage_members":       {model.ActionInvite, model.ActionRemove},
}

// readModeration puts who may do what in one channel over what holds everywhere.
func (a *Adapter) readModeration(ctx context.Context, s *space, into map[model.Action]model.Role) error {
	is, err := get(ctx, a.client, read("GET /channels/{channel}/moderations", "reading the moderation of channel "+s.id),
		func(ctx context.Context, api *mm.Client4) ([]*mm.ChannelModeration, *mm.Response, error) {
			return api.GetChannelModerations(ctx, s.id, "")
		})
	if err != nil {
		return err
	}
	for _, one := range is {
		if one.Roles == nil || one.Roles.Members == nil {
			continue
		}
		for _, action := range moderations[one.Name] {
			into[action] = model.RoleManager
			if one.Roles.Members.Value {
				into[action] = model.RoleMember
			}
		}
	}
	return nil
}

// setModeration writes who may do what in one channel. Administrators of the
// channel may do all of it, so that a thing is for members or for managers.
func (w *writing) setModeration(ctx context.Context, permissions map[model.Action]model.Role) error {
	if !w.offered().licensed || w.is.isTeam() {
		return platform.Refuse(platform.NotSupported, "setting who may do what in "+w.is.id, "this server has one set of permissions for all spaces")
	}
	var patch []*mm.ChannelModerationPatch
	for name, actions := range moderations {
		members := permissions[actions[0]] == model.RoleMember
		word := name
		patch = append(patch, &mm.ChannelModerationPatch{Name: &word, Roles: &mm.ChannelModeratedRolesPatch{Members: &members}})
	}
	_, err := get(ctx, w.client, write("PUT /channels/{channel}/moderations/patch", "setting who may do what in channel "+w.is.id),
		func(ctx context.Context, api *mm.Client4) ([]*mm.ChannelModeration, *mm.Response, error) {
			return api.PatchChannelModerations(ctx, w.is.id, patch)
		})
	return err
}
