// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"slices"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// StateOf is what an adapter's view has of a room, memberships apart: the event of each piece of state.
func StateOf(of platform.Adapter, room string) map[string]string {
	v := of.(*Adapter).view
	v.mu.Lock()
	defer v.mu.Unlock()
	found := map[string]string{}
	if r := v.rooms[room]; r != nil {
		for at, is := range r.current {
			found[at.kind+" "+at.key] = is.id
		}
	}
	return found
}

// MembersOf is who is how in a room in an adapter's view.
func MembersOf(of platform.Adapter, room string) map[string]string {
	v := of.(*Adapter).view
	v.mu.Lock()
	defer v.mu.Unlock()
	found := map[string]string{}
	if r := v.rooms[room]; r != nil {
		for account, m := range r.members {
			found[account] = string(memberships[m.state])
		}
	}
	return found
}

// Reads says whether the view holds a type of state.
func Reads(kind string) bool { return slices.Contains(readTypes, kind) }
