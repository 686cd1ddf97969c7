// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package desired_test

import (
	"reflect"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
)

// bounded is a group of a community in a tier with these limits.
func bounded(limits v1alpha1.ModerationLimits) desired.Inputs {
	return desired.Inputs{
		Platform: &v1alpha1.Platform{}, Community: &v1alpha1.Community{}, Group: &v1alpha1.Group{}, Policy: "default",
		Tier: &v1alpha1.Tier{Name: "Core", Moderation: &v1alpha1.TierModeration{Limits: &limits}},
	}
}

// Every limit holds: a looser value of the group's own is raised to it and
// told, one that is inherited or built in is raised, and a stricter one stays.
// A limit that is added to the API and forgotten here fails.
func TestEveryLimitHolds(t *testing.T) {
	strictest := v1alpha1.ModerationLimits{
		Posting: v1alpha1.AudienceManagers, Reactions: v1alpha1.AudienceManagers, MassMentions: v1alpha1.AudienceManagers,
		Invitations: v1alpha1.AudienceManagers, Removals: v1alpha1.AudienceManagers, Pins: v1alpha1.AudienceManagers,
		Deletions: v1alpha1.AudienceManagers, Guests: v1alpha1.GuestsForbidden, History: v1alpha1.HistorySinceJoining,
	}
	loosest := v1alpha1.Moderation{
		Posting: v1alpha1.AudienceMembers, Reactions: v1alpha1.AudienceMembers, MassMentions: v1alpha1.AudienceMembers,
		Invitations: v1alpha1.AudienceMembers, Removals: v1alpha1.AudienceModerators, Pins: v1alpha1.AudienceMembers,
		Deletions: v1alpha1.AudienceModerators, Guests: v1alpha1.GuestsAllowed, History: v1alpha1.HistoryEverything,
	}
	limits := reflect.TypeOf(strictest)
	for i := range limits.NumField() {
		name := limits.Field(i).Name
		if name == "Join" || name == "BlockedServers" { // see below
			continue
		}
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var only v1alpha1.ModerationLimits
			limit := reflect.ValueOf(strictest).Field(i)
			g.Expect(limit.String()).NotTo(BeEmpty())
			reflect.ValueOf(&only).Elem().Field(i).Set(limit)
			is := func(e v1alpha1.EffectiveSettings) string {
				return reflect.ValueOf(*e.Moderation).FieldByName(name).String()
			}

			in := bounded(only)
			in.Group.Spec.Moderation = loosest.DeepCopy()
			e, refused, tooLoose := desired.Effective(in)
			g.Expect(refused).To(BeNil())
			g.Expect(is(e)).To(Equal(limit.String()))
			g.Expect(tooLoose.Reason).To(Equal(v1alpha1.ReasonModerationTooLoose))
			g.Expect(tooLoose.Message).To(ContainSubstring("the limit of tier Core of GovernancePolicy default, which is in force instead; choose " + limit.String()))
			g.Expect(e.Origins).To(ContainElement(HaveField("From", "limit of tier Core of GovernancePolicy default")))

			in.Group.Spec.Moderation, in.Community.Spec.Moderation = nil, loosest.DeepCopy()
			e, _, tooLoose = desired.Effective(in)
			g.Expect(is(e)).To(Equal(limit.String()))
			g.Expect(tooLoose).To(BeNil(), "what is inherited is told where it is declared")
			in.Group = nil
			_, _, tooLoose = desired.Effective(in)
			g.Expect(tooLoose).NotTo(BeNil())
		})
	}
}

func TestTheJoinRuleAndBlockedServersHaveLimitsToo(t *testing.T) {
	g := NewWithT(t)
	in := bounded(v1alpha1.ModerationLimits{Join: v1alpha1.JoinRequest, BlockedServers: []string{"b.net", "a.net"}})
	e, _, tooLoose := desired.Effective(in)
	g.Expect(e.Join).To(Equal(v1alpha1.JoinRequest))
	g.Expect(e.Moderation.BlockedServers).To(Equal([]string{"a.net", "b.net"}))
	g.Expect(tooLoose).To(BeNil())

	in.Group.Spec.Join = v1alpha1.JoinOpen
	in.Group.Spec.Moderation = &v1alpha1.Moderation{BlockedServers: []string{"c.net", "a.net"}}
	e, _, tooLoose = desired.Effective(in)
	g.Expect(e.Join).To(Equal(v1alpha1.JoinRequest))
	g.Expect(e.Moderation.BlockedServers).To(Equal([]string{"a.net", "b.net", "c.net"}), "more may be blocked")
	g.Expect(tooLoose.Message).To(Equal("join: Open is looser than Request, the limit of tier Core of GovernancePolicy default, which is in force instead; choose Request or Invite."))

	in.Group.Spec.Join = v1alpha1.JoinInvite
	e, _, tooLoose = desired.Effective(in)
	g.Expect(e.Join).To(Equal(v1alpha1.JoinInvite))
	g.Expect(tooLoose).To(BeNil())
	g.Expect(e.Origins).To(ContainElement(v1alpha1.SettingOrigin{Setting: "join", From: "Group "}))
}
