// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"maps"
	"slices"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// Diff returns the operations that make the seen space the wanted one, in the
// order in which they are to be applied: whose it is, what is taken away, how
// it is set, where it is found, and what is given. The wanted space is in the
// platform's normal form. A nil seen space is one that has to be made.
func Diff(want model.Space, seen *model.Observed, parentID string) []Operation {
	op := func(verb Verb) Operation {
		o := Operation{Verb: verb, Space: want, ParentID: parentID}
		if seen != nil {
			o.SpaceID = seen.ID
		}
		return o
	}
	if seen == nil {
		return []Operation{op(Create)}
	}

	var ops []Operation
	if seen.Mark == nil || seen.Unmarked || *seen.Mark != want.Mark {
		ops = append(ops, op(Mark))
	}
	if seen.Archived {
		ops = append(ops, op(Restore))
	}
	lowered, raised := roleChanges(want, seen)
	ops = append(ops, removals(want, seen, op)...)
	if len(lowered) > 0 {
		o := op(SetRoles)
		o.Members, o.Lowers = lowered, true
		ops = append(ops, o)
	}
	for _, field := range changedFields(want.Settings, seen) {
		o := op(Set)
		o.Field = field
		ops = append(ops, o)
	}
	if want.Address != seen.Address {
		ops = append(ops, op(SetAddress))
	}
	if want.Parent != nil && !seen.Linked {
		ops = append(ops, op(Link))
	}
	ops = append(ops, additions(want, seen, op)...)
	if len(raised) > 0 {
		o := op(SetRoles)
		o.Members = raised
		ops = append(ops, o)
	}
	return ops
}

// changedFields are the settings that differ, in the order in which they are
// set: what closes the space comes first.
func changedFields(want model.Settings, seen *model.Observed) []Field {
	is := seen.Settings
	differs := []struct {
		field  Field
		differ bool
	}{
		{FieldPermissions, !maps.Equal(want.Permissions, is.Permissions)},
		{FieldJoin, want.Join != is.Join},
		{FieldGuests, want.Guests != is.Guests},
		{FieldServers, !equalServers(want.Servers, is.Servers)},
		{FieldHistory, want.History != is.History},
		{FieldListed, want.Listed != is.Listed},
		{FieldDisplayName, want.DisplayName != is.DisplayName},
		{FieldTopic, want.Topic != is.Topic},
		{FieldAvatar, want.Avatar != is.Avatar},
		{FieldIcon, model.Digest(want.Icon) != seen.IconDigest},
		{FieldGuidelines, model.Digest(want.Guidelines) != seen.GuidelinesDigest},
	}
	var fields []Field
	for _, d := range differs {
		if d.differ {
			fields = append(fields, d.field)
		}
	}
	return fields
}

func equalServers(a, b model.Servers) bool {
	return a.OwnOnly == b.OwnOnly && a.Other == b.Other && slices.Equal(a.Blocked, b.Blocked)
}

// removals are the accounts that are in the space and not declared, sorted.
// Diff gives the exact list; the Additive filter drops it again.
func removals(want model.Space, seen *model.Observed, op func(Verb) Operation) []Operation {
	declared := map[string]bool{}
	for _, m := range want.Members {
		declared[m.Account] = true
	}
	var ops []Operation
	for _, account := range slices.Sorted(maps.Keys(seen.Members)) {
		state := seen.Members[account]
		if declared[account] || (state != model.Present && state != model.Invited) {
			continue
		}
		o := op(RemoveMember)
		o.Members = []model.Member{{Account: account}}
		ops = append(ops, o)
	}
	return ops
}

// additions are the declared accounts that are not in the space and may be
// added: who left by their own choice, or is banned, is left out.
func additions(want model.Space, seen *model.Observed, op func(Verb) Operation) []Operation {
	var ops []Operation
	for _, m := range want.Members {
		switch state, known := seen.Members[m.Account]; {
		case !known, state == model.Asking, state == model.Removed:
		case state == model.Left && m.Readd:
		case state == model.Invited && want.Joins:
		default:
			continue
		}
		o := op(AddMember)
		o.Members = []model.Member{m}
		ops = append(ops, o)
	}
	return ops
}

// willBeIn says that a declared account is in the space when the additions are done.
func willBeIn(m model.Member, seen *model.Observed) bool {
	switch seen.Members[m.Account] {
	case model.Banned:
		return false
	case model.Left:
		return m.Readd
	default:
		return true
	}
}

// roleChanges are the accounts whose role is to be lowered and raised, each
// sorted by account. Roles are exact in every membership mode: nobody has more
// power than a declaration gives them.
func roleChanges(want model.Space, seen *model.Observed) (lowered, raised []model.Member) {
	wanted := map[string]model.Role{}
	for _, m := range want.Members {
		if m.Role > model.RoleMember && (!want.RolesOfPresent || willBeIn(m, seen)) {
			wanted[m.Account] = m.Role
		}
	}
	accounts := maps.Clone(wanted)
	maps.Copy(accounts, seen.Roles)
	for _, account := range slices.Sorted(maps.Keys(accounts)) {
		to, from := wanted[account], seen.Roles[account]
		switch change := (model.Member{Account: account, Role: to}); {
		case to == from:
		case from == model.RoleUnknown || to < from:
			lowered = append(lowered, change)
		default:
			raised = append(raised, change)
		}
	}
	return lowered, raised
}
