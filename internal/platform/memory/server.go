// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package memory is a chat platform that lives in memory: for tests of speed
// and of faults. It is not proof of how a real platform behaves; the
// conformance suite on real servers is.
package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// Call names something that can be made to fail: a verb of package plan, or
// one of the reads.
type Call string

// The reads that can fail.
const (
	CallProbe   Call = "Probe"
	CallObserve Call = "Observe"
	CallMissing Call = "Missing"
)

// Fault is an error that a call gives once or until it is cleared.
type Fault struct {
	Err error
	// AfterWrite lets the write happen and loses the answer.
	AfterWrite bool
	// Once clears the fault after it was given.
	Once bool
}

// Server is the state that outlives an adapter, as a real server's does.
type Server struct {
	mu     sync.Mutex
	spaces map[string]*model.Observed
	// found are the spaces by what they are looked up by, so that ten thousand are as quick as ten.
	found      index
	people     map[string]string // what each account is, whatever it is called
	born       int               // how many accounts were made
	byEmail    map[string]string // accounts by address
	faults     map[Call]Fault
	delays     map[Call]time.Duration
	incomplete string
	calls      map[Call]int
	listeners  map[*adapter]struct{}
	// parents are the spaces that spaces were made in or linked to, by ID.
	parents map[string]string
	// replaced are the spaces of resources that somebody else upgraded.
	replaced map[model.Ref]platform.Replacement
	// token is what an adapter has to show; empty lets everybody in.
	token string
	next  int
}

// NewServer returns an empty server on which these accounts exist.
func NewServer(accounts ...string) *Server {
	s := &Server{
		spaces: map[string]*model.Observed{}, found: newIndex(), people: map[string]string{}, byEmail: map[string]string{},
		faults: map[Call]Fault{}, delays: map[Call]time.Duration{}, calls: map[Call]int{}, listeners: map[*adapter]struct{}{},
		parents: map[string]string{}, replaced: map[model.Ref]platform.Replacement{},
	}
	for _, a := range accounts {
		s.AddPerson(a)
	}
	return s
}

// AddPerson makes an account exist.
func (s *Server) AddPerson(account string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.people[account]; !there {
		s.born++
		s.people[account] = fmt.Sprintf("person-%d", s.born)
	}
}

// RenamePerson gives an account another name everywhere. As on a real platform nobody is told.
func (s *Server) RenamePerson(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rename(s.people, from, to)
	for address, account := range s.byEmail {
		if account == from {
			s.byEmail[address] = to
		}
	}
	for _, space := range s.spaces {
		rename(space.Members, from, to)
		rename(space.Roles, from, to)
	}
}

func rename[V any](of map[string]V, from, to string) {
	if v, there := of[from]; there {
		delete(of, from)
		of[to] = v
	}
}

// AddAddress makes an address that of an account.
func (s *Server) AddAddress(address, account string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byEmail[address] = account
}

// RequireToken refuses every adapter that is opened with another token.
func (s *Server) RequireToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// Fail makes a call give a fault; a fault without an error clears it.
func (s *Server) Fail(call Call, fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if fault.Err == nil {
		delete(s.faults, call)
		return
	}
	s.faults[call] = fault
}

// Delay makes a call take so long.
func (s *Server) Delay(call Call, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delays[call] = d
}

// slow waits as long as a call takes. The context may end before it.
func (s *Server) slow(ctx context.Context, call Call) error {
	s.mu.Lock()
	d := s.delays[call]
	s.mu.Unlock()
	if d == 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return &platform.Error{Kind: platform.Unavailable, Doing: "waiting for an answer", Err: ctx.Err()}
	}
}

// SetIncomplete makes every view incomplete for this reason; an empty one makes it whole again.
func (s *Server) SetIncomplete(why string) {
	s.mu.Lock()
	s.incomplete = why
	s.mu.Unlock()
	s.tell(model.Ref{})
}

// Calls is how often a call was made.
func (s *Server) Calls(call Call) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[call]
}

// Writes is how many writes were made.
func (s *Server) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for call, count := range s.calls {
		if call != CallProbe && call != CallObserve && call != CallMissing {
			n += count
		}
	}
	return n
}

// Space is a copy of the space with an address, or nil.
func (s *Server) Space(address string) *model.Observed {
	s.mu.Lock()
	defer s.mu.Unlock()
	if holder := s.holder(address); holder != nil {
		return clone(holder)
	}
	return nil
}

// Spaces is the number of spaces.
func (s *Server) Spaces() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.spaces)
}

// Add puts a space there that Cabildo did not make.
func (s *Server) Add(space model.Observed) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	space.ID = s.newID()
	s.put(clone(&space))
	return space.ID
}

// Look is a copy of the space with an ID, or nil.
func (s *Server) Look(id string) *model.Observed {
	s.mu.Lock()
	defer s.mu.Unlock()
	if space, there := s.spaces[id]; there {
		return clone(space)
	}
	return nil
}

// All are copies of all spaces, by ID.
func (s *Server) All() []*model.Observed {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*model.Observed, 0, len(s.spaces))
	for _, id := range slices.Sorted(maps.Keys(s.spaces)) {
		all = append(all, clone(s.spaces[id]))
	}
	return all
}

// ParentOf is the ID of the space that a space is in; empty for none.
func (s *Server) ParentOf(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parents[id]
}

// Edit changes the spaces with an address by hand, and tells who listens.
func (s *Server) Edit(address string, edit func(*model.Observed)) {
	s.mu.Lock()
	ref := s.edit(edit, s.found.named(address)...)
	s.mu.Unlock()
	s.tell(ref)
}

// EditSpace changes the space with an ID by hand, and tells who listens.
func (s *Server) EditSpace(id string, edit func(*model.Observed)) {
	s.mu.Lock()
	var ref model.Ref
	if space, there := s.spaces[id]; there {
		ref = s.edit(edit, space)
	}
	s.mu.Unlock()
	s.tell(ref)
}

// edit changes spaces and returns the resource of the last one. The lock is held.
func (s *Server) edit(edit func(*model.Observed), spaces ...*model.Observed) (ref model.Ref) {
	for _, space := range spaces {
		s.drop(space)
		edit(space)
		s.put(space)
		if space.Mark != nil {
			ref = space.Mark.Ref
		}
	}
	return ref
}

// Remove takes a space away by hand, and tells who listens.
func (s *Server) Remove(id string) {
	s.mu.Lock()
	var ref model.Ref
	if space := s.spaces[id]; space != nil {
		if space.Mark != nil {
			ref = space.Mark.Ref
		}
		s.drop(space)
	}
	s.mu.Unlock()
	s.tell(ref)
}

// Replace upgrades a space to another one in somebody's name, and notifies the adapters.
func (s *Server) Replace(id, successor, by string) {
	s.mu.Lock()
	space := s.spaces[id]
	ref := space.Mark.Ref
	s.replaced[ref] = platform.Replacement{Old: id, New: successor, By: by}
	s.drop(space)
	s.mu.Unlock()
	s.tell(ref)
}

func (s *Server) tell(ref model.Ref) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for a := range s.listeners {
		select {
		case a.hints <- platform.Hint{Ref: ref}:
		default:
		}
	}
}

func (s *Server) newID() string {
	s.next++
	return fmt.Sprintf("space-%d", s.next)
}

// call counts a call and returns the fault that it has. The lock is held.
func (s *Server) call(c Call) (fault Fault, failed bool) {
	s.calls[c]++
	fault, failed = s.faults[c]
	if failed && fault.Once {
		delete(s.faults, c)
	}
	return fault, failed
}

func clone(o *model.Observed) *model.Observed {
	c := *o
	if o.Mark != nil {
		mark := *o.Mark
		c.Mark = &mark
	}
	c.Members, c.InvitedSince = cloneMap(o.Members), cloneMap(o.InvitedSince)
	c.Roles = cloneMap(o.Roles)
	c.Settings.Permissions = cloneMap(o.Settings.Permissions)
	c.Settings.Servers.Blocked = slices.Clone(o.Settings.Servers.Blocked)
	return &c
}

func cloneMap[K comparable, V any](m map[K]V) map[K]V {
	c := make(map[K]V, len(m))
	maps.Copy(c, m)
	return c
}
