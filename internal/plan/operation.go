// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package plan turns a wanted and a seen space into operations: it compares,
// orders, and holds back what is not safe. It is pure; nothing here talks to a
// platform or reads a clock.
package plan

import (
	"fmt"
	"strings"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// Verb is what an operation does.
type Verb string

// The verbs.
const (
	// Create makes the space with all that the platform takes in one call.
	Create Verb = "Create"
	// Mark writes the ownership mark: adoption, re-attachment, a changed mark.
	Mark Verb = "Mark"
	// Release writes the mark as released and leaves all else as it is.
	Release Verb = "Release"
	// Archive closes the space; Restore opens it again.
	Archive Verb = "Archive"
	Restore Verb = "Restore"
	// Delete removes the space as far as the platform can.
	Delete Verb = "Delete"
	// Set writes the settings that Fields names.
	Set Verb = "Set"
	// SetAddress makes the address lead to the space.
	SetAddress Verb = "SetAddress"
	// Link makes parent and space know each other.
	Link Verb = "Link"
	// AddMember adds or invites one account.
	AddMember Verb = "AddMember"
	// RemoveMember removes one account.
	RemoveMember Verb = "RemoveMember"
	// SetRoles gives the accounts in Members their roles.
	SetRoles Verb = "SetRoles"
)

// Field names a setting that Set writes. It is a name of model.Settings.
type Field string

// The fields.
const (
	FieldDisplayName Field = "DisplayName"
	FieldTopic       Field = "Topic"
	FieldAvatar      Field = "Avatar"
	FieldIcon        Field = "Icon"
	FieldJoin        Field = "Join"
	FieldListed      Field = "Listed"
	FieldHistory     Field = "History"
	FieldGuests      Field = "Guests"
	FieldServers     Field = "Servers"
	FieldPermissions Field = "Permissions"
	FieldGuidelines  Field = "Guidelines"
)

// Operation is one step towards the wanted space. Every operation is
// idempotent: done twice, it has the effect of once.
type Operation struct {
	Verb Verb
	// SpaceID is the space to change; empty for Create.
	SpaceID string
	// ParentID is the parent's space, where Create, Link or a join rule needs it.
	ParentID string
	// Space is the whole wanted space, in the platform's normal form.
	Space model.Space
	// Field is what Set writes.
	Field Field
	// Members are whom AddMember, RemoveMember (one) and SetRoles (several) concern.
	Members []model.Member
	// Lowers says that SetRoles takes power away: each role is below the one that the account has, or that one is unknown.
	Lowers bool
}

// Key identifies the operation among those towards one wanted space: equal
// keys have equal effects. It does not say what a setting is set to.
func (o Operation) Key() string {
	parts := []string{string(o.Verb), o.Space.Mark.OwnerID, o.Space.Mark.Ref.String(), o.SpaceID}
	if o.Field != "" {
		parts = append(parts, string(o.Field))
	}
	for _, m := range o.Members {
		parts = append(parts, m.Account+"="+m.Role.String())
	}
	return strings.Join(parts, "|")
}

// Each takes an operation apart into one for each account that it concerns.
func (o Operation) Each() []Operation {
	if len(o.Members) < 2 {
		return []Operation{o}
	}
	parts := make([]Operation, len(o.Members))
	for i, m := range o.Members {
		parts[i] = o
		parts[i].Members = []model.Member{m}
	}
	return parts
}

// Removes says whether the operation takes something away from people: their
// membership, power that they have, or the space itself.
func (o Operation) Removes() bool { return o.Takes() != Baseline{} }

// Takes counts what the operation takes away, as removal budgets count it. A
// manager who becomes a moderator loses a role as much as one who becomes a member.
func (o Operation) Takes() Baseline {
	var b Baseline
	switch o.Verb {
	case RemoveMember:
		b.Members = len(o.Members)
	case Archive, Delete:
		b.Spaces = 1
	case SetRoles:
		for _, m := range o.Members {
			if o.Lowers || m.Role <= model.RoleMember {
				b.Roles++
			}
		}
	default:
	}
	return b
}

// String says it for people, and tells operations on one space apart. It names
// accounts, so it is for plans, not for logs.
func (o Operation) String() string {
	switch o.Verb {
	case Set:
		return fmt.Sprintf("set %s", o.Field)
	case SetAddress:
		return fmt.Sprintf("set address %s", o.Space.Address)
	case AddMember:
		return fmt.Sprintf("add %s", o.Members[0].Account)
	case RemoveMember:
		return fmt.Sprintf("remove %s", o.Members[0].Account)
	case SetRoles:
		roles := make([]string, 0, len(o.Members))
		for _, m := range o.Members {
			roles = append(roles, m.Account+" "+m.Role.String())
		}
		return "set roles: " + strings.Join(roles, ", ")
	case Archive, Delete:
		return strings.ToLower(string(o.Verb)) + " " + o.SpaceID
	default:
		return strings.ToLower(string(o.Verb))
	}
}
