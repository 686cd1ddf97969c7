// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = DescribeTable("GovernancePolicy", governancePolicies().check, governancePolicies().entries())

var _ = It("GovernancePolicy is taken at its largest, within what the API server spends on rules", func(ctx context.Context) {
	largest := governancePolicies().object(largestPolicy())
	Expect(strict.Create(ctx, largest)).To(Succeed())
	Expect(strict.Delete(ctx, largest)).To(Succeed())
})

const fullGovernancePolicy = `
spec:
  governs:
    namespaceSelector: {matchLabels: {governed: "yes"}, matchExpressions: [{key: stage, operator: NotIn, values: [closed]}]}
  priority: 10
  requires: {purpose: Required, objectives: 1, sponsor: Required}
  managers:
    appointment: Sponsor
    namespaces: [community-office]
    trainedGroup: {directoryRef: {name: corp}, name: trained-managers}
    vacancy: {interim: Sponsor, grace: 720h}
  names: {reserved: [hr, "official-*"]}
  approvals: {automation: ["system:serviceaccount:argocd:*"]}
  evaluation:
    interval: 24h
    promoteAfter: 3
    leaveBelowPercent: 90
    minimumStay: 2400h
    areas: {directoryRef: {name: corp}, attribute: businessArea}
  tiers:
  - name: Seed
    rank: 0
    staffing:
      enforcement: Warn
      managers: [{commitment: PartTime, count: 1, per: BusinessArea, allocationPercent: 20}]
      total: 2
      deputies: 1
      membersPerManager: 800
    moderation:
      defaults: {posting: Members, reactions: Members, massMentions: Moderators, invitations: Members, removals: Moderators, pins: Moderators,
        deletions: Managers, guests: Forbidden, history: Everything, blockedServers: ["*.example.net"], onUnsupported: Report}
      limits: {posting: Members, reactions: Members, massMentions: Moderators, invitations: Members, removals: Moderators, pins: Moderators,
        deletions: Moderators, guests: Forbidden, history: SinceJoining, join: Request, blockedServers: ["*.example.net"]}
    approvals: {groupCreation: Required}
    reviews: {policy: 4320h, report: 720h, reportAcknowledged: 336h, managers: 4320h, members: 8760h, guests: 2160h}
  - name: Small
    rank: 10
    enterWhen: {anyOf: [{members: 50, groups: 5, businessAreas: 3, membersPerArea: 10, importance: Strategic}]}
`

const minimalGovernancePolicy = `
spec:
  governs: {namespaceSelector: {}}
  tiers: [{name: Everything, rank: 0}]
`

func governancePolicies() kind {
	return kind{name: "GovernancePolicy", minimal: minimalGovernancePolicy, full: fullGovernancePolicy, rows: slices.Concat(
		required("spec", "spec.governs", "spec.governs.namespaceSelector", "spec.tiers"),
		selector("spec.governs.namespaceSelector"),
		between("spec.priority", "a priority", -1_000_000, 1_000_000),
		requirements(), managerRules(), nameRules(), automation(), evaluation(),
		tiers(), thresholds(), staffing(), moderationRows("spec.tiers[0].moderation.defaults"), moderationLimits(),
		choice("spec.tiers[0].approvals.groupCreation", "the approval of new groups", "Required", "NotRequired"),
		reviews(),
		misspelt("spec.namespaceSelector", "spec.governs.namespaces", "spec.tier", "spec.tiers[0].limits", "spec.tiers[0].approvals.creation"),
	)}
}

func requirements() []row {
	return slices.Concat(
		choice("spec.requires.purpose", "a purpose that is", "Required", "Optional"),
		choice("spec.requires.sponsor", "a sponsor who is", "Required", "Optional"),
		between("spec.requires.objectives", "a number of objectives", 0, 16),
		misspelt("spec.requires.owner"),
	)
}

func managerRules() []row {
	const (
		namespaces = "spec.managers.namespaces"
		trained    = "spec.managers.trainedGroup"
		nowhere    = "with appointment PlatformTeam, namespaces says where the platform team declares managers; name one at the least"
	)
	byPlatformTeam := set("spec.managers.appointment", "PlatformTeam")
	return slices.Concat(
		choice("spec.managers.appointment", "an appointment by", "Self", "Sponsor", "PlatformTeam"),
		[]row{
			refuses("an appointment by the platform team nowhere", nowhere, byPlatformTeam, remove(namespaces)),
			refuses("an appointment by the platform team in no namespace", nowhere, byPlatformTeam, set(namespaces, []any{})),
			refuses("a namespace that is named twice", "Duplicate value", set(namespaces, from("[office, office]"))),
		},
		atMostItems(namespaces, "namespaces of managers", 64, func(i int) any { return fmt.Sprint("n", i) }),
		atMost(namespaces+"[0]", "a namespace of managers", 63, "a"),
		refusesEach(namespaces+"[0]", "the namespace of managers", "the name of a namespace has lower-case letters, digits and -", "", "Office", "a.b", "office-*"),
		required(trained+".directoryRef", trained+".name"),
		reference(trained+".directoryRef"),
		someText(trained+".name", "a group of who is trained", 255),
		choice("spec.managers.vacancy.interim", "in the meantime", "Sponsor", "Nobody"),
		duration("spec.managers.vacancy.grace", "grace is between 0s and 8784h", []any{"0s", "720h", "8784h"}, []any{"8784h1s"}),
		misspelt("spec.managers.training", "spec.managers.vacancy.deputy"),
	)
}

func nameRules() []row {
	const path = "spec.names.reserved"
	return slices.Concat(
		[]row{refuses("a name that is reserved twice", "Duplicate value", set(path, from("[hr, hr]")))},
		atMostItems(path, "reserved names", 256, func(i int) any { return fmt.Sprint("n", i) }),
		atMost(path+"[0]", "a reserved name", 64, "a"),
		acceptsEach(path+"[0]", "the reserved name", "hr", "board-*", "*-official", "on_call", "??", "team?"),
		refusesEach(path+"[0]", "the reserved name", "a reserved name has lower-case letters, digits, - and _, with * for any text",
			"", "HR", "human resources", "[a-z]*", "hr.*"),
		refusesEach(path+"[0]", "the reserved name", "would reserve every name; name what is reserved", "*", "**", "?*"),
		misspelt("spec.names.forbidden"),
	)
}

func automation() []row {
	const path = "spec.approvals.automation"
	return slices.Concat(
		[]row{refuses("an automation account that is listed twice", "Duplicate value", set(path, from("[robot, robot]")))},
		atMostItems(path, "automation accounts", 64, func(i int) any { return fmt.Sprint("robot-", i) }),
		someText(path+"[0]", "an automation account", 253),
		misspelt("spec.approvals.approvers"),
	)
}

func evaluation() []row {
	const areas = "spec.evaluation.areas"
	return slices.Concat(
		duration("spec.evaluation.interval", "interval is between 1m and 8784h", []any{"1m", "24h", "8784h"}, []any{"59s", "8784h1s", "0s"}),
		between("spec.evaluation.promoteAfter", "a number of looks", 1, 100),
		between("spec.evaluation.leaveBelowPercent", "a part of a threshold", 1, 100),
		duration("spec.evaluation.minimumStay", "minimumStay is between 0s and 87840h", []any{"0s", "2400h", "87840h"}, []any{"87840h1s"}),
		required(areas+".directoryRef", areas+".attribute"),
		reference(areas+".directoryRef"),
		someText(areas+".attribute", "an attribute of areas", 63),
		misspelt("spec.evaluation.demoteAfter"),
	)
}

func tiers() []row {
	const (
		path   = "spec.tiers"
		name   = path + "[1].name"
		rank   = path + "[1].rank"
		lowest = "every community begins in the tier of the lowest rank: that one has no enterWhen, and every other has one"
		ranks  = "each tier has a rank of its own; change one of the equal ranks"
	)
	are := func(text string) edit { return set(path, from("["+text+"]")) }
	return slices.Concat(
		[]row{
			accepts("tiers in any order", are("{name: B, rank: 20, enterWhen: {anyOf: [{members: 9}]}}, {name: A, rank: 5}")),
			accepts("one tier alone", are("{name: Seed, rank: 0}")),
			refuses("no tier", "should have at least 1 items", set(path, []any{})),
			refuses("two tiers of one name", "Duplicate value", are("{name: A, rank: 0}, {name: A, rank: 1, enterWhen: {anyOf: [{members: 9}]}}")),
			refuses("two tiers of one rank", ranks,
				are("{name: A, rank: 0}, {name: B, rank: 7, enterWhen: {anyOf: [{members: 9}]}}, {name: C, rank: 7, enterWhen: {anyOf: [{members: 10}]}}")),
			refuses("a lowest tier that takes something", lowest, are("{name: A, rank: 0, enterWhen: {anyOf: [{members: 9}]}}")),
			refuses("a higher tier that takes nothing", lowest, are("{name: A, rank: 0}, {name: B, rank: 1}")),
			refuses("a tier below the one that takes nothing", lowest, are("{name: A, rank: 5}, {name: B, rank: 1, enterWhen: {anyOf: [{members: 9}]}}")),
			refuses("no tier to begin in", lowest,
				are("{name: A, rank: 0, enterWhen: {anyOf: [{members: 1}]}}, {name: B, rank: 1, enterWhen: {anyOf: [{members: 9}]}}")),
			accepts("a rank of 1000000", set(rank, int64(1_000_000))),
			accepts("ranks with no room between them", set(rank, int64(1))),
			refuses("a rank of 1000001", "should be less than or equal to 1000000", set(rank, int64(1_000_001))),
			refuses("a rank of -1", "should be greater than or equal to 0", set(path+"[0].rank", int64(-1))),
			later(accepts("a tier more", are("{name: Seed, rank: 0}, {name: B, rank: 1, enterWhen: {anyOf: [{members: 9}]}}"))),
		},
		required(name, rank),
		atMostItems(path, "tiers", 16, func(i int) any {
			tier := map[string]any{"name": fmt.Sprint("T", i), "rank": int64(i)}
			if i > 0 {
				tier["enterWhen"] = from("{anyOf: [{members: 9}]}")
			}
			return tier
		}),
		atMost(name, "a tier's name", 63, "a"),
		acceptsEach(name, "the tier", "Distributed", "tier-2", "9"),
		refusesEach(name, "the tier", "a tier's name has letters, digits and -, and begins and ends with a letter or digit", "", "Very large", "-a", "a-", "a_b", "Größer"),
	)
}

func thresholds() []row {
	const (
		anyOf = "spec.tiers[1].enterWhen.anyOf"
		first = anyOf + "[0]"
		empty = "a threshold says members, groups, businessAreas or importance"
	)
	one := func(text string) edit { return set(anyOf, from("["+text+"]")) }
	return slices.Concat(
		[]row{
			accepts("a threshold of members", one("{members: 50}")),
			accepts("a threshold of groups", one("{groups: 5}")),
			accepts("a threshold of business areas", one("{businessAreas: 3}")),
			accepts("a threshold of importance", one("{importance: Core}")),
			refuses("no threshold", "should have at least 1 items", set(anyOf, []any{})),
			refuses("a threshold that says nothing", empty, one("{}")),
			refuses("one of several thresholds that says nothing", empty, one("{members: 50}, {}")),
			refuses("how large a business area has to be, and not how many it takes",
				"membersPerArea says how large a business area has to be to count; say in businessAreas how many it takes", one("{members: 50, membersPerArea: 10}")),
		},
		required(anyOf),
		atMostItems(anyOf, "thresholds", 8, item(from("{members: 50}"))),
		between(first+".members", "a threshold of members,", 1, 100_000_000),
		between(first+".groups", "a threshold of groups,", 1, 1_000_000),
		between(first+".businessAreas", "a threshold of business areas,", 1, 1000),
		between(first+".membersPerArea", "a business area's members", 1, 100_000_000),
		choice(first+".importance", "a threshold of importance", "Standard", "Strategic", "Core"),
		misspelt(first+".users", "spec.tiers[1].enterWhen.allOf"),
	)
}

func staffing() []row {
	const (
		path     = "spec.tiers[0].staffing"
		managers = path + ".managers"
		first    = managers + "[0]"
	)
	return slices.Concat(
		choice(path+".enforcement", "an enforcement that is", "Warn", "Block"),
		required(first+".commitment", first+".count"),
		atMostItems(managers, "kinds of managers", 8, item(from("{commitment: FullTime, count: 1}"))),
		choice(first+".commitment", "managers", "FullTime", "PartTime", "Informal"),
		between(first+".count", "a number of managers", 1, 1000),
		choice(first+".per", "managers per", "Community", "BusinessArea"),
		between(first+".allocationPercent", "an allocation", 1, 100),
		between(path+".total", "a total of managers", 1, 1000),
		between(path+".deputies", "a number of deputies", 1, 1000),
		between(path+".membersPerManager", "members for one manager", 1, 100_000_000),
		misspelt(path+".leads", first+".perArea"),
	)
}

func moderationLimits() []row {
	const path = "spec.tiers[0].moderation.limits"
	var rows []row
	for _, field := range []string{"posting", "reactions", "massMentions", "invitations", "removals", "pins", "deletions"} {
		rows = append(rows, choice(path+"."+field, field+" at the loosest by", "Members", "Moderators", "Managers")...)
	}
	return slices.Concat(rows,
		choice(path+".guests", "guests at the loosest", "Allowed", "Forbidden"),
		choice(path+".history", "history at the loosest", "Everything", "SinceJoining"),
		choice(path+".join", "joining at the loosest", "Open", "Request", "Invite"),
		blockedServers(path+".blockedServers"),
		misspelt(path+".onUnsupported"),
	)
}

func reviews() []row {
	const path = "spec.tiers[0].reviews"
	rows := []row{
		accepts("a report that nobody acknowledges", remove(path+".reportAcknowledged")),
		refuses("a report that is acknowledged and never made",
			"reportAcknowledged is how soon a report is acknowledged; say in report how often there is one", remove(path+".report")),
	}
	for _, field := range []string{"policy", "report", "reportAcknowledged", "managers", "members", "guests"} {
		rows = append(rows, duration(path+"."+field, "a review interval is between 1h and 87840h", []any{"1h", "4320h", "87840h"}, []any{"59m", "87840h1s", "0s"})...)
	}
	return append(rows, misspelt(path+".spaces")...)
}

// largestPolicy has every list full, and every text and number as long as it can be.
func largestPolicy() string {
	list := func(n int, item func(i int) string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = item(i)
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	same := func(text string) func(int) string { return func(int) string { return text } }
	text := func(length int) func(int) string {
		return func(i int) string { return fmt.Sprintf("a%0*d", length-1, i) }
	}
	// 87840h is as long as this one, and more.
	const interval = "10000h10000m10000s10000ms"
	const audiences = "posting: Moderators, reactions: Moderators, massMentions: Moderators, invitations: Moderators, removals: Moderators, pins: Moderators, deletions: Moderators, guests: Forbidden, history: SinceJoining"
	expression := fmt.Sprintf("{key: %s, operator: NotIn, values: %s}", text(63)(0), list(64, text(63)))
	threshold := "{members: 100000000, groups: 1000000, businessAreas: 1000, membersPerArea: 100000000, importance: Strategic}"
	reference := fmt.Sprintf("directoryRef: {name: %s}", text(253)(0))
	tier := func(i int) string {
		enter := fmt.Sprintf("enterWhen: {anyOf: %s},", list(8, same(threshold)))
		if i == 0 {
			enter = ""
		}
		return fmt.Sprintf(`{name: %s, rank: %d, %s
      staffing: {enforcement: Block, managers: %s, total: 1000, deputies: 1000, membersPerManager: 100000000},
      moderation: {defaults: {%s, onUnsupported: Report, blockedServers: %s}, limits: {%s, join: Request, blockedServers: %s}},
      approvals: {groupCreation: NotRequired},
      reviews: {policy: %[9]s, report: %[9]s, reportAcknowledged: %[9]s, managers: %[9]s, members: %[9]s, guests: %[9]s}}`,
			text(63)(i), 999_900+i, enter,
			list(8, same("{commitment: PartTime, count: 1000, per: BusinessArea, allocationPercent: 100}")),
			audiences, list(100, text(255)), audiences, list(100, text(255)), interval)
	}
	return fmt.Sprintf(`
spec:
  governs: {namespaceSelector: {matchExpressions: %s}}
  priority: 1000000
  requires: {purpose: Required, objectives: 16, sponsor: Required}
  managers:
    appointment: PlatformTeam
    namespaces: %s
    trainedGroup: {%s, name: %s}
    vacancy: {interim: Sponsor, grace: 1000h10000m10000s1000ms}
  names: {reserved: %s}
  approvals: {automation: %s}
  evaluation: {interval: 1000h10000m10000s1000ms, promoteAfter: 100, leaveBelowPercent: 100, minimumStay: %s,
    areas: {%s, attribute: %s}}
  tiers: %s
`, list(8, same(expression)), list(64, text(63)), reference, text(255)(0), list(256, text(64)), list(64, text(253)), interval,
		reference, text(63)(0), list(16, tier))
}
