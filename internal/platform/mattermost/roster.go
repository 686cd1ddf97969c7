// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"

	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// addMember adds an account. A channel's members have to be in its team, so
// that who is not comes into that first.
func (w *writing) addMember(ctx context.Context, name string) error {
	id, err := w.idOf(ctx, name, "adding "+name)
	if err != nil {
		return err
	}
	if w.is.isTeam() {
		return w.intoTeam(ctx, w.is.id, id, false)
	}
	if err := w.joinChannel(ctx, id); err != nil {
		return err
	}
	w.changeMembers(w.is.id, func(m *membership) { m.came(id) })
	return nil
}

// came notes that an account is in the space. Whoever was in already keeps the role.
func (m *membership) came(id string) {
	if _, in := m.admins[id]; !in {
		m.admins[id] = false
	}
	delete(m.gone, id)
}

// intoTeam adds an account to a team once: the team's own look and those at
// its channels may want the same person in it at the same time. Missed says
// that the server has just told that the account is not in it.
func (w *writing) intoTeam(ctx context.Context, team, id string, missed bool) error {
	defer w.spaces.Lock("into " + team + " " + id)()
	if known, in := w.knownIn(team, id); known && in && !missed {
		return nil
	}
	if err := w.joinTeam(ctx, team, id); err != nil {
		return err
	}
	w.changeMembers(team, func(m *membership) { m.came(id) })
	return nil
}

func (w *writing) joinTeam(ctx context.Context, team, id string) error {
	_, err := get(ctx, w.client, write("POST /teams/{team}/members", "adding somebody to team "+team),
		func(ctx context.Context, api *mm.Client4) (*mm.TeamMember, *mm.Response, error) {
			return api.AddTeamMember(ctx, team, id)
		})
	return err
}

func (w *writing) joinChannel(ctx context.Context, id string) error {
	join := func() error {
		_, err := get(ctx, w.client, write("POST /channels/{channel}/members", "adding somebody to channel "+w.is.id),
			func(ctx context.Context, api *mm.Client4) (*mm.ChannelMember, *mm.Response, error) {
				return api.AddChannelMember(ctx, w.is.id, id)
			})
		return err
	}
	known, in := w.knownIn(w.is.team, id)
	if !known || in {
		err := join()
		// Mattermost says 404 of somebody who is not in the team, and 400 or 403 in later releases.
		if err == nil || !platform.IsKind(err, platform.NotFound) && !platform.IsKind(err, platform.Invalid) && !platform.IsKind(err, platform.Forbidden) {
			return err
		}
	}
	if err := w.intoTeam(ctx, w.is.team, id, known && in); err != nil {
		return err
	}
	return join()
}

// knownIn says whether it is known who is in a team, and whether somebody is.
func (w *writing) knownIn(id, user string) (known, in bool) {
	w.view.mu.Lock()
	defer w.view.mu.Unlock()
	team := w.view.spaces[id]
	if team == nil || team.members == nil {
		return false, false
	}
	_, in = team.members.admins[user]
	return true, in
}

// changeMembers keeps who is in a space in line with what was written, when that is known.
func (w *writing) changeMembers(space string, change func(*membership)) {
	w.view.mu.Lock()
	defer w.view.mu.Unlock()
	if s := w.view.spaces[space]; s != nil && s.members != nil {
		change(s.members)
	}
}

func (w *writing) removeMember(ctx context.Context, name string) error {
	if name == w.us().name {
		return platform.Refuse(platform.Invalid, "removing "+name+" from "+w.is.id, "the operator doesn't remove itself")
	}
	id, err := w.memberID(ctx, name)
	if err != nil || id == "" {
		return err
	}
	if w.is.isTeam() {
		err = w.client.do(ctx, write("DELETE /teams/{team}/members/{user}", "removing somebody from team "+w.is.id),
			func(ctx context.Context, api *mm.Client4) (*mm.Response, error) {
				return api.RemoveTeamMember(ctx, w.is.id, id)
			})
	} else {
		err = w.client.do(ctx, write("DELETE /channels/{channel}/members/{user}", "removing somebody from channel "+w.is.id),
			func(ctx context.Context, api *mm.Client4) (*mm.Response, error) {
				return api.RemoveUserFromChannel(ctx, w.is.id, id)
			})
	}
	if err != nil && !platform.IsKind(err, platform.NotFound) {
		return err
	}
	w.changeMembers(w.is.id, func(m *membership) {
		delete(m.admins, id)
		m.gone[id], m.asked[id] = model.Removed, true
	})
	if w.is.isTeam() {
		w.leftTeam(w.is.id, id)
	}
	return nil
}

// leftTeam forgets somebody in the channels of a team, which they left with it.
func (a *Adapter) leftTeam(team, id string) {
	a.view.mu.Lock()
	defer a.view.mu.Unlock()
	for _, s := range a.view.spaces {
		if s.team == team && s.members != nil {
			delete(s.members.admins, id)
		}
	}
}

// memberID is the ID of somebody who is in the space, whether they can still be added to one or not; empty when there is
// nobody of that name.
func (w *writing) memberID(ctx context.Context, name string) (string, error) {
	m, err := w.membersOf(ctx, w.is)
	if err != nil {
		return "", err
	}
	w.view.mu.Lock()
	ids := make([]string, 0, len(m.admins))
	for id := range m.admins {
		ids = append(ids, id)
	}
	w.view.mu.Unlock()
	names, err := w.people.name(ctx, ids)
	if err != nil {
		return "", err
	}
	for id, known := range names {
		if known == name {
			return id, nil
		}
	}
	return "", nil
}

// setRoles makes accounts administrators of the space, or takes that away. The
// role of an ordinary member is always said with it: leaving it out takes it away.
func (w *writing) setRoles(ctx context.Context, members []model.Member) error {
	for _, m := range members {
		id, err := w.memberID(ctx, m.Account)
		switch {
		case err != nil:
			return err
		case m.Role < model.RoleMember || m.Role >= model.RoleOperator:
			return platform.Refuse(platform.Invalid, "giving "+m.Account+" a role", "nobody can be "+m.Role.String())
		case id == "":
			if m.Role > model.RoleMember {
				return notThere("giving "+m.Account+" a role", m.Account)
			}
			continue
		case id == w.us().id:
			continue
		}
		admin := m.Role == model.RoleManager
		if err := w.setRole(ctx, id, &mm.SchemeRoles{SchemeAdmin: admin, SchemeUser: true}); err != nil {
			return err
		}
		w.changeMembers(w.is.id, func(is *membership) { is.admins[id] = admin })
	}
	return nil
}

func (w *writing) setRole(ctx context.Context, id string, roles *mm.SchemeRoles) error {
	if w.is.isTeam() {
		return w.client.do(ctx, write("PUT /teams/{team}/members/{user}/schemeRoles", "setting a role in team "+w.is.id),
			func(ctx context.Context, api *mm.Client4) (*mm.Response, error) {
				return api.UpdateTeamMemberSchemeRoles(ctx, w.is.id, id, roles)
			})
	}
	return w.client.do(ctx, write("PUT /channels/{channel}/members/{user}/schemeRoles", "setting a role in channel "+w.is.id),
		func(ctx context.Context, api *mm.Client4) (*mm.Response, error) {
			return api.UpdateChannelMemberSchemeRoles(ctx, w.is.id, id, roles)
		})
}

func notThere(doing, name string) error {
	return platform.Refuse(platform.NotFound, doing, name+" has no account here, or is not in the space")
}
