// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"fmt"

	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// perPage is as many as a page has on every server: more are cut to it without a word.
const perPage = 200

// channelsPerPage is as many channels as a search gives at once where the
// server doesn't cut its pages (servers 9.9 and 11.1, api4/channel.go: no limit). A channel takes about 1 KB.
const channelsPerPage = 1000

// whole makes sure that everything was read, not longer ago than the resync
// interval allows. Several that ask at once share one reading.
func (a *Adapter) whole(ctx context.Context, again bool) error {
	a.listing.Lock()
	defer a.listing.Unlock()
	if !again && a.view.fresh(2*a.cfg.ResyncInterval) {
		return nil
	}
	changed, err := a.list(ctx)
	if err != nil {
		return err
	}
	a.hints.Add(changed...)
	return nil
}

// list reads our records, all teams, and the channels of ours.
func (a *Adapter) list(ctx context.Context) ([]model.Ref, error) {
	us, err := a.identify(ctx)
	if err != nil {
		return nil, err
	}
	a.view.begin()
	if err := a.records.load(ctx); err != nil {
		return nil, err
	}
	teams, err := a.listTeams(ctx)
	if err != nil {
		return nil, err
	}
	listing := make([]*space, 0, len(teams))
	for _, t := range teams {
		listing = append(listing, teamSpace(t, us.email))
	}
	ours := a.view.oursOf(listing)
	channels, err := a.listChannels(ctx, us.id, ours)
	if err != nil {
		return nil, err
	}
	return a.view.replace(append(listing, channels...), ours), nil
}

// listTeams reads all teams, archived ones included. Mattermost orders them by
// display name, so that one which is renamed meanwhile can be missed: what is
// known and not listed is asked for when it matters.
func (a *Adapter) listTeams(ctx context.Context) ([]*mm.Team, error) {
	var teams []*mm.Team
	for page := 0; ; page++ {
		some, err := get(ctx, a.client, read("GET /teams", "reading the teams"),
			func(ctx context.Context, api *mm.Client4) ([]*mm.Team, *mm.Response, error) {
				return api.GetAllTeams(ctx, "", page, perPage)
			})
		if err != nil {
			return nil, err
		}
		teams = append(teams, some...)
		if len(some) < perPage {
			return teams, nil
		}
	}
}

// listChannels reads the channels of some teams, archived ones included.
func (a *Adapter) listChannels(ctx context.Context, us string, teams []string) ([]*space, error) {
	if len(teams) == 0 {
		return nil, nil
	}
	// Pages are ordered by display name, which need not be unique: a listing that is not whole is read once more, in
	// pages that every server gives.
	for _, size := range []int{channelsPerPage, perPage} {
		channels, whole, err := a.pageChannels(ctx, us, teams, size)
		if err != nil || whole {
			return channels, err
		}
	}
	return nil, platform.Refuse(platform.Unavailable, "reading the channels", "they changed while they were read; they are read again")
}

func (a *Adapter) pageChannels(ctx context.Context, us string, teams []string, size int) (channels []*space, whole bool, err error) {
	seen := map[string]bool{}
	for page := 0; ; page++ {
		some, err := get(ctx, a.client, read("POST /channels/search", "reading the channels"),
			func(ctx context.Context, api *mm.Client4) (*mm.ChannelsWithCount, *mm.Response, error) {
				return api.SearchAllChannelsPaged(ctx, &mm.ChannelSearch{TeamIds: teams, IncludeDeleted: true, Page: &page, PerPage: &size})
			})
		if err != nil {
			return nil, false, err
		}
		for _, c := range some.Channels {
			if !seen[c.Id] {
				seen[c.Id] = true
				channels = append(channels, channelSpace(&c.Channel, us))
			}
		}
		if len(some.Channels) < size {
			return channels, int64(len(seen)) == some.TotalCount, nil
		}
	}
}

// refresh reads one space again. One that is gone is forgotten.
func (a *Adapter) refresh(ctx context.Context, s *space) error {
	us, err := a.identify(ctx)
	if err != nil {
		return err
	}
	var now *space
	if s.isTeam() {
		now, err = a.readTeam(ctx, s.id, us)
	} else {
		now, err = a.readChannel(ctx, s.id, us)
	}
	a.view.mu.Lock()
	defer a.view.mu.Unlock()
	if platform.IsKind(err, platform.NotFound) {
		a.view.drop(s.id)
		return nil
	}
	if err != nil {
		return err
	}
	a.view.put(now)
	return nil
}

func (a *Adapter) readTeam(ctx context.Context, id string, us account) (*space, error) {
	t, err := get(ctx, a.client, read("GET /teams/{team}", "reading team "+id),
		func(ctx context.Context, api *mm.Client4) (*mm.Team, *mm.Response, error) {
			return api.GetTeam(ctx, id, "")
		})
	if err != nil {
		return nil, err
	}
	return teamSpace(t, us.email), nil
}

func (a *Adapter) readChannel(ctx context.Context, id string, us account) (*space, error) {
	c, err := get(ctx, a.client, read("GET /channels/{channel}", "reading channel "+id),
		func(ctx context.Context, api *mm.Client4) (*mm.Channel, *mm.Response, error) {
			return api.GetChannel(ctx, id)
		})
	if err != nil {
		return nil, err
	}
	return channelSpace(c, us.id), nil
}

// find asks for the space with a name, archived or not, and takes it into the view; nil when there is none.
func (a *Adapter) find(ctx context.Context, team, name string) (*space, error) {
	us, err := a.identify(ctx)
	if err != nil {
		return nil, err
	}
	var found *space
	if team == "" {
		var t *mm.Team
		if t, err = get(ctx, a.client, read("GET /teams/name/{name}", fmt.Sprintf("looking for team %q", name)),
			func(ctx context.Context, api *mm.Client4) (*mm.Team, *mm.Response, error) {
				return api.GetTeamByName(ctx, name, "")
			}); err == nil {
			found = teamSpace(t, us.email)
		}
	} else {
		var c *mm.Channel
		if c, err = get(ctx, a.client, read("GET /teams/{team}/channels/name/{name}", fmt.Sprintf("looking for channel %q", name)),
			func(ctx context.Context, api *mm.Client4) (*mm.Channel, *mm.Response, error) {
				return api.GetChannelByNameIncludeDeleted(ctx, name, team, "")
			}); err == nil {
			found = channelSpace(c, us.id)
		}
	}
	if err != nil && !platform.IsKind(err, platform.NotFound) {
		return nil, err
	}
	a.view.mu.Lock()
	defer a.view.mu.Unlock()
	delete(a.view.unsure, nameKey(team, name))
	if found != nil {
		a.view.put(found)
	}
	return found, nil
}
