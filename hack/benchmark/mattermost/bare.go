// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	mm "github.com/mattermost/mattermost/server/public/model"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/cabildo-dev/cabildo/hack/stack"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// bareLoop makes a team that is described already, as a script would that is
// run once: it checks nothing, and stops at the first error. It has the
// operator's HTTP client and account, as many requests under way, and no rate.
type bareLoop struct {
	api    *mm.Client4
	counts *prometheus.Registry
}

func newBareLoop(s *server) (*bareLoop, error) {
	b := &bareLoop{api: s.Mattermost.Client(s.Bot.Token), counts: prometheus.NewRegistry()}
	const unlimited = 1_000_000 // a second
	var err error
	b.api.HTTPClient, err = platform.NewClient(platform.ClientOptions{
		Platform: stack.PlatformName, Budget: platform.NewBudget(unlimited, stack.Concurrency), Metrics: platform.NewMetrics(b.counts),
	})
	return b, err
}

// run makes the team with its people, and then its channels, one worker a channel.
func (b *bareLoop) run(ctx context.Context, name string, t *town) (took time.Duration, err error) {
	began := time.Now()
	team, err := b.makeTeam(ctx, name, t)
	if err != nil {
		return 0, err
	}
	// Somebody who is not in the team can't be added to a channel.
	people, peopleCtx := errgroup.WithContext(ctx)
	people.SetLimit(stack.Concurrency)
	for _, id := range slices.Sorted(maps.Keys(t.members)) {
		people.Go(func() error { return b.addToTeam(peopleCtx, team, id, t.members[id]) })
	}
	if err := people.Wait(); err != nil {
		return 0, err
	}
	channels, ctx := errgroup.WithContext(ctx)
	channels.SetLimit(stack.Concurrency)
	for _, c := range t.channels {
		channels.Go(func() error { return b.makeChannel(ctx, team, c) })
	}
	err = channels.Wait()
	return time.Since(began), err
}

func (b *bareLoop) makeTeam(ctx context.Context, name string, t *town) (id string, err error) {
	team, _, err := b.api.CreateTeam(platform.WithRoute(ctx, "POST /teams"), &mm.Team{
		Name: name, DisplayName: t.displayName, Description: t.description, Type: mm.TeamOpen, AllowOpenInvite: t.open,
	})
	if err != nil {
		return "", fmt.Errorf("making team %s: %w", name, err)
	}
	if t.guidelines == "" {
		return team.Id, nil
	}
	square, _, err := b.api.GetChannelByName(platform.WithRoute(ctx, "GET /teams/{team}/channels/name/{name}"), mm.DefaultChannelName, team.Id, "")
	if err != nil {
		return "", fmt.Errorf("looking for the channel that everybody is in: %w", err)
	}
	return team.Id, b.post(ctx, square.Id, t.guidelines)
}

func (b *bareLoop) addToTeam(ctx context.Context, team, id string, admin bool) error {
	if _, _, err := b.api.AddTeamMember(platform.WithRoute(ctx, "POST /teams/{team}/members"), team, id); err != nil {
		return fmt.Errorf("adding somebody to the team: %w", err)
	}
	if !admin {
		return nil
	}
	_, err := b.api.UpdateTeamMemberSchemeRoles(platform.WithRoute(ctx, "PUT /teams/{team}/members/{user}/schemeRoles"), team, id,
		&mm.SchemeRoles{SchemeAdmin: true, SchemeUser: true})
	return err
}

// makeChannel makes a channel with its guidelines, members and their roles.
func (b *bareLoop) makeChannel(ctx context.Context, team string, c channel) error {
	made, _, err := b.api.CreateChannel(platform.WithRoute(ctx, "POST /channels"), &mm.Channel{
		TeamId: team, Name: c.name, DisplayName: c.displayName, Header: c.header, Purpose: c.purpose, Type: c.kind,
	})
	if err != nil {
		return fmt.Errorf("making channel %s: %w", c.name, err)
	}
	if c.guidelines != "" {
		if err := b.post(ctx, made.Id, c.guidelines); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.members)) {
		if _, _, err := b.api.AddChannelMember(platform.WithRoute(ctx, "POST /channels/{channel}/members"), made.Id, id); err != nil {
			return fmt.Errorf("adding somebody to channel %s: %w", c.name, err)
		}
		if !c.members[id] {
			continue
		}
		if _, err := b.api.UpdateChannelMemberSchemeRoles(platform.WithRoute(ctx, "PUT /channels/{channel}/members/{user}/schemeRoles"), made.Id, id,
			&mm.SchemeRoles{SchemeAdmin: true, SchemeUser: true}); err != nil {
			return fmt.Errorf("giving somebody a role in channel %s: %w", c.name, err)
		}
	}
	return nil
}

// post posts the guidelines, pinned.
func (b *bareLoop) post(ctx context.Context, channel, text string) error {
	_, _, err := b.api.CreatePost(platform.WithRoute(ctx, "POST /posts"), &mm.Post{ChannelId: channel, Message: text, IsPinned: true})
	if err != nil {
		return fmt.Errorf("posting the guidelines: %w", err)
	}
	return nil
}

// requests are what the loop asked.
func (b *bareLoop) requests() (stack.Requests, error) { return stack.GatherRequests(b.counts) }
