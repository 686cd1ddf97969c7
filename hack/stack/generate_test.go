// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestAGeneratedCommunityHasItsShape(t *testing.T) {
	g := NewWithT(t)
	shape := Shape{Groups: 25, Members: 5, People: 7}
	m := shape.Declared()
	g.Expect(m.Groups).To(HaveLen(25))
	g.Expect(m.People()).To(HaveLen(7), "whoever is in a group is in the community")
	memberships, withMembers := len(m.Community.Spec.Members), 0
	for _, group := range m.Groups {
		people := map[string]bool{}
		for _, member := range group.Spec.Members {
			people[member.Person] = true
		}
		g.Expect(people).To(HaveLen(len(group.Spec.Members)), "nobody is named twice in %s", group.Name)
		memberships += len(people)
		if len(people) > 0 {
			withMembers++
		}
	}
	g.Expect(withMembers).To(Equal(shape.MemberGroups()))
	g.Expect(memberships).To(Equal(shape.Memberships()))
	g.Expect(shape.Least()).To(Equal(1 + 25 + 3*5 + 7 + 3))
}

func TestALargerCommunityBeginsWithTheSameGroups(t *testing.T) {
	small, large := Shape{Groups: 30, Members: 5, People: 7}, Shape{Groups: 300, Members: 5, People: 7}
	NewWithT(t).Expect(large.Declared().Groups[:30]).To(Equal(small.Declared().Groups))
}

func TestWhatAsksInABodyIsNoWrite(t *testing.T) {
	g := NewWithT(t)
	r := Requests{"POST /channels/search": {Count: 6}, "GET /teams": {Count: 1}, "POST /channels": {Count: 2}}
	g.Expect(r.Reads()).To(Equal(7))
	g.Expect(r.Writes()).To(Equal(2))
}
