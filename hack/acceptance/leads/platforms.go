// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package leads

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// checkMatrix reads the state of every room: who has joined, and who has more power than others.
func (r *run) checkMatrix(ctx context.Context) error {
	states, err := r.States(ctx)
	if err != nil {
		return err
	}
	for i := range r.groups {
		g := &r.groups[i]
		id := spaceID(g, stack.PlatformName)
		managers, members, err := r.inRoom(states[id])
		if err != nil {
			return fmt.Errorf("reading room %s of Group %s: %w", id, g.Name, err)
		}
		r.compare("Matrix", g, managers, members)
	}
	for _, p := range r.manifests.Community.Status.Platforms {
		if p.Name != stack.PlatformName {
			continue
		}
		managers, _, err := r.inRoom(states[p.SpaceID])
		if err != nil {
			return err
		}
		var wanted []string
		for _, m := range r.manifests.Community.Spec.Members {
			if m.Role == v1alpha1.RoleManager {
				wanted = append(wanted, m.Person)
			}
		}
		wanted = r.served(wanted)
		slices.Sort(managers)
		slices.Sort(wanted)
		r.results.exact("Matrix: the community's space has the declared managers, and no one else", "the community on Matrix: managers", managers, wanted)
	}
	return nil
}

// inRoom are the local parts of those with power, and of all who have joined, without the operator.
func (r *run) inRoom(state []stack.StateEvent) (managers, members []string, err error) {
	for _, e := range state {
		switch e.Type {
		case "m.room.power_levels":
			var levels struct {
				Users   map[string]float64 `json:"users"`
				Default float64            `json:"users_default"`
			}
			if err := json.Unmarshal(e.Content, &levels); err != nil {
				return nil, nil, err
			}
			for user, level := range levels.Users {
				if user != r.Homeserver.OperatorUserID && level > levels.Default {
					managers = append(managers, local(user))
				}
			}
		case "m.room.member":
			var member struct {
				Membership string `json:"membership"`
			}
			if err := json.Unmarshal(e.Content, &member); err != nil {
				return nil, nil, err
			}
			if member.Membership == "join" && e.StateKey != r.Homeserver.OperatorUserID {
				members = append(members, local(e.StateKey))
			}
		}
	}
	return managers, members, nil
}

func local(user string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(user, "@"), ":")
	return name
}

// mostInChannel is how many members are read of one channel.
const mostInChannel = 200

// checkMattermost reads the members of every channel, and who administers it.
func (r *run) checkMattermost(ctx context.Context) error {
	admin := r.Mattermost.Admin()
	names := map[string]string{}
	name := func(id string) (string, error) {
		if names[id] == "" {
			user, _, err := admin.GetUser(ctx, id, "")
			if err != nil {
				return "", err
			}
			names[id] = user.Username
		}
		return names[id], nil
	}
	for i := range r.groups {
		g := &r.groups[i]
		id := spaceID(g, mattermost)
		all, _, err := admin.GetChannelMembers(ctx, id, 0, mostInChannel, "")
		if err != nil {
			return fmt.Errorf("reading channel %s of Group %s: %w", id, g.Name, err)
		}
		var managers, members []string
		for _, m := range all {
			if m.UserId == r.Bot.ID {
				continue
			}
			username, err := name(m.UserId)
			if err != nil {
				return err
			}
			members = append(members, username)
			if m.SchemeAdmin || strings.Contains(m.Roles, model.ChannelAdminRoleId) {
				managers = append(managers, username)
			}
		}
		r.compare("Mattermost", g, managers, members)
	}
	return nil
}
