// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package directory_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/directory"
)

const manyPeople, manyGroups = 10_000, 500

const tree = `dn: dc=example,dc=com
objectClass: domain
dc: example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=com
objectClass: organizationalUnit
ou: groups

dn: ou=lists,dc=example,dc=com
objectClass: organizationalUnit
ou: lists

dn: ou=empty,dc=example,dc=com
objectClass: organizationalUnit
ou: empty

`

func username(i int) string { return fmt.Sprintf("u%05d", i) }

// company is a directory of many people, each in some groups; every tenth group is in the one before it.
func company() string {
	var b strings.Builder
	b.WriteString(tree)
	for i := range manyPeople {
		u := username(i)
		kind := "active"
		if i%1000 == 999 {
			kind = "Gone"
		}
		fmt.Fprintf(&b, "dn: uid=%[1]s,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: %[1]s\ncn: Person %[2]d\nsn: %[2]d\n"+
			"mail: %[1]s@example.com\nemployeeNumber: e%[2]d\nemployeeType: %[3]s\ndepartmentNumber: d%[4]d\n\n", u, i, kind, i%40)
	}
	for i := range manyGroups {
		fmt.Fprintf(&b, "dn: cn=g%[1]d,ou=groups,dc=example,dc=com\nobjectClass: groupOfNames\ncn: g%[1]d\n", i)
		for n := range 40 {
			fmt.Fprintf(&b, "member: UID=%s, ou=People,dc=example,dc=com\n", username((i*20+n)%manyPeople))
		}
		if i%10 == 0 {
			fmt.Fprintf(&b, "member: cn=g%d,ou=groups,dc=example,dc=com\n", i+1)
		}
		b.WriteString("\n")
	}
	b.WriteString("dn: cn=on-call,ou=lists,dc=example,dc=com\nobjectClass: posixGroup\ncn: on-call\ngidNumber: 1\nmemberUid: u00001\nmemberUid: U00002\n\n")
	return b.String()
}

// slapd starts a server, or skips the test where there is none.
func slapd(t *testing.T, options devenv.SlapdOptions) *devenv.Slapd {
	t.Helper()
	server, err := devenv.StartSlapd(t.Context(), options)
	switch {
	case devenv.WithoutSlapd(err):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func at(s *devenv.Slapd) directory.LDAP {
	return directory.LDAP{
		URL: s.SecureURL, CABundle: s.CABundle, BindDN: devenv.SlapdAdministrator, Password: s.Password,
		People: directory.LDAPPeople{
			BaseDN: "ou=people,dc=example,dc=com", ID: "employeeNumber", Username: "uid", Email: "mail", DisplayName: "cn",
			Attributes: map[string]string{"businessArea": "departmentNumber"}, Disabled: "employeeType", DisabledValues: []string{"gone"},
		},
		Groups:   &directory.LDAPGroups{BaseDN: "ou=groups,dc=example,dc=com", Name: "cn", Members: "member"},
		PageSize: 500, Timeout: 20 * time.Second,
	}
}

func TestACompanyIsReadFromARealServer(t *testing.T) {
	g := NewWithT(t)
	server := slapd(t, devenv.SlapdOptions{LDIF: company()})
	began := time.Now()
	reading, err := at(server).Read(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	read := time.Since(began)
	index := directory.NewIndex()
	taken, err := index.Take(reading, builtIn, 0)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(taken.Changed).To(BeTrue())
	built := time.Since(began) - read

	view := index.State().View
	g.Expect(view.Active()).To(Equal(manyPeople - 10))
	g.Expect(view.Groups()).To(Equal(manyGroups))
	g.Expect(view.Notes).To(BeEmpty())
	g.Expect(view.Group("g0").Usernames).To(HaveLen(60), "its own forty, and those of the group in it")
	g.Expect(view.Group("g1").Usernames).To(HaveLen(40))
	g.Expect(view.WithAttribute(directory.Attribute{Name: "businessArea", Value: "d7"}).Usernames).To(HaveLen(250))
	ana, known := view.Person("U00007")
	g.Expect(known).To(BeTrue())
	g.Expect(ana).To(Equal(directory.Person{ID: "e7", Username: "u00007", Email: "u00007@example.com", DisplayName: "Person 7",
		Attributes: []directory.Attribute{{Name: "businessArea", Value: "d7"}}}))
	g.Expect(index.State().Left("u00999")).To(BeTrue(), "disabled there")

	began = time.Now()
	again, err := at(server).Read(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	taken, err = index.Take(again, builtIn, 0)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(taken).To(Equal(directory.Taken{Allowed: 50}), "nothing changed")
	refreshed := time.Since(began)

	with := heap()
	runtime.KeepAlive(index)
	runtime.KeepAlive(view)
	without := heap()
	used := int64(with) - int64(without)
	t.Logf("%d people and %d groups: read in %v, indexed in %v, read again without a change in %v; the index takes %.1f MB",
		manyPeople, manyGroups, read.Round(time.Millisecond), built.Round(time.Millisecond), refreshed.Round(time.Millisecond), float64(used)/1e6)
	g.Expect(used).To(BeNumerically("<", 20_000_000), "lean enough to stay in memory")
	g.Expect(used).To(BeNumerically(">", 100_000), "it was measured")
}

// heap is how much is in use.
func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestWaysToReachAServer(t *testing.T) {
	server := slapd(t, devenv.SlapdOptions{LDIF: company(), SizeLimit: 100})
	// A place where something listens, and says nothing.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()

	for name, tc := range map[string]struct {
		edit func(*directory.LDAP)
		kind directory.ErrorKind
		says string
	}{
		"over TLS":      {func(*directory.LDAP) {}, "", ""},
		"with StartTLS": {func(l *directory.LDAP) { l.URL, l.StartTLS = server.URL, true }, "", ""},
		"without TLS":   {func(l *directory.LDAP) { l.URL = server.URL }, "", ""},
		"as nobody, which gives only a part": {func(l *directory.LDAP) { l.BindDN, l.Password = "", "" },
			directory.Incomplete, "reading people under ou=people,dc=example,dc=com: the server gives only a part; raise its limit"},
		"with a wrong password": {func(l *directory.LDAP) { l.Password = "wr0ng-secret" }, directory.Unauthorized, "it refuses the account or its password"},
		"with no password":      {func(l *directory.LDAP) { l.Password = "" }, directory.Unauthorized, "it refuses the account or its password"},
		"as somebody unknown":   {func(l *directory.LDAP) { l.BindDN = "cn=who,dc=example,dc=com" }, directory.Unauthorized, "it refuses the account"},
		"as no DN":              {func(l *directory.LDAP) { l.BindDN = "who*)(" }, directory.Unauthorized, "it refuses the account"},
		"where nobody listens":  {func(l *directory.LDAP) { l.URL = "ldap://" + gone.Addr().String() }, directory.Unavailable, "the connection was refused"},
		"where nobody answers": {func(l *directory.LDAP) { l.URL, l.Timeout = "ldap://"+silent.Addr().String(), time.Second },
			directory.Unavailable, "there was no answer in time"},
		"with TLS to a silent one": {func(l *directory.LDAP) { l.URL, l.Timeout = "ldaps://"+silent.Addr().String(), time.Second },
			directory.Unavailable, "there was no answer in time"},
		"with an authority that is not its own": {func(l *directory.LDAP) { l.CABundle = "" }, directory.Unavailable, "its certificate is not to be trusted"},
		"with StartTLS and another authority": {func(l *directory.LDAP) { l.URL, l.StartTLS, l.CABundle = server.URL, true, "" },
			directory.Unavailable, "its certificate is not to be trusted"},
		"with TLS where there is none": {func(l *directory.LDAP) { l.URL = strings.Replace(server.URL, "ldap://", "ldaps://", 1) },
			directory.Unavailable, "connecting to"},
		"with a bundle of nothing":           {func(l *directory.LDAP) { l.CABundle = "MIIB" }, directory.Invalid, "there is no certificate in it"},
		"where there are no people":          {func(l *directory.LDAP) { l.People.BaseDN = "ou=who,dc=example,dc=com" }, directory.Invalid, "there is no such entry"},
		"where there can't be any":           {func(l *directory.LDAP) { l.People.BaseDN = "*)(uid=*" }, directory.Invalid, "that is not a DN"},
		"with a filter that is none":         {func(l *directory.LDAP) { l.People.Filter = "(uid=" }, directory.Invalid, "is none"},
		"with an attribute that is a filter": {func(l *directory.LDAP) { l.People.Username = "uid=*)(cn" }, directory.Invalid, "is not the name of an attribute"},
		"where there are no groups":          {func(l *directory.LDAP) { l.Groups.BaseDN = "ou=who,dc=example,dc=com" }, directory.Invalid, "reading groups under"},
		"in pages that are too large": {func(l *directory.LDAP) {
			l.BindDN, l.Password, l.PageSize = "", "", 5000
		}, directory.Incomplete, "gives only a part"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l := at(server)
			tc.edit(&l)
			reading, err := l.Read(t.Context())
			if tc.says == "" {
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(reading.People).To(HaveLen(manyPeople))
				return
			}
			g.Expect(reading).To(Equal(directory.Reading{}), "nothing of it is used")
			var typed *directory.Error
			g.Expect(errors.As(err, &typed)).To(BeTrue(), "%v", err)
			g.Expect(err).To(MatchError(ContainSubstring(tc.says)))
			g.Expect(typed.Kind).To(Equal(tc.kind))
			g.Expect(err.Error()).NotTo(ContainSubstring(server.Password))
			g.Expect(err.Error()).NotTo(ContainSubstring("wr0ng-secret"))
		})
	}

	t.Run("usernames as members", func(t *testing.T) {
		g := NewWithT(t)
		l := at(server)
		l.Groups = &directory.LDAPGroups{BaseDN: "ou=lists,dc=example,dc=com", Filter: "(objectClass=posixGroup)", Name: "cn", Members: "memberUid", Usernames: true}
		reading, err := l.Read(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(directory.Build(reading).Group("on-call").Usernames).To(Equal([]string{"u00001", "u00002"}))
	})
	t.Run("an attribute that nobody has", func(t *testing.T) {
		g := NewWithT(t)
		l := at(server)
		l.People.Attributes["floor"] = "roomNumber"
		reading, err := l.Read(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(reading.Notes).To(ConsistOf(ContainSubstring("Nobody has the attribute roomNumber, which floor is mapped to")))
	})
	t.Run("an ID that nobody has", func(t *testing.T) {
		g := NewWithT(t)
		l := at(server)
		l.People.ID = "roomNumber"
		reading, err := l.Read(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		_, err = directory.NewIndex().Take(reading, builtIn, 0)
		g.Expect(err).To(MatchError(ContainSubstring("had nobody in it")))
	})
	t.Run("nobody where people should be", func(t *testing.T) {
		g := NewWithT(t)
		index := directory.NewIndex()
		full, err := at(server).Read(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		_, err = index.Take(full, builtIn, 0)
		g.Expect(err).NotTo(HaveOccurred())
		l := at(server)
		l.People.BaseDN = "ou=empty,dc=example,dc=com"
		empty, err := l.Read(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		_, err = index.Take(empty, builtIn, 0)
		g.Expect(err).To(HaveOccurred())
		g.Expect(index.State().View.Active()).To(Equal(manyPeople - 10))
	})
	t.Run("a server that goes down on the way", func(t *testing.T) {
		g := NewWithT(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := at(server).Read(ctx)
		g.Expect(err).To(HaveOccurred())
		server.Stop()
		_, err = at(server).Read(t.Context())
		g.Expect(err).To(MatchError(ContainSubstring("the connection was refused")))
		g.Expect(server.Start(t.Context())).To(Succeed())
		_, err = at(server).Read(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
	})
}
