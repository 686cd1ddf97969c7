// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package model

// Role is what an account is in a space. A higher value has more power.
type Role int8

// The roles, in order. Operator is Cabildo itself, above all others.
const (
	// RoleUnknown is a power that no role has. It is only ever seen, never wanted.
	RoleUnknown Role = iota - 1
	RoleMember
	RoleModerator
	RoleManager
	RoleOperator
)

// String is the role's name.
func (r Role) String() string {
	switch r {
	case RoleMember:
		return "Member"
	case RoleModerator:
		return "Moderator"
	case RoleManager:
		return "Manager"
	case RoleOperator:
		return "Operator"
	default:
		return "Unknown"
	}
}

// Action is something that people do in a space.
type Action string

// The actions. Govern is everything that only the operator does: changing
// names, access, permissions and marks.
const (
	ActionPost       Action = "Post"
	ActionReact      Action = "React"
	ActionMentionAll Action = "MentionAll"
	ActionInvite     Action = "Invite"
	ActionRemove     Action = "Remove"
	ActionPin        Action = "Pin"
	ActionDelete     Action = "Delete"
	ActionGovern     Action = "Govern"
)

// Actions are all actions, in a fixed order.
func Actions() []Action {
	return []Action{
		ActionPost, ActionReact, ActionMentionAll, ActionInvite,
		ActionRemove, ActionPin, ActionDelete, ActionGovern,
	}
}
