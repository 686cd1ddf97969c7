// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// Ledger says of each setting in force what is wanted on a platform, and what
// of it was read back. normal is what the platform can hold of it, and seen
// how the space is; nil where nobody could look. Only what was read back is Enforced.
func Ledger(wanted v1alpha1.EffectiveSettings, normal model.Settings, seen *model.Settings, losses []platform.Loss) []v1alpha1.LedgerEntry {
	if wanted.Moderation == nil {
		return nil
	}
	m := wanted.Moderation
	var entries []v1alpha1.LedgerEntry
	// told says that what is seen is told in the words of the API.
	add := func(setting, loss, value string, told bool, is func(model.Settings) string) {
		e := v1alpha1.LedgerEntry{Setting: setting, Wanted: value, State: v1alpha1.SettingEnforced}
		lost := slices.IndexFunc(losses, func(l platform.Loss) bool { return l.Setting == loss })
		switch {
		case seen == nil:
			e.State, e.Reason = v1alpha1.SettingUnknown, "it could not be read back"
		case is(*seen) != is(normal):
			e.State, e.Seen, e.Reason = v1alpha1.SettingDrifted, cmp.Or(is(*seen), "none"), "it was read back as something else"
		case lost >= 0:
			l := losses[lost]
			e.State, e.Reason = v1alpha1.SettingState(cmp.Or(l.State, platform.Unsupported)), l.Message
			if got := is(*seen); got != value {
				e.Seen = cmp.Or(got, "none")
			}
		case told && is(*seen) != value: // the platform has no word for the wanted value, and holds another one
			e.State, e.Seen, e.Reason = v1alpha1.SettingPartial, is(*seen), "the platform holds it as "+is(*seen)
			if e.Seen == "" {
				e.State, e.Reason = v1alpha1.SettingUnsupported, "there is nothing of the kind on this platform"
			}
		}
		if e.Wanted == "" && e.State == v1alpha1.SettingEnforced { // nothing is wanted, and nothing is there
			return
		}
		entries = append(entries, e)
	}
	permission := func(setting string, value v1alpha1.Audience, action model.Action) {
		add(setting, "moderation."+setting, string(value), true, func(s model.Settings) string { return audience(s.Permissions, action) })
	}
	permission("posting", m.Posting, model.ActionPost)
	permission("reactions", m.Reactions, model.ActionReact)
	permission("massMentions", m.MassMentions, model.ActionMentionAll)
	permission("invitations", m.Invitations, model.ActionInvite)
	permission("removals", m.Removals, model.ActionRemove)
	permission("pins", m.Pins, model.ActionPin)
	permission("deletions", m.Deletions, model.ActionDelete)
	add("guests", "moderation.guests", string(m.Guests), true, func(s model.Settings) string { return string(s.Guests) })
	add("history", "moderation.history", string(m.History), true, func(s model.Settings) string { return string(s.History) })
	add("blockedServers", "moderation.blockedServers", strings.Join(slices.Sorted(slices.Values(m.BlockedServers)), ", "), true,
		func(s model.Settings) string { return strings.Join(s.Servers.Blocked, ", ") })
	add("join", "join", string(wanted.Join), false, func(s model.Settings) string { return string(s.Join) })
	add("visibility", "visibility", string(wanted.Visibility), false, visibility)
	return entries
}

// audience says in the words of the API who may do something.
func audience(permissions map[model.Action]model.Role, action model.Action) string {
	role, said := permissions[action]
	switch {
	case !said:
		return ""
	case role == model.RoleMember:
		return string(v1alpha1.AudienceMembers)
	case role == model.RoleModerator:
		return string(v1alpha1.AudienceModerators)
	case role == model.RoleManager:
		return string(v1alpha1.AudienceManagers)
	default:
		return role.String()
	}
}

// visibility says what of a space's settings comes of its visibility.
func visibility(s model.Settings) string {
	switch {
	case s.Servers.Other:
		return "other rules for servers"
	case s.Listed && s.Servers.OwnOnly:
		return "listed, for the own server"
	case s.Listed:
		return "listed"
	case s.Servers.OwnOnly:
		return "for the own server"
	default:
		return "not listed"
	}
}
