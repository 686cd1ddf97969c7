// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

var _ = DescribeTable("Platform", platforms().check, platforms().entries())

const fullPlatform = `
spec:
  type: Matrix
  ownerID: prod-eu
  matrix: {homeserverURL: "https://matrix.example.com", serverName: example.com, account: cabildo}
  credentialsRef: {name: matrix}
  accounts: {directoryRef: {name: corp}, match: Template, template: "@{{ .username }}:example.com"}
  access:
  - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: engineering}, matchExpressions: [{key: stage, operator: NotIn, values: [closed]}]}
    names: [eng, "eng-*"]
    official: Allowed
  requests: {perSecond: 50, concurrency: 8}
  removalBudget: {percent: 25, count: 20, floor: 1, window: 24h, spaces: {count: 3}}
  resyncInterval: 10m
  management:` + management + `
  caBundle: |
    -----BEGIN CERTIFICATE-----
    MIIB
    -----END CERTIFICATE-----
  proxyURL: http://proxy.example.com:3128
  suspend: false
`

const minimalPlatform = `
spec:
  type: Matrix
  ownerID: prod-eu
  matrix: {homeserverURL: "https://matrix.example.com", serverName: example.com}
  credentialsRef: {name: matrix}
`

func platforms() kind {
	return kind{name: "Platform", minimal: minimalPlatform, full: fullPlatform, rows: slices.Concat(
		required("spec", "spec.type", "spec.ownerID", "spec.credentialsRef"),
		platformType(), ownerID(), matrix(), mattermost(), accounts(), access(), connection(),
		reference("spec.credentialsRef"),
		between("spec.requests.perSecond", "a rate of requests a second", 1, 10000),
		between("spec.requests.concurrency", "a number of requests at once", 1, 256),
		removalBudget("spec.removalBudget"),
		required("spec.removalBudget.spaces.count"),
		between("spec.removalBudget.spaces.count", "a budget of spaces", 0, 1_000_000),
		duration("spec.resyncInterval", "resyncInterval is between 1m and 24h",
			[]any{"1m", "10m", "24h", "1h30m", "90s"}, []any{"59s", "24h1s", "0s"}),
		managementRows(),
		suspend(),
		misspelt("specification", "spec.homeserver", "spec.requests.perMinute", "spec.removalBudget.spaces.percent"),
	)}
}

func platformType() []row {
	const union = "set the field of the type and no other: matrix where type is Matrix, mattermost where it is Mattermost"
	matterURL := set("spec.mattermost", from(`{url: "https://chat.example.com"}`))
	return []row{
		accepts("a Matrix platform"),
		accepts("a Mattermost platform", set("spec.type", "Mattermost"), remove("spec.matrix"), matterURL),
		refuses("a type that does not exist, and lists those that do", `supported values: "Matrix", "Mattermost"`, set("spec.type", "IRC")),
		refuses("a Matrix platform without matrix", union, remove("spec.matrix")),
		refuses("a Matrix platform that is Mattermost too", union, matterURL),
		refuses("a Mattermost platform with matrix", union, set("spec.type", "Mattermost")),
		refuses("a Mattermost platform with both", union, set("spec.type", "Mattermost"), matterURL),
		later(refuses("a change of type", "type is immutable; make another Platform",
			set("spec.type", "Mattermost"), remove("spec.matrix"), matterURL)),
		later(accepts("a homeserver that moved", set("spec.matrix.homeserverURL", "https://new.example.com"))),
	}
}

func ownerID() []row {
	const path = "spec.ownerID"
	return slices.Concat(
		atMost(path, "an owner ID", 63, "a"),
		acceptsEach(path, "the owner ID", "a", "prod-eu", "prod.eu.1"),
		refusesEach(path, "the owner ID", "ownerID has lower-case letters, digits, - and ., and begins and ends with a letter or digit",
			"", "Prod", "prod_eu", "-prod", "prod-", "prod eu"),
		[]row{later(refuses("a change of the owner ID", "ownerID is immutable; release the spaces and adopt them from another Platform instead", set(path, "prod-us")))},
	)
}

func matrix() []row {
	const (
		url    = "spec.matrix.homeserverURL"
		server = "spec.matrix.serverName"
		as     = "spec.matrix.account"
	)
	return slices.Concat(
		required(url, server),
		acceptsEach(url, "the homeserver", "https://matrix.example.com", "http://127.0.0.1:8008", "https://[2001:db8::1]:8448"),
		refusesEach(url, "the homeserver", "homeserverURL is http:// or https:// and a host, with a port where needed; no user, no path and no / at the end",
			"", "matrix.example.com", "ftp://matrix.example.com", "https://", "https://matrix.example.com/", "https://matrix.example.com/_matrix",
			"https://me:secret@matrix.example.com", "https://matrix.example.com?a=b", "https://matrix.example.com#a", "https://matrix example.com", "https://matrix.example.com:port"),
		[]row{
			accepts("a homeserver's address of 512 characters", set(url, "https://"+strings.Repeat("a", 504))),
			refuses("a homeserver's address of 513 characters", "may not be more than 512", set(url, "https://"+strings.Repeat("a", 505))),
		},
		atMost(server, "a server name", 230, "a"),
		acceptsEach(server, "the server name", "example.com", "Example.com:8448", "localhost", "[2001:db8::1]:8448", "192.0.2.1"),
		refusesEach(server, "the server name", "serverName is what follows the colon in user IDs, such as example.com; no https:// and no path",
			"", "https://example.com", "example.com/", "@ana:example.com", "example.com:", "exa mple.com"),
		atMost(as, "an account", 230, "a"),
		acceptsEach(as, "the account", "cabildo", "cabildo-eu", "_bot.1=a/b+c"),
		refusesEach(as, "the account", "account is the part of a user ID between @ and the colon, such as cabildo: lower-case letters, digits and . _ = / + -",
			"", "Cabildo", "@cabildo", "cabildo:example.com", "ca bildo", "señora"),
		misspelt("spec.matrix.homeserver"),
	)
}

func mattermost() []row {
	const url = "spec.mattermost.url"
	const says = "url is http:// or https:// and a host, with a port and a path where needed; no user, no query and no / at the end"
	rows := slices.Concat(
		required(url),
		acceptsEach(url, "the Mattermost server", "https://chat.example.com", "http://127.0.0.1:8065", "https://example.com/chat"),
		refusesEach(url, "the Mattermost server", says,
			"", "chat.example.com", "ftp://chat.example.com", "https://chat.example.com/", "https://example.com/chat/", "https://me:secret@chat.example.com",
			"https://chat.example.com?a=b", "https://chat.example.com#a", "https://chat example.com"),
		[]row{
			accepts("a Mattermost address of 512 characters", set(url, "https://"+strings.Repeat("a", 504))),
			refuses("a Mattermost address of 513 characters", "may not be more than 512", set(url, "https://"+strings.Repeat("a", 505))),
		},
		misspelt("spec.mattermost.siteURL"),
	)
	for i := range rows {
		rows[i].edits = slices.Insert(rows[i].edits, 0,
			set("spec.type", "Mattermost"), remove("spec.matrix"), set("spec.mattermost", from(`{url: "https://chat.example.com"}`)))
	}
	return rows
}

func accounts() []row {
	const (
		match    = "spec.accounts.match"
		template = "spec.accounts.template"
		together = "set template when, and only when, match is Template"
		names    = "template names the person, as in @{{ .username }}:example.com; without that everybody would have one account"
	)
	only := func(text string) edit { return set("spec.accounts", from(text)) }
	return slices.Concat(
		[]row{
			accepts("accounts by username", only("{match: Username}")),
			accepts("accounts by template", only("{match: Template, template: 'x-{{ .username }}'}")),
			accepts("accounts by e-mail address from a directory", only("{match: Email, directoryRef: {name: corp}}")),
			accepts("accounts that say nothing", only("{}")),
			refuses("a match that does not exist, and lists those that do", `supported values: "Username", "Template", "Email"`, set(match, "Nickname")),
			refuses("a template for usernames", together, set(match, "Username")),
			refuses("a template without a match", together, remove(match)),
			refuses("a match by a template that is not there", together, remove(template)),
			refuses("e-mail addresses without the directory that has them", "match: Email needs directoryRef, because the address comes from there", only("{match: Email}")),
			refuses("a template of 513 characters", "may not be more than 512", set(template, "{{ .username }}"+strings.Repeat("a", 498))),
			accepts("a template of 512 characters", set(template, "{{ .username }}"+strings.Repeat("a", 497))),
		},
		refusesEach(template, "the template", names, "", "@ana:example.com", "@{username}:example.com"),
		reference("spec.accounts.directoryRef"),
		misspelt("spec.accounts.matchBy"),
	)
}

func access() []row {
	const names = "spec.access[0].names"
	return slices.Concat(
		[]row{
			accepts("a platform that nobody may use", remove("spec.access")),
			accepts("access of 64 entries with 64 names", set("spec.access", many(64, map[string]any{"namespaceSelector": map[string]any{}, "names": globs(64)}))),
			refuses("access without names", "names: Required value", remove(names)),
			refuses("access without a namespaceSelector, which would be everybody", "namespaceSelector: Required value", remove("spec.access[0].namespaceSelector")),
			refuses("an empty list of names", "should have at least 1 items", set(names, []any{})),
			refuses("a name that is listed twice", "Duplicate value", set(names, from("[eng, eng]"))),
		},
		atMostItems("spec.access", "entries of access", 64, item(from("{namespaceSelector: {}, names: [a]}"))),
		atMostItems(names, "names", 64, func(i int) any { return fmt.Sprint("eng-", i) }),
		atMost(names+"[0]", "a name", 128, "a"),
		acceptsEach(names+"[0]", "the name", "*", "team-?", "eng_*", "a.b"),
		refusesEach(names+"[0]", "the name", "a name is lower-case letters, digits, ., _ and -, with * for any text and ? for any one character, such as eng-*",
			"", "Eng", "eng [ab]", "eng/*", "^eng$", "{eng,ops}"),
		choice("spec.access[0].official", "official spaces", "Allowed", "Forbidden"),
		selector("spec.access[0].namespaceSelector"),
		misspelt("spec.access[0].namespaces"),
	)
}

func connection() []row {
	const bundle, proxy = "spec.caBundle", "spec.proxyURL"
	const pem = "-----BEGIN CERTIFICATE-----"
	return slices.Concat(
		[]row{
			accepts("a bundle of 131072 characters", set(bundle, pem+strings.Repeat("a", 131072-len(pem)))),
			refuses("a bundle of 131073 characters", "may not be more than 131072", set(bundle, pem+strings.Repeat("a", 131073-len(pem)))),
			accepts("a proxy's address of 512 characters", set(proxy, "http://"+strings.Repeat("a", 505))),
			refuses("a proxy's address of 513 characters", "may not be more than 512", set(proxy, "http://"+strings.Repeat("a", 506))),
		},
		refusesEach(bundle, "the bundle", "caBundle is PEM text with at least one BEGIN CERTIFICATE block", "", "MIIB", "/etc/ssl/ca.pem"),
		acceptsEach(proxy, "the proxy", "http://proxy.example.com:3128", "https://proxy.example.com/"),
		refusesEach(proxy, "the proxy", "proxyURL is http:// or https:// and a host with its port, without user and password",
			"", "proxy.example.com:3128", "socks5://proxy.example.com", "http://me:secret@proxy.example.com", "http://proxy.example.com/path"),
	)
}

func many(n int, value any) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = value
	}
	return list
}

// globs are names as long as they can be.
func globs(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = fmt.Sprintf("%0127d*", i)
	}
	return list
}
