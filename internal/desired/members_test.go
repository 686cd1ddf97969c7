// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package desired_test

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/model"
)

const (
	aMember    = v1alpha1.RoleMember
	aModerator = v1alpha1.RoleModerator
	aManager   = v1alpha1.RoleManager
)

var today = time.Date(2027, time.March, 31, 12, 0, 0, 0, time.UTC)

type sources = []v1alpha1.MemberSource

func person(name string, role v1alpha1.Role) v1alpha1.MemberSource {
	return v1alpha1.MemberSource{Person: name, Role: role}
}

func groupOf(name string, role v1alpha1.Role) v1alpha1.MemberSource {
	return v1alpha1.MemberSource{Group: &v1alpha1.LocalReference{Name: name}, Role: role}
}

func until(s v1alpha1.MemberSource, day string) v1alpha1.MemberSource {
	s.Expires = day
	return s
}

func readd(s v1alpha1.MemberSource) v1alpha1.MemberSource {
	s.AfterLeaving = v1alpha1.ReaddAfterLeaving
	return s
}

// groups looks up groups that have these members.
func groups(members map[string]sources) func(string) *v1alpha1.Group {
	return func(name string) *v1alpha1.Group {
		list, there := members[name]
		if !there {
			return nil
		}
		return &v1alpha1.Group{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.GroupSpec{Members: list}}
	}
}

func TestWhoIsDeclared(t *testing.T) {
	for name, tc := range map[string]struct {
		sources sources
		groups  map[string]sources
		people  []desired.Declared
	}{
		"nobody":                            {nil, nil, nil},
		"people without a role are members": {sources{person("ana", "")}, nil, []desired.Declared{{Person: "ana"}}},
		"people come sorted, each once": {sources{person("ben", aMember), person("ana", aMember), person("ben", aMember)}, nil,
			[]desired.Declared{{Person: "ana"}, {Person: "ben"}}},
		"the highest role wins, when it is first": {sources{person("ana", aManager), person("ana", aModerator)}, nil,
			[]desired.Declared{{Person: "ana", Role: model.RoleManager}}},
		"the highest role wins, when it is last": {sources{person("ana", aMember), person("ana", aModerator)}, nil,
			[]desired.Declared{{Person: "ana", Role: model.RoleModerator}}},
		"one source that adds them again is enough": {sources{readd(person("ana", aMember)), person("ana", aManager)}, nil,
			[]desired.Declared{{Person: "ana", Role: model.RoleManager, Readd: true}}},
		"a group's people have the role of the source, not of the group": {
			sources{groupOf("team", aModerator)}, map[string]sources{"team": {person("ana", aManager), readd(person("ben", ""))}},
			[]desired.Declared{{Person: "ana", Role: model.RoleModerator}, {Person: "ben", Role: model.RoleModerator}}},
		"a group that is added again": {
			sources{readd(groupOf("team", ""))}, map[string]sources{"team": {person("ana", "")}},
			[]desired.Declared{{Person: "ana", Readd: true}}},
		"groups of groups": {
			sources{groupOf("all", "")}, map[string]sources{"all": {groupOf("team", aManager), person("cai", "")}, "team": {person("ana", "")}},
			[]desired.Declared{{Person: "ana"}, {Person: "cai"}}},
		"a group by two ways is no circle": {
			sources{groupOf("left", ""), groupOf("right", "")},
			map[string]sources{"left": {groupOf("team", "")}, "right": {groupOf("team", "")}, "team": {person("ana", "")}},
			[]desired.Declared{{Person: "ana"}}},
		"a group with two roles gives the higher one": {
			sources{groupOf("team", aMember), groupOf("team", aManager)}, map[string]sources{"team": {person("ana", "")}},
			[]desired.Declared{{Person: "ana", Role: model.RoleManager}}},
		"who was in a group until yesterday is in none of its": {
			sources{groupOf("team", "")}, map[string]sources{"team": {until(person("ana", ""), "2027-03-30"), person("ben", "")}},
			[]desired.Declared{{Person: "ben"}}},
		"one source that goes on is enough": {sources{until(person("ana", aManager), "2027-03-30"), person("ana", "")}, nil,
			[]desired.Declared{{Person: "ana"}}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			people, unresolved := desired.People(tc.sources, groups(tc.groups), nobody{}, noManagers, today)
			g.Expect(unresolved).To(BeEmpty())
			g.Expect(people).To(Equal(tc.people))
		})
	}
}

func TestAMembershipLastsToTheEndOfItsLastDayInUTC(t *testing.T) {
	list := sources{until(person("ana", ""), "2027-03-31")}
	midnight := time.Date(2027, time.April, 1, 0, 0, 0, 0, time.UTC)
	east, west := time.FixedZone("UTC+14", 14*3600), time.FixedZone("UTC-11", -11*3600)
	for name, tc := range map[string]struct {
		now     time.Time
		present bool
	}{
		"in the last second": {midnight.Add(-time.Second), true},
		"at midnight":        {midnight, false},
		"in the last second, where it is tomorrow": {midnight.Add(-time.Second).In(east), true},
		"at midnight, where it is still today":     {midnight.In(west), false},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			people, unresolved := desired.People(list, groups(nil), nobody{}, noManagers, tc.now)
			g.Expect(unresolved).To(BeEmpty(), "an end is no failure")
			if tc.present {
				g.Expect(people).To(HaveLen(1))
				g.Expect(desired.NextExpiry(list, tc.now)).To(BeTemporally("==", midnight))
			} else {
				g.Expect(people).To(BeEmpty())
				g.Expect(desired.NextExpiry(list, tc.now)).To(BeZero())
			}
		})
	}
}

func TestTheNextEndIsTheEarliestThatIsToCome(t *testing.T) {
	g := NewWithT(t)
	day := func(month time.Month, day int) time.Time { return time.Date(2027, month, day, 0, 0, 0, 0, time.UTC) }
	g.Expect(desired.NextExpiry(nil, today)).To(BeZero())
	g.Expect(desired.NextExpiry(sources{person("ana", ""), until(person("ben", ""), "not a day")}, today)).To(BeZero())
	g.Expect(desired.NextExpiry(sources{
		until(person("ana", ""), "2027-05-01"), until(person("ben", ""), "2027-04-30"), until(person("cai", ""), "2027-01-01"), person("dee", ""),
	}, today)).To(BeTemporally("==", day(time.May, 1)))
}

// When the time that NextExpiry gives has come, and not before, there are other people.
func TestPeopleStayTheSameUntilTheNextEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list sources
		for i := range rapid.IntRange(1, 4).Draw(t, "people") {
			last := today.AddDate(0, 0, rapid.IntRange(-3, 3).Draw(t, "days"))
			list = append(list, until(person(fmt.Sprint("p", i), ""), last.Format(time.DateOnly)))
		}
		now := today.Add(time.Duration(rapid.IntRange(-72, 72).Draw(t, "hours")) * time.Hour)
		count := func(at time.Time) int {
			people, _ := desired.People(list, groups(nil), nobody{}, noManagers, at)
			return len(people)
		}
		ends := desired.NextExpiry(list, now)
		if ends.IsZero() {
			NewWithT(t).Expect(count(now)).To(BeZero())
			return
		}
		NewWithT(t).Expect(ends).To(BeTemporally(">", now))
		NewWithT(t).Expect(count(ends.Add(-time.Nanosecond))).To(Equal(count(now)))
		NewWithT(t).Expect(count(ends)).To(BeNumerically("<", count(now)))
	})
}

// What can't be read is named, and everybody else is still there.
// Promise 6.
func TestWhatCantBeResolvedIsNamed(t *testing.T) {
	for name, tc := range map[string]struct {
		source  v1alpha1.MemberSource
		groups  map[string]sources
		reason  string
		message string
		others  []string
	}{
		"a group that does not exist": {groupOf("gone", ""), nil, v1alpha1.ReasonGroupNotFound, "group gone does not exist", nil},
		"a group in a group that does not exist": {groupOf("team", ""), map[string]sources{"team": {groupOf("gone", ""), person("ben", "")}},
			v1alpha1.ReasonGroupNotFound, "group gone does not exist", []string{"ben"}},
		"a group that is its own source": {groupOf("team", ""), map[string]sources{"team": {groupOf("team", ""), person("ben", "")}},
			v1alpha1.ReasonGroupCycle, "by way of team → team", []string{"ben"}},
		"a circle, past a group that is none of it": {
			groupOf("team", ""), map[string]sources{"team": {groupOf("side", ""), groupOf("team", "")}, "side": {person("ben", "")}},
			v1alpha1.ReasonGroupCycle, "by way of team → team", []string{"ben"}},
		"groups in a circle": {
			groupOf("one", ""), map[string]sources{
				"one": {groupOf("two", ""), person("ben", "")}, "two": {groupOf("three", ""), person("cai", "")}, "three": {groupOf("two", "")},
			}, v1alpha1.ReasonGroupCycle, "by way of two → three → two", []string{"ben", "cai"}},
		"a group of a directory that is refused": {v1alpha1.MemberSource{DirectoryGroup: &v1alpha1.DirectoryGroupSource{Name: "staff"}}, nil,
			"Refused", "no group staff", nil},
		"an attribute that is refused": {v1alpha1.MemberSource{Attribute: &v1alpha1.AttributeSource{Name: "area", Value: "it"}}, nil,
			"Refused", "no area it", nil},
		"managers": {v1alpha1.MemberSource{ManagersOf: &v1alpha1.ManagersSource{}}, nil, "Refused", "no managers", nil},
		"a source that this version can't see": {v1alpha1.MemberSource{Role: aManager}, nil,
			v1alpha1.ReasonSourceUnsupported, "no source that this version knows", nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			people, unresolved := desired.People(sources{person("ana", ""), tc.source, tc.source, person("zoe", "")}, groups(tc.groups), nobody{}, noManagers, today)
			g.Expect(unresolved).To(HaveLen(1), "said once")
			g.Expect(unresolved[0].Reason).To(Equal(tc.reason))
			g.Expect(unresolved[0].Message).To(ContainSubstring(tc.message))
			names := []string{}
			for _, p := range people {
				names = append(names, p.Person)
			}
			g.Expect(names).To(ConsistOf(append(tc.others, "ana", "zoe")))
		})
	}
}

// nobody is a directory that refuses everything.
type nobody struct{}

func (nobody) Group(_, name string) ([]string, *desired.Refusal) {
	return nil, &desired.Refusal{Reason: "Refused", Message: "no group " + name}
}

func (nobody) WithAttribute(_, name, value string) ([]string, *desired.Refusal) {
	return nil, &desired.Refusal{Reason: "Refused", Message: "no " + name + " " + value}
}

// noManagers is where managers can't be read.
func noManagers(*metav1.LabelSelector) ([]string, *desired.Refusal) {
	return nil, &desired.Refusal{Reason: "Refused", Message: "no managers"}
}

func TestPeopleComeFromManagers(t *testing.T) {
	g := NewWithT(t)
	list := sources{person("ana", ""), {Role: v1alpha1.RoleModerator, ManagersOf: &v1alpha1.ManagersSource{
		CommunitySelector: metav1.LabelSelector{MatchLabels: map[string]string{"area": "it"}},
	}}}
	people, unresolved := desired.People(list, groups(nil), nobody{}, func(s *metav1.LabelSelector) ([]string, *desired.Refusal) {
		return []string{"ana", "manager-of-" + s.MatchLabels["area"]}, nil
	}, today)
	g.Expect(unresolved).To(BeEmpty())
	g.Expect(people).To(Equal([]desired.Declared{{Person: "ana", Role: model.RoleModerator}, {Person: "manager-of-it", Role: model.RoleModerator}}))
}

func TestTheStrongestRoleWinsWhenPeopleAreJoined(t *testing.T) {
	g := NewWithT(t)
	people := []desired.Declared{{Person: "ana", Role: model.RoleModerator, Readd: true}, {Person: "ben", Role: model.RoleManager}}
	joined := desired.Join(people, []desired.Declared{
		desired.Appointed("cai", v1alpha1.RoleMember), desired.Appointed("ben", v1alpha1.RoleMember), desired.Appointed("ana", v1alpha1.RoleManager),
	})
	g.Expect(joined).To(Equal([]desired.Declared{
		{Person: "ana", Role: model.RoleManager, Readd: true}, {Person: "ben", Role: model.RoleManager}, {Person: "cai"},
	}))
}

// staff is a directory that answers, and may have more to say.
type staff struct{ refusal *desired.Refusal }

func (s staff) Group(directory, name string) ([]string, *desired.Refusal) {
	return []string{"ana", directory + "-" + name}, s.refusal
}

func (s staff) WithAttribute(directory, name, value string) ([]string, *desired.Refusal) {
	return []string{directory + "-" + name + "-" + value}, s.refusal
}

func TestPeopleComeFromDirectories(t *testing.T) {
	g := NewWithT(t)
	corp := v1alpha1.LocalReference{Name: "corp"}
	list := sources{
		person("ana", aManager),
		{DirectoryGroup: &v1alpha1.DirectoryGroupSource{DirectoryRef: corp, Name: "staff"}, Role: v1alpha1.RoleModerator},
		{Attribute: &v1alpha1.AttributeSource{DirectoryRef: corp, Name: "area", Value: "it"}, AfterLeaving: v1alpha1.ReaddAfterLeaving},
	}
	all := []desired.Declared{{Person: "ana", Role: model.RoleManager}, {Person: "corp-area-it", Readd: true}, {Person: "corp-staff", Role: model.RoleModerator}}
	people, unresolved := desired.People(list, groups(nil), staff{}, noManagers, today)
	g.Expect(people).To(Equal(all))
	g.Expect(unresolved).To(BeEmpty())

	people, unresolved = desired.People(list, groups(nil), staff{&desired.Refusal{Reason: "Down", Message: "it is down"}}, noManagers, today)
	g.Expect(people).To(Equal(all), "who was known is served")
	g.Expect(unresolved).To(Equal([]desired.Unresolved{{Reason: "Down", Message: "it is down"}}), "and nobody is taken for gone")
}

// A tenant writes these lists. Each group names the next one twice, so that
// there are a million ways to the last.
func TestManyWaysToAGroupAreGoneOnce(t *testing.T) {
	g := NewWithT(t)
	const row = 20
	members := map[string]sources{fmt.Sprint("g", row): {person("ana", "")}}
	for i := range row {
		next := groupOf(fmt.Sprint("g", i+1), "")
		members[fmt.Sprint("g", i)] = sources{next, next}
	}
	lookups := 0
	people, unresolved := desired.People(sources{groupOf("g0", "")}, func(name string) *v1alpha1.Group {
		lookups++
		return groups(members)(name)
	}, nobody{}, noManagers, today)
	g.Expect(unresolved).To(BeEmpty())
	g.Expect(people).To(Equal([]desired.Declared{{Person: "ana"}}))
	g.Expect(lookups).To(Equal(row + 1))
}

func TestHowPeopleAreAccounts(t *testing.T) {
	matrix := &v1alpha1.MatrixPlatform{ServerName: "example.com"}
	people := []desired.Declared{{Person: "Ana.Ruiz", Role: model.RoleManager}, {Person: "ben", Readd: true}}
	for name, tc := range map[string]struct {
		spec     v1alpha1.PlatformSpec
		accounts []model.Member
		fails    string
	}{
		"on Matrix, a username is the lower-case local part": {
			spec:     v1alpha1.PlatformSpec{Matrix: matrix},
			accounts: []model.Member{{Account: "@ana.ruiz:example.com", Role: model.RoleManager}, {Account: "@ben:example.com", Readd: true}}},
		"also where it is said": {
			spec:     v1alpha1.PlatformSpec{Matrix: matrix, Accounts: &v1alpha1.Accounts{Match: v1alpha1.MatchUsername}},
			accounts: []model.Member{{Account: "@ana.ruiz:example.com", Role: model.RoleManager}, {Account: "@ben:example.com", Readd: true}}},
		"on Mattermost, a username is a username": {
			spec:     v1alpha1.PlatformSpec{Mattermost: &v1alpha1.MattermostPlatform{}},
			accounts: []model.Member{{Account: "Ana.Ruiz", Role: model.RoleManager}, {Account: "ben", Readd: true}}},
		"a template makes of it what it says": {
			spec:     v1alpha1.PlatformSpec{Matrix: matrix, Accounts: &v1alpha1.Accounts{Match: v1alpha1.MatchTemplate, Template: "@x-{{ .username }}:other.org"}},
			accounts: []model.Member{{Account: "@x-Ana.Ruiz:other.org", Role: model.RoleManager}, {Account: "@x-ben:other.org", Readd: true}}},
		"a template that can't be read": {
			spec:  v1alpha1.PlatformSpec{Accounts: &v1alpha1.Accounts{Match: v1alpha1.MatchTemplate, Template: "{{ .username"}},
			fails: "parsing accounts.template of Platform chat"},
		"a template of what is not known": {
			spec:  v1alpha1.PlatformSpec{Accounts: &v1alpha1.Accounts{Match: v1alpha1.MatchTemplate, Template: "{{ .mail }}"}},
			fails: "accounts.template of Platform chat"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			accounts, _, err := desired.Accounts(&v1alpha1.Platform{ObjectMeta: metav1.ObjectMeta{Name: "chat"}, Spec: tc.spec}, people, nil)
			if tc.fails != "" {
				g.Expect(err).To(MatchError(ContainSubstring(tc.fails)))
				return
			}
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(accounts).To(Equal(tc.accounts))
		})
	}
}

func TestTwoPeopleWithOneAccountAreOneMember(t *testing.T) {
	g := NewWithT(t)
	p := &v1alpha1.Platform{Spec: v1alpha1.PlatformSpec{Matrix: &v1alpha1.MatrixPlatform{ServerName: "x"}}}
	accounts, _, err := desired.Accounts(p, []desired.Declared{
		{Person: "ANA", Readd: true}, {Person: "Ana", Role: model.RoleManager}, {Person: "ana", Role: model.RoleModerator}, {Person: "Aa"},
	}, nil)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(accounts).To(Equal([]model.Member{{Account: "@aa:x"}, {Account: "@ana:x", Role: model.RoleManager, Readd: true}}))
}
