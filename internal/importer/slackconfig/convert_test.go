// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package slackconfig_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/importer"
	"github.com/cabildo-dev/cabildo/internal/importer/slackconfig"
)

const spaceAtTheEnd = "e "

func TestAGroupForEachNameThatCanBeOne(t *testing.T) {
	for name, tc := range map[string]struct {
		channels []string
		groups   map[string]string // metadata.name → display name, and spaceName where it differs
		leftOut  map[string]string // channel → what
	}{
		"good names stay": {
			channels: []string{"go", "sig-node", "2024"},
			groups:   map[string]string{"go": "go", "sig-node": "sig-node", "2024": "2024"},
		},
		"an underscore stays in the address": {
			channels: []string{"pt_br-users"},
			groups:   map[string]string{"pt-br-users": "pt_br-users as pt_br-users"},
		},
		"an underscore gives way to a hyphen, wherever it comes in the list": {
			channels: []string{"pt_br", "pt-br"},
			groups:   map[string]string{"pt-br": "pt-br", "pt-br-baab1752": "pt_br as pt_br"},
		},
		"what an address can't have becomes a hyphen": {
			channels: []string{"Café", "-edge_", "a b"},
			groups:   map[string]string{"caf": "Café", "edge": "-edge_", "a-b": "a b"},
		},
		"an address is given once, and to the better name": {
			channels: []string{"-edge", "edge"},
			groups:   map[string]string{"edge": "edge"},
			leftOut:  map[string]string{"-edge": "a channel whose address another channel has"},
		},
		"nothing is made of a name without a letter": {
			channels: []string{"日本", "__"},
			leftOut: map[string]string{
				"日本": "a channel whose name can't be an address or can't be shown",
				"__": "a channel whose name can't be an address or can't be shown",
			},
		},
		"what can't be shown on one line is left out": {
			channels: []string{"a\u202Eb", "c\td", spaceAtTheEnd},
			leftOut: map[string]string{
				"a\u202Eb":    "a channel whose name can't be an address or can't be shown",
				"c\td":        "a channel whose name can't be an address or can't be shown",
				spaceAtTheEnd: "a channel whose name can't be an address or can't be shown",
			},
		},
		"64 characters are the most": {
			channels: []string{strings.Repeat("a", 64), strings.Repeat("b", 65)},
			groups:   map[string]string{strings.Repeat("a", 64): strings.Repeat("a", 64)},
			leftOut:  map[string]string{strings.Repeat("b", 65): "a channel whose name can't be an address or can't be shown"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := &slackconfig.Config{}
			for _, c := range tc.channels {
				config.Channels = append(config.Channels, slackconfig.Channel{Name: named(c)})
			}
			result := convert(t, config)
			got := map[string]string{}
			for _, g := range groupsOf(result) {
				got[g.Name] = g.Spec.DisplayName
				if g.Spec.SpaceName != "" {
					got[g.Name] += " as " + g.Spec.SpaceName
				}
			}
			if diff := cmp.Diff(tc.groups, got, emptyIsNil); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
			leftOut := map[string]string{}
			for _, f := range result.Findings {
				if f.Outcome == importer.LeftOut && f.Kind == "Channel" && f.Name != "" {
					leftOut[f.Name] = f.What
				}
			}
			if diff := cmp.Diff(tc.leftOut, leftOut, emptyIsNil); diff != "" {
				t.Errorf("left out (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNobodyIsTakenForSomebodyElse(t *testing.T) {
	for name, tc := range map[string]struct {
		users   map[string]string // name → Slack ID
		members []string
		want    []string
		reports map[string]string // name → what
	}{
		"case and spaces are evened out": {
			users:   map[string]string{"Mila": "U1", "Noor  Haddad": "U2"},
			members: []string{"Mila", "Noor  Haddad"},
			want:    []string{"mila", "noor.haddad"},
			reports: map[string]string{"Mila": "the name of a person", "Noor  Haddad": "the name of a person"},
		},
		"who is not in users.yaml is left out": {
			users:   map[string]string{"mila": "U1"},
			members: []string{"mila", "milo"},
			want:    []string{"mila"},
			reports: map[string]string{"milo": "a person without an entry in users.yaml"},
		},
		"nothing is guessed": {
			users:   map[string]string{"josé": "U1", "@mila": "U2", "-": "U3"},
			members: []string{"josé", "@mila", "-"},
			reports: map[string]string{
				"josé":  "a name that can't be a username",
				"@mila": "a name that can't be a username",
				"-":     "a name that can't be a username",
			},
		},
		"two people of one username: the one who is called that": {
			users:   map[string]string{"Mila": "U1", "mila": "U2", "MILA": "U3"},
			members: []string{"Mila", "mila", "MILA"},
			want:    []string{"mila"},
			reports: map[string]string{
				"Mila": "a name that differs from somebody else's only in case or spaces",
				"MILA": "a name that differs from somebody else's only in case or spaces",
			},
		},
		"two people of one username and neither is called that": {
			users:   map[string]string{"Mila": "U1", "MILA": "U2"},
			members: []string{"Mila", "MILA"},
			reports: map[string]string{
				"Mila": "a name that differs from somebody else's only in case or spaces",
				"MILA": "a name that differs from somebody else's only in case or spaces",
			},
		},
		"one account under two spellings is one person": {
			users:   map[string]string{"Mila": "U1", "mila": "U1"},
			members: []string{"Mila", "mila"},
			want:    []string{"mila"},
			reports: map[string]string{"Mila": "the name of a person"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := &slackconfig.Config{
				Channels:   []slackconfig.Channel{{Name: named("ovens")}},
				UserGroups: []slackconfig.UserGroup{{Name: named("bakers"), Channels: names("ovens"), Members: names(tc.members...)}},
			}
			for _, user := range slices.Sorted(maps.Keys(tc.users)) {
				config.Users = append(config.Users, slackconfig.User{Name: named(user), ID: tc.users[user]})
			}
			result := convert(t, config)
			var got []string
			for _, m := range groupsOf(result)[0].Spec.Members {
				got = append(got, m.Person)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("members of the group (-want +got):\n%s", diff)
			}
			reports := map[string]string{}
			for _, f := range result.Findings {
				if f.Kind == "Person" {
					reports[f.Name] = f.What
				}
			}
			if diff := cmp.Diff(tc.reports, reports, emptyIsNil); diff != "" {
				t.Errorf("reports (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheHigherRoleWins(t *testing.T) {
	result := convert(t, &slackconfig.Config{
		Channels: []slackconfig.Channel{
			{Name: named("flour")},
			{Name: named("ovens"), Moderators: names("mila")},
		},
		UserGroups: []slackconfig.UserGroup{
			{Name: named("bakers"), Channels: names("flour", "ovens"), Members: names("mila", "tomas")},
			{Name: named("elders"), Channels: names("ovens"), Members: names("mila")},
		},
		Users: []slackconfig.User{{Name: named("mila"), ID: "U1"}, {Name: named("tomas"), ID: "U2"}},
	})
	var got []string
	for _, g := range groupsOf(result) {
		for _, m := range g.Spec.Members {
			got = append(got, fmt.Sprint(g.Name, " ", m.Person, " ", m.Role))
		}
	}
	want := []string{"flour mila ", "flour tomas ", "ovens mila Moderator", "ovens tomas "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}

func TestWhatIsTooLongForTheAPIIsReported(t *testing.T) {
	config := &slackconfig.Config{
		Channels: []slackconfig.Channel{{Name: named("ovens")}},
		Template: &slackconfig.Template{
			Topic: "bread", Purpose: strings.Repeat("é", 1025), Pins: []string{strings.Repeat("é", 16385)},
		},
	}
	bakers := slackconfig.UserGroup{Name: named("bakers"), Channels: names("ovens")}
	for i := range 1001 {
		name := fmt.Sprintf("baker-%04d", i)
		bakers.Members = append(bakers.Members, named(name))
		config.Users = append(config.Users, slackconfig.User{Name: named(name), ID: name})
	}
	config.UserGroups = []slackconfig.UserGroup{bakers}

	result := convert(t, config)
	whats := map[string]int{}
	for _, f := range result.Findings {
		whats[f.What]++
	}
	for what, count := range map[string]int{
		"a purpose of more than 1024 characters":                             1,
		"the topic beside the purpose":                                       1,
		"pinned messages of more than 16384 characters":                      1,
		"members beyond the first 1000":                                      2, // of the Community and of the Group
		"topics and purposes of the channels":                                1,
		"a user group: its people are members of the Groups of its channels": 1,
	} {
		if whats[what] != count {
			t.Errorf("%q is reported %d times, not %d", what, whats[what], count)
		}
	}
	group := groupsOf(result)[0]
	if len(group.Spec.Members) != 1000 || group.Spec.Purpose != "" {
		t.Errorf("%d members, purpose of %d bytes", len(group.Spec.Members), len(group.Spec.Purpose))
	}
}

func TestOptionsThatCanNotBeNamesAreRefused(t *testing.T) {
	for name, options := range map[string]slackconfig.Options{
		"community with capitals":   {Community: "Kubernetes", Platform: "chat"},
		"no community":              {Platform: "chat"},
		"community with underscore": {Community: "a_b", Platform: "chat"},
		"no platform":               {Community: "kubernetes"},
		"namespace with a dot":      {Community: "kubernetes", Platform: "chat", Namespace: "a.b"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := slackconfig.Convert(&slackconfig.Config{}, options); err == nil {
				t.Error("no error")
			}
		})
	}
}

var emptyIsNil = cmp.Transformer("emptyIsNil", func(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
})

func convert(t *testing.T, config *slackconfig.Config) *importer.Result {
	t.Helper()
	result, err := slackconfig.Convert(config, slackconfig.Options{Community: "bread", Platform: "chat"})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func groupsOf(result *importer.Result) []*v1alpha1.Group {
	var groups []*v1alpha1.Group
	for _, o := range result.Objects {
		if g, ok := o.(*v1alpha1.Group); ok {
			groups = append(groups, g)
		}
	}
	return groups
}

func named(name string) slackconfig.Name { return slackconfig.Name{Name: name} }

func names(all ...string) []slackconfig.Name {
	var list []slackconfig.Name
	for _, name := range all {
		list = append(list, named(name))
	}
	return list
}
