// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package samples

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// Check compares what was declared with what the homeserver tells, the
// operator's account and the people's own. It returns how many things it looked
// at and what was wrong with them. People write and try to come in, so rooms
// have something said in them afterwards.
func Check(ctx context.Context, c client.Reader, homeserver *devenv.Homeserver) (checks int, wrong []string, err error) {
	all, err := readDeclared(ctx, c)
	if err != nil {
		return 0, nil, err
	}
	operator, err := mautrix.NewClient(homeserver.URL, id.UserID(homeserver.OperatorUserID), homeserver.ASToken)
	if err != nil {
		return 0, nil, fmt.Errorf("making a client: %w", err)
	}
	operator.SetAppServiceUserID = true
	k := &checker{homeserver: homeserver, operator: operator, people: map[string]*mautrix.Client{}}
	k.complete(all)
	spaces := map[client.ObjectKey]id.RoomID{}
	for i := range all.communities {
		o := &all.communities[i]
		room := k.room(ctx, o.Name, o.Spec.DisplayName, o.Status.SpaceStatus)
		k.members(ctx, o.Name, room, o.Spec.Members)
		spaces[client.ObjectKeyFromObject(o)] = room
	}
	for i := range all.groups {
		o := &all.groups[i]
		room := k.room(ctx, o.Name, o.Spec.DisplayName, o.Status.SpaceStatus)
		k.members(ctx, o.Name, room, o.Spec.Members)
		k.linked(ctx, o.Name, spaces[client.ObjectKey{Namespace: o.Namespace, Name: o.Spec.CommunityRef.Name}], room)
		k.posting(ctx, o, room)
		k.joining(ctx, o, room)
	}
	return k.checks, k.wrong, nil
}

type checker struct {
	tally

	homeserver *devenv.Homeserver
	operator   *mautrix.Client
	people     map[string]*mautrix.Client
}

// room checks the address, the name and the pinned guidelines.
func (k *checker) room(ctx context.Context, name, displayName string, s v1alpha1.SpaceStatus) id.RoomID {
	on := k.on(MatrixPlatform, name, s)
	if on == nil {
		return ""
	}
	room := id.RoomID(on.SpaceID)
	alias, err := k.operator.ResolveAlias(ctx, id.RoomAlias(on.Address))
	k.expect(err == nil && alias.RoomID == room, "%s: %s leads to its room: %v", name, on.Address, err)
	var seen event.RoomNameEventContent
	err = k.operator.StateEvent(ctx, room, event.StateRoomName, "", &seen)
	k.expect(err == nil && seen.Name == displayName, "%s: the room is called %q: %v", name, seen.Name, err)
	var pins event.PinnedEventsEventContent
	err = k.operator.StateEvent(ctx, room, event.StatePinnedEvents, "", &pins)
	k.expect(err == nil && len(pins.Pinned) == 1, "%s: %d messages are pinned: %v", name, len(pins.Pinned), err)
	return room
}

// members checks that everybody who is declared by name is in the room.
func (k *checker) members(ctx context.Context, name string, room id.RoomID, sources []v1alpha1.MemberSource) {
	joined, err := k.operator.JoinedMembers(ctx, room)
	k.expect(err == nil, "%s: reading who is in the room: %v", name, err)
	if err != nil {
		return
	}
	for _, s := range sources {
		if s.Person == "" {
			continue
		}
		_, in := joined.Joined[id.NewUserID(s.Person, k.homeserver.ServerName)]
		k.expect(in, "%s: %s is in the room", name, s.Person)
	}
}

func (k *checker) linked(ctx context.Context, name string, space, room id.RoomID) {
	var child event.SpaceChildEventContent
	err := k.operator.StateEvent(ctx, space, event.StateSpaceChild, room.String(), &child)
	k.expect(err == nil && len(child.Via) > 0, "%s: the space lists the room: %v", name, err)
}

// posting checks with people's own accounts that members can write where they may, and only there.
func (k *checker) posting(ctx context.Context, g *v1alpha1.Group, room id.RoomID) {
	may := g.Status.Effective.Moderation.Posting
	for _, role := range []v1alpha1.Role{v1alpha1.RoleMember, v1alpha1.RoleManager} {
		person := somebody(g, role)
		if person == "" {
			continue
		}
		_, err := k.person(ctx, person).SendText(ctx, room, "Hello from the check.")
		if role == v1alpha1.RoleMember && may != v1alpha1.AudienceMembers {
			k.expect(errors.Is(err, mautrix.MForbidden), "%s: posting is for %s, and a member is refused: %v", g.Name, may, err)
		} else {
			k.expect(err == nil, "%s: a %s can write: %v", g.Name, strings.ToLower(string(role)), err)
		}
	}
}

// joining checks with the account of somebody who is not declared that a closed room stays closed.
func (k *checker) joining(ctx context.Context, g *v1alpha1.Group, room id.RoomID) {
	if g.Status.Effective.Join == v1alpha1.JoinOpen && g.Status.Effective.Visibility == v1alpha1.VisibilityPublic {
		return
	}
	_, err := k.person(ctx, stranger).JoinRoomByID(ctx, room)
	k.expect(err != nil, "%s: a stranger can't come in", g.Name)
}

// person is a client with somebody's own account.
func (k *checker) person(ctx context.Context, name string) *mautrix.Client {
	if c, ok := k.people[name]; ok {
		return c
	}
	account, err := k.homeserver.CreatePerson(ctx, name, Password, display(name))
	k.expect(err == nil, "%s can log in: %v", name, err)
	c, err := mautrix.NewClient(k.homeserver.URL, id.UserID(account.UserID), account.AccessToken)
	k.expect(err == nil, "a client for %s: %v", name, err)
	k.people[name] = c
	return c
}
