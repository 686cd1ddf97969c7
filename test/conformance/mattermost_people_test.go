// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// mattermostAccount is an account with a client of its own.
type mattermostAccount struct {
	*mm.Client4
	at       *mattermostServer
	id, name string
}

func (p mattermostAccount) account() string { return p.name }

// teamOf is the team with an ID, or nil for a channel's.
func (s *mattermostServer) teamOf(ctx context.Context, space string) (*mm.Team, error) {
	team, resp, err := s.admin.GetTeam(ctx, space, "")
	if resp != nil && resp.StatusCode == http.StatusNotFound {
		return nil, nil
	}
	return team, err
}

// in does one thing in a team and another in a channel.
func (p mattermostAccount) in(ctx context.Context, space string, team, channel func() error) error {
	is, err := p.at.teamOf(ctx, space)
	switch {
	case err != nil:
		return err
	case is != nil:
		return team()
	default:
		return channel()
	}
}

// talk is the channel in which people in a space talk.
func (p mattermostAccount) talk(ctx context.Context, space string) (string, error) {
	team, err := p.at.teamOf(ctx, space)
	if err != nil || team == nil {
		return space, err
	}
	channel, _, err := p.at.admin.GetChannelByName(ctx, mm.DefaultChannelName, team.Id, "")
	if err != nil {
		return "", err
	}
	return channel.Id, nil
}

func (p mattermostAccount) adds(ctx context.Context, space, user string) error {
	return p.in(ctx, space,
		func() error { _, _, err := p.AddTeamMember(ctx, space, user); return err },
		func() error { _, _, err := p.AddChannelMember(ctx, space, user); return err })
}

func (p mattermostAccount) removes(ctx context.Context, space, user string) error {
	return p.in(ctx, space,
		func() error { _, err := p.RemoveTeamMember(ctx, space, user); return err },
		func() error { _, err := p.RemoveUserFromChannel(ctx, space, user); return err })
}

func (p mattermostAccount) join(ctx context.Context, space string) error {
	return p.adds(ctx, space, p.id)
}

func (p mattermostAccount) ask(context.Context, string) error {
	return errors.New("nobody can ask to come in")
}

func (p mattermostAccount) leave(ctx context.Context, space string) error {
	return p.removes(ctx, space, p.id)
}

func (p mattermostAccount) read(ctx context.Context, space string) (sight, error) {
	s := sight{members: map[string]model.Role{}}
	team, err := p.at.teamOf(ctx, space)
	if err != nil {
		return s, err
	}
	admins := map[string]bool{}
	if team != nil {
		s.name, s.topic = team.DisplayName, team.Description
		some, _, err := p.GetTeamMembers(ctx, space, 0, 200, "")
		if err != nil {
			return s, err
		}
		for _, one := range some {
			if one.DeleteAt == 0 {
				admins[one.UserId] = one.SchemeAdmin
			}
		}
	} else {
		channel, _, err := p.GetChannel(ctx, space)
		if err != nil {
			return s, err
		}
		s.name, s.topic = channel.DisplayName, channel.Header
		some, _, err := p.GetChannelMembers(ctx, space, 0, 200, "")
		if err != nil {
			return s, err
		}
		for _, one := range some {
			admins[one.UserId] = one.SchemeAdmin
		}
	}
	if err := p.byName(ctx, admins, s.members); err != nil {
		return s, err
	}
	channel, err := p.talk(ctx, space)
	if err != nil {
		return s, err
	}
	posts, _, err := p.GetPostsForChannel(ctx, channel, 0, 100, "", false, false)
	if err != nil {
		return s, err
	}
	s.said = textsOf(posts)
	pinned, _, err := p.GetPinnedPosts(ctx, channel, "")
	if err != nil {
		return s, err
	}
	s.pinned = textsOf(pinned)
	return s, nil
}

// textsOf are the messages that people wrote, the newest first.
func textsOf(list *mm.PostList) []string {
	var texts []string
	for _, id := range list.Order {
		if post := list.Posts[id]; post != nil && post.Type == mm.PostTypeDefault {
			texts = append(texts, post.Message)
		}
	}
	return texts
}

// byName puts accounts by name into a sight.
func (p mattermostAccount) byName(ctx context.Context, admins map[string]bool, into map[string]model.Role) error {
	var ids []string
	for id := range admins {
		if id != p.at.bot.id && id != p.at.admin.id {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	users, _, err := p.GetUsersByIds(ctx, ids)
	if err != nil {
		return err
	}
	for _, user := range users {
		into[user.Username] = model.RoleMember
		if admins[user.Id] {
			into[user.Username] = model.RoleManager
		}
	}
	return nil
}

func (p mattermostAccount) say(ctx context.Context, channel, text string) (string, error) {
	post, _, err := p.CreatePost(ctx, &mm.Post{ChannelId: channel, Message: text})
	if err != nil {
		return "", err
	}
	return post.Id, nil
}

func (p mattermostAccount) try(ctx context.Context, action model.Action, space, about string) error {
	channel, err := p.talk(ctx, space)
	if err != nil {
		return err
	}
	switch action {
	case model.ActionPost:
		_, err := p.say(ctx, channel, about)
		return err
	case model.ActionInvite, model.ActionRemove:
		user, _, err := p.at.admin.GetUserByUsername(ctx, about, "")
		if err != nil {
			return err
		}
		if action == model.ActionInvite {
			return p.adds(ctx, space, user.Id)
		}
		return p.removes(ctx, space, user.Id)
	}
	message, err := p.at.bot.say(ctx, channel, "something")
	if err != nil {
		return err
	}
	switch action {
	case model.ActionReact:
		_, _, err = p.SaveReaction(ctx, &mm.Reaction{UserId: p.id, PostId: message, EmojiName: "+1"})
	case model.ActionPin:
		_, err = p.PinPost(ctx, message)
	case model.ActionDelete:
		_, err = p.DeletePost(ctx, message)
	default:
		err = fmt.Errorf("nobody can try to %s by hand", action)
	}
	return err
}

func (p mattermostAccount) take(ctx context.Context, kind model.Kind, address, parent string) (string, error) {
	return p.makeSpace(ctx, kind, address, parent, &mm.Team{}, &mm.Channel{})
}

// makeSpace makes a team or a channel by hand, with something in it already.
func (p mattermostAccount) makeSpace(ctx context.Context, kind model.Kind, address, parent string, team *mm.Team, channel *mm.Channel) (string, error) {
	if kind == model.KindCommunity {
		team.Name, team.DisplayName, team.Type = address, "Made by hand", mm.TeamOpen
		made, _, err := p.CreateTeam(ctx, team)
		if err != nil {
			return "", err
		}
		return made.Id, nil
	}
	channel.TeamId, channel.Name, channel.DisplayName, channel.Type = parent, address, "Made by hand", mm.ChannelTypePrivate
	made, _, err := p.CreateChannel(ctx, channel)
	if err != nil {
		return "", err
	}
	return made.Id, nil
}

// forge copies all that a team or channel says of itself.
func (p mattermostAccount) forge(ctx context.Context, kind model.Kind, address, parent, from string) (string, error) {
	if kind == model.KindCommunity {
		genuine, _, err := p.at.admin.GetTeam(ctx, from, "")
		if err != nil {
			return "", err
		}
		return p.makeSpace(ctx, kind, address, parent,
			&mm.Team{CompanyName: genuine.CompanyName, Description: genuine.Description, Email: genuine.Email}, nil)
	}
	genuine, _, err := p.at.admin.GetChannel(ctx, from)
	if err != nil {
		return "", err
	}
	return p.makeSpace(ctx, kind, address, parent, nil,
		&mm.Channel{Header: genuine.Header, Purpose: genuine.Purpose, CreatorId: genuine.CreatorId, Props: genuine.Props})
}

// mattermostAdministrator is a system administrator, who is not Cabildo.
type mattermostAdministrator struct{ mattermostAccount }

func (a mattermostAdministrator) count(ctx context.Context, name string) (int, error) {
	n := 0
	teams, _, err := a.SearchTeams(ctx, &mm.TeamSearch{Term: name})
	if err != nil {
		return 0, err
	}
	for _, team := range teams {
		if team.DisplayName == name && team.DeleteAt == 0 {
			n++
		}
	}
	channels, _, err := a.SearchAllChannels(ctx, &mm.ChannelSearch{Term: name})
	if err != nil {
		return 0, err
	}
	for _, channel := range channels {
		if channel.DisplayName == name && channel.DeleteAt == 0 {
			n++
		}
	}
	return n, nil
}

func (a mattermostAdministrator) rename(ctx context.Context, space, name string) error {
	return a.in(ctx, space,
		func() error { _, _, err := a.PatchTeam(ctx, space, &mm.TeamPatch{DisplayName: &name}); return err },
		func() error {
			_, _, err := a.PatchChannel(ctx, space, &mm.ChannelPatch{DisplayName: &name})
			return err
		})
}

func (a mattermostAdministrator) archive(ctx context.Context, space string) error {
	return a.in(ctx, space,
		func() error { _, err := a.SoftDeleteTeam(ctx, space); return err },
		func() error { _, err := a.DeleteChannel(ctx, space); return err })
}

func (a mattermostAdministrator) opens(ctx context.Context, space string, open bool) error {
	kind := mm.ChannelTypePrivate
	if open {
		kind = mm.ChannelTypeOpen
	}
	return a.in(ctx, space,
		func() error { _, _, err := a.PatchTeam(ctx, space, &mm.TeamPatch{AllowOpenInvite: &open}); return err },
		func() error { _, _, err := a.UpdateChannelPrivacy(ctx, space, kind); return err })
}

func (a mattermostAdministrator) shut(ctx context.Context, space string) error {
	return a.opens(ctx, space, false)
}
func (a mattermostAdministrator) open(ctx context.Context, space string) error {
	return a.opens(ctx, space, true)
}

// whose finds an account by name.
func (a mattermostAdministrator) whose(ctx context.Context, name string, do func(id string) error) error {
	user, _, err := a.GetUserByUsername(ctx, name, "")
	if err != nil {
		return err
	}
	return do(user.Id)
}

func (a mattermostAdministrator) add(ctx context.Context, space, account string) error {
	return a.whose(ctx, account, func(id string) error { return a.adds(ctx, space, id) })
}

func (a mattermostAdministrator) remove(ctx context.Context, space, account string) error {
	return a.whose(ctx, account, func(id string) error { return a.removes(ctx, space, id) })
}

func (a mattermostAdministrator) ban(context.Context, string, string) error {
	return errors.New("nobody can be banned")
}

func (a mattermostAdministrator) promote(ctx context.Context, space, account string, role model.Role) error {
	roles := &mm.SchemeRoles{SchemeUser: true, SchemeAdmin: role == model.RoleManager}
	return a.whose(ctx, account, func(id string) error {
		return a.in(ctx, space,
			func() error { _, err := a.UpdateTeamMemberSchemeRoles(ctx, space, id, roles); return err },
			func() error { _, err := a.UpdateChannelMemberSchemeRoles(ctx, space, id, roles); return err })
	})
}

func (a mattermostAdministrator) callAccount(ctx context.Context, account, name string) error {
	return a.whose(ctx, account, func(id string) error {
		_, _, err := a.PatchUser(ctx, id, &mm.UserPatch{Username: &name})
		return err
	})
}

func (a mattermostAdministrator) unpin(ctx context.Context, space string) error {
	channel, err := a.talk(ctx, space)
	if err != nil {
		return err
	}
	pinned, _, err := a.GetPinnedPosts(ctx, channel, "")
	if err != nil {
		return err
	}
	for _, post := range pinned.Order {
		if _, err := a.UnpinPost(ctx, post); err != nil {
			return err
		}
	}
	return nil
}

// lose removes a space for good, which the server has to allow.
func (a mattermostAdministrator) lose(ctx context.Context, space string) error {
	return a.in(ctx, space,
		func() error { _, err := a.PermanentDeleteTeam(ctx, space); return err },
		func() error { _, err := a.PermanentDeleteChannel(ctx, space); return err })
}
