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

// Apply does one operation, one at a time in each space.
func (a *Adapter) Apply(ctx context.Context, op plan.Operation) (string, error) {
	a.begin()
	if err := a.whole(ctx, false); err != nil {
		return "", err
	}
	if op.Verb == plan.Create {
		return a.create(ctx, op)
	}
	defer a.spaces.Lock(op.SpaceID)()
	w, err := a.open(op)
	if err != nil {
		if op.Verb == plan.Delete && platform.IsKind(err, platform.NotFound) {
			return op.SpaceID, nil
		}
		return "", err
	}
	if op.Field == plan.FieldGuidelines || op.Verb == plan.AddMember {
		defer a.creations.touch(op.SpaceID)
	}
	if err := w.apply(ctx, op); err != nil {
		w.doubt(err)
		return "", err
	}
	return op.SpaceID, nil
}

// writing is one operation on one space. Its lock is held.
type writing struct {
	*Adapter
	is *space
}

// open finds the space, and refuses one that is not ours.
func (a *Adapter) open(op plan.Operation) (*writing, error) {
	doing := fmt.Sprintf("applying %s to %s", op.Verb, op.SpaceID)
	v := a.view
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.spaces[op.SpaceID]
	if s == nil {
		return nil, platform.Refuse(platform.NotFound, doing, "it is not there any more")
	}
	if op.Verb != plan.Mark {
		if mark := v.markOf(s); mark == nil || mark.OwnerID != a.cfg.OwnerID {
			return nil, platform.Refuse(platform.Conflict, doing, "it doesn't carry our mark")
		}
	}
	return &writing{Adapter: a, is: s}, nil
}

// doubt has the space read again when it is not known whether a write happened.
func (w *writing) doubt(err error) {
	if !platform.IsKind(err, platform.Ambiguous) {
		return
	}
	w.view.mu.Lock()
	defer w.view.mu.Unlock()
	if s := w.view.spaces[w.is.id]; s != nil {
		s.stale, s.members = true, nil
	}
}

func (w *writing) apply(ctx context.Context, op plan.Operation) error {
	switch op.Verb {
	case plan.Mark:
		return w.mark(ctx, op.Space.Mark)
	case plan.Release:
		mark := op.Space.Mark
		mark.Released = true
		return w.record(ctx, func(r record) record { return r.marked(mark) })
	case plan.Archive:
		return w.archive(ctx)
	case plan.Restore:
		return w.restore(ctx)
	case plan.Delete:
		return w.delete(ctx)
	case plan.Set:
		return w.set(ctx, op)
	case plan.SetAddress:
		return w.rename(ctx, op.Space.Address)
	case plan.Link:
		return platform.Refuse(platform.NotSupported, "linking "+w.is.id, "a channel stays in its team: make another one in the community's team")
	case plan.AddMember:
		return w.addMember(ctx, op.Members[0].Account)
	case plan.RemoveMember:
		return w.removeMember(ctx, op.Members[0].Account)
	case plan.SetRoles:
		return w.setRoles(ctx, op.Members)
	default:
		return platform.Refuse(platform.NotSupported, "applying "+string(op.Verb), "there is no such operation")
	}
}

// record changes the space's record and writes it before it returns.
func (w *writing) record(ctx context.Context, change func(record) record) error {
	rec, _ := w.records.get(w.is.id)
	w.records.set(w.is.id, change(rec))
	return w.records.save(ctx, w.is.id)
}

// mark records whose the space is, and has our account come in, so that the
// WebSocket tells of it. A team says to other installations that it is ours.
func (w *writing) mark(ctx context.Context, mark model.Mark) error {
	if err := w.sameOwner(ctx); err != nil {
		return err
	}
	w.view.mu.Lock()
	is := w.view.markOf(w.is)
	w.view.mu.Unlock()
	if is != nil && !is.Released && (is.OwnerID != mark.OwnerID || is.Ref != mark.Ref) {
		return platform.Refuse(platform.Conflict, "marking "+w.is.id, "it belongs to the installation "+is.OwnerID+", which has not let it go")
	}
	if err := w.comeIn(ctx); err != nil {
		return err
	}
	if w.is.isTeam() && w.is.sign != sign(w.cfg.OwnerID) {
		company := sign(w.cfg.OwnerID)
		if err := w.patchTeam(ctx, &mm.TeamPatch{CompanyName: &company}); err != nil {
			return err
		}
	}
	return w.record(ctx, func(r record) record { return r.marked(mark) })
}

// sameOwner refuses to write a mark over one that the view doesn't have yet:
// another installation may have taken the space since.
func (w *writing) sameOwner(ctx context.Context) error {
	w.view.mu.Lock()
	before := w.view.markOf(w.is)
	w.view.mu.Unlock()
	if err := w.records.load(ctx); err != nil {
		return err
	}
	if w.is.isTeam() {
		if err := w.refresh(ctx, w.is); err != nil {
			return err
		}
	}
	w.view.mu.Lock()
	defer w.view.mu.Unlock()
	now := w.view.spaces[w.is.id]
	if now == nil {
		return platform.Refuse(platform.NotFound, "marking "+w.is.id, "it is not there any more")
	}
	after := w.view.markOf(now)
	if (before == nil) != (after == nil) || before != nil && *before != *after {
		return platform.Refuse(platform.Conflict, "marking "+w.is.id, "whose it is has just changed; it is looked at again")
	}
	w.is = now
	return nil
}

// comeIn adds our own account. Being in already is no error on Mattermost.
func (w *writing) comeIn(ctx context.Context) error {
	us := w.us().id
	if w.is.archivedAt != 0 {
		return nil
	}
	if w.is.isTeam() {
		return w.joinTeam(ctx, w.is.id, us)
	}
	return w.joinChannel(ctx, us)
}

func (w *writing) set(ctx context.Context, op plan.Operation) error {
	s := op.Space.Settings
	switch op.Field {
	case plan.FieldDisplayName:
		if w.is.isTeam() {
			return w.patchTeam(ctx, &mm.TeamPatch{DisplayName: &s.DisplayName})
		}
		name := w.offered().sent(s.DisplayName)
		return w.patchChannel(ctx, &mm.ChannelPatch{DisplayName: &name})
	case plan.FieldTopic:
		if w.is.isTeam() {
			return w.patchTeam(ctx, &mm.TeamPatch{Description: &s.Topic})
		}
		purpose := platform.Runes.Cut(s.Topic, maxPurpose)
		return w.patchChannel(ctx, &mm.ChannelPatch{Header: &s.Topic, Purpose: &purpose})
	case plan.FieldJoin:
		return w.setJoin(ctx, s.Join)
	case plan.FieldPermissions:
		return w.setModeration(ctx, s.Permissions)
	case plan.FieldGuidelines:
		return w.setGuidelines(ctx, s.Guidelines)
	case plan.FieldIcon:
		return w.setIcon(ctx, s.Icon)
	default:
		return platform.Refuse(platform.NotSupported, "setting "+string(op.Field), "Mattermost has no such setting")
	}
}

func (w *writing) patchTeam(ctx context.Context, patch *mm.TeamPatch) error {
	t, err := get(ctx, w.client, write("PUT /teams/{team}/patch", "changing team "+w.is.id),
		func(ctx context.Context, api *mm.Client4) (*mm.Team, *mm.Response, error) {
			return api.PatchTeam(ctx, w.is.id, patch)
		})
	if err != nil {
		return err
	}
	w.toldTeam(t)
	return nil
}

func (w *writing) patchChannel(ctx context.Context, patch *mm.ChannelPatch) error {
	c, err := get(ctx, w.client, write("PUT /channels/{channel}/patch", "changing channel "+w.is.id),
		func(ctx context.Context, api *mm.Client4) (*mm.Channel, *mm.Response, error) {
			return api.PatchChannel(ctx, w.is.id, patch)
		})
	if err != nil {
		return err
	}
	w.told(channelSpace(c, w.us().id))
	return nil
}

// told takes over what the answer to a write says of the space.
func (w *writing) told(s *space) {
	w.view.mu.Lock()
	defer w.view.mu.Unlock()
	w.view.put(s)
	w.is = s
}

// toldTeam takes over a team, whose maker the answers to some writes leave out.
func (w *writing) toldTeam(t *mm.Team) {
	s := teamSpace(t, w.us().email)
	s.byUs = s.byUs || w.is.byUs
	w.told(s)
}

func (w *writing) setJoin(ctx context.Context, join model.JoinRule) error {
	if w.is.isTeam() {
		open := join == model.JoinAnybody
		return w.patchTeam(ctx, &mm.TeamPatch{AllowOpenInvite: &open})
	}
	if w.is.name == mm.DefaultChannelName && join == model.JoinInvite {
		return platform.Refuse(platform.NotSupported, "making channel "+w.is.id+" private", "a team's default channel is open to the team")
	}
	if w.is.policied && w.offered().policies && join != model.JoinInvite {
		return platform.Refuse(platform.NotSupported, "opening channel "+w.is.id, "its access policy is for a private channel, and holds in no other")
	}
	c, err := get(ctx, w.client, write("PUT /channels/{channel}/privacy", "changing who can come into channel "+w.is.id),
		func(ctx context.Context, api *mm.Client4) (*mm.Channel, *mm.Response, error) {
			return api.UpdateChannelPrivacy(ctx, w.is.id, channelType(join))
		})
	if err != nil {
		return err
	}
	w.told(channelSpace(c, w.us().id))
	return nil
}

// rename gives a channel another name. The server tells nobody where the old one led.
func (w *writing) rename(ctx context.Context, name string) error {
	if w.is.isTeam() {
		return platform.Refuse(platform.NotSupported, "renaming team "+w.is.id,
			"the name in a team's address can't be changed through the API: an administrator can with mmctl, or declare the old spaceName again")
	}
	// From here on it is found by its record.
	if err := w.records.save(ctx, w.is.id); err != nil {
		return err
	}
	return w.patchChannel(ctx, &mm.ChannelPatch{Name: &name})
}

func (w *writing) archive(ctx context.Context) error {
	if w.is.archivedAt != 0 {
		return nil
	}
	var err error
	if w.is.isTeam() {
		err = w.client.do(ctx, write("DELETE /teams/{team}", "archiving team "+w.is.id),
			func(ctx context.Context, api *mm.Client4) (*mm.Response, error) {
				return api.SoftDeleteTeam(ctx, w.is.id)
			})
	} else {
		err = w.client.do(ctx, write("DELETE /channels/{channel}", "archiving channel "+w.is.id),
			func(ctx context.Context, api *mm.Client4) (*mm.Response, error) {
				return api.DeleteChannel(ctx, w.is.id)
			})
	}
	if err != nil {
		return err
	}
	return w.refresh(ctx, w.is) // the answer doesn't say when it was archived
}

func (w *writing) restore(ctx context.Context) error {
	if w.is.archivedAt == 0 {
		return nil
	}
	if w.is.isTeam() {
		t, err := get(ctx, w.client, write("POST /teams/{team}/restore", "restoring team "+w.is.id),
			func(ctx context.Context, api *mm.Client4) (*mm.Team, *mm.Response, error) {
				return api.RestoreTeam(ctx, w.is.id)
			})
		if err != nil {
			return err
		}
		w.toldTeam(t)
		return w.comeIn(ctx)
	}
	c, err := get(ctx, w.client, write("POST /channels/{channel}/restore", "restoring channel "+w.is.id),
		func(ctx context.Context, api *mm.Client4) (*mm.Channel, *mm.Response, error) {
			return api.RestoreChannel(ctx, w.is.id)
		})
	if err != nil {
		return err
	}
	w.told(channelSpace(c, w.us().id))
	return w.comeIn(ctx)
}

// delete removes the space for good, where the server allows that.
func (w *writing) delete(ctx context.Context) error {
	if !w.offered().deletes {
		return w.archive(ctx)
	}
	var err error
	if w.is.isTeam() {
		err = w.client.do(ctx, write("DELETE /teams/{team}?permanent", "deleting team "+w.is.id),
			func(ctx context.Context, api *mm.Client4) (*mm.Response, error) {
				return api.PermanentDeleteTeam(ctx, w.is.id)
			})
	} else {
		err = w.client.do(ctx, write("DELETE /channels/{channel}?permanent", "deleting channel "+w.is.id),
			func(ctx context.Context, api *mm.Client4) (*mm.Response, error) {
				return api.PermanentDeleteChannel(ctx, w.is.id)
			})
	}
	if err != nil && !platform.IsKind(err, platform.NotFound) {
		return err
	}
	w.view.mu.Lock()
	w.view.drop(w.is.id)
	w.view.mu.Unlock()
	return w.record(ctx, func(record) record { return record{} })
}
