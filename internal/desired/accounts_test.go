// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package desired_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/model"
)

// known are two people of a directory: of ben nothing is known but the name.
func known(username string) (desired.Profile, bool) {
	switch username {
	case "ana":
		return desired.Profile{Email: "Ana@Example.com", DisplayName: "Ana Ruiz", Attributes: map[string]string{"chat": "ana-r"}}, true
	case "ben":
		return desired.Profile{}, true
	default:
		return desired.Profile{}, false
	}
}

func TestADirectorySaysWhichAccountAPersonHas(t *testing.T) {
	people := []desired.Declared{{Person: "ana", Role: model.RoleManager}, {Person: "ben"}, {Person: "cleo"}}
	for name, tc := range map[string]struct {
		accounts v1alpha1.Accounts
		members  []model.Member
		nameless []string
	}{
		"by address": {
			v1alpha1.Accounts{Match: v1alpha1.MatchEmail},
			[]model.Member{{Account: "ana@example.com", Role: model.RoleManager}}, []string{"ben", "cleo"}},
		"by an attribute": {
			v1alpha1.Accounts{Match: v1alpha1.MatchTemplate, Template: "@{{ .attributes.chat }}:x"},
			[]model.Member{{Account: "@ana-r:x", Role: model.RoleManager}}, []string{"ben", "cleo"}},
		"by an address in a template": {
			v1alpha1.Accounts{Match: v1alpha1.MatchTemplate, Template: "{{ .email }}"},
			[]model.Member{{Account: "Ana@Example.com", Role: model.RoleManager}}, []string{"ben", "cleo"}},
		"by the username, which everybody has": {
			v1alpha1.Accounts{Match: v1alpha1.MatchTemplate, Template: "{{ .username }}-x"},
			[]model.Member{{Account: "ana-x", Role: model.RoleManager}, {Account: "ben-x"}, {Account: "cleo-x"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			members, nameless, err := desired.Accounts(&v1alpha1.Platform{Spec: v1alpha1.PlatformSpec{Accounts: &tc.accounts}}, people, known)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(members).To(Equal(tc.members))
			g.Expect(nameless).To(Equal(tc.nameless))
		})
	}
}

func TestAddressesLeadToAccounts(t *testing.T) {
	g := NewWithT(t)
	members, nameless := desired.Resolve(
		[]model.Member{{Account: "a@x", Role: model.RoleModerator}, {Account: "a@y", Readd: true}, {Account: "b@x"}},
		map[string]string{"a@x": "ana", "a@y": "ana"})
	g.Expect(members).To(Equal([]model.Member{{Account: "ana", Role: model.RoleModerator, Readd: true}}), "two addresses of one account")
	g.Expect(nameless).To(Equal([]string{"b@x"}))
}
