// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"maps"
	"regexp"
	"slices"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// The limits of what a room can hold. An event has at most 64 KiB, an alias
// 255 bytes; the rest is what clients still show.
const (
	maxName       = 255
	maxTopic      = 4096
	maxAlias      = 255
	maxGuidelines = 48000
)

// limits are what a wanted space depends on: the server and what Probe found.
type limits struct {
	server  string
	account string
	// version is the room version that new rooms get; 0 while it is not known.
	version int
	// noKnock says that nobody can ask to come in.
	noKnock bool
	// joins says that we may join the server's accounts on their behalf.
	joins bool
}

// Normalize returns what a room can hold of the wanted space.
func (a *Adapter) Normalize(want model.Space) (model.Space, []platform.Loss) {
	a.mu.Lock()
	l := limits{server: a.cfg.ServerName, account: a.account, joins: a.cfg.AppService}
	if a.offer != nil {
		l.version, l.noKnock = a.offer.version, a.offer.noKnock
	}
	a.mu.Unlock()
	return l.normalize(want)
}

func (l limits) normalize(want model.Space) (model.Space, []platform.Loss) {
	var lost platform.Losses
	out := want
	s := &out.Settings
	l.address(out.Address, &lost)
	s.DisplayName = platform.Text(s.DisplayName, maxName, platform.Bytes, false, "displayName", &lost)
	s.Topic = platform.Text(s.Topic, maxTopic, platform.Bytes, true, "purpose", &lost)
	s.Guidelines = platform.Text(s.Guidelines, maxGuidelines, platform.Bytes, true, "guidelines", &lost)
	if s.Avatar != "" && !avatarPattern.MatchString(s.Avatar) {
		lost.Add("branding.avatarURL", "a Matrix room takes an mxc:// URI of a picture on its server, so no picture is set")
		s.Avatar = ""
	}
	if s.Icon != "" && s.Avatar == "" {
		lost.Add("branding.icon", "a Matrix room takes no picture itself: upload it, and set avatarURL")
	}
	s.Icon = ""
	s.Join = l.join(want, &lost)
	if s.History != model.HistorySinceJoining {
		s.History = model.HistoryEverything
	}
	if s.Guests != model.GuestsAllowed {
		s.Guests = model.GuestsForbidden
	}
	s.Servers = l.servers(s.Servers, &lost)
	s.Permissions = permissions(s.Permissions, &lost)
	out.Members = platform.NormalMembers(want.Members, l.account, &lost)
	// An invitation of another server's account is all that can be done, and would be half done for ever.
	out.Joins = l.joins && !slices.ContainsFunc(out.Members, func(m model.Member) bool { return serverOf(m.Account) != l.server })
	if want.Parent != nil {
		parent := *want.Parent
		out.Parent = &parent
	}
	return out, lost
}

var (
	addressPattern = regexp.MustCompile(`^[a-z0-9._=/-]*$`)
	avatarPattern  = regexp.MustCompile(`^mxc://[A-Za-z0-9.:\[\]-]+/[A-Za-z0-9_-]+$`)
)

func (l limits) address(address string, lost *platform.Losses) {
	if !addressPattern.MatchString(address) {
		lost.Fatal("spaceName", "%q can't be an address: only a-z, 0-9 and . _ = / - can", address)
	}
	if most := maxAlias - len("#:") - len(l.server); len(address) > most {
		lost.Fatal("spaceName", "the name has %d bytes, and an address on %s has room for %d", len(address), l.server, most)
	}
}

func (l limits) join(want model.Space, lost *platform.Losses) model.JoinRule {
	needs := func(version int) bool { return l.version == 0 || l.version >= version }
	switch rule := want.Settings.Join; rule {
	case model.JoinAnybody, model.JoinInvite:
		return rule
	case model.JoinRequest:
		switch {
		case needs(knockVersion) && !l.noKnock:
			return rule
		case needs(knockVersion):
			lost.Add("join", "%s; people are invited instead", noWayToAsk)
			return model.JoinInvite
		}
		lost.Add("join", "the server's rooms (version %d) can't be asked to join; people are invited instead", l.version)
	case model.JoinParentMembers:
		switch {
		case want.Parent == nil:
			lost.Add("join", "a community is in no other space; people are invited instead")
		case needs(restrictedVersion):
			return rule
		default:
			lost.Add("join", "the server's rooms (version %d) can't be open to the community's members; people are invited instead", l.version)
		}
	}
	return model.JoinInvite
}

func (l limits) servers(s model.Servers, lost *platform.Losses) model.Servers {
	out := model.Servers{OwnOnly: s.OwnOnly}
	for _, glob := range normalBlocked(s.Blocked) {
		if globMatches(glob, hostOf(l.server)) {
			lost.Partial("moderation.blockedServers", "%q would cut off our own server %s and is left out", glob, l.server)
			continue
		}
		out.Blocked = append(out.Blocked, glob)
	}
	return out
}

// builtIn is who may do what where nothing is declared.
var builtIn = map[model.Action]model.Role{
	model.ActionPost:       model.RoleMember,
	model.ActionReact:      model.RoleMember,
	model.ActionMentionAll: model.RoleMember,
	model.ActionInvite:     model.RoleMember,
	model.ActionRemove:     model.RoleModerator,
	model.ActionPin:        model.RoleMember,
	model.ActionDelete:     model.RoleModerator,
	model.ActionGovern:     model.RoleOperator,
}

// permissions has every action, and Govern for the operator alone.
func permissions(want map[model.Action]model.Role, lost *platform.Losses) map[model.Action]model.Role {
	out := maps.Clone(builtIn)
	for _, action := range model.Actions() {
		role, said := want[action]
		switch {
		case !said || role < model.RoleMember || role > model.RoleOperator:
		case action == model.ActionGovern && role != model.RoleOperator:
			lost.Add("moderation", "governing a space is the operator's alone")
		default:
			out[action] = role
		}
	}
	return out
}
