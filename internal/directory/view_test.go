// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package directory_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/internal/directory"
)

func someone(username string, attributes ...directory.Attribute) directory.Entry {
	return directory.Entry{Key: username, Person: directory.Person{ID: "id-" + username, Username: username, Attributes: attributes}}
}

func people(usernames ...string) []directory.Entry {
	var list []directory.Entry
	for _, u := range usernames {
		list = append(list, someone(u))
	}
	return list
}

func disabled(e directory.Entry) directory.Entry {
	e.Disabled = true
	return e
}

func notesOf(v *directory.View) string { return strings.Join(v.Notes, " ") }

func TestGroupsHoldThePeopleOfTheGroupsInThem(t *testing.T) {
	g := NewWithT(t)
	view := directory.Build(directory.Reading{
		People: append(people("ana", "Ben", "carla"), disabled(someone("dan"))),
		Groups: []directory.GroupEntry{
			{Key: "g1", Name: "all", Groups: []string{"g2"}, Usernames: []string{"ana"}},
			{Key: "g2", Name: "engineers", Members: []string{"who", "Ben", "carla", "dan", "g3"}},
			{Key: "g3", Name: "ops", Usernames: []string{"BEN"}},
			{Key: "g4", Name: "empty"},
		},
	})
	g.Expect(view.Group("all")).To(Equal(directory.Result{Known: true, Usernames: []string{"ana", "Ben", "carla"}}))
	g.Expect(view.Group("engineers").Usernames).To(Equal([]string{"Ben", "carla"}), "who is disabled is in no group")
	g.Expect(view.Group("ops").Usernames).To(Equal([]string{"Ben"}), "usernames are one account in upper and lower case")
	g.Expect(view.Group("empty")).To(Equal(directory.Result{Known: true, Usernames: []string{}}))
	g.Expect(view.Group("nobody").Known).To(BeFalse())
	g.Expect(view.Active()).To(Equal(3))
	g.Expect(view.Groups()).To(Equal(4))
	g.Expect(notesOf(view)).To(Equal(`1 members of groups are nobody whom the directory knows; they are left out ("engineers").`))
}

func TestGroupsInThemselvesAreFound(t *testing.T) {
	g := NewWithT(t)
	view := directory.Build(directory.Reading{
		People: people("ana", "ben"),
		Groups: []directory.GroupEntry{
			{Key: "a", Name: "a", Groups: []string{"b"}, Usernames: []string{"ana"}},
			{Key: "b", Name: "b", Groups: []string{"a"}, Usernames: []string{"ben"}},
		},
	})
	g.Expect(view.Group("a").Usernames).To(Equal([]string{"ana", "ben"}))
	g.Expect(view.Group("b").Usernames).To(Equal([]string{"ana", "ben"}))
	g.Expect(notesOf(view)).To(ContainSubstring(`2 groups are in themselves, by way of others; take them out ("a", "b").`))
}

func TestPeopleAreFoundByAttributeAndUsername(t *testing.T) {
	g := NewWithT(t)
	area := func(v string) directory.Attribute { return directory.Attribute{Name: "area", Value: v} }
	view := directory.Build(directory.Reading{
		Attributes: []string{"site", "area"},
		People:     []directory.Entry{someone("ana", area("it"), area("data")), someone("ben", area("it")), disabled(someone("carla", area("it")))},
	})
	g.Expect(view.WithAttribute(area("it"))).To(Equal(directory.Result{Known: true, Usernames: []string{"ana", "ben"}}))
	g.Expect(view.WithAttribute(area("data")).Usernames).To(Equal([]string{"ana"}))
	g.Expect(view.WithAttribute(area("IT"))).To(Equal(directory.Result{Known: true, Usernames: []string{}}), "values are compared exactly")
	g.Expect(view.WithAttribute(directory.Attribute{Name: "floor", Value: "1"}).Known).To(BeFalse())
	carla, known := view.Person("CARLA")
	g.Expect(known && carla.Disabled).To(BeTrue())
	_, known = view.Person("nobody")
	g.Expect(known).To(BeFalse())
}

func TestWhatIsWrongWithOneLeavesOutOnlyThat(t *testing.T) {
	hostile := "a" + strings.Repeat("x", 10_000)
	for name, tc := range map[string]struct {
		people []directory.Entry
		groups []directory.GroupEntry
		says   string
	}{
		"no ID":                  {people: []directory.Entry{{Key: "x", Person: directory.Person{Username: "eve"}}}, says: "1 people have no ID; map id"},
		"no username":            {people: []directory.Entry{{Key: "x", Person: directory.Person{ID: "7"}}}, says: "1 people have no username; map username"},
		"a name of ten thousand": {people: people(hostile), says: "more than 255 bytes"},
		"control characters":     {people: people("eve\x00", "mal\nlory"), says: "2 people have a username with spaces or control characters"},
		"spaces":                 {people: people("eve ning"), says: "spaces or control characters"},
		"text from right":        {people: people("eve\u202e"), says: "control characters"},
		"no text":                {people: people("\xff\xfe"), says: "control characters"},
		"one name for two":       {people: []directory.Entry{someone("eve"), {Key: "other", Person: directory.Person{ID: "other", Username: "EVE"}}}, says: "2 people have a username that others have too"},
		"one ID for two": {people: []directory.Entry{{Key: "x", Person: directory.Person{ID: "same", Username: "x"}}, {Key: "y", Person: directory.Person{ID: "same", Username: "y"}}},
			says: "2 people have an ID that others have too"},
		"a long value":          {people: []directory.Entry{someone("kim", directory.Attribute{Name: "area", Value: hostile})}, says: "an area that is longer than 1024 bytes or no text"},
		"a group without name":  {groups: []directory.GroupEntry{{Key: "x"}}, says: "1 groups have no name"},
		"a group's long name":   {groups: []directory.GroupEntry{{Key: "x", Name: hostile}}, says: "more than 255 bytes"},
		"one name, two groups":  {groups: []directory.GroupEntry{{Key: "x", Name: "g"}, {Key: "y", Name: "g"}}, says: "2 groups have a name that others have too"},
		"a group of nobody":     {groups: []directory.GroupEntry{{Key: "x", Name: "g", Members: []string{"who"}}}, says: "1 members of groups are nobody"},
		"a group that is not":   {groups: []directory.GroupEntry{{Key: "x", Name: "g", Groups: []string{"who"}}}, says: "1 groups name a group that does not exist"},
		"filter characters":     {people: people("*)(uid=*", `a\b`), says: ""},
		"a group with brackets": {groups: []directory.GroupEntry{{Key: "x", Name: "*)(cn=*"}}, says: ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			view := directory.Build(directory.Reading{
				People: append(people("ana", "ben"), tc.people...),
				Groups: append([]directory.GroupEntry{{Key: "all", Name: "all", Usernames: []string{"ana", "ben"}}}, tc.groups...),
			})
			g.Expect(view.Group("all")).To(Equal(directory.Result{Known: true, Usernames: []string{"ana", "ben"}}), "the rest is as it was")
			g.Expect(notesOf(view)).To(ContainSubstring(tc.says))
			g.Expect(len(notesOf(view))).To(BeNumerically("<", 500))
			if tc.says == "" {
				g.Expect(view.Notes).To(BeEmpty(), "nothing that was read goes into a filter")
			}
		})
	}
}

func TestAGroupOfSomebodyWhoIsLeftOutIsUnsure(t *testing.T) {
	g := NewWithT(t)
	view := directory.Build(directory.Reading{
		Attributes: []string{"area"},
		People: []directory.Entry{someone("ana"), someone("eve", directory.Attribute{Name: "area", Value: "it"}),
			{Key: "other", Person: directory.Person{ID: "other", Username: "Eve"}}},
		Groups: []directory.GroupEntry{
			{Key: "a", Name: "a", Usernames: []string{"ana", "eve"}}, {Key: "b", Name: "b", Members: []string{"ana", "other"}},
			{Key: "c", Name: "c", Members: []string{"ana"}}, {Key: "d", Name: "d", Groups: []string{"a"}},
		},
	})
	for group, unsure := range map[string]bool{"a": true, "b": true, "c": false, "d": true} {
		g.Expect(view.Group(group)).To(Equal(directory.Result{Known: true, Unsure: unsure, Usernames: []string{"ana"}}), group)
	}
	g.Expect(view.WithAttribute(directory.Attribute{Name: "area", Value: "it"}).Unsure).To(BeTrue())
	g.Expect(view.Gone(directory.Build(directory.Reading{People: people("ana", "eve")}))).To(BeEmpty(), "who can't be told apart has not gone")
}

// anyReading is a reading of a few people and groups in which everything may happen.
var anyReading = rapid.Custom(func(t *rapid.T) directory.Reading {
	r := directory.Reading{Attributes: []string{"area"}}
	name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "A", "", "x y", "g\x00"})
	for i := range rapid.IntRange(0, 8).Draw(t, "people") {
		e := directory.Entry{Key: fmt.Sprint("p", i), Person: directory.Person{
			ID: fmt.Sprint("i", rapid.IntRange(0, 9).Draw(t, "id")), Username: name.Draw(t, "username"), Disabled: rapid.IntRange(0, 3).Draw(t, "disabled") == 0,
		}}
		if rapid.Bool().Draw(t, "has area") {
			e.Attributes = []directory.Attribute{{Name: "area", Value: rapid.SampledFrom([]string{"it", "hr"}).Draw(t, "area")}}
		}
		r.People = append(r.People, e)
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "groups") {
		r.Groups = append(r.Groups, directory.GroupEntry{
			Key: fmt.Sprint("g", i), Name: rapid.SampledFrom([]string{"one", "two", "three", ""}).Draw(t, "group"),
			Members:   rapid.SliceOfN(rapid.SampledFrom([]string{"p0", "p1", "p2", "p3", "g0", "g1", "g2", "g3", "?"}), 0, 5).Draw(t, "members"),
			Usernames: rapid.SliceOfN(name, 0, 3).Draw(t, "usernames"),
		})
	}
	return r
})

func TestNobodyIsFoundWhoIsNotLetIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		r := anyReading.Draw(t, "reading")
		view := directory.Build(r)
		g.Expect(directory.Build(r)).To(Equal(view), "the same reading is the same view")
		results := []directory.Result{view.WithAttribute(directory.Attribute{Name: "area", Value: "it"})}
		for _, name := range []string{"one", "two", "three"} {
			results = append(results, view.Group(name))
		}
		for _, result := range results {
			for _, username := range result.Usernames {
				p, known := view.Person(username)
				g.Expect(known && !p.Disabled).To(BeTrue(), username)
			}
			g.Expect(slices.Compact(slices.Clone(result.Usernames))).To(Equal(result.Usernames), "each once")
		}
	})
}

func TestAFailureNeverTakesAnybodyAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		index := directory.NewIndex()
		budget := directory.Budget{Percent: rapid.IntRange(0, 100).Draw(t, "percent"), Count: rapid.IntRange(0, 3).Draw(t, "count")}
		for range rapid.IntRange(1, 6).Draw(t, "syncs") {
			before := index.State()
			if rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
				index.Fail(errors.New("down"))
				g.Expect(index.State().View).To(BeIdenticalTo(before.View))
				g.Expect(index.State().Trouble).To(Equal("down"))
				continue
			}
			taken, err := index.Take(anyReading.Draw(t, "reading"), budget, 0)
			after := index.State()
			if err != nil {
				g.Expect(after.View).To(BeIdenticalTo(before.View), "an answer of nobody is not taken")
				continue
			}
			g.Expect(after.Trouble).To(BeEmpty())
			if before.View != nil {
				gone := after.View.Gone(before.View)
				g.Expect(len(gone)).To(BeNumerically("<=", budget.Allowed(before.View.Active())), "never more than the budget")
				g.Expect(taken.Left).To(Equal(len(gone)))
			}
			for _, username := range after.LeftPeople() {
				if p, known := after.View.Person(username); known {
					g.Expect(p.Disabled).To(BeTrue(), "who is let in has not left")
				}
				g.Expect(after.Left(username)).To(BeTrue())
			}
		}
	})
}
