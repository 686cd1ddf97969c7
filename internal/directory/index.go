// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
)

// Budget is how many people may leave between two readings before a person has to look at it.
type Budget struct{ Percent, Count int }

// Allowed is min(count, max(1, percent of the people)), and none where count is 0.
func (b Budget) Allowed(people int) int { return min(b.Count, max(1, people*b.Percent/100)) }

// State is what is known of a directory at one moment. It does not change.
type State struct {
	// View is the last good one; nil before the first.
	View *View
	// Trouble says why the last reading was not taken; empty when it was.
	Trouble string
	// left are those who are gone, by folded username.
	left map[string]string
}

// Left says that somebody was in the directory and is gone, or is there and disabled.
func (s *State) Left(username string) bool {
	if _, gone := s.left[fold(username)]; gone {
		return true
	}
	if s.View == nil {
		return false
	}
	p, known := s.View.Person(username)
	return known && p.Disabled
}

// LeftPeople are the usernames of all of them.
func (s *State) LeftPeople() []string {
	left := slices.Collect(maps.Values(s.left))
	if s.View != nil {
		for _, p := range s.View.people {
			if p.Disabled {
				left = append(left, p.Username)
			}
		}
	}
	return left
}

// Index keeps the last good view of one directory.
type Index struct {
	mu    sync.RWMutex
	state *State
}

// NewIndex is an index of nobody yet.
func NewIndex() *Index { return &Index{state: &State{}} }

// State is what is known now.
func (x *Index) State() *State {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.state
}

// Taken is what came of a reading.
type Taken struct {
	// Changed says that lookups may have other answers now.
	Changed bool
	// Left is how many people left since the last view; Held how many of them
	// stay in it, because they are more than Allowed.
	Left, Held, Allowed int
}

// Take makes a reading the view that is looked up. known is how many people
// were let in when the view was lost, for an index that has none yet. When more
// have left than the budget allows, they stay as they were, and everything else
// is taken. A reading of nobody is never taken, nor one that lost too many
// without a view to keep them from.
func (x *Index) Take(r Reading, b Budget, known int) (Taken, error) {
	view := Build(r)
	x.mu.Lock()
	defer x.mu.Unlock()
	before := x.state
	if view.Active() == 0 {
		err := &Error{Kind: Incomplete, Err: errors.New("it answered, and had nobody in it; correct where and how people are looked for")}
		x.fail(err)
		return Taken{}, err
	}
	next := &State{View: view, left: map[string]string{}}
	var taken Taken
	if before.View == nil {
		if lost := known - view.Active(); lost > b.Allowed(known) {
			taken = Taken{Held: lost, Allowed: b.Allowed(known)}
			x.fail(errors.New("too many people are gone from it"))
			return taken, nil
		}
	} else {
		gone := view.Gone(before.View)
		taken = Taken{Left: len(gone), Allowed: b.Allowed(before.View.Active())}
		if len(gone) > taken.Allowed {
			taken.Held, taken.Left = len(gone), 0
			next.View = keeping(view, before.View, gone)
			gone = nil
		}
		maps.Copy(next.left, before.left)
		for _, p := range gone {
			next.left[fold(p.Username)] = p.Username
		}
		for username := range next.left {
			if _, back := next.View.Person(username); back { // or disabled, which the view itself knows
				delete(next.left, username)
			}
		}
	}
	taken.Changed = before.View == nil || before.Trouble != "" || !reflect.DeepEqual(next, before)
	if taken.Changed {
		x.state = next
	}
	return taken, nil
}

// Fail notes that a reading failed: what was known stays, and is known to be old.
func (x *Index) Fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.fail(err)
}

func (x *Index) fail(err error) {
	x.state = &State{View: x.state.View, left: x.state.left, Trouble: err.Error()}
}

// keeping is a view in which some people of an older one are as they were
// there, in the groups that they were in.
func keeping(view, before *View, kept []Person) *View {
	ids := map[string]bool{}
	for _, p := range kept {
		ids[p.ID] = true
	}
	var r Reading
	r.Attributes, r.Notes = view.mapped, view.Notes
	names := map[string]bool{}
	for _, p := range kept {
		names[fold(p.Username)] = true
		r.People = append(r.People, Entry{Key: p.ID, Person: p})
	}
	for _, p := range view.people {
		if !ids[p.ID] && !names[fold(p.Username)] { // a disabled one may have the name by now
			r.People = append(r.People, Entry{Key: p.ID, Person: p})
		}
	}
	members := map[string][]string{}
	for name, f := range view.groups {
		members[name] = view.ids(f)
	}
	for name, f := range before.groups {
		for _, id := range before.ids(f) {
			if ids[id] {
				members[name] = append(members[name], id)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		r.Groups = append(r.Groups, GroupEntry{Key: "group " + name, Name: name, Members: members[name]})
	}
	merged := Build(r)
	merged.leftOut = view.leftOut
	for name, f := range view.groups {
		merged.groups[name] = found{merged.groups[name].people, f.unsure}
	}
	for a, f := range view.attributes {
		merged.attributes[a] = found{merged.attributes[a].people, f.unsure}
	}
	return merged
}

func (v *View) ids(f found) []string {
	ids := make([]string, len(f.people))
	for i, place := range f.people {
		ids[i] = v.people[place].ID
	}
	return ids
}

// ErrorKind says what sort of trouble there is with a directory.
type ErrorKind string

// The kinds.
const (
	// Unavailable: there was no answer, or no safe connection.
	Unavailable ErrorKind = "Unavailable"
	// Unauthorized: the directory refuses the account that it is read with.
	Unauthorized ErrorKind = "Unauthorized"
	// Incomplete: there was an answer, and not all of it.
	Incomplete ErrorKind = "Incomplete"
	// Invalid: what the directory is asked makes no sense to it.
	Invalid ErrorKind = "Invalid"
)

// Error is why a directory could not be read. Its text says what to do, and holds no password.
type Error struct {
	Kind  ErrorKind
	Doing string
	Err   error
}

func (e *Error) Error() string {
	if e.Doing == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("%s: %v", e.Doing, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Directories are the indexes of all directories, by name.
type Directories struct {
	mu sync.Mutex
	of map[string]*Index
}

// NewDirectories is none yet.
func NewDirectories() *Directories { return &Directories{of: map[string]*Index{}} }

// Get is the index of a directory; nil when it was never read.
func (d *Directories) Get(name string) *Index {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.of[name]
}

// Open is the index of a directory, a new one where there was none.
func (d *Directories) Open(name string) *Index {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of[name] == nil {
		d.of[name] = NewIndex()
	}
	return d.of[name]
}

// Drop forgets a directory.
func (d *Directories) Drop(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.of, name)
}
