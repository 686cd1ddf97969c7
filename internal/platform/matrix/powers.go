// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"encoding/json"
	"maps"
	"math"
	"strconv"
	"strings"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// The power of each role. In rooms before version 12 the operator is at 100 as
// well, and nobody else may be; from version 12 on the creator is above all numbers.
const (
	powerMember    = 0
	powerModerator = 50
	powerManager   = 75
	powerOperator  = 100
	powerCreator   = math.MaxInt
)

func powerOf(r model.Role) int {
	switch r {
	case model.RoleModerator:
		return powerModerator
	case model.RoleManager:
		return powerManager
	case model.RoleOperator:
		return powerOperator
	default:
		return powerMember
	}
}

func roleOf(power int) model.Role {
	switch power {
	case powerMember:
		return model.RoleMember
	case powerModerator:
		return model.RoleModerator
	case powerManager:
		return model.RoleManager
	case powerOperator:
		return model.RoleOperator
	default:
		return model.RoleUnknown
	}
}

// powers is the content of m.room.power_levels, with the specification's
// defaults filled in.
type powers struct {
	users         map[string]int
	usersDefault  int
	events        map[string]int
	eventsDefault int
	stateDefault  int
	ban           int
	kick          int
	redact        int
	invite        int
	notifyRoom    int
}

// messageTypes are the events that need the power of an action. Votes in polls
// count as reactions. What people redact of their own is always theirs.
var messageTypes = map[string]model.Action{
	"m.room.message":                   model.ActionPost,
	"m.room.encrypted":                 model.ActionPost,
	"m.sticker":                        model.ActionPost,
	"m.poll.start":                     model.ActionPost,
	"org.matrix.msc3381.poll.start":    model.ActionPost,
	"m.poll.end":                       model.ActionPost,
	"org.matrix.msc3381.poll.end":      model.ActionPost,
	"m.reaction":                       model.ActionReact,
	"m.poll.response":                  model.ActionReact,
	"org.matrix.msc3381.poll.response": model.ActionReact,
}

// stateTypes are the state events that need the power of an action.
var stateTypes = map[string]model.Action{
	typePins:       model.ActionPin,
	typeName:       model.ActionGovern,
	typeTopic:      model.ActionGovern,
	typeAvatar:     model.ActionGovern,
	typePowers:     model.ActionGovern,
	typeJoinRules:  model.ActionGovern,
	typeHistory:    model.ActionGovern,
	typeGuests:     model.ActionGovern,
	typeServerACL:  model.ActionGovern,
	typeAlias:      model.ActionGovern,
	typeTombstone:  model.ActionGovern,
	typeEncryption: model.ActionGovern,
	typeChild:      model.ActionGovern,
	typeParent:     model.ActionGovern,
	typeOwner:      model.ActionGovern,
	typeGuidelines: model.ActionGovern,
	typeArchived:   model.ActionGovern,
}

// newPowers are the powers for permissions, with nobody in them.
func newPowers(permissions map[model.Action]model.Role) *powers {
	of := func(a model.Action) int { return powerOf(permissions[a]) }
	p := &powers{
		users:         map[string]int{},
		events:        map[string]int{typeRedaction: powerMember},
		eventsDefault: of(model.ActionPost),
		stateDefault:  of(model.ActionGovern),
		ban:           of(model.ActionRemove),
		kick:          of(model.ActionRemove),
		redact:        of(model.ActionDelete),
		invite:        of(model.ActionInvite),
		notifyRoom:    of(model.ActionMentionAll),
	}
	for kind, action := range messageTypes {
		p.events[kind] = of(action)
	}
	for kind, action := range stateTypes {
		p.events[kind] = of(action)
	}
	return p
}

// unsetPowers are the powers of a room that has no m.room.power_levels, or of
// which that has not come yet. A creator who is above all levels is in no list.
func unsetPowers(creator string, privileged bool) *powers {
	p := &powers{
		users: map[string]int{}, events: map[string]int{},
		ban: 50, kick: 50, redact: 50, notifyRoom: 50,
	}
	if !privileged {
		p.users[creator] = powerOperator
	}
	return p
}

func parsePowers(raw json.RawMessage) *powers {
	content := decode[struct {
		Users         map[string]level `json:"users"`
		UsersDefault  *level           `json:"users_default"`
		Events        map[string]level `json:"events"`
		EventsDefault *level           `json:"events_default"`
		StateDefault  *level           `json:"state_default"`
		Ban           *level           `json:"ban"`
		Kick          *level           `json:"kick"`
		Redact        *level           `json:"redact"`
		Invite        *level           `json:"invite"`
		Notifications struct {
			Room *level `json:"room"`
		} `json:"notifications"`
	}](raw)
	p := &powers{
		users: map[string]int{}, events: map[string]int{},
		usersDefault: content.UsersDefault.or(0), eventsDefault: content.EventsDefault.or(0),
		stateDefault: content.StateDefault.or(50), ban: content.Ban.or(50), kick: content.Kick.or(50),
		redact: content.Redact.or(50), invite: content.Invite.or(0), notifyRoom: content.Notifications.Room.or(50),
	}
	for user, power := range content.Users {
		p.users[intern(user)] = int(power)
	}
	for kind, power := range content.Events {
		p.events[intern(kind)] = int(power)
	}
	return p
}

// level reads a power level. Rooms before version 10 may have it as a string.
type level int

func (l *level) UnmarshalJSON(raw []byte) error {
	text := strings.TrimSpace(strings.Trim(string(raw), `"`))
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(number) > 1<<53 {
		*l = 0
		return nil //nolint:nilerr // anybody may have written nonsense; it gives no power
	}
	*l = level(number)
	return nil
}

func (l *level) or(otherwise int) int {
	if l == nil {
		return otherwise
	}
	return int(*l)
}

// content is the whole event, with every key said aloud.
func (p *powers) content() map[string]any {
	return map[string]any{
		"users":          p.users,
		"users_default":  p.usersDefault,
		"events":         p.events,
		"events_default": p.eventsDefault,
		"state_default":  p.stateDefault,
		"ban":            p.ban,
		"kick":           p.kick,
		"redact":         p.redact,
		"invite":         p.invite,
		"notifications":  map[string]int{"room": p.notifyRoom},
	}
}

func (p *powers) clone() *powers {
	c := *p
	c.users, c.events = maps.Clone(p.users), maps.Clone(p.events)
	return &c
}

// forState is the power that a state event needs.
func (p *powers) forState(kind string) int {
	if power, said := p.events[kind]; said {
		return power
	}
	return p.stateDefault
}

func (p *powers) forMessage(kind string) int {
	if power, said := p.events[kind]; said {
		return power
	}
	return p.eventsDefault
}

// permissions are the powers in our words. An action whose parts don't agree,
// or not with a role, has RoleUnknown.
func (p *powers) permissions() map[model.Action]model.Role {
	needs := map[model.Action][]int{
		model.ActionPost:       {p.eventsDefault},
		model.ActionMentionAll: {p.notifyRoom},
		model.ActionInvite:     {p.invite},
		model.ActionRemove:     {p.kick, p.ban},
		model.ActionDelete:     {p.redact},
		model.ActionGovern:     {p.stateDefault},
	}
	for kind, action := range messageTypes {
		needs[action] = append(needs[action], p.forMessage(kind))
	}
	for kind, action := range stateTypes {
		needs[action] = append(needs[action], p.forState(kind))
	}
	out := make(map[model.Action]model.Role, len(needs))
	for action, powers := range needs {
		out[action] = roleOf(powers[0])
		for _, power := range powers {
			if power != powers[0] {
				out[action] = model.RoleUnknown
			}
		}
	}
	if p.forMessage(typeRedaction) != powerMember {
		out[model.ActionDelete] = model.RoleUnknown
	}
	if p.usersDefault != powerMember || p.namesOthers() {
		out[model.ActionGovern] = model.RoleUnknown
	}
	return out
}

// namesOthers says whether a power is set for an event that we don't know. It
// could let people do what nobody declared.
func (p *powers) namesOthers() bool {
	for kind := range p.events {
		_, message := messageTypes[kind]
		_, state := stateTypes[kind]
		if !message && !state && kind != typeRedaction {
			return true
		}
	}
	return false
}
