// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package directory knows who people are and which groups they are in. A
// source answers with a Reading; a View is what can be looked up of one; an
// Index keeps the last good view, and says who left.
package directory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Person is somebody whom a directory knows.
type Person struct {
	// ID stays the same when a person is renamed.
	ID          string
	Username    string
	Email       string
	DisplayName string
	// Disabled says that the person is known, and not let in any more.
	Disabled   bool
	Attributes []Attribute
}

// Attribute is one value of a mapped attribute. An attribute with several values comes several times.
type Attribute struct{ Name, Value string }

// Entry is a person as a source has them, with the key by which the source's groups name them.
type Entry struct {
	Key string
	Person
}

// GroupEntry is a group as a source has it.
type GroupEntry struct {
	Key, Name string
	// Members are keys of people or groups, Groups those of groups alone, and Usernames name people.
	Members, Groups, Usernames []string
}

// Reading is all that a source has. What could not be read whole is an error, and no Reading.
type Reading struct {
	People []Entry
	Groups []GroupEntry
	// Attributes are the names of the attributes that the source maps.
	Attributes []string
	// Notes are what the source itself found worth a word.
	Notes []string
}

// The longest texts that are taken, in bytes.
const (
	maxName  = 255
	maxValue = 1024
)

// View is what can be looked up. It does not change.
type View struct {
	people     []Person // by folded username
	groups     map[string]found
	attributes map[Attribute]found
	mapped     []string
	// leftOut are the IDs of those who are in the directory, and can't be told apart or named.
	leftOut map[string]bool
	active  int
	// Notes say what was left out and why, one sentence each.
	Notes []string
}

// found are people by their place in the view.
type found struct {
	people []int32
	// unsure says that somebody who was left out belongs here.
	unsure bool
}

// fold makes usernames that are one account on a platform equal.
func fold(username string) string { return strings.ToLower(username) }

// Build makes a view of a reading. What is wrong with one person or group leaves out only that.
func Build(r Reading) *View {
	b := &builder{
		view:   &View{groups: map[string]found{}, attributes: map[Attribute]found{}, leftOut: map[string]bool{}, mapped: slices.Sorted(slices.Values(r.Attributes))},
		texts:  map[string]string{},
		places: map[string]int32{}, byKey: map[string]int32{}, out: map[string]bool{},
	}
	b.view.Notes = append(b.view.Notes, r.Notes...)
	b.addPeople(r.People)
	b.addGroups(r.Groups)
	b.view.Notes = append(b.view.Notes, b.notes.sentences()...)
	return b.view
}

type builder struct {
	view  *View
	texts map[string]string // one copy of each value that many have
	notes notes
	// places are people by folded username, byKey by the source's key; out are the keys and usernames of those left out.
	places, byKey map[string]int32
	out           map[string]bool
}

func (b *builder) addPeople(entries []Entry) {
	usernames, ids := map[string]int{}, map[string]int{}
	for _, e := range entries {
		usernames[fold(e.Username)]++
		ids[e.ID]++
	}
	order := make([]int, 0, len(entries))
	for i, e := range entries {
		why := wrongWith(e.Person)
		switch {
		case why != "":
		case usernames[fold(e.Username)] > 1:
			why = "have a username that others have too; make it unique, or narrow the filter"
		case ids[e.ID] > 1:
			why = "have an ID that others have too; map id to an attribute that is unique"
		}
		if why == "" {
			order = append(order, i)
			continue
		}
		b.notes.add("people "+why, cmp.Or(e.Username, e.Key, e.ID))
		b.view.leftOut[e.ID] = true
		b.out[e.Key], b.out[fold(e.Username)] = true, true
		for _, a := range e.Attributes {
			f := b.view.attributes[a]
			f.unsure = true
			b.view.attributes[a] = f
		}
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(fold(entries[i].Username), fold(entries[j].Username)) })
	b.view.people = make([]Person, 0, len(order))
	for _, i := range order {
		b.add(entries[i])
	}
}

func (b *builder) add(e Entry) {
	place, p := int32(len(b.view.people)), e.Person
	p.Attributes = nil
	for _, a := range e.Attributes {
		if len(a.Value) > maxValue || !isText(a.Value) {
			b.notes.add(fmt.Sprintf("people have an %s that is longer than %d bytes or no text, which is left out; correct it", a.Name, maxValue), e.Username)
			continue
		}
		a = Attribute{b.one(a.Name), b.one(a.Value)}
		if slices.Contains(p.Attributes, a) {
			continue
		}
		p.Attributes = append(p.Attributes, a)
		if !p.Disabled {
			f := b.view.attributes[a]
			f.people = append(f.people, place)
			b.view.attributes[a] = f
		}
	}
	p.Attributes = slices.Clip(p.Attributes)
	if !isText(p.DisplayName) || len(p.DisplayName) > maxValue {
		p.DisplayName = ""
	}
	if !isText(p.Email) || len(p.Email) > maxName {
		p.Email = ""
	}
	b.view.people = append(b.view.people, p)
	b.places[fold(p.Username)], b.byKey[e.Key] = place, place
	if !p.Disabled {
		b.view.active++
	}
}

// one is the same copy of a text each time.
func (b *builder) one(text string) string {
	if known, ok := b.texts[text]; ok {
		return known
	}
	b.texts[text] = text
	return text
}

func wrongWith(p Person) string {
	switch {
	case p.ID == "":
		return "have no ID; map id to an attribute that everybody has"
	case p.Username == "":
		return "have no username; map username to an attribute that everybody has, or narrow the filter"
	case len(p.ID) > maxName || len(p.Username) > maxName:
		return fmt.Sprintf("have an ID or username of more than %d bytes; correct it, or narrow the filter", maxName)
	case !isText(p.Username) || strings.ContainsFunc(p.Username, unicode.IsSpace):
		return "have a username with spaces or control characters; correct it, or narrow the filter"
	default:
		return ""
	}
}

// isText says that a text is UTF-8 that can be shown on a line.
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) })
}

func (b *builder) addGroups(entries []GroupEntry) {
	names, byKey := map[string]int{}, map[string]int{}
	for i, g := range entries {
		names[g.Name]++
		byKey[g.Key] = i
	}
	for i, g := range entries {
		switch {
		case g.Name == "" || len(g.Name) > maxName || !isText(g.Name):
			b.notes.add(fmt.Sprintf("groups have no name, one of more than %d bytes, or one with control characters; correct it, or narrow the filter", maxName), cmp.Or(g.Name, g.Key))
		case names[g.Name] > 1:
			b.notes.add("groups have a name that others have too, and it is not known which one is meant; make it unique, or narrow the filter", g.Name)
		default:
			b.view.groups[g.Name] = b.resolve(entries, byKey, i)
		}
	}
}

// resolve gathers the people of a group, those of the groups in it too.
func (b *builder) resolve(entries []GroupEntry, byKey map[string]int, start int) found {
	var f found
	seen, way := map[int]bool{start: true}, []int{start}
	visit := func(key string) bool {
		i, ok := byKey[key]
		switch {
		case !ok:
			return false
		case i == start:
			b.notes.add("groups are in themselves, by way of others; take them out", entries[start].Name)
		case !seen[i]:
			seen[i] = true
			way = append(way, i)
		}
		return true
	}
	person := func(places map[string]int32, key string) bool {
		place, ok := places[key]
		if ok && !b.view.people[place].Disabled {
			f.people = append(f.people, place)
		}
		f.unsure = f.unsure || b.out[key]
		return ok || b.out[key]
	}
	for len(way) > 0 {
		g, own := entries[way[0]], way[0] == start
		way = way[1:]
		// What is wrong with a group is said once, not of each that it is in.
		wrong := func(why string) {
			if own {
				b.notes.add(why, g.Name)
			}
		}
		for _, key := range g.Members {
			if !person(b.byKey, key) && !visit(key) {
				wrong("members of groups are nobody whom the directory knows; they are left out")
			}
		}
		for _, username := range g.Usernames {
			if !person(b.places, fold(username)) {
				wrong("members of groups are nobody whom the directory knows; they are left out")
			}
		}
		for _, key := range g.Groups {
			if !visit(key) {
				wrong("groups name a group that does not exist; correct it")
			}
		}
	}
	slices.Sort(f.people)
	f.people = slices.Clip(slices.Compact(f.people))
	return f
}

// Result is what was found, by username.
type Result struct {
	Usernames []string
	// Known says that there is such a group or attribute.
	Known bool
	// Unsure says that somebody belongs here who can't be named, so that these are not all.
	Unsure bool
}

// Group is everybody in a group who is let in, those of the groups in it too.
func (v *View) Group(name string) Result {
	f, ok := v.groups[name]
	r := v.result(f)
	r.Known = ok
	return r
}

// WithAttribute is everybody who is let in and has a value of a mapped attribute.
func (v *View) WithAttribute(a Attribute) Result {
	r := v.result(v.attributes[a])
	_, r.Known = slices.BinarySearch(v.mapped, a.Name)
	return r
}

func (v *View) result(f found) Result {
	r := Result{Unsure: f.unsure, Usernames: make([]string, len(f.people))}
	for i, place := range f.people {
		r.Usernames[i] = v.people[place].Username
	}
	return r
}

// Person finds somebody by username, in upper or lower case.
func (v *View) Person(username string) (Person, bool) {
	i, ok := slices.BinarySearchFunc(v.people, fold(username), func(p Person, name string) int { return cmp.Compare(fold(p.Username), name) })
	if !ok {
		return Person{}, false
	}
	return v.people[i], true
}

// Active is how many people are let in, Groups how many groups there are.
func (v *View) Active() int { return v.active }

// Groups is how many groups there are.
func (v *View) Groups() int { return len(v.groups) }

// Gone are those who were let in before and are not in this view. Who is there
// and was left out has not gone, nor has whose username is somebody's who is let
// in: access is the username's.
func (v *View) Gone(before *View) []Person {
	now := make(map[string]bool, len(v.people))
	for _, p := range v.people {
		now[p.ID] = !p.Disabled
	}
	var gone []Person
	for _, p := range before.people {
		if p.Disabled || now[p.ID] || v.leftOut[p.ID] {
			continue
		}
		if same, known := v.Person(p.Username); !known || same.Disabled {
			gone = append(gone, p)
		}
	}
	return gone
}

// notes count what was left out, by why.
type notes struct {
	order []string
	of    map[string][]string
}

func (n *notes) add(why, whom string) {
	if n.of == nil {
		n.of = map[string][]string{}
	}
	if n.of[why] == nil {
		n.order = append(n.order, why)
	}
	n.of[why] = append(n.of[why], whom)
}

// sentences name a few of each, in the order of their names, so that the same reading says the same.
func (n *notes) sentences() []string {
	const samples, most = 5, 64
	var list []string
	for _, why := range slices.Sorted(slices.Values(n.order)) {
		whom := n.of[why]
		slices.Sort(whom)
		count := len(whom)
		whom = slices.Compact(whom)
		var named []string
		for _, w := range whom[:min(len(whom), samples)] {
			if len(w) > most {
				w = w[:most] + "…"
			}
			named = append(named, fmt.Sprintf("%q", w))
		}
		more := ""
		if len(whom) > samples {
			more = ", …"
		}
		list = append(list, fmt.Sprintf("%d %s (%s%s).", count, why, strings.Join(named, ", "), more))
	}
	return list
}
