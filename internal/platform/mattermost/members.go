// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// membership is who is in a space. It is replaced, never changed, but for what we write ourselves.
type membership struct {
	// admins says of each account, by ID, whether it administers the space.
	admins map[string]bool
	// gone are accounts that are not in it any more, and why.
	gone map[string]model.Membership
	// asked are the accounts of whom was looked whether they left.
	asked map[string]bool
	read  time.Time
}

// readMembers reads who is in a space.
func (a *Adapter) readMembers(ctx context.Context, s *space) (*membership, error) {
	m := &membership{admins: map[string]bool{}, gone: map[string]model.Membership{}, asked: map[string]bool{}, read: time.Now()}
	for page := 0; ; page++ {
		var n int
		var err error
		if s.isTeam() {
			n, err = a.pageTeam(ctx, s.id, page, m)
		} else {
			n, err = a.pageChannel(ctx, s.id, page, m)
		}
		if err != nil {
			return nil, err
		}
		if n < perPage {
			break
		}
	}
	a.view.mu.Lock()
	defer a.view.mu.Unlock()
	if now := a.view.spaces[s.id]; now != nil {
		now.members = m
	}
	return m, nil
}

func (a *Adapter) pageChannel(ctx context.Context, id string, page int, into *membership) (int, error) {
	some, err := get(ctx, a.client, read("GET /channels/{channel}/members", "reading who is in channel "+id),
		func(ctx context.Context, api *mm.Client4) (mm.ChannelMembers, *mm.Response, error) {
			return api.GetChannelMembers(ctx, id, page, perPage, "")
		})
	for _, one := range some {
		into.admins[one.UserId] = one.SchemeAdmin || slices.Contains(strings.Fields(one.Roles), mm.ChannelAdminRoleId)
	}
	return len(some), err
}

func (a *Adapter) pageTeam(ctx context.Context, id string, page int, into *membership) (int, error) {
	some, err := get(ctx, a.client, read("GET /teams/{team}/members", "reading who is in team "+id),
		func(ctx context.Context, api *mm.Client4) ([]*mm.TeamMember, *mm.Response, error) {
			return api.GetTeamMembers(ctx, id, page, perPage, "")
		})
	for _, one := range some {
		if one.DeleteAt == 0 {
			into.admins[one.UserId] = one.SchemeAdmin || slices.Contains(strings.Fields(one.Roles), mm.TeamAdminRoleId)
		}
	}
	return len(some), err
}

// fill puts who is in a space into an observation, by username.
func (a *Adapter) fill(ctx context.Context, s *space, declared []string, out *model.Observed) error {
	m, err := a.membersOf(ctx, s)
	if err != nil {
		return err
	}
	if err := a.askWhoLeft(ctx, s, m, declared); err != nil {
		return err
	}
	a.view.mu.Lock()
	admins, gone := maps.Clone(m.admins), maps.Clone(m.gone)
	a.view.mu.Unlock()
	delete(admins, a.us().id) // we are in every space, and nobody asks
	names, err := a.people.name(ctx, append(slices.Collect(maps.Keys(admins)), slices.Collect(maps.Keys(gone))...))
	if err != nil {
		return err
	}
	out.Members, out.Roles = make(map[string]model.Membership, len(admins)), map[string]model.Role{}
	for id, why := range gone {
		if name, known := names[id]; known {
			out.Members[name] = why
		}
	}
	for id, admin := range admins {
		name, known := names[id]
		// An account that was deleted for good has no name. Who is here from another server is that server's to add and to remove.
		if !known || a.people.isRemote(id) {
			continue
		}
		out.Members[name] = model.Present
		if admin {
			out.Roles[name] = model.RoleManager
		}
	}
	return nil
}

// membersOf is who is in a space, read when it is not known.
func (a *Adapter) membersOf(ctx context.Context, s *space) (*membership, error) {
	a.view.mu.Lock()
	var m *membership
	if now := a.view.spaces[s.id]; now != nil {
		m = now.members
	}
	a.view.mu.Unlock()
	if m != nil {
		return m, nil
	}
	return a.readMembers(ctx, s)
}

// lookBack is how many messages are looked through for who left: as many as one request gives.
const lookBack = 200

// askWhoLeft finds out of declared accounts that are not in the space whether
// they left or were removed. Mattermost forgets that, but says it in the
// channel (a team's in its default channel). Of whom nothing is said among the
// last messages nothing is known.
func (a *Adapter) askWhoLeft(ctx context.Context, s *space, m *membership, declared []string) error {
	if len(declared) == 0 || a.creations.untouched(s.id) {
		return nil
	}
	ids, err := a.people.find(ctx, declared)
	if err != nil {
		return err
	}
	a.view.mu.Lock()
	var absent []string
	for _, id := range ids {
		if _, there := m.admins[id]; !there && !m.asked[id] {
			absent = append(absent, id)
		}
	}
	a.view.mu.Unlock()
	if len(absent) == 0 {
		return nil
	}
	channel := s.id
	if s.isTeam() {
		if channel, err = a.defaultChannel(ctx, s.id); err != nil {
			return err
		}
	}
	posts, err := get(ctx, a.client, read("GET /channels/{channel}/posts", "looking who left "+s.id),
		func(ctx context.Context, api *mm.Client4) (*mm.PostList, *mm.Response, error) {
			return api.GetPostsForChannel(ctx, channel, 0, lookBack, "", false, false)
		})
	if err != nil {
		return err
	}
	said := map[string]model.Membership{}
	for _, id := range slices.Backward(posts.Order) { // the oldest first, so that the last word counts
		if post := posts.Posts[id]; post != nil {
			note(post, said)
		}
	}
	a.view.mu.Lock()
	defer a.view.mu.Unlock()
	for _, id := range absent {
		m.asked[id] = true
		if why := said[id]; why == model.Left || why == model.Removed {
			m.gone[id] = why
		}
	}
	return nil
}

// note takes from a system message who came, left or was removed.
func note(post *mm.Post, said map[string]model.Membership) {
	prop := func(name string) string {
		value, _ := post.GetProp(name).(string)
		return value
	}
	switch post.Type {
	case mm.PostTypeJoinChannel, mm.PostTypeJoinTeam:
		said[post.UserId] = model.Present
	case mm.PostTypeAddToChannel, mm.PostTypeAddToTeam:
		said[prop(mm.PostPropsAddedUserId)] = model.Present
	case mm.PostTypeLeaveChannel, mm.PostTypeLeaveTeam:
		said[post.UserId] = model.Left
	case mm.PostTypeRemoveFromChannel, mm.PostTypeRemoveFromTeam:
		if removed := prop("removedUserId"); removed != "" {
			said[removed] = model.Removed
			return
		}
		said[post.UserId] = model.Removed
	}
}

// defaultChannel is the channel of a team that everybody in it is in.
func (a *Adapter) defaultChannel(ctx context.Context, team string) (string, error) {
	a.view.mu.Lock()
	s := a.view.named(team, mm.DefaultChannelName)
	a.view.mu.Unlock()
	if s == nil {
		found, err := a.find(ctx, team, mm.DefaultChannelName)
		if err != nil {
			return "", err
		}
		if s = found; s == nil {
			return "", fmt.Errorf("team %s has no channel %s", team, mm.DefaultChannelName)
		}
	}
	return s.id, nil
}

// idOf is the ID of an account that exists.
func (a *Adapter) idOf(ctx context.Context, name, doing string) (string, error) {
	ids, err := a.people.find(ctx, []string{name})
	if err != nil {
		return "", err
	}
	id, there := ids[name]
	if !there {
		return "", notThere(doing, name)
	}
	return id, nil
}
