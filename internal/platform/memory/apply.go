// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"slices"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// apply does one operation. The lock is held.
func (a *adapter) apply(op plan.Operation, now time.Time) (string, error) {
	s := a.server
	if op.Verb == plan.Create {
		return a.create(op, now)
	}
	space, there := s.spaces[op.SpaceID]
	switch {
	case !there && op.Verb == plan.Delete:
		return op.SpaceID, nil
	case !there:
		return "", platform.Refuse(platform.NotFound, "changing space "+op.SpaceID, "there is no such space")
	case op.Verb == plan.Mark:
		s.drop(space)
		defer s.put(space)
		return op.SpaceID, a.mark(space, op.Space.Mark)
	case space.Mark == nil || space.Mark.OwnerID != a.owner:
		return "", platform.Refuse(platform.Conflict, "changing space "+op.SpaceID, "it doesn't carry our mark")
	case op.Verb == plan.Delete:
		s.drop(space)
		return op.SpaceID, nil
	}
	s.drop(space)
	defer s.put(space)
	return op.SpaceID, a.change(space, op)
}

// create makes the space of a resource, unless it is there already.
func (a *adapter) create(op plan.Operation, now time.Time) (string, error) {
	s, want := a.server, op.Space
	if found := a.marked(want.Mark.Ref); len(found) > 0 {
		return found[0].ID, nil
	}
	if holder := s.holder(want.Address); holder != nil && want.Address != "" {
		return "", platform.Refuse(platform.AlreadyExists, "creating "+want.Address, "space "+holder.ID+" has the address")
	}
	mark := want.Mark
	space := &model.Observed{
		ID: s.newID(), CreatedAt: now, Mark: &mark, Address: want.Address, Linked: op.ParentID != "",
		Settings: want.Settings, GuidelinesDigest: model.Digest(want.Settings.Guidelines), IconDigest: model.Digest(want.Settings.Icon),
		Members: map[string]model.Membership{}, Roles: map[string]model.Role{},
	}
	if err := setRoles(space, want.Members); err != nil {
		return "", err
	}
	s.put(clone(space))
	s.parents[space.ID] = op.ParentID
	return space.ID, nil
}

// mark writes whose the space is, and never over the word of somebody else who has not let it go.
func (a *adapter) mark(space *model.Observed, mark model.Mark) error {
	if is := space.Mark; is != nil && !is.Released && (is.OwnerID != a.owner || is.Ref != mark.Ref) {
		return platform.Refuse(platform.Conflict, "marking "+space.ID, "it belongs to "+is.Ref.String()+" of "+is.OwnerID)
	}
	space.Mark = &mark
	return nil
}

func (a *adapter) change(space *model.Observed, op plan.Operation) error {
	s, want := a.server, op.Space
	switch op.Verb {
	case plan.Release:
		mark := want.Mark
		mark.Released = true
		space.Mark = &mark
	case plan.Archive:
		space.Archived = true
	case plan.Restore:
		space.Archived = false
	case plan.Set:
		set(space, op.Field, want.Settings)
	case plan.SetAddress:
		if holder := s.holder(want.Address); want.Address != "" && holder != nil {
			return platform.Refuse(platform.AlreadyExists, "taking the address "+want.Address, "space "+holder.ID+" has it")
		}
		space.Address = want.Address
	case plan.Link:
		if op.ParentID == "" {
			return platform.Refuse(platform.Invalid, "linking "+space.ID, "the parent's space is not known yet")
		}
		space.Linked, s.parents[space.ID] = true, op.ParentID
	case plan.AddMember:
		return s.addMember(space, op.Members[0].Account)
	case plan.RemoveMember:
		return removeMember(space, op.Members[0].Account)
	case plan.SetRoles:
		return setRoles(space, op.Members)
	default:
		return platform.Refuse(platform.NotSupported, "applying "+string(op.Verb), "there is no such operation")
	}
	return nil
}

func (s *Server) addMember(space *model.Observed, account string) error {
	switch {
	case account == Operator:
		return nil
	case s.people[account] == "":
		return platform.Refuse(platform.NotFound, "adding "+account, "there is no such account")
	case space.Members[account] == model.Banned:
		return platform.Refuse(platform.Conflict, "adding "+account, "the account is banned")
	}
	space.Members[account] = model.Present
	return nil
}

func removeMember(space *model.Observed, account string) error {
	if account == Operator {
		return platform.Refuse(platform.Invalid, "removing "+account, "the operator doesn't remove itself")
	}
	switch space.Members[account] {
	case model.Present, model.Invited, model.Asking:
		space.Members[account] = model.Removed
	default: // not in it
	}
	return nil
}

// setRoles gives accounts their roles. The operator's own is not to be touched.
func setRoles(space *model.Observed, members []model.Member) error {
	for _, m := range members {
		switch {
		case m.Account == Operator:
		case m.Role < model.RoleMember, m.Role >= model.RoleOperator:
			return platform.Refuse(platform.Invalid, "giving "+m.Account+" a role", "nobody can be "+m.Role.String())
		case m.Role == model.RoleMember:
			delete(space.Roles, m.Account)
		default:
			space.Roles[m.Account] = m.Role
		}
	}
	return nil
}

func set(space *model.Observed, field plan.Field, want model.Settings) {
	is := &space.Settings
	switch field {
	case plan.FieldDisplayName:
		is.DisplayName = want.DisplayName
	case plan.FieldTopic:
		is.Topic = want.Topic
	case plan.FieldAvatar:
		is.Avatar = want.Avatar
	case plan.FieldIcon:
		is.Icon, space.IconDigest = want.Icon, model.Digest(want.Icon)
	case plan.FieldJoin:
		is.Join = want.Join
	case plan.FieldListed:
		is.Listed = want.Listed
	case plan.FieldHistory:
		is.History = want.History
	case plan.FieldGuests:
		is.Guests = want.Guests
	case plan.FieldServers:
		is.Servers = model.Servers{OwnOnly: want.Servers.OwnOnly, Blocked: slices.Clone(want.Servers.Blocked)}
	case plan.FieldPermissions:
		is.Permissions = cloneMap(want.Permissions)
	case plan.FieldGuidelines:
		is.Guidelines = want.Guidelines
		space.GuidelinesDigest = model.Digest(want.Guidelines)
	}
}
