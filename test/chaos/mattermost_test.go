// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package chaos_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// mattermost is a real server of the Team Edition.
type mattermost struct {
	server *devenv.Mattermost
	admin  *model.Client4
	token  string            // of the operator's bot
	names  map[string]string // of accounts, by ID
	ids    map[string]string
}

func openMattermost(ctx context.Context) (_ chat, err error) {
	m := &mattermost{names: map[string]string{}, ids: map[string]string{}}
	if m.server, err = devenv.StartMattermost(ctx, devenv.MattermostOptions{}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.close())
		}
	}()
	m.admin = m.server.Admin()
	for _, name := range people {
		account, err := m.server.CreatePerson(ctx, name, "correct horse", name)
		if err != nil {
			return nil, err
		}
		m.know(account.ID, name)
	}
	var bot string
	if bot, m.token, err = m.server.CreateBot(ctx, "cabildo"); err != nil {
		return nil, err
	}
	m.know(bot, "cabildo")
	return m, nil
}

func (m *mattermost) know(id, name string) { m.names[id], m.ids[name] = name, id }

func (m *mattermost) String() string { return "Mattermost" }
func (m *mattermost) url() string    { return m.server.URL }
func (m *mattermost) close() error   { return m.server.Close() }

// limit is one for all that an account asks.
func (m *mattermost) limit(*http.Request) string { return "" }
func (m *mattermost) tooMany() string            { return "limit exceeded\n" }

// asks are the reads that have too much to say for a URL.
var asks = []string{"/channels/search", "/users/usernames", "/users/ids", "/posts/ids"}

func (m *mattermost) kind(r *http.Request) kind {
	path := strings.TrimPrefix(r.URL.Path, "/api/v4")
	switch {
	case path == "/websocket":
		return socket
	case r.Method == http.MethodGet, r.Method == http.MethodPost && slices.Contains(asks, path):
		return read
	case r.Method == http.MethodDelete && strings.Contains(path, "/members/"):
		return removal
	case r.Method == http.MethodPost && (path == "/teams" || path == "/channels"):
		return creation
	default:
		return write
	}
}

func (m *mattermost) made(r *http.Request, body []byte) string {
	var said struct {
		ID string `json:"id"`
	}
	if m.kind(r) != creation || json.Unmarshal(body, &said) != nil {
		return ""
	}
	return said.ID
}

func (m *mattermost) declare(p *v1alpha1.PlatformSpec, url string) map[string]string {
	p.Type = v1alpha1.PlatformMattermost
	p.Mattermost = &v1alpha1.MattermostPlatform{URL: url}
	return map[string]string{"url": url, "accessToken": m.token}
}

// foreign is a team that the administrator made. The operator's account may do
// anything with it, as with every team of the server.
func (m *mattermost) foreign(ctx context.Context, world string) (string, error) {
	team, _, err := m.admin.CreateTeam(ctx, &model.Team{Name: world + "-tea", DisplayName: "Tea", Type: model.TeamOpen})
	if err != nil {
		return "", fmt.Errorf("making a foreign team: %w", err)
	}
	for _, name := range []string{"pat", "kim"} {
		if _, _, err := m.admin.AddTeamMember(ctx, team.Id, m.ids[name]); err != nil {
			return "", fmt.Errorf("filling the foreign team: %w", err)
		}
	}
	square, _, err := m.admin.GetChannelByName(ctx, model.DefaultChannelName, team.Id, "")
	if err != nil {
		return "", fmt.Errorf("reading the foreign team: %w", err)
	}
	_, _, err = m.admin.CreatePost(ctx, &model.Post{ChannelId: square.Id, Message: "Who is in?"})
	return team.Id, err
}

// rival is a channel that the administrator made in the community's team.
func (m *mattermost) rival(ctx context.Context, world, community string) (string, error) {
	channel, _, err := m.admin.CreateChannel(ctx, &model.Channel{
		TeamId: community, Name: world + "-coffee", DisplayName: "Coffee", Type: model.ChannelTypeOpen,
	})
	if err != nil {
		return "", fmt.Errorf("making a foreign channel: %w", err)
	}
	if _, _, err := m.admin.AddChannelMember(ctx, channel.Id, m.ids["kim"]); err != nil {
		return "", fmt.Errorf("filling the foreign channel: %w", err)
	}
	_, _, err = m.admin.CreatePost(ctx, &model.Post{ChannelId: channel.Id, Message: "Who is in?"})
	return channel.Id, err
}

func (m *mattermost) comeIn(ctx context.Context, space string) error {
	channel, _, err := m.admin.GetChannel(ctx, space)
	if err != nil {
		return fmt.Errorf("reading the channel: %w", err)
	}
	if _, _, err := m.admin.AddTeamMember(ctx, channel.TeamId, m.ids["pat"]); err != nil {
		return fmt.Errorf("adding pat to the team: %w", err)
	}
	_, _, err = m.admin.AddChannelMember(ctx, space, m.ids["pat"])
	return err
}

func (m *mattermost) picture(ctx context.Context, space string) (picture, error) {
	channel, resp, err := m.admin.GetChannel(ctx, space)
	switch {
	case err == nil:
		return m.channel(ctx, channel)
	case resp != nil && resp.StatusCode == http.StatusNotFound:
		return m.team(ctx, space)
	default:
		return nil, fmt.Errorf("reading channel %s: %w", space, err)
	}
}

func (m *mattermost) team(ctx context.Context, space string) (picture, error) {
	t, _, err := m.admin.GetTeam(ctx, space, "")
	if err != nil {
		return nil, fmt.Errorf("reading team %s: %w", space, err)
	}
	lines := picture{fmt.Sprintf("%s is a team %q called %q: %q, by %q, open %v, archived %v",
		space, t.Name, t.DisplayName, t.Description, t.CompanyName, t.AllowOpenInvite, t.DeleteAt != 0)}
	members, _, err := m.admin.GetTeamMembers(ctx, space, 0, 200, "")
	if err != nil {
		return nil, fmt.Errorf("reading who is in team %s: %w", space, err)
	}
	for _, one := range members {
		if one.DeleteAt == 0 {
			lines = append(lines, fmt.Sprintf("%s has %s, administrator %v", space, m.names[one.UserId], one.SchemeAdmin))
		}
	}
	square, _, err := m.admin.GetChannelByName(ctx, model.DefaultChannelName, space, "")
	if err != nil {
		return nil, fmt.Errorf("reading the default channel of %s: %w", space, err)
	}
	posts, err := m.posts(ctx, square.Id, false)
	for _, p := range posts {
		lines = append(lines, m.post(space, p))
	}
	return lines, err
}

func (m *mattermost) channel(ctx context.Context, c *model.Channel) (picture, error) {
	lines := picture{fmt.Sprintf("%s is a channel of %s, %q called %q: %q, %q, type %s, archived %v",
		c.Id, c.TeamId, c.Name, c.DisplayName, c.Header, c.Purpose, c.Type, c.DeleteAt != 0)}
	members, _, err := m.admin.GetChannelMembers(ctx, c.Id, 0, 200, "")
	if err != nil {
		return nil, fmt.Errorf("reading who is in channel %s: %w", c.Id, err)
	}
	for _, one := range members {
		lines = append(lines, fmt.Sprintf("%s has %s, administrator %v", c.Id, m.names[one.UserId], one.SchemeAdmin))
	}
	posts, err := m.posts(ctx, c.Id, false)
	for _, p := range posts {
		lines = append(lines, m.post(c.Id, p))
	}
	return lines, err
}

func (m *mattermost) post(space string, p *model.Post) string {
	return fmt.Sprintf("%s said by %s, pinned %v: %q", space, m.names[p.UserId], p.IsPinned, p.Message)
}

// posts are what people wrote, or what the server says of what happened, the oldest first.
func (m *mattermost) posts(ctx context.Context, channel string, ofServer bool) ([]*model.Post, error) {
	list, _, err := m.admin.GetPostsForChannel(ctx, channel, 0, 200, "", false, false)
	if err != nil {
		return nil, fmt.Errorf("reading what was said in %s: %w", channel, err)
	}
	var found []*model.Post
	for _, id := range slices.Backward(list.Order) {
		if p := list.Posts[id]; p != nil && p.IsSystemMessage() == ofServer {
			found = append(found, p)
		}
	}
	return found, nil
}

func (m *mattermost) takenOut(ctx context.Context, space string) ([]string, error) {
	channel := space
	if square, _, err := m.admin.GetChannelByName(ctx, model.DefaultChannelName, space, ""); err == nil {
		channel = square.Id
	}
	posts, err := m.posts(ctx, channel, true)
	var out []string
	for _, p := range posts {
		if p.Type != model.PostTypeRemoveFromChannel && p.Type != model.PostTypeRemoveFromTeam {
			continue
		}
		removed, _ := p.GetProp("removedUserId").(string)
		if removed == "" {
			removed = p.UserId
		}
		out = append(out, m.names[removed])
	}
	return out, err
}

// unknown are channels in the world's team, but those that every team has, and
// further teams of its name.
func (m *mattermost) unknown(ctx context.Context, world string, known []string) ([]string, error) {
	var found []string
	teams, _, err := m.admin.GetAllTeams(ctx, "", 0, 200)
	if err != nil {
		return nil, fmt.Errorf("reading the teams: %w", err)
	}
	var ours []string
	for _, t := range teams {
		if t.Name == world || strings.HasPrefix(t.Name, world+"-") && t.Name != world+"-tea" {
			ours = append(ours, t.Id)
			found = append(found, t.Id)
		}
	}
	page, size := 0, 200
	channels, _, err := m.admin.SearchAllChannelsPaged(ctx, &model.ChannelSearch{TeamIds: ours, IncludeDeleted: true, Page: &page, PerPage: &size})
	if err != nil {
		return nil, fmt.Errorf("reading the channels: %w", err)
	}
	for _, c := range channels.Channels {
		if c.Name != model.DefaultChannelName && c.Name != "off-topic" {
			found = append(found, c.Id)
		}
	}
	return slices.DeleteFunc(found, func(id string) bool { return slices.Contains(known, id) }), nil
}
