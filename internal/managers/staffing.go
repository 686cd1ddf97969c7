// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package managers

import (
	"cmp"
	"slices"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// Serving is a manager that counts in a community now.
type Serving struct {
	Person       string
	Commitment   v1alpha1.Commitment
	BusinessArea string
	// Allocation is the part of their week for the community, in percent; 0 where it is not said.
	Allocation int
	Deputies   []string
}

// Staff says how many managers a tier takes, and how many there are. Each
// manager fills one place at most, and as many places as can be are filled.
// areas are the business areas of the community; without any, a rule per area takes one manager.
func Staff(rules *v1alpha1.Staffing, areas []string, members int, serving []Serving) *v1alpha1.StaffingStatus {
	s := &v1alpha1.StaffingStatus{Managers: int32(len(serving)), Deputies: int32(deputies(serving))}
	if rules == nil {
		return s
	}
	s.Places = places(rules.Managers, areas)
	required := 0
	if rules.Total != nil {
		required = int(*rules.Total)
	}
	if per := rules.MembersPerManager; per != nil && *per > 0 {
		required = max(required, (members+int(*per)-1)/int(*per))
	}
	fill(s.Places, serving)
	open, all := 0, 0
	for i := range s.Places {
		p := &s.Places[i]
		p.Gap = p.Required - p.Actual
		open, all = open+int(p.Gap), all+int(p.Required)
	}
	s.RequiredManagers = int32(max(required, all))
	if rules.Deputies != nil {
		s.RequiredDeputies = *rules.Deputies
	}
	s.Gap = int32(max(open, required-len(serving), 0)) + max(s.RequiredDeputies-s.Deputies, 0)
	return s
}

// places are what the rules take, with one for each area where they say so.
func places(rules []v1alpha1.StaffingRule, areas []string) []v1alpha1.StaffingPlace {
	var found []v1alpha1.StaffingPlace
	for _, r := range rules {
		in := []string{""}
		if r.Per == v1alpha1.PerBusinessArea && len(areas) > 0 {
			in = slices.Sorted(slices.Values(areas))
		}
		for _, area := range in {
			p := v1alpha1.StaffingPlace{Commitment: r.Commitment, BusinessArea: area, Required: r.Count}
			if r.AllocationPercent != nil {
				p.AllocationPercent = *r.AllocationPercent
			}
			found = append(found, p)
		}
	}
	return found
}

// fill gives as many places as possible to the managers who can have them: a
// manager whose place another one needs moves on to a free one.
func fill(places []v1alpha1.StaffingPlace, serving []Serving) {
	holds := make([]int, len(serving)) // the place of each manager
	for i := range holds {
		holds[i] = -1
	}
	// The demanding places choose first, so that what is missing is what is easiest to find.
	order := make([]int, len(places))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(weight(places[b].Commitment), weight(places[a].Commitment)),
			cmp.Compare(places[b].AllocationPercent, places[a].AllocationPercent),
			cmp.Compare(places[b].BusinessArea, places[a].BusinessArea))
	})
	for _, place := range order {
		for range places[place].Required {
			if !seat(place, places, serving, holds, make([]bool, len(serving))) {
				break
			}
		}
	}
	for _, place := range holds {
		if place >= 0 {
			places[place].Actual++
		}
	}
}

// seat finds a manager for a place, and another place for whoever has to leave theirs for it.
func seat(place int, places []v1alpha1.StaffingPlace, serving []Serving, holds []int, asked []bool) bool {
	for m := range serving {
		if asked[m] || holds[m] == place || !fits(serving[m], places[place]) {
			continue
		}
		asked[m] = true
		before := holds[m]
		holds[m] = place
		if before < 0 || seat(before, places, serving, holds, asked) {
			return true
		}
		holds[m] = before
	}
	return false
}

func fits(m Serving, p v1alpha1.StaffingPlace) bool {
	return weight(m.Commitment) >= weight(p.Commitment) && m.Allocation >= int(p.AllocationPercent) &&
		(p.BusinessArea == "" || m.BusinessArea == p.BusinessArea)
}

func weight(c v1alpha1.Commitment) int {
	return slices.Index([]v1alpha1.Commitment{v1alpha1.CommitmentInformal, v1alpha1.CommitmentPartTime, v1alpha1.CommitmentFullTime}, c)
}

// deputies are how many people stand by who don't manage themselves.
func deputies(serving []Serving) int {
	var people []string
	for _, m := range serving {
		people = append(people, m.Deputies...)
	}
	slices.Sort(people)
	people = slices.Compact(people)
	return len(slices.DeleteFunc(people, func(p string) bool {
		return slices.ContainsFunc(serving, func(m Serving) bool { return m.Person == p })
	}))
}
