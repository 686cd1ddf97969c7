// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package managers_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/managers"
)

var noon = time.Date(2026, 10, 15, 12, 0, 0, 0, time.UTC)

func engineering() *v1alpha1.Community {
	return &v1alpha1.Community{ObjectMeta: metav1.ObjectMeta{Namespace: "eng", Name: "engineering", Labels: map[string]string{"area": "it"}}}
}

func manager(person string, role v1alpha1.ManagerRole, edits ...func(*v1alpha1.CommunityManager)) v1alpha1.CommunityManager {
	m := v1alpha1.CommunityManager{
		ObjectMeta: metav1.ObjectMeta{Namespace: "eng", Name: person},
		Spec: v1alpha1.CommunityManagerSpec{
			Person: person, Role: role, Commitment: v1alpha1.CommitmentPartTime,
			Communities: []v1alpha1.ManagedCommunities{{Name: "engineering"}},
		},
	}
	for _, e := range edits {
		e(&m)
	}
	return m
}

type edit = func(*v1alpha1.CommunityManager)

func term(start, end string) edit {
	return func(m *v1alpha1.CommunityManager) { m.Spec.Term = &v1alpha1.Term{Start: start, End: end} }
}

func leave(start, end string, deputies ...string) edit {
	return func(m *v1alpha1.CommunityManager) {
		m.Spec.Leave = append(m.Spec.Leave, v1alpha1.Leave{Start: start, End: end})
		for _, d := range deputies {
			m.Spec.Deputies = append(m.Spec.Deputies, v1alpha1.Person{Person: d})
		}
	}
}

func in(entries ...v1alpha1.ManagedCommunities) edit {
	return func(m *v1alpha1.CommunityManager) { m.Spec.Communities = entries }
}

func from(namespace string) edit {
	return func(m *v1alpha1.CommunityManager) { m.Namespace = namespace }
}

func committed(c v1alpha1.Commitment, percent int32) edit {
	return func(m *v1alpha1.CommunityManager) {
		m.Spec.Commitment = c
		m.Spec.Communities[0].AllocationPercent = ptr.To(percent)
	}
}

func TestWhoHasARole(t *testing.T) {
	const member, moderator, lead = v1alpha1.RoleMember, v1alpha1.RoleModerator, v1alpha1.RoleManager
	office := in(v1alpha1.ManagedCommunities{Name: "engineering", Namespace: "eng"})
	for name, tc := range map[string]struct {
		list []v1alpha1.CommunityManager
		want []managers.Holder
	}{
		"each role has its power": {
			[]v1alpha1.CommunityManager{manager("a", "Lead"), manager("b", "Manager"), manager("c", "Moderator"), manager("d", "Ambassador")},
			[]managers.Holder{{"a", lead, true}, {"b", lead, true}, {"c", moderator, false}, {"d", member, false}},
		},
		"the strongest of several": {
			[]v1alpha1.CommunityManager{manager("a", "Moderator"), manager("a", "Ambassador")}, []managers.Holder{{"a", moderator, false}},
		},
		"first day of the term":   {[]v1alpha1.CommunityManager{manager("a", "Lead", term("2026-10-15", ""))}, []managers.Holder{{"a", lead, true}}},
		"last day of the term":    {[]v1alpha1.CommunityManager{manager("a", "Lead", term("2026-10-01", "2026-10-15"))}, []managers.Holder{{"a", lead, true}}},
		"before the term":         {[]v1alpha1.CommunityManager{manager("a", "Lead", term("2026-10-16", ""))}, nil},
		"after the term":          {[]v1alpha1.CommunityManager{manager("a", "Lead", term("2026-10-01", "2026-10-14"))}, nil},
		"leave without deputies":  {[]v1alpha1.CommunityManager{manager("a", "Lead", leave("2026-10-15", "2026-10-15"))}, []managers.Holder{{"a", member, true}}},
		"leave with a deputy":     {[]v1alpha1.CommunityManager{manager("a", "Lead", leave("2026-10-10", "2026-10-15", "b"))}, []managers.Holder{{"a", member, true}, {"b", lead, true}}},
		"deputies before a leave": {[]v1alpha1.CommunityManager{manager("a", "Lead", leave("2026-10-16", "2026-10-20", "b"))}, []managers.Holder{{"a", lead, true}}},
		"leave after the term":    {[]v1alpha1.CommunityManager{manager("a", "Lead", term("2026-10-01", "2026-10-14"), leave("2026-10-10", "2026-10-20", "b"))}, nil},
		"another community":       {[]v1alpha1.CommunityManager{manager("a", "Lead", in(v1alpha1.ManagedCommunities{Name: "sales"}))}, nil},
		"a selector": {
			[]v1alpha1.CommunityManager{
				manager("a", "Lead", in(v1alpha1.ManagedCommunities{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"area": "it"}}})),
				manager("b", "Lead", in(v1alpha1.ManagedCommunities{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"area": "hr"}}})),
			}, []managers.Holder{{"a", lead, true}},
		},
		"a namespace without consent":                   {[]v1alpha1.CommunityManager{manager("a", "Lead", from("sales"), office)}, nil},
		"a namespace with consent":                      {[]v1alpha1.CommunityManager{manager("a", "Lead", from("office"), office)}, []managers.Holder{{"a", lead, true}}},
		"a community of that name in the own namespace": {[]v1alpha1.CommunityManager{manager("a", "Lead", from("office"))}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := engineering()
			c.Spec.ManagersFrom = []v1alpha1.ManagersFrom{{NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"kind": "office"}}}}
			got := managers.Of(c, tc.list, map[string]map[string]string{"office": {"kind": "office"}, "sales": {"kind": "sales"}}, managers.Rules{}, noon).Holders
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestTheNextChange(t *testing.T) {
	at := func(s string) time.Time {
		day, _ := time.Parse(time.DateOnly, s)
		return day
	}
	for name, tc := range map[string]struct {
		edits []edit
		want  time.Time
	}{
		"none":            {nil, time.Time{}},
		"a term's start":  {[]edit{term("2026-11-01", "2026-12-01")}, at("2026-11-01")},
		"a term's end":    {[]edit{term("2026-09-01", "2026-10-15")}, at("2026-10-16")},
		"a leave's start": {[]edit{term("2026-09-01", "2026-12-01"), leave("2026-10-20", "2026-10-25")}, at("2026-10-20")},
		"a leave's end":   {[]edit{leave("2026-10-10", "2026-10-18")}, at("2026-10-19")},
		"all over":        {[]edit{term("2025-09-01", "2026-09-01")}, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := managers.NextChange([]v1alpha1.CommunityManager{manager("a", "Lead", tc.edits...)}, noon); !got.Equal(tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestExcess(t *testing.T) {
	const full, part, informal = v1alpha1.CommitmentFullTime, v1alpha1.CommitmentPartTime, v1alpha1.CommitmentInformal
	for name, tc := range map[string]struct {
		list []v1alpha1.CommunityManager
		want int
	}{
		"full time":                 {[]v1alpha1.CommunityManager{manager("a", "Lead", committed(full, 100))}, 0},
		"part time below a week":    {[]v1alpha1.CommunityManager{manager("a", "Lead", committed(part, 60)), manager("a", "Lead", committed(part, 39))}, 0},
		"part time of a whole week": {[]v1alpha1.CommunityManager{manager("a", "Lead", committed(part, 60)), manager("a", "Lead", committed(part, 40))}, 1},
		"full time and more":        {[]v1alpha1.CommunityManager{manager("a", "Lead", committed(full, 100)), manager("a", "Lead", committed(part, 20))}, 20},
		"informal":                  {[]v1alpha1.CommunityManager{manager("a", "Lead", committed(full, 100)), manager("a", "Lead", committed(informal, 20))}, 0},
		"somebody else":             {[]v1alpha1.CommunityManager{manager("a", "Lead", committed(full, 100)), manager("b", "Lead", committed(part, 20))}, 0},
		"a role that has ended":     {[]v1alpha1.CommunityManager{manager("a", "Lead", committed(full, 100)), manager("a", "Lead", committed(part, 20), term("2025-01-01", "2026-01-01"))}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := managers.Excess("a", tc.list, noon); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

// The order of what is read never matters, nobody has a role outside of a term, and
// between two changes nothing changes.
func TestLaws(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	day := func() string { return noon.AddDate(0, 0, rng.IntN(20)-10).Format(time.DateOnly) }
	span := func() (string, string) {
		a, b := day(), day()
		return min(a, b), max(a, b)
	}
	roles := []v1alpha1.ManagerRole{"Lead", "Manager", "Moderator", "Ambassador"}
	for range 500 {
		var list []v1alpha1.CommunityManager
		for range rng.IntN(6) {
			m := manager(fmt.Sprint("p", rng.IntN(4)), roles[rng.IntN(4)], term(span()))
			if rng.IntN(2) == 0 {
				start, end := span()
				leave(start, end, fmt.Sprint("p", rng.IntN(4)))(&m)
			}
			list = append(list, m)
		}
		at := noon.Add(time.Duration(rng.IntN(20*24)-10*24) * time.Hour)
		got := managers.Of(engineering(), list, nil, managers.Rules{}, at).Holders
		shuffled := slices.Clone(list)
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if other := managers.Of(engineering(), shuffled, nil, managers.Rules{}, at).Holders; !reflect.DeepEqual(got, other) {
			t.Fatalf("%v in another order is %v", got, other)
		}
		on := at.Format(time.DateOnly)
		for _, h := range got {
			if !slices.ContainsFunc(list, func(m v1alpha1.CommunityManager) bool {
				return m.Spec.Term.Start <= on && on <= m.Spec.Term.End &&
					(m.Spec.Person == h.Person || slices.Contains(m.Spec.Deputies, v1alpha1.Person{Person: h.Person}))
			}) {
				t.Fatalf("%v has a role on %s outside of every term: %+v", h, on, list)
			}
		}
		if next := managers.NextChange(list, at); !next.IsZero() {
			if still := managers.Of(engineering(), list, nil, managers.Rules{}, next.Add(-time.Second)).Holders; !reflect.DeepEqual(got, still) {
				t.Fatalf("%v became %v before the next change", got, still)
			}
		}
	}
}
