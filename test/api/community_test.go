// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

var _ = DescribeTable("Community", communities().check, communities().entries())

const fullCommunity = `
spec:
  displayName: Engineering
  purpose: Share practice across product teams, so that nobody solves a problem twice.
  objectives:
  - {name: answers, description: Questions get an answer within three days., metric: UnansweredRatio, comparison: AtMost, percent: 10, window: 720h}
  - {name: talks, description: Someone shows something every month., metric: Talks, comparison: AtLeast, count: 1}
  sponsor: {person: carla.mendez}
  importance: Strategic
  businessAreas: [platform, mobile, data]
  visibility: Internal
  standing: Official
  platforms:
  - {platformRef: {name: chat}, spaceName: eng}
  members:` + members + `
  managersFrom:
  - {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: community-office}, matchExpressions: [{key: stage, operator: NotIn, values: [closed]}]}}
  guidelines: {configMapKeyRef: {name: guidelines, key: guidelines.md}, roleCards: Shown}
  branding: {avatarURL: "mxc://example.com/abc", icon: "data:image/png;base64,iVBORw0KGgo="}
  moderation:` + moderation + `
  management:` + management + `
  suspend: false
`

const minimalCommunity = `
spec:
  displayName: Engineering
  platforms: [{platformRef: {name: chat}}]
`

func communities() kind {
	return kind{name: "Community", minimal: minimalCommunity, full: fullCommunity, rows: slices.Concat(
		required("spec", "spec.displayName", "spec.platforms"),
		displayName(), purpose(), objectives(), sponsor(),
		choice("spec.importance", "the importance", "Standard", "Strategic", "Core"),
		businessAreas(), visibility(), standing(), communityPlatforms(), memberSources(), managersFrom(),
		guidelines(), branding(), moderationRows("spec.moderation"), managementRows(), suspend(),
		misspelt("spec.displayname", "spec.platform", "spec.owners"),
	)}
}

func objectives() []row {
	const (
		first   = "spec.objectives[0]"
		measure = "a target needs metric and comparison, so that it can be measured"
	)
	only := func(text string) edit { return set("spec.objectives", from("[{name: a, description: b, "+text+"}]")) }
	return slices.Concat(
		[]row{
			accepts("an objective in words alone", set("spec.objectives", from("[{name: a, description: b}]"))),
			accepts("an objective that is measured without a target", only("metric: Posts, window: 720h")),
			refuses("an objective with a percent and a count", "a target is a percent or a count, not both; make two objectives of it", set(first+".count", int64(1))),
			refuses("a percent of nothing", measure, only("percent: 10, comparison: AtMost")),
			refuses("a count without a comparison", measure, only("count: 10, metric: Posts")),
			refuses("a comparison without a target", "comparison needs a target to compare with: percent or count", only("metric: Posts, comparison: AtMost")),
			refuses("a window without a metric", "window needs the metric that is measured over it", only("window: 720h")),
			refuses("two objectives of one name", "Duplicate value", set("spec.objectives", from("[{name: a, description: b}, {name: a, description: c}]"))),
		},
		required(first+".name", first+".description"),
		atMostItems("spec.objectives", "objectives", 16, func(i int) any {
			return map[string]any{"name": fmt.Sprint("n", i), "description": "d"}
		}),
		atMost(first+".name", "an objective's name", 63, "a"),
		refusesEach(first+".name", "the objective", "an objective's name has lower-case letters, digits and -, and begins and ends with a letter or digit", "", "Answers", "quick answers", "-a", "a-", "a.b"),
		someText(first+".description", "an objective's description", 512),
		someText(first+".metric", "a metric", 63),
		choice(first+".comparison", "the comparison", "AtMost", "AtLeast"),
		between(first+".percent", "a target percentage", 0, 100),
		between("spec.objectives[1].count", "a target count", 0, 1_000_000_000),
		duration(first+".window", "window is between 1h and 8784h", []any{"1h", "720h", "8784h"}, []any{"59m", "8785h"}),
		misspelt(first+".target"),
	)
}

func sponsor() []row {
	return slices.Concat(
		[]row{accepts("no sponsor, which a policy may require", remove("spec.sponsor"))},
		required("spec.sponsor.person"),
		atMost("spec.sponsor.person", "a sponsor", 255, "a"),
		refusesEach("spec.sponsor.person", "the sponsor", "person is one username without spaces", "", "Carla Méndez"),
		misspelt("spec.sponsor.name"),
	)
}

func businessAreas() []row {
	const path = "spec.businessAreas"
	return slices.Concat(
		atMostItems(path, "business areas", 64, func(i int) any { return fmt.Sprint("area ", i) }),
		someText(path+"[0]", "a business area", 63),
		[]row{refuses("a business area that is listed twice", "Duplicate value", set(path, from("[data, data]")))},
	)
}

func communityPlatforms() []row {
	const path = "spec.platforms"
	named := func(name string) edit { return set("metadata.name", name) }
	inherits := set(path, from("[{platformRef: {name: chat}}]"))
	const says = "where spaceName is left out, metadata.name is the name in addresses and has at most 64 characters and no dots; set spaceName on each of spec.platforms"
	return slices.Concat(
		[]row{
			accepts("several platforms", set(path, from("[{platformRef: {name: chat}}, {platformRef: {name: mattermost}, spaceName: eng}]"))),
			refuses("a platform that is listed twice", "each platform is listed once; take the second one out",
				set(path, from("[{platformRef: {name: chat}}, {platformRef: {name: chat}, spaceName: eng}]"))),
			refuses("a community that lives nowhere", "should have at least 1 items", set(path, []any{})),
			accepts("a metadata.name of 64 characters as the name in addresses", inherits, named(strings.Repeat("a", 64))),
			refuses("a metadata.name of 65 characters as the name in addresses", says, inherits, named(strings.Repeat("a", 65))),
			refuses("a metadata.name with a dot as the name in addresses", says, inherits, named("eng.teams")),
			accepts("a metadata.name with a dot beside a spaceName", named("eng.teams")),
			later(accepts("another space name", set(path+"[0].spaceName", "engineers"))),
		},
		atMostItems(path, "platforms", 8, func(i int) any {
			return map[string]any{"platformRef": map[string]any{"name": fmt.Sprint("chat-", i)}}
		}),
		required(path+"[0].platformRef"),
		reference(path+"[0].platformRef"),
		spaceName(path+"[0].spaceName"),
		misspelt(path+"[0].alias"),
	)
}

func managersFrom() []row {
	const path = "spec.managersFrom"
	return slices.Concat(
		required(path+"[0].namespaceSelector"),
		atMostItems(path, "entries of managersFrom", 16, item(from("{namespaceSelector: {}}"))),
		selector(path+"[0].namespaceSelector"),
		misspelt(path+"[0].namespace"),
	)
}
