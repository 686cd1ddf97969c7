// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"fmt"
	"maps"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// memoryPerson is somebody on the memory platform.
type memoryPerson struct {
	at   *inMemory
	name string
}

func (p memoryPerson) account() string { return p.name }

// mayNot is what a platform says to whom it doesn't let.
func mayNot(what, space string) error { return fmt.Errorf("%s in %s is not allowed", what, space) }

func (p memoryPerson) join(_ context.Context, space string) error {
	inParent := p.at.isIn(p.name, p.at.ParentOf(space))
	return p.at.edit(space, func(o *model.Observed) error {
		inside := o.Settings.Join == model.JoinAnybody || o.Members[p.name] == model.Invited ||
			o.Settings.Join == model.JoinParentMembers && inParent
		if o.Archived || o.Members[p.name] == model.Banned || !inside {
			return mayNot("joining", space)
		}
		o.Members[p.name] = model.Present
		return nil
	})
}

func (p memoryPerson) ask(_ context.Context, space string) error {
	return p.at.edit(space, func(o *model.Observed) error {
		if o.Settings.Join != model.JoinRequest {
			return mayNot("asking", space)
		}
		o.Members[p.name] = model.Asking
		return nil
	})
}

func (p memoryPerson) leave(_ context.Context, space string) error {
	return p.at.edit(space, func(o *model.Observed) error {
		o.Members[p.name] = model.Left
		return nil
	})
}

func (p memoryPerson) read(_ context.Context, space string) (sight, error) { return p.at.look(space) }

func (p memoryPerson) try(_ context.Context, action model.Action, space, about string) error {
	return p.at.edit(space, func(o *model.Observed) error {
		if o.Archived || o.Members[p.name] != model.Present || o.Roles[p.name] < o.Settings.Permissions[action] {
			return mayNot(string(action), space)
		}
		switch action {
		case model.ActionPost:
			p.at.say(space, about)
		case model.ActionInvite:
			o.Members[about] = model.Invited
		case model.ActionRemove:
			o.Members[about] = model.Removed
		default: // nothing of it is kept
		}
		return nil
	})
}

func (p memoryPerson) take(_ context.Context, _ model.Kind, address, _ string) (string, error) {
	return p.at.Add(model.Observed{Address: address, Members: map[string]model.Membership{p.name: model.Present}}), nil
}

// forge can write where people's words are, and nowhere else: nobody but an adapter can write a mark.
func (p memoryPerson) forge(_ context.Context, _ model.Kind, address, _, from string) (string, error) {
	words := p.at.Look(from).Settings
	return p.at.Add(model.Observed{Address: address, Settings: words}), nil
}

type memoryAdministrator struct{ at *inMemory }

func (a memoryAdministrator) read(_ context.Context, space string) (sight, error) {
	return a.at.look(space)
}

func (a memoryAdministrator) count(_ context.Context, name string) (int, error) {
	n := 0
	for _, space := range a.at.All() {
		if space.Settings.DisplayName == name && !space.Archived {
			n++
		}
	}
	return n, nil
}

// edits is a change by hand that nobody is kept from.
func (a memoryAdministrator) edits(space string, edit func(*model.Observed)) error {
	return a.at.edit(space, func(o *model.Observed) error {
		edit(o)
		return nil
	})
}

func (a memoryAdministrator) rename(_ context.Context, space, name string) error {
	return a.edits(space, func(o *model.Observed) { o.Settings.DisplayName = name })
}

func (a memoryAdministrator) archive(_ context.Context, space string) error {
	return a.edits(space, func(o *model.Observed) { o.Archived = true })
}

func (a memoryAdministrator) shut(_ context.Context, space string) error {
	return a.edits(space, func(o *model.Observed) { o.Settings.Join = model.JoinInvite })
}

func (a memoryAdministrator) open(_ context.Context, space string) error {
	return a.edits(space, func(o *model.Observed) { o.Settings.Join = model.JoinAnybody })
}

func (a memoryAdministrator) add(_ context.Context, space, account string) error {
	return a.edits(space, func(o *model.Observed) { o.Members[account] = model.Present })
}

func (a memoryAdministrator) remove(_ context.Context, space, account string) error {
	return a.edits(space, func(o *model.Observed) { o.Members[account] = model.Removed })
}

func (a memoryAdministrator) ban(_ context.Context, space, account string) error {
	return a.edits(space, func(o *model.Observed) { o.Members[account] = model.Banned })
}

func (a memoryAdministrator) promote(_ context.Context, space, account string, role model.Role) error {
	return a.edits(space, func(o *model.Observed) { o.Roles[account] = role })
}

func (a memoryAdministrator) callAccount(_ context.Context, account, name string) error {
	a.at.RenamePerson(account, name)
	return nil
}

func (a memoryAdministrator) unpin(_ context.Context, space string) error {
	return a.edits(space, func(o *model.Observed) { o.Settings.Guidelines, o.GuidelinesDigest = "", "" })
}

func (a memoryAdministrator) take(_ context.Context, _ model.Kind, address, _ string) (string, error) {
	return a.at.Add(model.Observed{Address: address}), nil
}

func (a memoryAdministrator) lose(_ context.Context, space string) error {
	a.at.Remove(space)
	return nil
}

// edit changes a space by hand, unless the change is refused.
func (m *inMemory) edit(id string, edit func(*model.Observed) error) error {
	err := fmt.Errorf("there is no space %s", id)
	m.EditSpace(id, func(o *model.Observed) { err = edit(o) })
	return err
}

func (m *inMemory) isIn(account, space string) bool {
	o := m.Look(space)
	return o != nil && o.Members[account] == model.Present
}

func (m *inMemory) say(space, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said[space] = append(m.said[space], text)
}

func (m *inMemory) look(space string) (sight, error) {
	o := m.Look(space)
	if o == nil {
		return sight{}, fmt.Errorf("there is no space %s", space)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := sight{name: o.Settings.DisplayName, topic: o.Settings.Topic, said: m.said[space], members: map[string]model.Role{}}
	if o.Settings.Guidelines != "" {
		s.pinned = []string{o.Settings.Guidelines}
	}
	for account := range maps.Keys(o.Members) {
		if o.Members[account] == model.Present {
			s.members[account] = o.Roles[account]
		}
	}
	return s, nil
}
