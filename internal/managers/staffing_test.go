// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package managers_test

import (
	"slices"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/managers"
)

func serves(person string, commitment v1alpha1.Commitment, area string, allocation int, deputies ...string) managers.Serving {
	return managers.Serving{Person: person, Commitment: commitment, BusinessArea: area, Allocation: allocation, Deputies: deputies}
}

func TestWhoFillsWhichPlace(t *testing.T) {
	const (
		full     = v1alpha1.CommitmentFullTime
		part     = v1alpha1.CommitmentPartTime
		informal = v1alpha1.CommitmentInformal
	)
	perArea := func(c v1alpha1.Commitment) v1alpha1.StaffingRule {
		return v1alpha1.StaffingRule{Commitment: c, Count: 1, Per: v1alpha1.PerBusinessArea}
	}
	for _, tc := range []struct {
		name    string
		rules   *v1alpha1.Staffing
		areas   []string
		members int
		serving []managers.Serving
		gap     int32
		// open are the places with a gap.
		open []string
	}{
		{name: "no rules need nobody"},
		{name: "nobody is there", rules: &v1alpha1.Staffing{Managers: []v1alpha1.StaffingRule{{Commitment: informal, Count: 2}}}, gap: 2, open: []string{"Informal "}},
		{name: "who gives more fills the place of who gives less", rules: &v1alpha1.Staffing{Managers: []v1alpha1.StaffingRule{{Commitment: informal, Count: 2}}},
			serving: []managers.Serving{serves("a", full, "", 100), serves("b", part, "", 20)}},
		{name: "but not the other way", rules: &v1alpha1.Staffing{Managers: []v1alpha1.StaffingRule{{Commitment: part, Count: 1}}},
			serving: []managers.Serving{serves("a", informal, "", 90)}, gap: 1, open: []string{"PartTime "}},
		{name: "somebody moves on for another", areas: []string{"web", "data"},
			rules:   &v1alpha1.Staffing{Managers: []v1alpha1.StaffingRule{{Commitment: part, Count: 1}, perArea(informal)}},
			serving: []managers.Serving{serves("a", part, "web", 20), serves("b", part, "", 20), serves("c", informal, "data", 0)}},
		{name: "each area needs its own", areas: []string{"web", "data"}, rules: &v1alpha1.Staffing{Managers: []v1alpha1.StaffingRule{perArea(part)}},
			serving: []managers.Serving{serves("a", part, "web", 20), serves("b", part, "web", 20)}, gap: 1, open: []string{"PartTime data"}},
		{name: "too small a part of the week", rules: &v1alpha1.Staffing{Managers: []v1alpha1.StaffingRule{{Commitment: part, Count: 1, AllocationPercent: ptr.To[int32](20)}}},
			serving: []managers.Serving{serves("a", part, "", 19)}, gap: 1, open: []string{"PartTime "}},
		{name: "two in all", rules: &v1alpha1.Staffing{Total: ptr.To[int32](2), Managers: []v1alpha1.StaffingRule{{Commitment: part, Count: 1}}},
			serving: []managers.Serving{serves("a", part, "", 20)}, gap: 1},
		{name: "by members", rules: &v1alpha1.Staffing{MembersPerManager: ptr.To[int32](800)}, members: 1601,
			serving: []managers.Serving{serves("a", part, "", 20), serves("b", part, "", 20)}, gap: 1},
		{name: "deputies stand by who don't manage themselves", rules: &v1alpha1.Staffing{Deputies: ptr.To[int32](2)},
			serving: []managers.Serving{serves("a", part, "", 20, "b", "c"), serves("b", part, "", 20, "c")}, gap: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := NewWithT(t)
			s := managers.Staff(tc.rules, tc.areas, tc.members, tc.serving)
			g.Expect(s.Gap).To(Equal(tc.gap), "%+v", s)
			var open []string
			for _, p := range s.Places {
				if p.Gap > 0 {
					open = append(open, string(p.Commitment)+" "+p.BusinessArea)
				}
			}
			g.Expect(open).To(Equal(tc.open))
		})
	}
}

// As many places are filled as can be, which trying every order of the managers shows.
func TestNoOtherOrderWouldFillMorePlaces(t *testing.T) {
	commitments := []v1alpha1.Commitment{v1alpha1.CommitmentInformal, v1alpha1.CommitmentPartTime, v1alpha1.CommitmentFullTime}
	rapid.Check(t, func(t *rapid.T) {
		rules := &v1alpha1.Staffing{}
		for range rapid.IntRange(0, 3).Draw(t, "rules") {
			rules.Managers = append(rules.Managers, v1alpha1.StaffingRule{
				Commitment: rapid.SampledFrom(commitments).Draw(t, "needs"), Count: rapid.Int32Range(1, 2).Draw(t, "count"),
				Per: rapid.SampledFrom([]v1alpha1.StaffingUnit{v1alpha1.PerCommunity, v1alpha1.PerBusinessArea}).Draw(t, "per"),
			})
		}
		areas := []string{"web", "data"}[:rapid.IntRange(0, 2).Draw(t, "areas")]
		var serving []managers.Serving
		for i := range rapid.IntRange(0, 5).Draw(t, "managers") {
			serving = append(serving, serves(string(rune('a'+i)), rapid.SampledFrom(commitments).Draw(t, "gives"), rapid.SampledFrom([]string{"", "web", "data"}).Draw(t, "area"), 20))
		}
		s := managers.Staff(rules, areas, 0, serving)
		filled, most := 0, 0
		for _, p := range s.Places {
			filled += int(p.Actual)
			if p.Actual > p.Required || p.Gap != p.Required-p.Actual {
				t.Fatalf("a place is counted wrongly: %+v", p)
			}
		}
		var try func(at int, left []int32) int
		try = func(at int, left []int32) int {
			if at == len(serving) {
				return 0
			}
			best := try(at+1, left)
			for i, p := range s.Places {
				rank := func(c v1alpha1.Commitment) int { return slices.Index(commitments, c) }
				if left[i] == 0 || rank(serving[at].Commitment) < rank(p.Commitment) || p.BusinessArea != "" && p.BusinessArea != serving[at].BusinessArea {
					continue
				}
				left[i]--
				best = max(best, 1+try(at+1, left))
				left[i]++
			}
			return best
		}
		var left []int32
		for _, p := range s.Places {
			left = append(left, p.Required)
		}
		if most = try(0, left); filled != most {
			t.Fatalf("%d places are filled, and %d could be: %+v %+v", filled, most, s.Places, serving)
		}
	})
}
