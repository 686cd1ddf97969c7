// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package directory_test

import (
	"errors"
	"fmt"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/directory"
)

var builtIn = directory.Budget{Percent: 2, Count: 50}

// crowd are n people, all in the group all.
func crowd(n int) directory.Reading {
	r := directory.Reading{Groups: []directory.GroupEntry{{Key: "all", Name: "all"}}}
	for i := range n {
		username := fmt.Sprintf("u%05d", i)
		r.People = append(r.People, someone(username))
		r.Groups[0].Usernames = append(r.Groups[0].Usernames, username)
	}
	return r
}

// without takes the last n people out.
func without(r directory.Reading, n int) directory.Reading {
	r.People = r.People[:len(r.People)-n]
	return r
}

func take(t *testing.T, x *directory.Index, r directory.Reading) directory.Taken {
	t.Helper()
	taken, err := x.Take(r, builtIn, 0)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return taken
}

func TestTheLeaverBudget(t *testing.T) {
	for name, tc := range map[string]struct {
		budget        directory.Budget
		people, allow int
	}{
		"a small directory may lose one":    {builtIn, 10, 1},
		"one of some size two in a hundred": {builtIn, 1000, 20},
		"a large one fifty":                 {builtIn, 10_000, 50},
		"none":                              {directory.Budget{Percent: 100}, 1000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(tc.budget.Allowed(tc.people)).To(Equal(tc.allow))
		})
	}
}

func TestLeaversAreKnownAtOnce(t *testing.T) {
	g := NewWithT(t)
	x := directory.NewIndex()
	g.Expect(take(t, x, crowd(100))).To(Equal(directory.Taken{Changed: true}))
	g.Expect(take(t, x, crowd(100))).To(Equal(directory.Taken{Allowed: 2}), "nothing changed")

	next := without(crowd(100), 1)
	next.People[0].Disabled = true
	g.Expect(take(t, x, next)).To(Equal(directory.Taken{Changed: true, Left: 2, Allowed: 2}))
	for _, username := range []string{"u00000", "u00099", "U00099"} {
		g.Expect(x.State().Left(username)).To(BeTrue(), username)
	}
	g.Expect(x.State().LeftPeople()).To(ConsistOf("u00000", "u00099"))
	g.Expect(x.State().Left("u00001")).To(BeFalse())
	g.Expect(x.State().Left("stranger")).To(BeFalse(), "who was never there has not left")

	g.Expect(take(t, x, crowd(100)).Changed).To(BeTrue())
	g.Expect(x.State().LeftPeople()).To(BeEmpty(), "they came back")
}

// Promise 4.
func TestTooManyLeaversStayAsTheyWere(t *testing.T) {
	g := NewWithT(t)
	x := directory.NewIndex()
	take(t, x, crowd(100))
	next := without(crowd(100), 3)
	next.People = append(next.People, someone("new"))
	next.Groups[0].Usernames = append(next.Groups[0].Usernames, "new")
	g.Expect(take(t, x, next)).To(Equal(directory.Taken{Changed: true, Held: 3, Allowed: 2}))
	g.Expect(x.State().View.Group("all").Usernames).To(And(HaveLen(101), ContainElements("u00099", "new")), "they stay, and who is new comes")
	g.Expect(x.State().LeftPeople()).To(BeEmpty())
	g.Expect(take(t, x, next)).To(Equal(directory.Taken{Held: 3, Allowed: 2}), "it is no news the next time")

	taken, err := x.Take(next, directory.Budget{Percent: 3, Count: 50}, 0)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(taken).To(Equal(directory.Taken{Changed: true, Left: 3, Allowed: 3}), "a larger budget lets them go")
	g.Expect(x.State().View.Group("all").Usernames).To(HaveLen(98))
	g.Expect(x.State().LeftPeople()).To(HaveLen(3))
}

func TestAGroupThatIsGoneIsKeptForThoseWhoStay(t *testing.T) {
	g := NewWithT(t)
	x := directory.NewIndex()
	take(t, x, crowd(100))
	next := without(crowd(100), 50)
	next.Groups = nil
	take(t, x, next)
	g.Expect(x.State().View.Group("all").Usernames).To(HaveLen(50))
}

// Promise 1.
func TestADirectoryOfNobodyIsNotTaken(t *testing.T) {
	g := NewWithT(t)
	x := directory.NewIndex()
	_, err := x.Take(directory.Reading{}, builtIn, 0)
	g.Expect(err).To(MatchError(ContainSubstring("had nobody in it")))
	g.Expect(x.State().View).To(BeNil())

	take(t, x, crowd(3))
	_, err = x.Take(directory.Reading{}, directory.Budget{Percent: 100, Count: 1000}, 0)
	var typed *directory.Error
	g.Expect(errors.As(err, &typed) && typed.Kind == directory.Incomplete).To(BeTrue())
	g.Expect(x.State().View.Active()).To(Equal(3), "not even within the budget")
	g.Expect(x.State().Trouble).NotTo(BeEmpty())
	g.Expect(take(t, x, crowd(3)).Changed).To(BeTrue(), "whoever waited for it can go on")
	g.Expect(x.State().Trouble).To(BeEmpty())
}

func TestAfterARestartTooFewPeopleAreNotTaken(t *testing.T) {
	g := NewWithT(t)
	x := directory.NewIndex()
	taken, err := x.Take(crowd(80), builtIn, 100)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(taken).To(Equal(directory.Taken{Held: 20, Allowed: 2}))
	g.Expect(x.State().View).To(BeNil())
	g.Expect(x.State().Trouble).NotTo(BeEmpty())

	taken, err = x.Take(crowd(98), builtIn, 100)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(taken.Changed).To(BeTrue())
	g.Expect(x.State().View.Active()).To(Equal(98))
}
