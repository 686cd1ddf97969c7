// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

var _ = DescribeTable("Directory", directories().check, directories().entries())

const fullDirectory = `
spec:
  type: LDAP
  ldap:
    url: ldap://ldap.example.com
    startTLS: Required
    caBundle: |
      -----BEGIN CERTIFICATE-----
      MIIB
      -----END CERTIFICATE-----
    people:
      baseDN: "ou=people,dc=example,dc=com"
      filter: (objectClass=inetOrgPerson)
      id: entryUUID
      username: uid
      email: mail
      displayName: cn
      attributes: {businessArea: departmentNumber}
      disabled: {attribute: employeeType, values: [gone]}
    groups: {baseDN: "ou=groups,dc=example,dc=com", filter: (objectClass=groupOfNames), name: cn, members: member, membersAre: DN}
    pageSize: 500
    timeout: 30s
  credentialsRef: {name: ldap}
  access:
  - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: engineering}, matchExpressions: [{key: stage, operator: NotIn, values: [closed]}]}
    groups: [engineers, "eng-*"]
    attributes: [businessArea]
  leaverBudget: {percent: 2, count: 50}
  refreshInterval: 10m
`

const minimalDirectory = `
spec:
  type: Inline
  inline: {people: [{username: ana}]}
`

// aList is every field of a list.
const aList = `{people: [{username: ana, email: ana@example.com, state: Active, attributes: {area: it}}, {username: ben}],
  groups: [{name: engineers, people: [ana], groups: [ops]}, {name: ops, people: [ben]}]}`

func directories() kind {
	return kind{name: "Directory", minimal: minimalDirectory, full: fullDirectory, rows: slices.Concat(
		required("spec", "spec.type"),
		directoryType(), ldapConnection(), ldapContent(), lists(), listInConfigMap(), directoryAccess(),
		reference("spec.credentialsRef"),
		between("spec.leaverBudget.percent", "a percentage of people", 0, 100),
		between("spec.leaverBudget.count", "a number of people", 0, 1_000_000),
		duration("spec.refreshInterval", "refreshInterval is between 1m and 24h",
			[]any{"1m", "10m", "24h", "1h30m", "90s"}, []any{"59s", "24h1s", "0s"}),
		misspelt("specification", "spec.url", "spec.leaverBudget.window"),
	)}
}

// listed turns the full Directory into a list.
func listed(rows []row) []row {
	for i := range rows {
		rows[i].edits = slices.Insert(rows[i].edits, 0,
			set("spec.type", "Inline"), remove("spec.ldap"), remove("spec.credentialsRef"), set("spec.inline", from(aList)))
	}
	return rows
}

func directoryType() []row {
	const union = "set the field of the type and no other: ldap where type is LDAP, inline where it is Inline, configMapKeyRef where it is ConfigMap"
	const inTheClear = "a password is not sent in the clear: use ldaps:// or startTLS: Required, or take credentialsRef out"
	inline := set("spec.inline", from(aList))
	return []row{
		accepts("an LDAP directory"),
		accepts("one that is read anonymously", remove("spec.credentialsRef")),
		refuses("a type that does not exist, and lists those that do", `supported values: "LDAP", "Inline", "ConfigMap"`, set("spec.type", "Kerberos")),
		refuses("an LDAP directory without ldap", union, remove("spec.ldap"), remove("spec.credentialsRef")),
		refuses("an LDAP directory that is a list too", union, inline),
		refuses("a list that is in LDAP", union, set("spec.type", "Inline")),
		refuses("a list with credentials", "credentialsRef is for type LDAP; a list needs no credentials", set("spec.type", "Inline"), remove("spec.ldap"), inline),
		refuses("a password in the clear", inTheClear, set("spec.ldap.startTLS", "Disabled")),
		accepts("an anonymous connection in the clear", set("spec.ldap.startTLS", "Disabled"), remove("spec.credentialsRef")),
		later(accepts("a list that moves to LDAP", set("spec.ldap.url", "ldap://new.example.com"))),
	}
}

func ldapConnection() []row {
	const url, bundle, pem = "spec.ldap.url", "spec.ldap.caBundle", "-----BEGIN CERTIFICATE-----"
	return slices.Concat(
		required(url, "spec.ldap.people"),
		acceptsEach(url, "the server", "ldap://ldap.example.com", "ldap://127.0.0.1:3389", "ldap://[2001:db8::1]:389"),
		[]row{accepts("a server over TLS", set(url, "ldaps://ldap.example.com"), remove("spec.ldap.startTLS"))},
		refusesEach(url, "the server", "url is ldaps:// or ldap:// and a host, with a port where needed, and nothing after it",
			"ldap://", "ldap://ldap.example.com/", "ldap://ldap.example.com/dc=example", "ldap://me@ldap.example.com", "ldap://ldap example.com", "ldap://ldap.example.com?x"),
		[]row{
			refuses("a server without ldap://", "url is ldaps:// or ldap://", set(url, "ldap.example.com"), remove("spec.ldap.startTLS")),
			refuses("startTLS over TLS", "startTLS is for ldap://; ldaps:// is safe from the start", set(url, "ldaps://ldap.example.com")),
			accepts("a server's address of 512 characters", set(url, "ldap://"+strings.Repeat("a", 505))),
			refuses("a server's address of 513 characters", "may not be more than 512", set(url, "ldap://"+strings.Repeat("a", 506))),
			accepts("a bundle of 131072 characters", set(bundle, pem+strings.Repeat("a", 131072-len(pem)))),
			refuses("a bundle of 131073 characters", "may not be more than 131072", set(bundle, pem+strings.Repeat("a", 131073-len(pem)))),
			accepts("startTLS that is required", set("spec.ldap.startTLS", "Required")),
			refuses("startTLS that does not exist, and lists what does", `supported values: "Required", "Disabled"`, set("spec.ldap.startTLS", "Maybe"), remove("spec.credentialsRef")),
		},
		refusesEach(bundle, "the bundle", "caBundle is PEM text with at least one BEGIN CERTIFICATE block", "", "MIIB"),
		between("spec.ldap.pageSize", "a page", 1, 10_000),
		duration("spec.ldap.timeout", "timeout is between 1s and 10m", []any{"1s", "30s", "10m"}, []any{"999ms", "10m1s", "0s"}),
		misspelt("spec.ldap.port"),
	)
}

func ldapContent() []row {
	const people, groups, disabled = "spec.ldap.people", "spec.ldap.groups", "spec.ldap.people.disabled"
	const attribute = "an attribute of LDAP has letters, digits and -, such as uid or employeeNumber"
	var rows []row
	for _, path := range []string{people + ".id", people + ".username", people + ".email", people + ".displayName", disabled + ".attribute", groups + ".name", groups + ".members"} {
		rows = append(rows, atMost(path, path, 128, "a")...)
		rows = append(rows, acceptsEach(path, path, "uid", "x-2", "0.9.2342.19200300.100.1.1")...)
		rows = append(rows, refusesEach(path, path, attribute, "", "uid=*)(cn", "cn;lang-es", "a b", "*", "1")...)
	}
	for _, path := range []string{people, groups} {
		rows = append(rows, required(path+".baseDN")...)
		rows = append(rows, someText(path+".baseDN", path+".baseDN", 1024)...)
		filter := path + ".filter"
		rows = append(rows, accepts(filter+" of 1024 characters", set(filter, "("+strings.Repeat("a", 1022)+")")),
			refuses(filter+" of 1025 characters", "may not be more than 1024", set(filter, "("+strings.Repeat("a", 1023)+")")))
		rows = append(rows, refusesEach(filter, filter, "filter is an LDAP filter in parentheses", "", "objectClass=person", "()", "(a=b")...)
	}
	return slices.Concat(rows,
		required(people+".id", people+".username", disabled+".attribute", disabled+".values"),
		atMostItems(disabled+".values", "values", 32, func(i int) any { return fmt.Sprint(i) }),
		atMost(disabled+".values[0]", "a value", 255, "a"),
		choice(groups+".membersAre", "members that are", "DN", "Username"),
		[]row{
			accepts("a directory without groups", remove(groups)),
			refuses("nobody who is disabled", "should have at least 1 items", set(disabled+".values", []any{})),
			refuses("a value that is listed twice", "Duplicate value", set(disabled+".values", from("[a, a]"))),
			refuses("an attribute that is a filter", attribute, set(people+".attributes", from("{area: 'a=*)(b'}"))),
			refuses("33 attributes", "must have at most 32", set(people+".attributes", attributes(33, "uid"))),
			accepts("32 attributes", set(people+".attributes", attributes(32, "uid"))),
		},
		misspelt(people+".base", groups+".member", disabled+".value"),
	)
}

func attributes(n int, value string) any {
	m := map[string]any{}
	for i := range n {
		m[fmt.Sprint("a", i)] = value
	}
	return m
}

func lists() []row {
	const people, groups = "spec.inline.people", "spec.inline.groups"
	username := people + "[0].username"
	return listed(slices.Concat(
		[]row{
			accepts("a list"),
			accepts("a list without groups", remove(groups)),
			refuses("a list of nobody", "should have at least 1 items", set(people, []any{})),
			refuses("a person who is listed twice", "Duplicate value", set(people, from("[{username: ana}, {username: ana}]"))),
			refuses("a group that is listed twice", "Duplicate value", set(groups, from("[{name: a}, {name: a}]"))),
			refuses("a person who is twice in a group", "Duplicate value", set(groups+"[0].people", from("[ana, ana]"))),
			refuses("a group that is twice in a group", "Duplicate value", set(groups+"[0].groups", from("[ops, ops]"))),
			refuses("a person with 33 attributes", "must have at most 32", set(people+"[0].attributes", attributes(33, "x"))),
		},
		required(people, username, groups+"[0].name"),
		atMost(username, "a username", 255, "a"),
		acceptsEach(username, "the username", "ana", "ana.ruiz", "ana@example.com"),
		refusesEach(username, "the username", "username is one username without spaces", "", " ", "ana ruiz", "ana\n"),
		atMost(people+"[0].email", "an address", 254, "a"),
		choice(people+"[0].state", "a person who is", "Active", "Disabled"),
		someText(groups+"[0].name", "a group's name", 255),
		atMostItems(people, "people", 1000, func(i int) any { return map[string]any{"username": fmt.Sprint("u", i)} }),
		atMostItems(groups, "groups", 200, func(i int) any { return map[string]any{"name": fmt.Sprint("g", i)} }),
		atMostItems(groups+"[0].people", "people in a group", 1000, func(i int) any { return fmt.Sprint("u", i) }),
		atMostItems(groups+"[0].groups", "groups in a group", 200, func(i int) any { return fmt.Sprint("g", i) }),
		atMost(groups+"[0].people[0]", "a person in a group", 255, "a"),
		atMost(groups+"[0].groups[0]", "a group in a group", 255, "a"),
		misspelt(people+"[0].mail", groups+"[0].members"),
	))
}

func listInConfigMap() []row {
	const ref = "spec.configMapKeyRef"
	rows := slices.Concat(
		[]row{accepts("a list in a ConfigMap")},
		required(ref+".name", ref+".key"),
		atMost(ref+".name", "a ConfigMap's name", 253, "a"),
		refusesEach(ref+".name", "the ConfigMap", "the name of a ConfigMap has lower-case letters, digits, - and .", "", "People", "a/b"),
		atMost(ref+".key", "a key", 253, "a"),
		refusesEach(ref+".key", "the key", "a key of a ConfigMap has letters, digits, -, _ and .", "", "a b"),
		misspelt(ref+".namespace"),
	)
	for i := range rows {
		rows[i].edits = slices.Insert(rows[i].edits, 0,
			set("spec.type", "ConfigMap"), remove("spec.ldap"), remove("spec.credentialsRef"), set(ref, from("{name: people, key: people.yaml}")))
	}
	return rows
}

func directoryAccess() []row {
	const groups, names = "spec.access[0].groups", "spec.access[0].attributes"
	return slices.Concat(
		[]row{
			accepts("a directory that nobody may use", remove("spec.access")),
			accepts("access without groups", remove(groups)),
			refuses("access without a namespaceSelector, which would be everybody", "namespaceSelector: Required value", remove("spec.access[0].namespaceSelector")),
			refuses("a group that is granted twice", "Duplicate value", set(groups, from("[a, a]"))),
			refuses("an attribute that is granted twice", "Duplicate value", set(names, from("[a, a]"))),
		},
		atMostItems("spec.access", "entries of access", 64, item(from("{namespaceSelector: {}, groups: [a]}"))),
		atMostItems(groups, "groups", 64, func(i int) any { return fmt.Sprint("g", i) }),
		atMostItems(names, "attributes", 64, func(i int) any { return fmt.Sprint("a", i) }),
		someText(groups+"[0]", "a group's glob", 255),
		someText(names+"[0]", "an attribute", 63),
		selector("spec.access[0].namespaceSelector"),
		misspelt("spec.access[0].names"),
	)
}
