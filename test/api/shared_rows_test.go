// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"fmt"
	"slices"
	"strings"
)

// The rows of what several kinds have: wherever it stands, the rules are the same.

// reference is a field that names another object.
func reference(path string) []row {
	name := path + ".name"
	return slices.Concat(
		required(path+".name"),
		atMost(name, name, 253, "a"),
		acceptsEach(name, name, "chat", "chat.example.com", "1st-floor"),
		refusesEach(name, name, "the name of an object has lower-case letters, digits, - and .", "", "Chat", "my chat", "chat-", "a/b"),
		misspelt(path+".namespace"),
	)
}

func displayName() []row {
	const path = "spec.displayName"
	return slices.Concat(
		required(path),
		atMost(path, "a display name", 64, "ñ"),
		acceptsEach(path, "the display name", "Go", "Café & Co.", "Équipe 🇪🇸 👩‍💻", "日本語", "O'Brien: \"quotes\""),
		refusesEach(path, "the display name", "displayName is one line of visible text",
			"", " ", " Go", "Go ", "Go\nGo", "Go\tGo", "Go\x7f", "Go\u2028Go", "Go \u202eoG", "Go\u2066"),
	)
}

func spaceName(path string) []row {
	return slices.Concat(
		atMost(path, "a space name", 64, "a"),
		acceptsEach(path, "the space name", "a", "on-call", "on_call", "42"),
		refusesEach(path, "the space name", "spaceName has lower-case letters, digits, - and _",
			"", "On-Call", "on call", "-on", "on-", "on.call", "año", "#on", "on\n"),
	)
}

func purpose() []row {
	return slices.Concat(
		atMost("spec.purpose", "a purpose", 1024, "a"),
		acceptsEach("spec.purpose", "the purpose", "", "Over\ntwo lines."),
	)
}

func visibility() []row {
	return choice("spec.visibility", "the visibility", "Public", "Internal", "Private")
}

func standing() []row { return choice("spec.standing", "the standing", "Official", "Unofficial") }

func suspend() []row {
	return []row{
		accepts("suspend", set("spec.suspend", true)),
		refuses("suspend as a word", "must be of type boolean", set("spec.suspend", "yes")),
	}
}

// members has one source of each sort: person, directoryGroup, attribute, group, managersOf.
const members = `
  - {person: ana.ruiz, role: Moderator, expires: "2027-03-31", afterLeaving: Readd}
  - {directoryGroup: {directoryRef: {name: corp}, name: engineers}, role: Member}
  - {attribute: {directoryRef: {name: corp}, name: businessArea, value: platform}}
  - {group: {name: another}, role: Manager}
  - {managersOf: {communitySelector: {matchLabels: {area: it}, matchExpressions: [{key: tier, operator: In, values: [core]}]}}}
`

func memberSources() []row {
	const (
		oneSource = "a list item has exactly one source: person, directoryGroup, attribute, group or managersOf"
		username  = "person is one username without spaces"
		aDay      = "expires is the last day of the membership as YYYY-MM-DD"
		person    = "spec.members[0].person"
		expires   = "spec.members[0].expires"
		directory = "spec.members[1].directoryGroup"
		attribute = "spec.members[2].attribute"
		managers  = "spec.members[4].managersOf"
	)
	return slices.Concat(
		[]row{
			accepts("no members", remove("spec.members")),
			accepts("an empty list of members", set("spec.members", []any{})),
			accepts("the same person from two sources", set("spec.members", from("[{person: ana}, {person: ana, role: Manager}]"))),
			accepts("a thousand people, each with all that a person can have", set("spec.members", people(1000))),
			refuses("a source that is none", oneSource, set("spec.members", from("[{role: Member}]"))),
			refuses("a person and a group in one item", oneSource, set("spec.members", from("[{person: ana, group: {name: another}}]"))),
			refuses("a directory group and an attribute in one item", oneSource, set("spec.members",
				from("[{directoryGroup: {directoryRef: {name: a}, name: b}, attribute: {directoryRef: {name: a}, name: b, value: c}}]"))),
			refuses("managers and a person in one item", oneSource, set("spec.members", from("[{person: ana, managersOf: {communitySelector: {}}}]"))),
			refuses("an expiring group", "expires is for a person", set("spec.members", from(`[{group: {name: another}, expires: "2027-03-31"}]`))),
		},
		atMostItems("spec.members", "members", 1000, item(map[string]any{"person": "ana"})),
		atMost(person, "a person", 255, "a"),
		acceptsEach(person, "the person", "ana", "ana.ruiz", "ana@example.com", "añá", "EXAMPLE\\ana"),
		refusesEach(person, "the person", username, "", " ", "ana ruiz", "ana\n", "ana\u00a0ruiz"),
		choice("spec.members[0].role", "the role", "Member", "Moderator", "Manager"),
		choice("spec.members[0].afterLeaving", "after leaving:", "Respect", "Readd"),
		acceptsEach(expires, "the last day", "2027-03-31", "2028-02-29", "9999-12-31"),
		refusesEach(expires, "the last day", aDay, "", "2027-02-29", "2027-13-01", "2027-3-1", "31.03.2027", "2027-03-31T00:00:00Z", "soon"),
		[]row{refuses("a last day of 33 characters", "may not be more than 32", set(expires, strings.Repeat("2", 33)))},
		required(directory+".name", directory+".directoryRef"),
		someText(directory+".name", "a directory group", 255),
		reference(directory+".directoryRef"),
		required(attribute+".name", attribute+".value", attribute+".directoryRef"),
		someText(attribute+".name", "an attribute's name", 63),
		someText(attribute+".value", "an attribute's value", 255),
		reference(attribute+".directoryRef"),
		reference("spec.members[3].group"),
		required(managers+".communitySelector"),
		selector(managers+".communitySelector"),
		misspelt("spec.members[0].persn", directory+".group", attribute+".key", managers+".selector"),
	)
}

// people are as many as a list holds, each item as long as it can be.
func people(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = map[string]any{
			"person": fmt.Sprintf("%0255d", i), "role": "Moderator", "expires": "2027-03-31", "afterLeaving": "Respect",
		}
	}
	return list
}

// selector is a label selector.
func selector(path string) []row {
	const says = "matchExpressions has at most 8 entries, each with operator In or NotIn and values, or Exists or DoesNotExist and none"
	exists := from("{key: a, operator: Exists}")
	expression := func(text string) edit { return set(path, from("{matchExpressions: ["+text+"]}")) }
	return slices.Concat(
		[]row{
			accepts(path+" that picks all", set(path, from("{}"))),
			accepts(path+" with each operator", expression(
				"{key: a, operator: In, values: [b]}, {key: a, operator: NotIn, values: [b]}, {key: a, operator: Exists}, {key: a, operator: DoesNotExist, values: []}")),
			refuses(path+" with an operator that does not exist", says, expression("{key: a, operator: Is, values: [b]}")),
			refuses(path+" with operator In and no values", says, expression("{key: a, operator: In}")),
			refuses(path+" with operator NotIn and an empty list", says, expression("{key: a, operator: NotIn, values: []}")),
			refuses(path+" with operator Exists and values", says, expression("{key: a, operator: Exists, values: [b]}")),
			accepts(path+" with eight expressions", set(path+".matchExpressions", many(8, exists))),
			refuses(path+" with nine expressions", says, set(path+".matchExpressions", many(9, exists))),
			refuses(path+" with a mistake in the eighth expression", says, set(path+".matchExpressions", append(many(7, exists), from("{key: a, operator: Is}")))),
			refuses(path+" without a key", "key: Required value", expression("{operator: Exists}")),
			refuses(path+" without an operator", "operator: Required value", expression("{key: a}")),
		},
		misspelt(path+".labels"),
	)
}

func guidelines() []row {
	const (
		one = "set exactly one of text and configMapKeyRef"
		ref = "spec.guidelines.configMapKeyRef"
	)
	text := set("spec.guidelines", from("{text: Be kind.}"))
	rows := slices.Concat(
		[]row{
			accepts("no guidelines", remove("spec.guidelines")),
			accepts("guidelines in the manifest", text),
			refuses("guidelines without a text", one, set("spec.guidelines", from("{}"))),
			refuses("guidelines from two places", one, set("spec.guidelines.text", "Be kind.")),
		},
		required(ref+".name", ref+".key"),
		atMost(ref+".name", "a ConfigMap's name", 253, "a"),
		refusesEach(ref+".name", "the ConfigMap", "the name of a ConfigMap has lower-case letters, digits, - and .", "", "Guidelines", "a/b"),
		atMost(ref+".key", "a key", 253, "a"),
		acceptsEach(ref+".key", "the key", "guidelines.md", "EN_us-1"),
		refusesEach(ref+".key", "the key", "a key of a ConfigMap has letters, digits, -, _ and .", "", "a b", "a/b.md"),
		choice("spec.guidelines.roleCards", "the role cards", "Shown", "Hidden"),
		misspelt("spec.guidelines.configMapRef", ref+".namespace"),
	)
	// The text is instead of the ConfigMap of the full object.
	for _, r := range someText("spec.guidelines.text", "a text of guidelines", 16384) {
		r.edits = slices.Insert(r.edits, 0, text)
		rows = append(rows, r)
	}
	return rows
}

func branding() []row {
	const path, icon, begins = "spec.branding.avatarURL", "spec.branding.icon", "data:image/png;base64,"
	return slices.Concat(
		[]row{accepts("a picture with the longest address", set(path, "mxc://example.com/"+strings.Repeat("a", 512-18)))},
		[]row{refuses("a picture with too long an address", "may not be more than 512", set(path, "mxc://example.com/"+strings.Repeat("a", 512-17)))},
		acceptsEach(path, "the picture", "mxc://example.com/abc_-123", "mxc://example.com:8448/a"),
		refusesEach(path, "the picture", "avatarURL is the mxc:// URI of a picture on the homeserver", "", "https://example.com/a.png", "mxc://example.com", "mxc://example.com/a/b"),
		[]row{accepts("the largest icon", set(icon, begins+strings.Repeat("a", 65536-len(begins))))},
		[]row{refuses("too large an icon", "may not be more than 65536", set(icon, begins+strings.Repeat("a", 65537-len(begins))))},
		acceptsEach(icon, "the icon", "data:image/png;base64,iVBORw0KGgo=", "data:image/jpeg;base64,/9j+", "data:image/gif;base64,R0lGOA=="),
		refusesEach(icon, "the icon", "icon is a data: URI with a PNG, JPEG or GIF", "", "https://example.com/a.png", "data:image/svg+xml;base64,PHN2Zz4=",
			"data:image/png;base64,", "data:image/png,abc", "data:image/png;base64,ab cd"),
		misspelt("spec.branding.avatarUrl", "spec.branding.colour"),
	)
}

const moderation = `
    posting: Members
    reactions: Members
    massMentions: Moderators
    invitations: Members
    removals: Moderators
    pins: Moderators
    deletions: Managers
    guests: Forbidden
    history: Everything
    blockedServers: ["*.example.net"]
    onUnsupported: Report
`

// moderationRows are those of settings that stand at path.
func moderationRows(path string) []row {
	servers := path + ".blockedServers"
	var rows []row
	for _, field := range []string{"posting", "reactions", "massMentions", "invitations", "pins"} {
		rows = append(rows, choice(path+"."+field, field+" by", "Members", "Moderators", "Managers")...)
	}
	for _, field := range []string{"removals", "deletions"} {
		at := path + "." + field
		rows = append(rows, acceptsEach(at, field+" by", "Moderators", "Managers")...)
		rows = append(rows,
			refuses(field+" by members", field+" are for Moderators or Managers; members don't", set(at, "Members")),
			refuses(field+" by an audience that does not exist, and lists those that do", `supported values: "Members", "Moderators", "Managers"`, set(at, "Guests")))
	}
	return slices.Concat(rows,
		choice(path+".guests", "guests", "Allowed", "Forbidden"),
		choice(path+".history", "history", "Everything", "SinceJoining"),
		choice(path+".onUnsupported", "what a platform can't do:", "Report", "Block"),
		blockedServers(servers),
		misspelt(path+".mentions"),
	)
}

func blockedServers(path string) []row {
	return slices.Concat(
		atMostItems(path, "blocked servers", 100, func(i int) any { return fmt.Sprintf("%d.example.net", i) }),
		atMost(path+"[0]", "a blocked server", 255, "a"),
		acceptsEach(path+"[0]", "the blocked server", "example.net", "*.example.net", "evil?.example.net:8448", "[2001:db8::1]", "xn--bcher-kva.example"),
		refusesEach(path+"[0]", "the blocked server", "a blocked server is a server's name", "https://example.net", "example.net/x", "a b", "bücher.example"),
		refusesEach(path+"[0]", "the blocked server", "would cut the space off; use visibility Internal", "*", "*.*", "?*", "*:*"),
		refusesEach(path+"[0]", "the blocked server", "a blocked server is a server's name", ""),
		[]row{refuses("a server that is blocked twice", "Duplicate value", set(path, from("[a.example, a.example]")))},
	)
}

const management = `
    mode: Enforce
    membership: Additive
    adoption: Never
    deletion: Retain
    removalBudget: {percent: 25, count: 20, floor: 1, window: 24h}
`

func managementRows() []row {
	return slices.Concat(
		choice("spec.management.mode", "the mode", "Observe", "Plan", "Enforce"),
		choice("spec.management.membership", "the membership", "Additive", "Exclusive"),
		choice("spec.management.adoption", "the adoption", "Never", "IfUnowned"),
		choice("spec.management.deletion", "the deletion", "Retain", "Archive", "Delete"),
		removalBudget("spec.management.removalBudget"),
		misspelt("spec.management.deletionPolicy"),
	)
}

func removalBudget(path string) []row {
	only := func(text string) edit { return set(path, from(text)) }
	rows := slices.Concat(
		between(path+".percent", "a percentage", 0, 100),
		[]row{
			accepts(path+" without a field", only("{}")),
			accepts(path+" with a floor as high as the count", only("{floor: 3, count: 3}")),
			refuses(path+" with a floor over the count", "floor is at most count, because count bounds what floor allows", only("{floor: 4, count: 3}")),
			refuses(path+" with a percentage in words", "must be of type integer", only(`{percent: "25%"}`)),
		},
		duration(path+".window", "window is between 1m and 8784h", []any{"1m", "24h", "168h", "8784h", "1h30m"}, []any{"59s", "8785h", "0s"}),
		misspelt(path+".max"),
	)
	// A field alone, so that floor and count don't meet.
	for _, field := range []string{"count", "floor"} {
		for _, r := range between(path+"."+field, "a "+field, 0, 1_000_000) {
			r.edits = slices.Insert(r.edits, 0, only("{}"))
			rows = append(rows, r)
		}
	}
	return rows
}

// duration is a field that the operator must be able to read: one that it
// can't would keep it from reading all the others too.
func duration(path, says string, good, bad []any) []row {
	return slices.Concat(
		acceptsEach(path, path, good...),
		refusesEach(path, path, says, bad...),
		refusesEach(path, path, says, "", "7d", "1w", "10", "-10m", "ten minutes", "PT10M", "10 m", "999999h", "1h1h1h1h1h"),
		[]row{refuses(path+" of 33 characters", "may not be more than 32", set(path, strings.Repeat("1", 32)+"h"))},
	)
}
