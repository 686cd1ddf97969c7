// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
)

var _ = DescribeTable("CommunityManager", communityManagers().check, communityManagers().entries())

const fullCommunityManager = `
spec:
  person: lucia.prieto
  role: Lead
  purpose: Keeps the engineering community useful and kind.
  responsibilities: [Moderation, Onboarding, Guidelines, Reporting]
  commitment: PartTime
  businessArea: platform
  communities:
  - {name: engineering, allocationPercent: 20}
  - namespace: data
    selector: {matchLabels: {area: it}, matchExpressions: [{key: tier, operator: In, values: [core]}]}
  term: {start: "2026-09-01", end: "2027-08-31"}
  leave: [{start: "2026-12-21", end: "2027-01-06"}]
  deputies: [{person: omar.diaz}]
`

const minimalCommunityManager = `
spec:
  person: lucia.prieto
  role: Ambassador
  purpose: Tells others about it.
  responsibilities: [Events]
  commitment: Informal
  communities: [{name: engineering}]
`

func communityManagers() kind {
	return kind{name: "CommunityManager", minimal: minimalCommunityManager, full: fullCommunityManager, rows: slices.Concat(
		required("spec", "spec.person", "spec.role", "spec.purpose", "spec.responsibilities", "spec.commitment", "spec.communities"),
		username("spec.person", "person"),
		choice("spec.role", "the role", "Lead", "Manager", "Moderator", "Ambassador"),
		choice("spec.commitment", "the commitment", "FullTime", "PartTime", "Informal"),
		someText("spec.purpose", "a purpose", 1024),
		responsibilities(),
		someText("spec.businessArea", "a business area", 63),
		managedCommunities(), allocation(), term(), leave(), deputies(),
		misspelt("spec.user", "spec.communities[0].communityRef", "spec.term.until", "spec.community"),
	)}
}

// username is one person's.
func username(path, what string) []row {
	return slices.Concat(
		atMost(path, what, 255, "a"),
		acceptsEach(path, "the "+what, "ana", "ana@example.com", "añá"),
		refusesEach(path, "the "+what, "person is one username without spaces", "", " ", "ana ruiz"),
	)
}

func responsibilities() []row {
	const path = "spec.responsibilities"
	return slices.Concat(
		atMostItems(path, "responsibilities", 32, func(i int) any { return fmt.Sprint("r", i) }),
		someText(path+"[0]", "a responsibility", 255),
		[]row{
			refuses("no responsibility", "should have at least 1 items", set(path, []any{})),
			refuses("a responsibility twice", "Duplicate value", set(path, from("[Moderation, Moderation]"))),
		},
	)
}

func managedCommunities() []row {
	const (
		path = "spec.communities"
		one  = "set exactly one of name and selector"
		name = path + "[0].name"
		ns   = path + "[1].namespace"
	)
	return slices.Concat(
		atMostItems(path, "communities", 32, item(map[string]any{"name": "engineering"})),
		[]row{
			refuses("no communities", "should have at least 1 items", set(path, []any{})),
			refuses("communities that are neither named nor picked", one, set(path, from("[{allocationPercent: 20}]"))),
			refuses("a community that is named and picked", one, set(path, from("[{name: a, selector: {}}]"))),
		},
		atMost(name, "a community's name", 253, "a"),
		refusesEach(name, "the community", "the name of an object has lower-case letters, digits, - and .", "", "Engineering", "a/b"),
		selector(path+"[1].selector"),
		atMost(ns, "a namespace", 63, "a"),
		refusesEach(ns, "the namespace", "the name of a namespace has lower-case letters, digits and -", "", "Data", "a.b"),
		[]row{
			accepts("an allocation of 1 percent", set(path+"[0].allocationPercent", int64(1))),
			refuses("an allocation of nothing", "should be greater than or equal to 1", set(path+"[0].allocationPercent", int64(0))),
		},
	)
}

func allocation() []row {
	const path, most = "spec.communities[0].allocationPercent", "should be less than or equal to 100"
	both := func(percent string) edit {
		return set("spec.communities", from("[{name: a, allocationPercent: "+percent+"}, {name: b, allocationPercent: 50}]"))
	}
	as := func(commitment string) edit { return set("spec.commitment", commitment) }
	return []row{
		accepts("all of a week, full time", as("FullTime"), both("50")),
		accepts("more than a week, informally", as("Informal"), both("90")),
		refuses("more than a week, full time", "the allocations of all communities together are at most 100 percent", as("FullTime"), both("51")),
		refuses("more than a week, part time", "the allocations of all communities together are at most 100 percent", both("51")),
		refuses("all of a week, part time", "PartTime is less than 100 percent; lower an allocation", both("50")),
		refuses("an allocation of 101 percent", most, as("Informal"), set(path, int64(101))),
	}
}

func dates(path, what string) []row {
	return slices.Concat(
		refusesEach(path, what, what+" is the ", "", "2027-02-29", "2027-3-1", "soon"),
		[]row{refuses(what+" of 33 characters", "may not be more than 32", set(path, fmt.Sprintf("%033d", 2)))},
	)
}

func term() []row {
	return slices.Concat(
		required("spec.term.start"),
		dates("spec.term.start", "start"), dates("spec.term.end", "end"),
		[]row{
			accepts("no term", remove("spec.term")),
			accepts("a term without an end", remove("spec.term.end")),
			accepts("a term of one day", set("spec.term.end", "2026-09-01")),
			refuses("a term that ends before it starts", "the term ends before it starts; correct start or end", set("spec.term.end", "2026-08-31")),
		},
	)
}

func leave() []row {
	const start, end = "spec.leave[0].start", "spec.leave[0].end"
	return slices.Concat(
		required(start, end), dates(start, "start"), dates(end, "end"),
		atMostItems("spec.leave", "leaves", 32, item(map[string]any{"start": "2026-12-21", "end": "2026-12-21"})),
		[]row{refuses("a leave that ends before it starts", "the leave ends before it starts; correct start or end", set(end, "2026-12-20"))},
	)
}

func deputies() []row {
	const path = "spec.deputies"
	return slices.Concat(
		required(path+"[0].person"),
		username(path+"[0].person", "deputy"),
		atMostItems(path, "deputies", 8, func(i int) any { return map[string]any{"person": fmt.Sprint("p", i)} }),
		[]row{
			refuses("a deputy twice", "Duplicate value", set(path, from("[{person: a}, {person: a}]"))),
			refuses("a manager as their own deputy", "a manager can't be their own deputy; name somebody else", set(path, from("[{person: lucia.prieto}]"))),
		},
	)
}
