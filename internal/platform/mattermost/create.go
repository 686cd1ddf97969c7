// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"fmt"

	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// create makes a team or a channel. The server lets one space have a name, so
// that nothing is made twice: a name that is taken is either ours from an
// attempt whose answer was lost, or somebody else's.
func (a *Adapter) create(ctx context.Context, op plan.Operation) (string, error) {
	want := op.Space
	if want.Parent != nil && op.ParentID == "" {
		return "", platform.Refuse(platform.Invalid, "making channel "+want.Address, "the team of its community is not known yet")
	}
	key := nameKey(op.ParentID, want.Address)
	defer a.spaces.Lock(key)()
	us, err := a.identify(ctx)
	if err != nil {
		return "", err
	}
	made, err := a.make(ctx, op, us)
	switch {
	case platform.IsKind(err, platform.AlreadyExists):
		return a.already(ctx, op, err)
	case platform.IsKind(err, platform.Ambiguous):
		a.view.mu.Lock()
		a.view.unsure[key] = true
		a.view.mu.Unlock()
		return "", err
	case err != nil:
		return "", err
	}
	a.creations.made(made.id)
	a.taken(made, want.Mark)
	if made.isTeam() {
		a.view.mu.Lock()
		a.view.listed[made.id] = true // but for the default channels, which are looked for by name
		a.view.mu.Unlock()
		// What is made in the team is known to be ours by the team.
		if err := a.records.save(ctx, made.id); err != nil {
			return "", err
		}
	}
	return made.id, nil
}

func (a *Adapter) make(ctx context.Context, op plan.Operation, us account) (*space, error) {
	want := op.Space
	if want.Parent == nil {
		t, err := get(ctx, a.client, write("POST /teams", "making team "+want.Address),
			func(ctx context.Context, api *mm.Client4) (*mm.Team, *mm.Response, error) {
				return api.CreateTeam(ctx, &mm.Team{
					Name: want.Address, DisplayName: want.Settings.DisplayName, Description: want.Settings.Topic,
					Type: mm.TeamOpen, AllowOpenInvite: want.Settings.Join == model.JoinAnybody,
					CompanyName: sign(a.cfg.OwnerID),
				})
			})
		if err != nil {
			return nil, err
		}
		return teamSpace(t, us.email), nil
	}
	c, err := get(ctx, a.client, write("POST /channels", "making channel "+want.Address),
		func(ctx context.Context, api *mm.Client4) (*mm.Channel, *mm.Response, error) {
			return api.CreateChannel(ctx, &mm.Channel{
				TeamId: op.ParentID, Name: want.Address, DisplayName: a.offered().sent(want.Settings.DisplayName), Type: channelType(want.Settings.Join),
				Header: want.Settings.Topic, Purpose: platform.Runes.Cut(want.Settings.Topic, maxPurpose),
			})
		})
	if err != nil {
		return nil, err
	}
	return channelSpace(c, us.id), nil
}

// sign is the company name of a team of an installation. It holds 64
// characters; a longer owner ID is cut, and told from others by its digest.
func sign(ownerID string) string {
	const most, digits = 64, 12
	if s := signPrefix + ownerID; len(s) <= most {
		return s
	}
	return signPrefix + ownerID[:most-len(signPrefix)-digits-1] + "-" + model.Digest(ownerID)[:digits]
}

func channelType(join model.JoinRule) mm.ChannelType {
	if join == model.JoinInvite {
		return mm.ChannelTypePrivate
	}
	return mm.ChannelTypeOpen
}

// already answers a create for a name that is taken: with the space when it is
// the one that was to be made, or it is shown as the holder of the name.
func (a *Adapter) already(ctx context.Context, op plan.Operation, refused error) (string, error) {
	s, err := a.find(ctx, op.ParentID, op.Space.Address)
	if err != nil {
		return "", err
	}
	if s == nil {
		return "", refused
	}
	a.view.mu.Lock()
	ours, mark := a.view.unrecorded(s), a.view.markOf(s)
	a.view.mu.Unlock()
	switch {
	case ours:
		a.taken(s, op.Space.Mark)
		return s.id, nil
	case mark != nil && mark.OwnerID == op.Space.Mark.OwnerID && mark.Ref == op.Space.Mark.Ref:
		return s.id, nil
	default:
		return "", platform.Refuse(platform.AlreadyExists, fmt.Sprintf("making %q", op.Space.Address), "the name is taken")
	}
}

// taken notes a space as a resource's.
func (a *Adapter) taken(s *space, mark model.Mark) {
	a.records.set(s.id, record{}.marked(mark))
	a.view.mu.Lock()
	defer a.view.mu.Unlock()
	a.view.put(s)
}
