// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package tree_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/tree"
)

func governed() (*v1alpha1.Community, *v1alpha1.GovernancePolicy) {
	c := community("engineering", "Engineering", ready(), members(87))
	c.Spec.BusinessAreas = []string{"web", "data"}
	c.Status.Groups = 12
	c.Status.Governance = &v1alpha1.GovernanceStatus{
		Policy: "default", Tier: "Small", TierSince: &metav1.Time{Time: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)},
		Evaluation: &v1alpha1.TierEvaluation{Toward: "Distributed", Passes: 3, At: metav1.Time{Time: time.Date(2026, 9, 4, 9, 0, 0, 0, time.UTC)}},
		Next:       &v1alpha1.NextTier{Tier: "Distributed", When: []string{"151 members", "3 business areas with 10 members each"}},
		Proposal: &v1alpha1.Proposal{
			Kind: v1alpha1.ProposalTier, State: v1alpha1.ProposalOpen, Summary: "tier Distributed instead of Small",
			Operations: []string{"tier: Distributed instead of Small", "default pins: Moderators"}, Evidence: []string{"members: 155"},
		},
		Staffing: &v1alpha1.StaffingStatus{
			Places:   []v1alpha1.StaffingPlace{{Commitment: v1alpha1.CommitmentPartTime, Required: 1, Actual: 1}},
			Managers: 1, RequiredManagers: 1, RequiredDeputies: 1, Gap: 1,
		},
	}
	c.Status.Conditions = append(c.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionStaffed, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonUnderstaffed, Message: "Tier Small takes more managers: missing 1 of 1 deputies.",
	})
	c.Status.Effective = &v1alpha1.EffectiveSettings{Origins: []v1alpha1.SettingOrigin{{Setting: "massMentions", From: "tier Small of GovernancePolicy default"}}}
	c.Status.Platforms = []v1alpha1.PlatformSpaceStatus{
		{Name: "chat", Ledger: []v1alpha1.LedgerEntry{
			{Setting: "posting", Wanted: "Members", State: v1alpha1.SettingEnforced},
			{Setting: "massMentions", Wanted: "Moderators", State: v1alpha1.SettingEnforced},
		}},
		{Name: "mattermost", Ledger: []v1alpha1.LedgerEntry{
			{Setting: "posting", Wanted: "Members", State: v1alpha1.SettingEnforced},
			{Setting: "massMentions", Wanted: "Moderators", Seen: "Members", State: v1alpha1.SettingUnlicensed, Reason: "a licence lets one channel differ"},
		}},
	}
	p := &v1alpha1.GovernancePolicy{}
	p.Spec.Tiers = []v1alpha1.Tier{
		{Name: "Small", EnterWhen: &v1alpha1.EnterWhen{AnyOf: []v1alpha1.Threshold{{Members: ptr.To[int32](50)}}}, Reviews: &v1alpha1.Reviews{
			Policy: ptr.To[v1alpha1.ReviewInterval]("4320h"), Report: ptr.To[v1alpha1.ReviewInterval]("90m"),
		}},
		{Name: "Distributed", EnterWhen: &v1alpha1.EnterWhen{AnyOf: []v1alpha1.Threshold{
			{Members: ptr.To[int32](151)}, {BusinessAreas: ptr.To[int32](3), Groups: ptr.To[int32](20)}, {Importance: v1alpha1.ImportanceCore},
		}}},
	}
	return &c, p
}

func TestExplain(t *testing.T) {
	c, p := governed()
	want := `
engineering   Engineering
governed by   GovernancePolicy default
tier          Small, since 2026-03-01
why           the numbers now: 87 of 50 members
next          Distributed: 87 of 151 members; or 12 of 20 groups and 2 of 3 business areas; or importance Core (it is Standard)
looks         3 in a row speak for Distributed, the last on 2026-09-04
proposal      would come into tier Distributed instead of Small
                tier: Distributed instead of Small
                default pins: Moderators
                because of members: 155
              kubectl cabildo approve community/engineering -n engineering
managers      PartTime 1/1 · in all 1/1 · deputies 0/1
reviews       the policy every 180 days, a report every 90m
Ready         Ready: All is as declared.
Staffed       Understaffed: Tier Small takes more managers: missing 1 of 1 deputies.

SETTING       VALUE       FROM                                    CHAT      MATTERMOST
posting       Members     built in                                Enforced  Enforced
massMentions  Moderators  tier Small of GovernancePolicy default  Enforced  Unlicensed
massMentions on mattermost: a licence lets one channel differ (it is Members)
`
	got := tree.Explain(c, p, 0)
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	without := tree.Explain(c, nil, 0)
	for _, says := range []string{"next          Distributed takes 151 members; or 3 business areas with 10 members each\n", "why           87 members, 12 groups, 2 business areas, importance Standard\n"} {
		if !strings.Contains(without, says) {
			t.Errorf("no %q in\n%s", says, without)
		}
	}
	c.Status.Governance = nil
	if got := tree.Explain(c, nil, 60); !strings.Contains(got, "no GovernancePolicy") {
		t.Error(got)
	}
}

func TestATreeShowsTierStaffingAndGrowth(t *testing.T) {
	c, _ := governed()
	got := tree.Render([]v1alpha1.Community{*c}, nil, tree.Options{})
	for _, says := range []string{
		"Engineering · Small", "waits for approval: would come into tier Distributed instead of Small",
		"staffing  PartTime 1/1 · in all 1/1 · deputies 0/1   growth  87 members; Distributed takes 151 members, or 3 business areas with 10 members each\n",
	} {
		if !strings.Contains(got, says) {
			t.Errorf("no %q in\n%s", says, got)
		}
	}
}
