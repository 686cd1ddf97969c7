// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"maps"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// Observe says how the space of a resource is, from the view, and asks for what
// that doesn't have. What we wrote is in it, because the answer to a write says
// how the space is then.
func (a *Adapter) Observe(ctx context.Context, q platform.Query) (platform.Observation, error) {
	a.begin()
	if err := a.whole(ctx, q.Verify); err != nil {
		return platform.Observation{Why: err.Error()}, err
	}
	o, err := a.look(ctx, q)
	if err != nil {
		return platform.Observation{Why: err.Error()}, err
	}
	return o, nil
}

// verify looks again at what nobody tells of: the message with the guidelines, and who is what.
func (a *Adapter) verify(ctx context.Context, s *space) error {
	if _, err := a.verifyGuidelines(ctx, []string{s.id}); err != nil {
		return err
	}
	a.view.mu.Lock()
	defer a.view.mu.Unlock()
	if now := a.view.spaces[s.id]; now != nil {
		now.members = nil
	}
	return nil
}

// found is what the view has for a query.
type found struct {
	team   *space // of the parent
	space  *space
	more   []string
	holder *space
	lost   bool
	// unsure says that a lost answer may have made a space of this name.
	unsure bool
}

func (a *Adapter) look(ctx context.Context, q platform.Query) (platform.Observation, error) {
	f, err := a.seek(ctx, q)
	if err != nil {
		return platform.Observation{}, err
	}
	o := platform.Observation{Complete: true, Duplicates: f.more, Lost: f.lost}
	if f.team != nil {
		o.ParentID = f.team.id
	}
	if f.space != nil {
		if q.Verify {
			if err := a.verify(ctx, f.space); err != nil {
				return o, err
			}
		}
		if o.Space, err = a.observed(ctx, f.space, q); err != nil {
			return o, err
		}
	}
	if f.holder != nil {
		o.Holder = &platform.Holder{ID: f.holder.id}
		a.view.mu.Lock()
		o.Holder.Mark = a.view.markOf(f.holder)
		a.view.mu.Unlock()
		if o.Holder.Space, err = a.observed(ctx, f.holder, q); err != nil {
			return o, err
		}
	}
	return o, nil
}

// seek finds the spaces of a query, and reads those again that may have changed.
func (a *Adapter) seek(ctx context.Context, q platform.Query) (found, error) {
	for {
		f, stale := a.seekNow(q)
		switch {
		case stale != nil:
			if err := a.refresh(ctx, stale); err != nil {
				return f, err
			}
		case f.unsure:
			if _, err := a.find(ctx, teamID(f.team), q.Address); err != nil {
				return f, err
			}
		case f.team != nil && !a.view.isListed(f.team.id):
			if err := a.listTeam(ctx, f.team.id); err != nil {
				return f, err
			}
		case f.lost:
			return f, a.confirmLost(ctx, q.KnownID, &f)
		default:
			return f, nil
		}
	}
}

func (a *Adapter) seekNow(q platform.Query) (f found, stale *space) {
	v := a.view
	v.mu.Lock()
	defer v.mu.Unlock()
	if q.Parent != nil {
		// The parent's own name is not in the query: a team that was made and not recorded yet is found by its own resource.
		if teams := v.of(*q.Parent, "", ""); len(teams) > 0 {
			f.team = teams[0]
		}
	}
	team := teamID(f.team)
	if spaces := v.of(q.Ref, team, q.Address); len(spaces) > 0 {
		f.space = spaces[0]
		for _, s := range spaces[1:] {
			if s.archivedAt == 0 { // one that is archived already was retired, or everything is
				f.more = append(f.more, s.id)
			}
		}
	}
	known := q.Parent == nil || f.team != nil
	if q.Address != "" && known {
		if s := v.named(team, q.Address); s != nil && (f.space == nil || s.id != f.space.id) {
			f.holder = s
		}
		f.unsure = v.unsure[nameKey(team, q.Address)]
	}
	if q.KnownID != "" {
		f.lost = v.spaces[q.KnownID] == nil
	}
	for _, s := range []*space{f.team, f.space, f.holder} {
		if s != nil && s.stale {
			return f, s
		}
	}
	return f, nil
}

func teamID(team *space) string {
	if team == nil {
		return ""
	}
	return team.id
}

// confirmLost asks whether a space that is not in the view is there all the
// same: pages can miss one that is renamed while they are read.
func (a *Adapter) confirmLost(ctx context.Context, id string, f *found) error {
	us, err := a.identify(ctx)
	if err != nil {
		return err
	}
	s, err := a.readChannel(ctx, id, us)
	if platform.IsKind(err, platform.NotFound) || platform.IsKind(err, platform.Forbidden) || platform.IsKind(err, platform.Invalid) {
		s, err = a.readTeam(ctx, id, us)
	}
	switch {
	case platform.IsKind(err, platform.NotFound), platform.IsKind(err, platform.Invalid):
		return nil
	case err != nil:
		return err
	}
	a.view.mu.Lock()
	defer a.view.mu.Unlock()
	a.view.put(s)
	f.lost = false
	return nil
}

// listTeam reads the channels of one team, which became ours since everything was read.
func (a *Adapter) listTeam(ctx context.Context, team string) error {
	us, err := a.identify(ctx)
	if err != nil {
		return err
	}
	channels, err := a.listChannels(ctx, us.id, []string{team})
	if err != nil {
		return err
	}
	a.view.mu.Lock()
	defer a.view.mu.Unlock()
	for _, s := range channels {
		a.view.put(s)
	}
	a.view.listed[team] = true
	return nil
}

// observed is a space in our words.
func (a *Adapter) observed(ctx context.Context, s *space, q platform.Query) (*model.Observed, error) {
	offer := a.offered()
	out := &model.Observed{
		ID:        s.id,
		CreatedAt: time.UnixMilli(s.createdAt),
		Archived:  s.archivedAt != 0,
		Address:   s.name,
		Settings: model.Settings{
			DisplayName: s.displayNameSeen(offer),
			Topic:       s.topicSeen(),
			Join:        s.join(),
			History:     model.HistoryEverything,
			Guests:      model.GuestsForbidden,
			Permissions: maps.Clone(offer.by(s.isTeam())),
		},
		Delegated: s.delegated(offer),
	}
	a.view.mu.Lock()
	out.Mark = a.view.markOf(s)
	if a.view.unrecorded(s) && s.name == q.Address { // to be taken up again, which records it
		out.Mark = &model.Mark{OwnerID: a.cfg.OwnerID, Ref: q.Ref, Released: true}
	}
	if s.team != "" {
		parent := a.view.spaces[s.team]
		out.Linked = parent != nil && q.Parent != nil && a.parentIs(parent, *q.Parent)
	}
	a.view.mu.Unlock()
	if rec, recorded := a.records.get(s.id); recorded {
		out.GuidelinesDigest = rec.Digest
		if out.IconDigest = rec.Icon; rec.Icon != "" && rec.IconAt != s.iconAt {
			out.IconDigest = "changed by hand"
		}
	}
	if offer.licensed && !s.isTeam() {
		if err := a.readModeration(ctx, s, out.Settings.Permissions); err != nil {
			return nil, err
		}
	}
	if q.Members {
		if err := a.fill(ctx, s, q.Declared, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// parentIs says whether a team is a community's. The view's lock is held.
func (a *Adapter) parentIs(team *space, ref model.Ref) bool {
	mark := a.view.markOf(team)
	return mark != nil && mark.Ref == ref
}

// topicSeen is the topic of a channel, which is its header, and as much of it as fits its purpose. Where the two
// don't go together, it is neither: a topic has one line.
func (s *space) topicSeen() string {
	if s.isTeam() || s.topic == platform.Runes.Cut(s.header, maxPurpose) {
		if s.isTeam() {
			return s.topic
		}
		return s.header
	}
	return s.header + "\n" + s.topic
}

func (s *space) join() model.JoinRule {
	switch {
	case !s.open:
		return model.JoinInvite
	case s.isTeam():
		return model.JoinAnybody
	default:
		return model.JoinParentMembers
	}
}
