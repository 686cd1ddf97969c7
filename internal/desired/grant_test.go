// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package desired_test

import (
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
)

// Promise 10.
func TestWhoMayTakeWhichName(t *testing.T) {
	everybody, teamA := metav1.LabelSelector{}, metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}}
	access := func(selector metav1.LabelSelector, official v1alpha1.OfficialAccess, names ...string) v1alpha1.PlatformAccess {
		return v1alpha1.PlatformAccess{NamespaceSelector: selector, Names: names, Official: official}
	}
	const yes, no, unset = v1alpha1.OfficialAllowed, v1alpha1.OfficialForbidden, v1alpha1.OfficialAccess("")
	a, b := map[string]string{"team": "a"}, map[string]string{"team": "b"}

	for name, tc := range map[string]struct {
		access   []v1alpha1.PlatformAccess
		labels   map[string]string
		take     string
		official bool
		// refused is the reason, or empty.
		refused string
	}{
		"no access means nobody":                    {nil, a, "eng", false, v1alpha1.ReasonNamespaceNotGranted},
		"an entry for others means nobody":          {[]v1alpha1.PlatformAccess{access(teamA, unset, "*")}, b, "eng", false, v1alpha1.ReasonNamespaceNotGranted},
		"no labels, no entry by label":              {[]v1alpha1.PlatformAccess{access(teamA, unset, "*")}, nil, "eng", false, v1alpha1.ReasonNamespaceNotGranted},
		"an empty selector is for everybody":        {[]v1alpha1.PlatformAccess{access(everybody, unset, "eng")}, nil, "eng", false, ""},
		"a name is compared as a whole":             {[]v1alpha1.PlatformAccess{access(teamA, unset, "eng")}, a, "eng-go", false, v1alpha1.ReasonNameNotGranted},
		"also its beginning":                        {[]v1alpha1.PlatformAccess{access(teamA, unset, "eng-*")}, a, "my-eng-go", false, v1alpha1.ReasonNameNotGranted},
		"* is any text":                             {[]v1alpha1.PlatformAccess{access(teamA, unset, "eng-*")}, a, "eng-go-web", false, ""},
		"* is also no text":                         {[]v1alpha1.PlatformAccess{access(teamA, unset, "eng*")}, a, "eng", false, ""},
		"a glob doesn't cover the name before it":   {[]v1alpha1.PlatformAccess{access(teamA, unset, "eng-*")}, a, "eng", false, v1alpha1.ReasonNameNotGranted},
		"? is one character":                        {[]v1alpha1.PlatformAccess{access(teamA, unset, "team?")}, a, "team1", false, ""},
		"? is not two":                              {[]v1alpha1.PlatformAccess{access(teamA, unset, "team?")}, a, "team12", false, v1alpha1.ReasonNameNotGranted},
		"the dot is itself":                         {[]v1alpha1.PlatformAccess{access(teamA, unset, "a.b")}, a, "axb", false, v1alpha1.ReasonNameNotGranted},
		"names of any entry that fits":              {[]v1alpha1.PlatformAccess{access(everybody, unset, "town"), access(teamA, unset, "eng")}, a, "eng", false, ""},
		"names of an entry for others are not ours": {[]v1alpha1.PlatformAccess{access(everybody, unset, "town"), access(teamA, unset, "eng")}, b, "eng", false, v1alpha1.ReasonNameNotGranted},

		"official is forbidden where nothing is said": {[]v1alpha1.PlatformAccess{access(teamA, unset, "eng")}, a, "eng", true, v1alpha1.ReasonOfficialNotGranted},
		"official can be forbidden aloud":             {[]v1alpha1.PlatformAccess{access(teamA, no, "eng")}, a, "eng", true, v1alpha1.ReasonOfficialNotGranted},
		"official can be allowed":                     {[]v1alpha1.PlatformAccess{access(teamA, yes, "eng")}, a, "eng", true, ""},
		"who may be official need not be":             {[]v1alpha1.PlatformAccess{access(teamA, yes, "eng")}, a, "eng", false, ""},
		"official is for the names of its own entry": {[]v1alpha1.PlatformAccess{access(teamA, yes, "town"), access(teamA, no, "eng")}, a, "eng", true,
			v1alpha1.ReasonOfficialNotGranted},
		"one entry that allows it is enough":   {[]v1alpha1.PlatformAccess{access(teamA, no, "eng"), access(everybody, yes, "eng")}, a, "eng", true, ""},
		"an official name must be granted too": {[]v1alpha1.PlatformAccess{access(teamA, yes, "town")}, a, "eng", true, v1alpha1.ReasonNameNotGranted},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			p := &v1alpha1.Platform{Spec: v1alpha1.PlatformSpec{Access: tc.access}}
			standing := v1alpha1.Standing("")
			if tc.official {
				standing = v1alpha1.StandingOfficial
			}
			refusal, err := desired.Granted(p, "ns", tc.labels, tc.take, standing)
			g.Expect(err).NotTo(HaveOccurred())
			if tc.refused == "" {
				g.Expect(refusal).To(BeNil())
				return
			}
			g.Expect(refusal).NotTo(BeNil())
			g.Expect(refusal.Reason).To(Equal(tc.refused))
		})
	}
}

// A refusal names the rule, whose it is, and what would pass.
func TestARefusalSaysWhatToDo(t *testing.T) {
	selector := metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}}
	p := &v1alpha1.Platform{
		ObjectMeta: metav1.ObjectMeta{Name: "chat"},
		Spec: v1alpha1.PlatformSpec{Access: []v1alpha1.PlatformAccess{
			{NamespaceSelector: selector, Names: []string{"eng", "eng-*"}}, {NamespaceSelector: selector, Names: []string{"town"}},
		}},
	}
	for name, tc := range map[string]struct {
		labels   map[string]string
		take     string
		standing v1alpha1.Standing
		says     []string
	}{
		"about the namespace": {nil, "eng", "", []string{"Platform chat", "namespace ns", "spec.access", "platform team"}},
		"about the name": {map[string]string{"team": "a"}, "hr", "",
			[]string{"Platform chat", "namespace ns", `"hr"`, "eng, eng-*, town", "another spaceName", "spec.access", "platform team"}},
		"about official": {map[string]string{"team": "a"}, "eng", v1alpha1.StandingOfficial,
			[]string{"Platform chat", "namespace ns", `"eng"`, "standing: Unofficial", "official: Allowed", "spec.access", "platform team"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			refusal, err := desired.Granted(p, "ns", tc.labels, tc.take, tc.standing)
			g.Expect(err).NotTo(HaveOccurred())
			for _, text := range tc.says {
				g.Expect(refusal.Message).To(ContainSubstring(text))
			}
		})
	}
}

// Promise 10.
func TestASelectorThatCantBeReadLetsNobodyIn(t *testing.T) {
	g := NewWithT(t)
	p := &v1alpha1.Platform{
		ObjectMeta: metav1.ObjectMeta{Name: "chat"},
		Spec: v1alpha1.PlatformSpec{Access: []v1alpha1.PlatformAccess{{
			Names:             []string{"*"},
			NamespaceSelector: metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: "Like"}}},
		}}},
	}
	_, err := desired.Granted(p, "ns", nil, "eng", "")
	g.Expect(err).To(MatchError(ContainSubstring("namespaceSelector of Platform chat")))
}
