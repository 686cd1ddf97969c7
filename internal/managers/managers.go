// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package managers computes who has which formal role in a community at a
// moment: terms, leave and deputies, consent of other namespaces, allocation. Pure.
package managers

import (
	"cmp"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// Holder is somebody with a role in a community.
type Holder struct {
	Person string
	Role   v1alpha1.Role
	// Manages says that the person leads or manages the community, also while
	// on leave, or acts for somebody who does.
	Manages bool
}

// Council is who has a role in a community at a moment.
type Council struct {
	// Holders by name, each with the strongest of their roles.
	Holders []Holder
	// Serving are the leads and managers that count, by name: appointed and trained, in term, and on leave only where deputies act.
	Serving []Serving
	// Provisional is how many leads and managers don't count yet, and Unknown how many of them because it is not
	// known whether they are trained.
	Provisional, Unknown int
	// Gone are managers who have left the organisation, by name. Their deputies act.
	Gone []string
}

// InTerm says that the role is somebody's on that day.
func InTerm(m *v1alpha1.CommunityManager, now time.Time) bool {
	t, day := m.Spec.Term, today(now)
	return t == nil || t.Start <= day && (t.End == "" || day <= t.End)
}

// OnLeave says that the deputies act on that day.
func OnLeave(m *v1alpha1.CommunityManager, now time.Time) bool {
	day := today(now)
	return slices.ContainsFunc(m.Spec.Leave, func(l v1alpha1.Leave) bool { return l.Start <= day && day <= l.End })
}

// ActingNow says who has the role of a manager.
func ActingNow(m *v1alpha1.CommunityManager, now time.Time) v1alpha1.Acting {
	switch {
	case !InTerm(m, now):
		return v1alpha1.ActingNobody
	case !OnLeave(m, now):
		return v1alpha1.ActingManager
	case len(m.Spec.Deputies) == 0:
		return v1alpha1.ActingNobody
	default:
		return v1alpha1.ActingDeputies
	}
}

// NextChange is when the term or a leave of any of these next begins or ends; zero when none does.
func NextChange(list []v1alpha1.CommunityManager, now time.Time) time.Time {
	var next time.Time
	edge := func(date string, days int) {
		day, err := time.Parse(time.DateOnly, date)
		if err != nil {
			return
		}
		if at := day.AddDate(0, 0, days); at.After(now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for i := range list {
		if t := list[i].Spec.Term; t != nil {
			edge(t.Start, 0)
			edge(t.End, 1)
		}
		for _, l := range list[i].Spec.Leave {
			edge(l.Start, 0)
			edge(l.End, 1)
		}
	}
	return next
}

// Names says that a manager's list names or picks a community, whether the community consents or not.
func Names(m *v1alpha1.CommunityManager, c *v1alpha1.Community) bool {
	return slices.ContainsFunc(m.Spec.Communities, func(e v1alpha1.ManagedCommunities) bool {
		if cmp.Or(e.Namespace, m.Namespace) != c.Namespace {
			return false
		}
		if e.Selector == nil {
			return e.Name == c.Name
		}
		return selects(e.Selector, c.Labels)
	})
}

// Consents says that a community lets managers of a namespace act. The own namespace always may.
func Consents(c *v1alpha1.Community, namespace string, namespaceLabels map[string]string) bool {
	return namespace == c.Namespace || slices.ContainsFunc(c.Spec.ManagersFrom, func(from v1alpha1.ManagersFrom) bool {
		return selects(&from.NamespaceSelector, namespaceLabels)
	})
}

// Of are those who have a role in a community now. Who is on leave stays a
// member. Whom the rules don't count yet is provisional, with a smaller role.
// namespaces are the labels of the managers' namespaces, by name.
func Of(c *v1alpha1.Community, list []v1alpha1.CommunityManager, namespaces map[string]map[string]string, rules Rules, now time.Time) Council {
	var council Council
	holders, serving, provisional := map[string]Holder{}, map[string]Serving{}, map[string]bool{}
	hold := func(person string, role v1alpha1.Role, manages bool) {
		h := holders[person]
		if strength(role) > strength(h.Role) {
			h.Role = role
		}
		holders[person] = Holder{person, h.Role, h.Manages || manages}
	}
	for i := range list {
		m := &list[i]
		if !InTerm(m, now) || !Names(m, c) || !Consents(c, m.Namespace, namespaces[m.Namespace]) {
			continue
		}
		role, manages := powers(m.Spec.Role)
		gone := rules.left(m.Spec.Person)
		away, appointed := gone || OnLeave(m, now), rules.Appointed(m)
		if gone && manages {
			council.Gone = append(council.Gone, m.Spec.Person)
		}
		if !away {
			trained := rules.trained(m.Spec.Person)
			counts := appointed && trained == Yes
			hold(m.Spec.Person, inForce(role, counts), manages)
			switch {
			case manages && counts:
				serving[m.Spec.Person] = merge(serving[m.Spec.Person], served(m, c, rules))
			case manages:
				provisional[m.Spec.Person] = true
			}
			if trained == Unknown {
				council.Unknown++
			}
			continue
		}
		if !gone {
			hold(m.Spec.Person, v1alpha1.RoleMember, manages)
		}
		if !gone && manages && appointed && len(rules.deputies(m)) > 0 && rules.trained(m.Spec.Person) == Yes {
			serving[m.Spec.Person] = merge(serving[m.Spec.Person], served(m, c, rules))
		}
		for _, d := range rules.deputies(m) {
			trained := rules.trained(d)
			hold(d, inForce(role, appointed && trained == Yes), manages)
			if trained == Unknown {
				council.Unknown++
			}
		}
	}
	council.Holders = slices.SortedFunc(maps.Values(holders), func(a, b Holder) int { return cmp.Compare(a.Person, b.Person) })
	for person := range provisional {
		if _, counts := serving[person]; !counts {
			council.Provisional++
		}
	}
	slices.Sort(council.Gone)
	council.Gone = slices.Compact(council.Gone)
	council.Serving = slices.SortedFunc(maps.Values(serving), func(a, b Serving) int { return cmp.Compare(a.Person, b.Person) })
	return council
}

// served is what a manager gives to a community. A part of their week that is
// for several communities together is not counted for one of them.
func served(m *v1alpha1.CommunityManager, c *v1alpha1.Community, rules Rules) Serving {
	s := Serving{Person: m.Spec.Person, Commitment: m.Spec.Commitment, BusinessArea: m.Spec.BusinessArea, Deputies: rules.deputies(m)}
	for _, e := range m.Spec.Communities {
		if e.Name != c.Name || cmp.Or(e.Namespace, m.Namespace) != c.Namespace {
			continue
		}
		switch {
		case e.AllocationPercent != nil:
			s.Allocation += int(*e.AllocationPercent)
		case m.Spec.Commitment == v1alpha1.CommitmentFullTime && len(m.Spec.Communities) == 1:
			s.Allocation = 100
		}
	}
	return s
}

// merge is one person with two roles in a community: they count once.
func merge(a, b Serving) Serving {
	if a.Person == "" {
		return b
	}
	if weight(b.Commitment) > weight(a.Commitment) {
		a, b = b, a
	}
	a.BusinessArea = cmp.Or(a.BusinessArea, b.BusinessArea)
	a.Allocation += b.Allocation
	a.Deputies = slices.Concat(a.Deputies, b.Deputies)
	return a
}

// Excess is how many percent more than their commitment a person has over all
// of their roles in force: a full week with a role that is full time, less than that without.
func Excess(person string, list []v1alpha1.CommunityManager, now time.Time) int {
	sum, most := 0, 99
	for i := range list {
		m := &list[i]
		if m.Spec.Person != person || m.Spec.Commitment == v1alpha1.CommitmentInformal || ActingNow(m, now) != v1alpha1.ActingManager {
			continue
		}
		if m.Spec.Commitment == v1alpha1.CommitmentFullTime {
			most = 100
		}
		for _, c := range m.Spec.Communities {
			if c.AllocationPercent != nil {
				sum += int(*c.AllocationPercent)
			}
		}
	}
	return max(sum-most, 0)
}

// powers are the portable role in a space, and whether it is managing.
func powers(r v1alpha1.ManagerRole) (role v1alpha1.Role, manages bool) {
	switch r {
	case v1alpha1.ManagerLead, v1alpha1.ManagerManager:
		return v1alpha1.RoleManager, true
	case v1alpha1.ManagerModerator:
		return v1alpha1.RoleModerator, false
	default: // an ambassador, and a role of a later version
		return v1alpha1.RoleMember, false
	}
}

// inForce is a role as it is given: a smaller one to who does not count yet.
func inForce(r v1alpha1.Role, counts bool) v1alpha1.Role {
	switch {
	case counts:
		return r
	case r == v1alpha1.RoleManager:
		return v1alpha1.RoleModerator
	default:
		return v1alpha1.RoleMember
	}
}

func strength(r v1alpha1.Role) int {
	return slices.Index([]v1alpha1.Role{v1alpha1.RoleMember, v1alpha1.RoleModerator, v1alpha1.RoleManager}, r)
}

// selects compares labels. The API takes no selector that can't be read; one that can't be read picks nothing.
func selects(s *metav1.LabelSelector, l map[string]string) bool {
	selector, err := metav1.LabelSelectorAsSelector(s)
	return err == nil && selector.Matches(labels.Set(l))
}

func today(now time.Time) string { return now.UTC().Format(time.DateOnly) }
