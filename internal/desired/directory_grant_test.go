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
func TestWhoMayUseWhatOfADirectory(t *testing.T) {
	everybody, teamA := metav1.LabelSelector{}, metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}}
	a, b := map[string]string{"team": "a"}, map[string]string{"team": "b"}
	access := func(selector metav1.LabelSelector, groups, attributes []string) []v1alpha1.DirectoryAccess {
		return []v1alpha1.DirectoryAccess{{NamespaceSelector: selector, Groups: groups, Attributes: attributes}}
	}
	for name, tc := range map[string]struct {
		access []v1alpha1.DirectoryAccess
		labels map[string]string
		group  string
		// group and attribute refused: the reasons, or empty.
		noGroup, noAttribute string
	}{
		"no access means nobody": {nil, a, "eng", v1alpha1.ReasonDirectoryNotGranted, v1alpha1.ReasonDirectoryNotGranted},
		"an entry for others means nobody": {access(teamA, []string{"*"}, []string{"area"}), b, "eng",
			v1alpha1.ReasonDirectoryNotGranted, v1alpha1.ReasonDirectoryNotGranted},
		"an entry without anything grants nothing": {access(everybody, nil, nil), a, "eng",
			v1alpha1.ReasonDirectoryGroupNotGranted, v1alpha1.ReasonDirectoryAttributeNotGranted},
		"groups alone":                      {access(everybody, []string{"eng"}, nil), a, "eng", "", v1alpha1.ReasonDirectoryAttributeNotGranted},
		"attributes alone":                  {access(everybody, nil, []string{"area"}), a, "eng", v1alpha1.ReasonDirectoryGroupNotGranted, ""},
		"* is no attribute":                 {access(everybody, []string{"*"}, []string{"*"}), a, "eng", "", v1alpha1.ReasonDirectoryAttributeNotGranted},
		"names are compared as a whole":     {access(teamA, []string{"eng"}, []string{"area"}), a, "eng-hr", v1alpha1.ReasonDirectoryGroupNotGranted, ""},
		"and in upper and lower case":       {access(teamA, []string{"eng"}, []string{"area"}), a, "Eng", v1alpha1.ReasonDirectoryGroupNotGranted, ""},
		"* is any text":                     {access(teamA, []string{"eng-*-leads"}, []string{"area"}), a, "eng-a-b-leads", "", ""},
		"* is not the end of it":            {access(teamA, []string{"eng-*-leads"}, []string{"area"}), a, "eng-a-leads-x", v1alpha1.ReasonDirectoryGroupNotGranted, ""},
		"? is one character":                {access(teamA, []string{"team ?"}, []string{"area"}), a, "team ñ", "", ""},
		"? is not none":                     {access(teamA, []string{"eng?"}, []string{"area"}), a, "eng", v1alpha1.ReasonDirectoryGroupNotGranted, ""},
		"a slash is as any other character": {access(teamA, []string{"a/*"}, []string{"area"}), a, "a/b/c", "", ""},
		"so is a bracket":                   {access(teamA, []string{"a[bc]"}, []string{"area"}), a, "ab", v1alpha1.ReasonDirectoryGroupNotGranted, ""},
		"a star in a name is no glob":       {access(teamA, []string{"eng"}, []string{"area"}), a, "*", v1alpha1.ReasonDirectoryGroupNotGranted, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			d := &v1alpha1.Directory{ObjectMeta: metav1.ObjectMeta{Name: "corp"}, Spec: v1alpha1.DirectorySpec{Access: tc.access}}
			expectRefusal(g, desired.DirectoryGroupGranted(d, "sales", tc.labels, tc.group), tc.noGroup)
			expectRefusal(g, desired.AttributeGranted(d, "sales", tc.labels, "area"), tc.noAttribute)
		})
	}
}

func expectRefusal(g *WithT, refusal *desired.Refusal, reason string) {
	if reason == "" {
		g.Expect(refusal).To(BeNil())
		return
	}
	g.Expect(refusal).NotTo(BeNil())
	g.Expect(refusal.Reason).To(Equal(reason))
	g.Expect(refusal.Message).To(And(ContainSubstring("Directory corp"), ContainSubstring("namespace sales"), ContainSubstring("ask the platform team")))
}
