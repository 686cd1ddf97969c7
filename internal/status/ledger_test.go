// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/status"
)

func TestOnlyWhatWasReadBackIsEnforced(t *testing.T) {
	in := desired.Inputs{Platform: &v1alpha1.Platform{}, Community: &v1alpha1.Community{Spec: v1alpha1.CommunitySpec{
		Moderation: &v1alpha1.Moderation{Pins: v1alpha1.AudienceManagers, BlockedServers: []string{"b.net", "a.net"}},
	}}}
	effective, _, _ := desired.Effective(in)
	space := func(edits ...func(*model.Settings)) model.Settings {
		s := desired.Space(in, effective).Settings
		for _, edit := range edits {
			edit(&s)
		}
		return s
	}
	find := func(entries []v1alpha1.LedgerEntry, setting string) v1alpha1.LedgerEntry {
		for _, e := range entries {
			if e.Setting == setting {
				return e
			}
		}
		return v1alpha1.LedgerEntry{}
	}
	pinsForMembers := func(s *model.Settings) { s.Permissions[model.ActionPin] = model.RoleMember }
	for _, tc := range []struct {
		name    string
		normal  model.Settings
		seen    *model.Settings
		losses  []platform.Loss
		setting string
		want    v1alpha1.LedgerEntry
	}{
		{name: "as it is wanted", normal: space(), seen: ref(space()), setting: "pins",
			want: v1alpha1.LedgerEntry{Setting: "pins", Wanted: "Managers", State: v1alpha1.SettingEnforced}},
		{name: "not seen", normal: space(), setting: "pins",
			want: v1alpha1.LedgerEntry{Setting: "pins", Wanted: "Managers", State: v1alpha1.SettingUnknown, Reason: "it could not be read back"}},
		{name: "seen as something else", normal: space(), seen: ref(space(pinsForMembers)), setting: "pins",
			want: v1alpha1.LedgerEntry{Setting: "pins", Wanted: "Managers", Seen: "Members", State: v1alpha1.SettingDrifted, Reason: "it was read back as something else"}},
		{name: "nothing that the platform can do", normal: space(pinsForMembers), seen: ref(space(pinsForMembers)), setting: "pins",
			losses: []platform.Loss{{Setting: "moderation.pins", Message: "everybody pins"}},
			want:   v1alpha1.LedgerEntry{Setting: "pins", Wanted: "Managers", Seen: "Members", State: v1alpha1.SettingUnsupported, Reason: "everybody pins"}},
		{name: "with a licence", normal: space(pinsForMembers), seen: ref(space(pinsForMembers)), setting: "pins",
			losses: []platform.Loss{{Setting: "moderation.pins", State: platform.Unlicensed, Message: "buy one"}},
			want:   v1alpha1.LedgerEntry{Setting: "pins", Wanted: "Managers", Seen: "Members", State: v1alpha1.SettingUnlicensed, Reason: "buy one"}},
		{name: "in part", normal: space(func(s *model.Settings) { s.Servers.Blocked = []string{"a.net"} }), seen: ref(space(func(s *model.Settings) { s.Servers.Blocked = []string{"a.net"} })),
			setting: "blockedServers", losses: []platform.Loss{{Setting: "moderation.blockedServers", State: platform.Partial, Message: "one is ours"}},
			want: v1alpha1.LedgerEntry{Setting: "blockedServers", Wanted: "a.net, b.net", Seen: "a.net", State: v1alpha1.SettingPartial, Reason: "one is ours"}},
		{name: "held as something else without a word", normal: space(func(s *model.Settings) { s.Permissions[model.ActionDelete] = model.RoleManager }),
			seen: ref(space(func(s *model.Settings) { s.Permissions[model.ActionDelete] = model.RoleManager })), setting: "deletions",
			want: v1alpha1.LedgerEntry{Setting: "deletions", Wanted: "Moderators", Seen: "Managers", State: v1alpha1.SettingPartial, Reason: "the platform holds it as Managers"}},
		{name: "of a kind that the platform doesn't know", normal: space(func(s *model.Settings) { s.Servers.Blocked = nil }), seen: ref(space(func(s *model.Settings) { s.Servers.Blocked = nil })),
			setting: "blockedServers", want: v1alpha1.LedgerEntry{Setting: "blockedServers", Wanted: "a.net, b.net", State: v1alpha1.SettingUnsupported, Reason: "there is nothing of the kind on this platform"}},
		{name: "drifted from what the platform can do", normal: space(pinsForMembers), seen: ref(space()), setting: "pins",
			losses: []platform.Loss{{Setting: "moderation.pins", Message: "everybody pins"}},
			want:   v1alpha1.LedgerEntry{Setting: "pins", Wanted: "Managers", Seen: "Managers", State: v1alpha1.SettingDrifted, Reason: "it was read back as something else"}},
		{name: "a role that has no name", normal: space(), seen: ref(space(func(s *model.Settings) { s.Permissions[model.ActionPost] = model.RoleUnknown })), setting: "posting",
			want: v1alpha1.LedgerEntry{Setting: "posting", Wanted: "Members", Seen: "Unknown", State: v1alpha1.SettingDrifted, Reason: "it was read back as something else"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			NewWithT(t).Expect(find(status.Ledger(effective, tc.normal, tc.seen, tc.losses), tc.setting)).To(Equal(tc.want))
		})
	}
	g := NewWithT(t)
	all := status.Ledger(effective, space(), ref(space()), nil)
	g.Expect(all).To(HaveLen(12))
	g.Expect(status.Ledger(v1alpha1.EffectiveSettings{}, space(), nil, nil)).To(BeEmpty())
}

func ref[T any](v T) *T { return &v }
