// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	mm "github.com/mattermost/mattermost/server/public/model"
	"golang.org/x/sync/errgroup"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

// town is a team with its channels, as the server tells it to an
// administrator. It has no IDs but those of accounts, so that two teams of one
// server can be compared.
type town struct {
	displayName, description string
	open                     bool // to everybody with an account
	members                  map[string]bool
	guidelines               string
	channels                 []channel // by name
}

// channel is one channel. Members say of each account whether it administers the channel.
type channel struct {
	name, displayName, header, purpose string
	kind                               mm.ChannelType
	members                            map[string]bool
	guidelines                         string
}

// memberships are those of the team and of its channels.
func (t *town) memberships() int {
	n := len(t.members)
	for _, c := range t.channels {
		n += len(c.members)
	}
	return n
}

// readTown reads a team by its name. The operator's own account is in every space, and left out.
func (s *server) readTown(ctx context.Context, name string) (*town, error) {
	api := s.Mattermost.Admin()
	team, _, err := api.GetTeamByName(ctx, name, "")
	if err != nil {
		return nil, fmt.Errorf("reading team %s: %w", name, err)
	}
	t := &town{displayName: team.DisplayName, description: team.Description, open: team.AllowOpenInvite, members: map[string]bool{}}
	members, err := pages(func(page int) ([]*mm.TeamMember, error) {
		some, _, err := api.GetTeamMembers(ctx, team.Id, page, perPage, "")
		return some, err
	})
	if err != nil {
		return nil, fmt.Errorf("reading who is in team %s: %w", name, err)
	}
	for _, m := range members {
		if m.DeleteAt == 0 && m.UserId != s.Bot.ID {
			t.members[m.UserId] = m.SchemeAdmin
		}
	}
	all, err := channelsOf(ctx, api, team.Id)
	if err != nil {
		return nil, fmt.Errorf("reading the channels of team %s: %w", name, err)
	}
	var mu sync.Mutex
	readers, ctx := errgroup.WithContext(ctx)
	readers.SetLimit(stack.Concurrency)
	for _, c := range all {
		readers.Go(func() error {
			read, err := s.readChannel(ctx, api, &c.Channel)
			if err != nil {
				return fmt.Errorf("reading channel %s: %w", c.Name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			switch c.Name {
			case mm.DefaultChannelName: // everybody is in it, and the team's guidelines
				t.guidelines = read.guidelines
			case "off-topic": // the server makes it
			default:
				t.channels = append(t.channels, *read)
			}
			return nil
		})
	}
	err = readers.Wait()
	slices.SortFunc(t.channels, func(a, b channel) int { return cmp.Compare(a.name, b.name) })
	return t, err
}

func channelsOf(ctx context.Context, api *mm.Client4, team string) ([]*mm.ChannelWithTeamData, error) {
	size := perPage
	return pages(func(page int) ([]*mm.ChannelWithTeamData, error) {
		some, _, err := api.SearchAllChannelsPaged(ctx, &mm.ChannelSearch{TeamIds: []string{team}, Page: &page, PerPage: &size})
		if err != nil {
			return nil, err
		}
		return some.Channels, nil
	})
}

func (s *server) readChannel(ctx context.Context, api *mm.Client4, c *mm.Channel) (*channel, error) {
	out := &channel{name: c.Name, displayName: c.DisplayName, header: c.Header, purpose: c.Purpose, kind: c.Type, members: map[string]bool{}}
	members, err := pages(func(page int) ([]mm.ChannelMember, error) {
		some, _, err := api.GetChannelMembers(ctx, c.Id, page, perPage, "")
		return some, err
	})
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if m.UserId != s.Bot.ID {
			out.members[m.UserId] = m.SchemeAdmin
		}
	}
	pinned, _, err := api.GetPinnedPosts(ctx, c.Id, "")
	if err != nil {
		return nil, err
	}
	for _, id := range pinned.Order {
		if post := pinned.Posts[id]; post.UserId == s.Bot.ID {
			out.guidelines = post.Message
		}
	}
	return out, nil
}

// perPage is as many as a page has.
const perPage = 200

// pages reads pages until one is not full.
func pages[T any](read func(page int) ([]T, error)) ([]T, error) {
	var all []T
	for page := 0; ; page++ {
		some, err := read(page)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < perPage {
			return all, nil
		}
	}
}

// differences says what is not the same in two teams.
func differences(want, got *town) []string {
	var out []string
	differ := func(where, what string, want, got any) {
		if !reflect.DeepEqual(want, got) {
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s: %s is %v, not %v", where, what, got, want)))
		}
	}
	differ("team", "its name", want.displayName, got.displayName)
	differ("team", "its description", want.description, got.description)
	differ("team", "whether it is open", want.open, got.open)
	differ("team", "the guidelines", want.guidelines, got.guidelines)
	differ("team", "who is in it", want.members, got.members)
	differ("team", "the number of channels", len(want.channels), len(got.channels))
	has := map[string]channel{}
	for _, c := range got.channels {
		has[c.name] = c
	}
	for _, w := range want.channels {
		g, there := has[w.name]
		if !there {
			out = append(out, w.name+" is missing")
			continue
		}
		differ(w.name, "its name", w.displayName, g.displayName)
		differ(w.name, "its header", w.header, g.header)
		differ(w.name, "its purpose", w.purpose, g.purpose)
		differ(w.name, "its type", w.kind, g.kind)
		differ(w.name, "the guidelines", w.guidelines, g.guidelines)
		differ(w.name, "who is in it", w.members, g.members)
	}
	return out
}
