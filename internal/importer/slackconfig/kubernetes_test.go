// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package slackconfig_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cabildo-dev/cabildo/internal/importer"
	"github.com/cabildo-dev/cabildo/internal/importer/importertest"
	"github.com/cabildo-dev/cabildo/internal/importer/slackconfig"
)

// TestTheKubernetesCommunityIsReadWhole checks the importer against numbers
// that were counted without it.
func TestTheKubernetesCommunityIsReadWhole(t *testing.T) {
	result := convertDir(t, importertest.Data(t, "kubernetes", "slack-config"), slackconfig.Options{
		Community: "kubernetes", Namespace: "kubernetes", Platform: "chat",
	})
	wantRead := []importer.Count{
		{Name: "channels", Count: 633},
		{Name: "active channels", Count: 554},
		{Name: "archived channels", Count: 79},
		{Name: "channels with an ID", Count: 40},
		{Name: "user groups", Count: 31},
		{Name: "links from user groups to channels", Count: 48},
		{Name: "memberships of user groups", Count: 226},
		{Name: "people in user groups", Count: 179},
		{Name: "user mappings", Count: 350},
		{Name: "restrictions", Count: 17},
	}
	if diff := cmp.Diff(wantRead, result.Read); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	if groups := len(groupsOf(result)); groups != 554 {
		t.Errorf("%d groups", groups)
	}
	importertest.CheckNames(t, result)

	whats := map[string]int{}
	for _, f := range result.Findings {
		whats[f.What]++
		if f.Kind == "Person" && f.Outcome == importer.LeftOut {
			t.Errorf("%s was left out: %s", f.Name, f.What)
		}
	}
	want := map[string]int{
		"an archived channel":         79,
		"the Slack ID of a channel":   40,
		"which file may declare what": 17,
		"a user group: its people are members of the Groups of its channels":  27,
		"a user group without channels":                                       4,
		"the Slack user ID of a person":                                       179,
		"the mapping of somebody who is in no user group":                     171,
		"several names for one Slack account":                                 3,
		"the object's name; the address is the channel's name":                1,
		"the name of a person":                                                20,
		"the pinned messages of new channels, as guidelines of the community": 1,
		"topics and purposes of the channels":                                 1,
		"who may see and join":                                                1,
		"purpose, objectives and sponsor are missing":                         1,
		"the grant of its names":                                              1,
	}
	if diff := cmp.Diff(want, whats); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
