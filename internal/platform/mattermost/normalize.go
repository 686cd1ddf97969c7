// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"fmt"
	"maps"

	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// The limits of what teams and channels can hold, in characters, and in bytes
// for a team's description (servers 9.9 and 11.1, model.Team, model.Channel and model.Post).
const (
	maxTeamName    = 64
	maxChannelName = 64
	maxDisplayName = 64
	maxDescription = 255
	maxPurpose     = 250
	maxHeader      = 1024
	maxGuidelines  = 16383
)

// limits are what a wanted space depends on: what Probe found.
type limits struct {
	account string
	offer   offer
}

// Normalize returns what a team or channel can hold of the wanted space.
func (a *Adapter) Normalize(want model.Space) (model.Space, []platform.Loss) {
	return limits{account: a.us().name, offer: a.offered()}.normalize(want)
}

func (l limits) normalize(want model.Space) (model.Space, []platform.Loss) {
	var lost platform.Losses
	out := want
	s := &out.Settings
	team := want.Parent == nil
	name(out.Address, team, &lost)
	s.DisplayName = platform.Text(s.DisplayName, maxDisplayName, platform.Runes, false, "displayName", &lost)
	if l.offer.sorts && !team {
		s.DisplayName = inCategory(s.DisplayName)
	}
	if s.DisplayName == "" {
		s.DisplayName = out.Address // neither can be without one
	}
	if team {
		s.Topic = platform.Text(s.Topic, maxDescription, platform.Bytes, false, "purpose", &lost)
	} else {
		s.Topic = platform.Text(s.Topic, maxHeader, platform.Runes, false, "purpose", &lost)
	}
	s.Guidelines = platform.Text(s.Guidelines, maxGuidelines, platform.Runes, true, "guidelines", &lost)
	s.Icon = icon(s.Icon, team, &lost)
	if s.Avatar != "" && want.Settings.Icon == "" {
		lost.Add("branding.avatarURL", "a picture on a Matrix homeserver can't be a team's icon: set icon")
	}
	s.Avatar = ""
	s.Join = join(s.Join, team, &lost)
	if s.Listed && (!team || s.Join != model.JoinAnybody) {
		lost.Add("visibility", "a team is in the list of teams when everybody can come in, and nothing else is")
	}
	s.Listed = false // see above: it is not said apart
	if s.History != model.HistoryEverything {
		if s.History == model.HistorySinceJoining {
			lost.Add("moderation.history", "newcomers can read everything that was said before")
		}
		s.History = model.HistoryEverything
	}
	if s.Guests == model.GuestsAllowed {
		lost.Unlicensed("moderation.guests", "guest accounts come with a licence, and Cabildo does not manage them: nobody comes in without an account")
	}
	s.Guests = model.GuestsForbidden
	s.Servers = model.Servers{} // there are no others
	s.Permissions = l.permissions(s.Permissions, team, &lost)
	out.Members = platform.NormalMembers(want.Members, l.account, &lost)
	moderators(out.Members, &lost)
	out.Joins, out.RolesOfPresent = true, true
	if want.Parent != nil {
		parent := *want.Parent
		out.Parent = &parent
	}
	return out, lost
}

// name refuses what can't be the name of a team or channel.
func name(address string, team bool, lost *platform.Losses) {
	switch {
	case !team && (!mm.IsValidChannelIdentifier(address) || len(address) > maxChannelName):
		lost.Fatal("spaceName", "%q can't be a channel's name: it has 1 to %d of a-z, 0-9, - and _, and begins with a letter or digit", address, maxChannelName)
	case !team:
	case !mm.IsValidTeamName(address) || len(address) > maxTeamName:
		lost.Fatal("spaceName", "%q can't be a team's name: it has 2 to %d of a-z, 0-9 and -, and begins and ends with a letter or digit", address, maxTeamName)
	case mm.IsReservedTeamName(address):
		lost.Fatal("spaceName", "%q can't be a team's name: Mattermost keeps what begins like that for itself; choose another spaceName", address)
	}
}

// join is how people come in: a team is open to everybody with an account or by
// invitation, a channel open to the team or by invitation.
func join(rule model.JoinRule, team bool, lost *platform.Losses) model.JoinRule {
	switch rule {
	case model.JoinAnybody, model.JoinParentMembers:
		switch {
		case !team:
			return model.JoinParentMembers // whoever could come in comes through the team
		case rule == model.JoinAnybody:
			return rule
		default:
			lost.Add("join", "a community is in no other space; people are added instead")
		}
	case model.JoinRequest:
		lost.Add("join", "nobody can ask to come in on Mattermost; people are added instead")
	}
	return model.JoinInvite
}

// settings are the names of the moderation settings in the API.
var settings = map[model.Action]string{
	model.ActionPost: "posting", model.ActionReact: "reactions", model.ActionMentionAll: "massMentions",
	model.ActionInvite: "invitations", model.ActionRemove: "removals", model.ActionPin: "pins", model.ActionDelete: "deletions",
}

// audiences are the words for roles in the API.
var audiences = map[model.Role]string{
	model.RoleMember: "Everybody", model.RoleModerator: "Moderators", model.RoleManager: "Managers", model.RoleOperator: "nobody",
}

// permissions are who may do what. Mattermost has no moderators, so that what
// moderators may do is up to managers. What can't be set is as the server's roles say.
func (l limits) permissions(want map[model.Action]model.Role, team bool, lost *platform.Losses) map[model.Action]model.Role {
	fixed := l.offer.by(team)
	out := maps.Clone(fixed)
	wanted := func(action model.Action) (model.Role, bool) {
		role, said := want[action]
		if !said || role < model.RoleMember {
			return fixed[action], false
		}
		if role == model.RoleModerator {
			role = model.RoleManager
		}
		return role, true
	}
	for _, action := range model.Actions() {
		role, said := wanted(action)
		if !said || action == model.ActionGovern || role == out[action] {
			continue
		}
		if l.offer.licensed && !team && moderated[action] && role <= model.RoleManager {
			out[action] = role
			continue
		}
		what := "channel"
		if team {
			what = "team"
		}
		message := fmt.Sprintf("%s is %s in every %s of this server, by its roles", settings[action], audiences[out[action]], what)
		if moderated[action] && !team {
			lost.Unlicensed("moderation."+settings[action], "%s; a licence with advanced permissions lets one channel differ", message)
		} else {
			lost.Add("moderation."+settings[action], "%s", message)
		}
	}
	if invite, remove := out[model.ActionInvite], out[model.ActionRemove]; invite != remove {
		lost.Partial("moderation.invitations", "who may add people may remove them as well, so the stricter of invitations and removals holds for both")
		out[model.ActionInvite], out[model.ActionRemove] = max(invite, remove), max(invite, remove)
	}
	return out
}

// moderators become members: whoever administers a channel or team can do all that a manager can.
func moderators(members []model.Member, lost *platform.Losses) {
	n := 0
	for i, m := range members {
		if m.Role == model.RoleModerator {
			members[i].Role = model.RoleMember
			n++
		}
	}
	if n > 0 {
		lost.Add("members.role", "Mattermost has no moderators, so whoever is declared as one (%d) is a member: an administrator of the space could do all that a manager can", n)
	}
}
