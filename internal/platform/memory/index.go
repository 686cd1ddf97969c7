// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"cmp"
	"slices"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// index finds spaces by their address and by the resource in their mark. What
// it finds is in the order in which the spaces were made.
type index struct {
	byAddress map[string][]*model.Observed
	byRef     map[model.Ref][]*model.Observed
}

func newIndex() index {
	return index{byAddress: map[string][]*model.Observed{}, byRef: map[model.Ref][]*model.Observed{}}
}

func (i index) named(address string) []*model.Observed { return slices.Clone(i.byAddress[address]) }
func (i index) marked(ref model.Ref) []*model.Observed { return i.byRef[ref] }

// holder is the oldest space with an address, or nil. The lock is held.
func (s *Server) holder(address string) *model.Observed {
	if named := s.found.byAddress[address]; len(named) > 0 {
		return named[0]
	}
	return nil
}

// put keeps a space, and drop takes it out: a change of what it is found by is between the two. The lock is held.
func (s *Server) put(space *model.Observed) {
	s.spaces[space.ID] = space
	insert(s.found.byAddress, space.Address, space)
	if space.Mark != nil {
		insert(s.found.byRef, space.Mark.Ref, space)
	}
}

func (s *Server) drop(space *model.Observed) {
	delete(s.spaces, space.ID)
	remove(s.found.byAddress, space.Address, space)
	if space.Mark != nil {
		remove(s.found.byRef, space.Mark.Ref, space)
	}
}

func insert[K comparable](into map[K][]*model.Observed, key K, space *model.Observed) {
	into[key] = append(into[key], space)
	slices.SortFunc(into[key], func(a, b *model.Observed) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID)) // the numbers in IDs grow
	})
}

func remove[K comparable](from map[K][]*model.Observed, key K, space *model.Observed) {
	rest := slices.DeleteFunc(from[key], func(other *model.Observed) bool { return other == space })
	if len(rest) == 0 {
		delete(from, key)
		return
	}
	from[key] = rest
}
