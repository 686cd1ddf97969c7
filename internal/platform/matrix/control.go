// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// control says why the operator can't govern the room and who has to do what
// about it; empty when it can. Nobody can lower an equal in Matrix, so a room
// in which somebody else is as strong as the operator is not the operator's.
func (r *room) control(us string) string {
	switch {
	case r.members[us].state != present:
		return fmt.Sprintf("the operator %s is not in the room: invite it again", us)
	case r.versionNumber() == 0:
		return fmt.Sprintf("the room is of version %q, which this release of Cabildo doesn't know", r.version)
	case r.replacement != "":
		return fmt.Sprintf("the room was upgraded to %s and is closed", r.replacement)
	case r.privilegedCreators():
		return r.creatorControl(us)
	default:
		return r.levelControl(us)
	}
}

func (r *room) creatorControl(us string) string {
	others := slices.DeleteFunc(append([]string{r.creator}, r.creators...), func(user string) bool { return user == us })
	if len(others) == 0 {
		return ""
	}
	return fmt.Sprintf("%s made the room, and in rooms of version 12 nobody can take a maker's power away: "+
		"use another name, so that the operator makes a new space", names(others))
}

func (r *room) levelControl(us string) string {
	p := r.levels()
	own := r.power(us)
	if own < powerOperator {
		return fmt.Sprintf("the operator %s has power level %d and needs %d: somebody with at least %d has to raise it",
			us, own, powerOperator, powerOperator)
	}
	if kind, needs := p.highest(); needs > own {
		return fmt.Sprintf("%s needs power level %d and the operator %s has %d: somebody with at least %d has to lower it",
			kind, needs, us, own, needs)
	}
	var equals []string
	for _, user := range slices.Sorted(maps.Keys(p.users)) {
		if user != us && p.users[user] >= own {
			equals = append(equals, user)
		}
	}
	switch {
	case len(equals) > 0:
		return fmt.Sprintf("%s as much power as the operator (%d), and nobody can lower an equal: they have to lower themselves below %d",
			have(equals), own, own)
	case p.usersDefault >= own:
		return fmt.Sprintf("users_default gives everybody the power of the operator (%d): somebody stronger has to lower it", own)
	default:
		return ""
	}
}

// highest is what needs the most power of all that we write.
func (p *powers) highest() (kind string, needs int) {
	all := map[string]int{"inviting": p.invite, "removing": p.kick, "banning": p.ban, "redacting": p.redact, "sending state": p.stateDefault}
	for kind := range stateTypes {
		all[kind] = p.forState(kind)
	}
	all[typeMessage] = p.forMessage(typeMessage)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if kind == "" || all[k] > needs {
			kind, needs = k, all[k]
		}
	}
	return kind, needs
}

// names says at most three accounts.
func names(accounts []string) string {
	const most = 3
	if len(accounts) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(accounts[:most], ", "), len(accounts)-most)
	}
	return strings.Join(accounts, " and ")
}

func have(accounts []string) string {
	if len(accounts) == 1 {
		return accounts[0] + " has"
	}
	return names(accounts) + " have"
}
