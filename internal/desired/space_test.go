// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package desired_test

import (
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/model"
)

func TestTheAddressOfAGroupBeginsWithItsCommunitys(t *testing.T) {
	named := func(name, spaceName string) *v1alpha1.Group {
		return &v1alpha1.Group{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.GroupSpec{SpaceName: spaceName}}
	}
	g := NewWithT(t)
	g.Expect(desired.Address("eng", nil)).To(Equal("eng"))
	g.Expect(desired.Address("eng", named("go", ""))).To(Equal("eng-go"))
	g.Expect(desired.Address("eng", named("go", "golang"))).To(Equal("eng-golang"))

	c := &v1alpha1.Community{ObjectMeta: metav1.ObjectMeta{Name: "engineering"}}
	g.Expect(desired.SpaceName(c, v1alpha1.CommunityPlatform{})).To(Equal("engineering"))
	g.Expect(desired.SpaceName(c, v1alpha1.CommunityPlatform{SpaceName: "eng"})).To(Equal("eng"))
}

func inputs() desired.Inputs {
	return desired.Inputs{
		Platform: &v1alpha1.Platform{Spec: v1alpha1.PlatformSpec{OwnerID: "prod-eu"}},
		Community: &v1alpha1.Community{
			ObjectMeta: metav1.ObjectMeta{Namespace: "town", Name: "square"},
			Spec: v1alpha1.CommunitySpec{
				DisplayName: "The Square", Purpose: "Where all\n  of us meet.\n", Standing: v1alpha1.StandingOfficial,
				Branding: &v1alpha1.Branding{AvatarURL: "mxc://x/square"},
			},
		},
		SpaceName: "plaza", Guidelines: "Be kind", Members: []model.Member{{Account: "@ana:x", Role: model.RoleManager}},
	}
}

func space(t *testing.T, in desired.Inputs) model.Space {
	t.Helper()
	effective, refusal, _ := desired.Effective(in)
	NewWithT(t).Expect(refusal).To(BeNil())
	return desired.Space(in, effective)
}

func TestTheSpaceOfACommunity(t *testing.T) {
	g := NewWithT(t)
	s := space(t, inputs())
	g.Expect(s.Mark).To(Equal(model.Mark{
		OwnerID: "prod-eu", Ref: model.Ref{Kind: model.KindCommunity, Namespace: "town", Name: "square"}, Official: true,
	}))
	g.Expect(s.Parent).To(BeNil())
	g.Expect(s.Address).To(Equal("plaza"))
	g.Expect(s.Members).To(Equal(inputs().Members))
	g.Expect(s.Settings).To(Equal(model.Settings{
		DisplayName: "The Square", Topic: "Where all of us meet.", Avatar: "mxc://x/square", Guidelines: "Be kind",
		Join: model.JoinAnybody, History: model.HistoryEverything, Guests: model.GuestsForbidden, Servers: model.Servers{OwnOnly: true},
		Permissions: map[model.Action]model.Role{
			model.ActionPost: model.RoleMember, model.ActionReact: model.RoleMember, model.ActionMentionAll: model.RoleMember,
			model.ActionInvite: model.RoleMember, model.ActionRemove: model.RoleModerator, model.ActionPin: model.RoleMember,
			model.ActionDelete: model.RoleModerator, model.ActionGovern: model.RoleOperator,
		},
	}))
}

func TestTheSpaceOfAGroup(t *testing.T) {
	g := NewWithT(t)
	in := inputs()
	in.Group = &v1alpha1.Group{
		ObjectMeta: metav1.ObjectMeta{Namespace: "town", Name: "market"},
		Spec: v1alpha1.GroupSpec{
			DisplayName: "The Market", Purpose: "Buy here", Visibility: v1alpha1.VisibilityPrivate, Join: v1alpha1.JoinInvite,
			Moderation: &v1alpha1.Moderation{
				Posting: v1alpha1.AudienceManagers, Reactions: v1alpha1.AudienceModerators, Guests: v1alpha1.GuestsAllowed,
				BlockedServers: []string{"b.x", "a.x"},
			},
		},
	}
	s := space(t, in)
	g.Expect(s.Mark).To(Equal(model.Mark{OwnerID: "prod-eu", Ref: model.Ref{Kind: model.KindGroup, Namespace: "town", Name: "market"}}),
		"a community's standing is not its groups'")
	g.Expect(s.Parent).To(HaveValue(Equal(model.Ref{Kind: model.KindCommunity, Namespace: "town", Name: "square"})))
	g.Expect(s.Address).To(Equal("plaza-market"))
	g.Expect(s.Settings.DisplayName).To(Equal("The Market"))
	g.Expect(s.Settings.Topic).To(Equal("Buy here"))
	g.Expect(s.Settings.Avatar).To(BeEmpty(), "a group's picture is its own")
	g.Expect(s.Settings.History).To(Equal(model.HistorySinceJoining))
	g.Expect(s.Settings.Guests).To(Equal(model.GuestsAllowed))
	g.Expect(s.Settings.Servers).To(Equal(model.Servers{Blocked: []string{"a.x", "b.x"}}), "sorted, so that an order is no change")
	g.Expect(in.Group.Spec.Moderation.BlockedServers).To(Equal([]string{"b.x", "a.x"}), "what was declared stays as it is")
	g.Expect(s.Settings.Permissions).To(HaveKeyWithValue(model.ActionPost, model.RoleManager))
	g.Expect(s.Settings.Permissions).To(HaveKeyWithValue(model.ActionReact, model.RoleModerator))

	in.Group.Spec.Standing = v1alpha1.StandingOfficial
	in.Group.Spec.Branding = &v1alpha1.Branding{AvatarURL: "mxc://x/market"}
	s = space(t, in)
	g.Expect(s.Mark.Official).To(BeTrue())
	g.Expect(s.Settings.Avatar).To(Equal("mxc://x/market"))
}

// Every action has a role, whatever is declared; none above the managers but what the operator alone does.
func TestEveryActionHasARole(t *testing.T) {
	for _, audience := range []v1alpha1.Audience{"", v1alpha1.AudienceMembers, v1alpha1.AudienceModerators, v1alpha1.AudienceManagers} {
		in := inputs()
		in.Community.Spec.Moderation = &v1alpha1.Moderation{
			Posting: audience, Reactions: audience, MassMentions: audience, Invitations: audience, Removals: audience, Pins: audience, Deletions: audience,
		}
		permissions := space(t, in).Settings.Permissions
		for _, action := range model.Actions() {
			NewWithT(t).Expect(permissions).To(HaveKey(action))
			if action == model.ActionGovern {
				NewWithT(t).Expect(permissions[action]).To(Equal(model.RoleOperator))
			} else {
				NewWithT(t).Expect(permissions[action]).To(BeNumerically("<", model.RoleOperator), string(action))
			}
		}
	}
}

func TestHowPeopleComeIn(t *testing.T) {
	const public, internal, private = v1alpha1.VisibilityPublic, v1alpha1.VisibilityInternal, v1alpha1.VisibilityPrivate
	for _, tc := range []struct {
		visibility v1alpha1.Visibility
		// join is empty for a community, which has none.
		join    v1alpha1.Join
		is      model.JoinRule
		listed  bool
		ownOnly bool
	}{
		{public, "", model.JoinAnybody, true, false},
		{internal, "", model.JoinAnybody, false, true},
		{private, "", model.JoinInvite, false, false},
		{public, v1alpha1.JoinOpen, model.JoinAnybody, false, false},
		{public, v1alpha1.JoinRequest, model.JoinRequest, false, false},
		{public, v1alpha1.JoinInvite, model.JoinInvite, false, false},
		{internal, v1alpha1.JoinOpen, model.JoinParentMembers, false, true},
		{internal, v1alpha1.JoinRequest, model.JoinRequest, false, true},
		{internal, v1alpha1.JoinInvite, model.JoinInvite, false, true},
		{private, v1alpha1.JoinOpen, model.JoinInvite, false, false},
		{private, v1alpha1.JoinRequest, model.JoinRequest, false, false},
		{private, v1alpha1.JoinInvite, model.JoinInvite, false, false},
	} {
		name := "a " + string(tc.visibility) + " community"
		in := inputs()
		in.Community.Spec.Visibility = tc.visibility
		if tc.join != "" {
			name = "a " + string(tc.visibility) + " group that is joined by " + string(tc.join)
			in.Group = &v1alpha1.Group{Spec: v1alpha1.GroupSpec{Join: tc.join}}
		}
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := space(t, in).Settings
			g.Expect(s.Join).To(Equal(tc.is))
			g.Expect(s.Listed).To(Equal(tc.listed), "listed")
			g.Expect(s.Servers.OwnOnly).To(Equal(tc.ownOnly), "other servers kept out")
		})
	}
}
