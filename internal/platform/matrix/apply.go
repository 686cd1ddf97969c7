// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// Apply does one operation, one at a time in each room.
func (a *Adapter) Apply(ctx context.Context, op plan.Operation) (string, error) {
	if op.Verb == plan.Create {
		return a.create(ctx, op)
	}
	doing := fmt.Sprintf("applying %s to %s", op.Verb, op.SpaceID)
	// What there is to wait for is waited for before the room is locked, if possible: others write into it meanwhile.
	if err := a.current(ctx, doing, readsOf(op)); err != nil {
		return "", err
	}
	defer a.rooms.Lock(op.SpaceID)()
	if err := a.current(ctx, doing, readsOf(op)); err != nil {
		return "", err
	}
	w, err := a.open(op, doing)
	if err != nil {
		if op.Verb == plan.Delete && platform.IsKind(err, platform.NotFound) {
			return op.SpaceID, nil
		}
		return "", err
	}
	if err := w.apply(ctx, op); err != nil {
		return "", err
	}
	return op.SpaceID, nil
}

// readsOf is what an operation builds on, so that it waits for earlier writes
// of that, and of nothing else.
func readsOf(op plan.Operation) scope {
	s := scope{room: op.SpaceID}
	switch op.Verb {
	case plan.AddMember, plan.RemoveMember:
		s.kinds, s.account = []string{typeMember, typeJoinRules}, op.Members[0].Account
	case plan.SetRoles:
		s.kinds = []string{typePowers}
	case plan.SetAddress:
		s.kinds = []string{typeAlias}
	case plan.Link:
		s.kinds = []string{typeParent}
	case plan.Set:
		switch op.Field {
		case plan.FieldGuidelines:
			s.kinds = []string{typePins, typeGuidelines}
		case plan.FieldListed:
			s.kinds = []string{typeOwner}
		default:
			s.kinds = []string{typePowers}
		}
	default: // all of it
	}
	if len(s.kinds) > 0 {
		s.kinds = append(s.kinds, typeOwner, typePowers) // whether the room is ours decides about every write
	}
	return s
}

// write is one operation on one room. Its lock is held, and what it says of
// the room is from before the operation.
type write struct {
	*Adapter
	op plan.Operation
	id string
	us string
	is *room // a copy, so that it can be read without the view's lock
}

// open finds the room, and refuses one that is not ours.
func (a *Adapter) open(op plan.Operation, doing string) (*write, error) {
	v := a.view
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.room(op.SpaceID)
	if r == nil {
		return nil, platform.Refuse(platform.NotFound, doing, "the operator is not in the room")
	}
	if op.Verb != plan.Mark {
		v.refs[keyOf(v.ownerID, op.Space.Mark.Ref)] = op.Space.Mark.Ref
		if mark := v.markOf(r); mark == nil || mark.OwnerID != a.cfg.OwnerID {
			return nil, platform.Refuse(platform.Conflict, doing, "the room doesn't carry our mark")
		}
	}
	return &write{Adapter: a, op: op, id: r.id, us: v.us, is: r.copy()}, nil
}

func (w *write) apply(ctx context.Context, op plan.Operation) error {
	switch op.Verb {
	case plan.Mark:
		return w.mark(ctx, op.Space.Mark)
	case plan.Release:
		mark := op.Space.Mark
		mark.Released = true
		w.creations.free(op.Space.Address, mark.Ref)
		return w.put(ctx, typeOwner, "", w.is.owner.carryOver(mark))
	case plan.Archive:
		return w.archive(ctx)
	case plan.Restore:
		return w.put(ctx, typeArchived, "", archivedContent{})
	case plan.Delete:
		return w.delete(ctx)
	case plan.Set:
		return w.set(ctx, op)
	case plan.SetAddress:
		return w.setAddress(ctx, op.Space.Address)
	case plan.Link:
		return w.link(ctx, op.ParentID)
	case plan.AddMember:
		return w.addMember(ctx, op.Members[0])
	case plan.RemoveMember:
		return w.removeMember(ctx, op.Members[0].Account)
	case plan.SetRoles:
		return w.setRoles(ctx, op.Members)
	default:
		return platform.Refuse(platform.NotSupported, "applying "+string(op.Verb), "there is no such operation")
	}
}

func (w *write) set(ctx context.Context, op plan.Operation) error {
	s := op.Space.Settings
	switch op.Field {
	case plan.FieldDisplayName:
		return w.put(ctx, typeName, "", map[string]string{"name": s.DisplayName})
	case plan.FieldTopic:
		return w.put(ctx, typeTopic, "", map[string]string{"topic": s.Topic})
	case plan.FieldAvatar:
		content := map[string]string{}
		if s.Avatar != "" {
			content["url"] = s.Avatar
		}
		return w.put(ctx, typeAvatar, "", content)
	case plan.FieldJoin:
		content, err := joinContent(s.Join, op.ParentID)
		if err != nil {
			return err
		}
		return w.put(ctx, typeJoinRules, "", content)
	case plan.FieldListed:
		return w.list(ctx, s.Listed)
	case plan.FieldHistory:
		return w.put(ctx, typeHistory, "", historySetting(s.History))
	case plan.FieldGuests:
		return w.put(ctx, typeGuests, "", guestsSetting(s.Guests))
	case plan.FieldServers:
		return w.put(ctx, typeServerACL, "", aclSetting(s.Servers, w.cfg.ServerName))
	case plan.FieldPermissions:
		return w.setPermissions(ctx, s.Permissions)
	case plan.FieldGuidelines:
		return w.setGuidelines(ctx, s.Guidelines)
	default:
		return platform.Refuse(platform.NotSupported, "setting "+string(op.Field), "there is no such setting")
	}
}

// put writes one piece of state. Writing what is there already changes
// nothing: the server answers with the event that is there.
func (w *write) put(ctx context.Context, kind, key string, content any) error {
	return w.putInto(ctx, w.id, kind, key, content)
}

func (a *Adapter) putInto(ctx context.Context, room, kind, key string, content any) error {
	var answer struct {
		Event string `json:"event_id"`
	}
	if err := a.client.do(ctx, request{
		doing: "setting " + kind + " of " + room, route: "PUT /rooms/{room}/state/{type}",
		method: http.MethodPut, path: v3("rooms", room, "state", kind, key), body: content, into: &answer,
	}); err != nil {
		return err
	}
	a.view.expectEvent(room, kind, key, answer.Event)
	return nil
}

// mark writes whose the room is. In a room that others made, it first makes
// sure that nobody else can write that.
func (w *write) mark(ctx context.Context, mark model.Mark) error {
	doing := "marking " + w.id
	if why := w.is.control(w.us); why != "" {
		return platform.Refuse(platform.Forbidden, doing, why)
	}
	if is := w.is.mark; is != nil && !is.Released && (is.OwnerID != w.cfg.OwnerID || is.Ref != mark.Ref) {
		return platform.Refuse(platform.Conflict, doing, "it belongs to "+is.Ref.String()+" of the installation "+is.OwnerID)
	}
	if err := w.sameOwner(ctx, doing, mark); err != nil {
		return err
	}
	succeeds, err := w.succeed(ctx)
	if err != nil {
		return err
	}
	if w.is.creator != w.us && !w.is.onlyWeSend(w.us, typeOwner) {
		p := w.is.levels().clone()
		for _, kind := range []string{typeOwner, typeGuidelines, typeArchived, typePowers} {
			p.events[kind] = powerOperator
		}
		if err := w.putPowers(ctx, p); err != nil {
			return err
		}
	}
	listed, copied := w.is.owner.Listed, succeeds != w.is.owner.Succeeds // a copied mark tells what held of the old room
	if w.is.ownerSender != w.us || listed == nil || copied {
		is, err := w.isListed(ctx, w.id, nil, copied)
		if err != nil {
			return err
		}
		listed = &is
	}
	content := contentOf(mark, listed)
	content.ListingRefused, content.Succeeds = w.is.ownerSender == w.us && w.is.owner.ListingRefused, succeeds
	return w.put(ctx, typeOwner, "", content)
}

// sameOwner refuses to write a mark over another one that the view doesn't have yet:
// another installation may have taken the room over since the last sync.
func (w *write) sameOwner(ctx context.Context, doing string, mark model.Mark) error {
	var now ownerContent
	err := w.client.do(ctx, request{
		doing: "looking whose " + w.id + " is", route: "GET /rooms/{room}/state/{type}",
		method: http.MethodGet, path: v3("rooms", w.id, "state", typeOwner, ""), into: &now,
	})
	if err != nil && !platform.IsKind(err, platform.NotFound) {
		return err
	}
	before, after := w.is.owner.mark(), now.mark()
	if after != nil && *after == mark { // as in a room that a createRoom without an answer is still about
		return nil
	}
	if (before == nil) != (after == nil) || before != nil && *before != *after {
		return platform.Refuse(platform.Conflict, doing, "whose it is has just changed; it is looked at again")
	}
	return nil
}

// link makes the parent and the room name each other.
func (w *write) link(ctx context.Context, parent string) error {
	if parent == "" {
		return platform.Refuse(platform.Invalid, "linking "+w.id, "the parent's space is not known yet")
	}
	via := []string{w.cfg.ServerName}
	if err := w.adopted(ctx, parent, via); err != nil {
		return err
	}
	if _, named := w.is.parents[parent]; named { // since it was made
		return nil
	}
	return w.put(ctx, typeParent, parent, linkContent{Via: via, Canonical: true})
}

// setPermissions writes who may do what, and keeps who is what.
func (w *write) setPermissions(ctx context.Context, permissions map[model.Action]model.Role) error {
	p := newPowers(permissions)
	p.users = w.is.levels().clone().users
	return w.putPowers(ctx, p)
}

// setRoles writes who is what, and keeps who may do what.
func (w *write) setRoles(ctx context.Context, members []model.Member) error {
	p := w.is.levels().clone()
	members = slices.DeleteFunc(slices.Clone(members), func(m model.Member) bool { return w.is.isCreator(m.Account) })
	if err := p.setRoles(w.us, members); err != nil {
		return err
	}
	return w.putPowers(ctx, p)
}

// putPowers writes the whole event, with the operator's own power in it.
//
// Dendrite (gomatrixserverlib up to 2025-08) looks up the power of a version
// 12 creator among the users when notifications change, finds none, and
// refuses. Everything else is written then, and the error says what is not.
func (w *write) putPowers(ctx context.Context, p *powers) error {
	doing := "setting the roles of " + w.id
	if !w.is.privilegedCreators() {
		p.users[w.us] = max(w.is.power(w.us), powerOperator)
	}
	if err := tooLarge(p.content(), doing); err != nil {
		return err
	}
	err := w.put(ctx, typePowers, "", p.content())
	has := w.is.levels().notifyRoom
	if !platform.IsKind(err, platform.Forbidden) || !w.is.isCreator(w.us) || p.notifyRoom == has {
		return err
	}
	p = p.clone()
	p.notifyRoom = has
	if err := w.put(ctx, typePowers, "", p.content()); err != nil {
		return err
	}
	return &platform.Error{Kind: platform.NotSupported, Err: err, Doing: fmt.Sprintf(
		"changing from %d who may mention everybody in %s (this server lets nobody change that in a room of version %s; the rest is set)",
		has, w.id, w.is.version)}
}

// setRoles gives accounts their roles. Our own power is not to be touched.
func (p *powers) setRoles(us string, members []model.Member) error {
	for _, m := range members {
		switch {
		case m.Account == us:
			continue
		case m.Role == model.RoleMember:
			delete(p.users, m.Account)
		case m.Role < model.RoleMember || m.Role >= model.RoleOperator:
			return platform.Refuse(platform.Invalid, "giving "+m.Account+" a role", "nobody can be "+m.Role.String())
		case !validAccount(m.Account):
			return platform.Refuse(platform.Invalid, "giving "+m.Account+" a role", "it is not a Matrix user ID")
		default:
			p.users[m.Account] = powerOf(m.Role)
		}
	}
	return nil
}

// maxContent is how large the content of an event may be: an event has 64 KiB
// with its signatures, hashes and references.
const maxContent = 62 << 10

func tooLarge(content any, doing string) error {
	if n := size(content); n > maxContent {
		return platform.Refuse(platform.Invalid, doing, fmt.Sprintf(
			"the event would have %d bytes and a Matrix event holds %d: give fewer people a role", n, maxContent))
	}
	return nil
}

// adopted has the parent name the room. Writes into one room go one after the
// other (writes that are sent at the same time fork its history, of which a
// server may tell one branch alone), and of these the parent's own take turns
// with its links. A queue for the parent's room waits here, where it keeps no
// place of the request budget from writes into other rooms; and whose turn it
// is goes first, because all others in the queue wait for it.
func (w *write) adopted(ctx context.Context, parent string, via []string) error {
	defer w.rooms.LockAside(parent)()
	return w.putInto(platform.WithPriority(ctx, platform.PriorityRevoke), parent, typeChild, w.id, linkContent{Via: via})
}
