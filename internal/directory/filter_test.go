// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	. "github.com/onsi/gomega"
)

func TestFilters(t *testing.T) {
	for name, tc := range map[string]struct{ own, has, filter, says string }{
		"none of its own":         {"", "uid", "(uid=*)", ""},
		"one of its own":          {"(objectClass=person)", "uid", "(&(objectClass=person)(uid=*))", ""},
		"an attribute by number":  {"", "0.9.2342.19200300.100.1.1", "(0.9.2342.19200300.100.1.1=*)", ""},
		"an attribute with more":  {"", "uid=*)(cn", "", "is not the name of an attribute"},
		"an attribute of nothing": {"", "", "", "is not the name of an attribute"},
		"a filter without end":    {"(objectClass=person", "uid", "", "is none"},
		"two filters for one":     {"(a=b)(c=d)", "uid", "", "is none"},
	} {
		t.Run(name, func(t *testing.T) {
			filter, err := filterOf(tc.own, tc.has)
			if tc.says != "" {
				NewWithT(t).Expect(err).To(MatchError(ContainSubstring(tc.says)))
				return
			}
			NewWithT(t).Expect(err).NotTo(HaveOccurred())
			NewWithT(t).Expect(filter).To(Equal(tc.filter))
		})
	}
}

// Whatever is written as a filter or an attribute, what is asked is both, or nothing.
func FuzzAFilterIsBothOrNothing(f *testing.F) {
	f.Add("(objectClass=person)", "uid")
	f.Add("(a=b)(c=d)", "uid")
	f.Add("", "uid=*)(|(cn")
	f.Add(`(cn=\2a\28)`, "cn;lang-es")
	f.Add("(|(a=b)", "u")
	f.Fuzz(func(t *testing.T, own, has string) {
		filter, err := filterOf(own, has)
		if err != nil {
			return
		}
		packet, err := ldap.CompileFilter(filter)
		if err != nil {
			t.Fatalf("%q is no filter: %v", filter, err)
		}
		last := packet
		if own != "" {
			if packet.Tag != ldap.FilterAnd || len(packet.Children) != 2 {
				t.Fatalf("%q is not two filters", filter)
			}
			last = packet.Children[1]
		}
		if last.Tag != ldap.FilterPresent || last.Data.String() != has {
			t.Fatalf("%q does not ask for %q", filter, has)
		}
	})
}

func TestRangesOfActiveDirectory(t *testing.T) {
	for attribute, tc := range map[string]struct {
		end int
		is  bool
	}{
		"member;range=0-1499": {1499, true}, "Member;Range=1500-*": {-1, true}, "member": {0, false}, "member;lang-es": {0, false},
		"memberOf;range=0-9": {0, false}, "member;range=0": {0, false}, "member;range=0-x": {0, false},
	} {
		end, is := rangeEnd(attribute, "member")
		if is != tc.is || is && end != tc.end {
			t.Errorf("%s ends at %d, %v", attribute, end, is)
		}
	}
}

func TestTheSameEntryHasTheSameDN(t *testing.T) {
	g := NewWithT(t)
	for _, dn := range []string{"uid=ana,ou=People,dc=example,dc=com", "UID=Ana, OU=people, DC=example, DC=com", "uid = ana , ou=people,dc=Example,dc=com"} {
		g.Expect(foldDN(dn)).To(Equal("uid=ana,ou=people,dc=example,dc=com"))
	}
	g.Expect(foldDN(`cn=a\,b,dc=x`)).NotTo(Equal(foldDN("cn=a,b,dc=x")))
	g.Expect(foldDN("No DN")).To(Equal("no dn"))
	g.Expect(foldDN(`cn=\4c\75,dc=x`)).To(Equal(foldDN("cn=lu,dc=x")))
	g.Expect(foldDN(strings.Repeat("a", 10_000))).To(HaveLen(10_000))
}
