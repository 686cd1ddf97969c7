// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package desired_test

import (
	"reflect"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
)

func builtInBudget() *v1alpha1.RemovalBudget {
	return &v1alpha1.RemovalBudget{
		Percent: ptr.To[int32](25), Count: ptr.To[int32](20), Floor: ptr.To[int32](1), Window: &metav1.Duration{Duration: 24 * time.Hour},
	}
}

func TestManagementWhereNobodySaysAnything(t *testing.T) {
	NewWithT(t).Expect(desired.Management(nil, &v1alpha1.Management{})).To(Equal(v1alpha1.Management{
		Mode: v1alpha1.ModeEnforce, Membership: v1alpha1.MembershipAdditive, Adoption: v1alpha1.AdoptNever, Deletion: v1alpha1.DeletionRetain,
		RemovalBudget: builtInBudget(),
	}))
}

func TestModerationWhereNobodySaysAnything(t *testing.T) {
	builtIn := v1alpha1.Moderation{
		Posting: v1alpha1.AudienceMembers, Reactions: v1alpha1.AudienceMembers, MassMentions: v1alpha1.AudienceMembers,
		Invitations: v1alpha1.AudienceMembers, Removals: v1alpha1.AudienceModerators, Pins: v1alpha1.AudienceMembers,
		Deletions: v1alpha1.AudienceModerators, Guests: v1alpha1.GuestsForbidden, History: v1alpha1.HistoryEverything,
		OnUnsupported: v1alpha1.ReportUnsupported,
	}
	for _, tc := range []struct {
		visibility  v1alpha1.Visibility
		join        v1alpha1.Join
		invitations v1alpha1.Audience
		history     v1alpha1.HistoryAccess
	}{
		{v1alpha1.VisibilityPublic, v1alpha1.JoinOpen, v1alpha1.AudienceMembers, v1alpha1.HistoryEverything},
		{v1alpha1.VisibilityInternal, v1alpha1.JoinRequest, v1alpha1.AudienceMembers, v1alpha1.HistoryEverything},
		{v1alpha1.VisibilityInternal, v1alpha1.JoinInvite, v1alpha1.AudienceModerators, v1alpha1.HistoryEverything},
		{v1alpha1.VisibilityPrivate, v1alpha1.JoinOpen, v1alpha1.AudienceMembers, v1alpha1.HistorySinceJoining},
		{v1alpha1.VisibilityPrivate, v1alpha1.JoinInvite, v1alpha1.AudienceModerators, v1alpha1.HistorySinceJoining},
	} {
		t.Run(string(tc.visibility)+" and "+string(tc.join), func(t *testing.T) {
			want := builtIn
			want.Invitations, want.History = tc.invitations, tc.history
			NewWithT(t).Expect(moderation(tc.visibility, tc.join)).To(Equal(want))
		})
	}
}

// moderation is what is in force in a group of a community whose tier has
// defaults, each layer what the group, the community and the tier say.
func moderation(visibility v1alpha1.Visibility, join v1alpha1.Join, layers ...v1alpha1.Moderation) v1alpha1.Moderation {
	in := desired.Inputs{
		Platform: &v1alpha1.Platform{}, Community: &v1alpha1.Community{}, Policy: "default", Tier: &v1alpha1.Tier{Name: "Seed"},
		Group: &v1alpha1.Group{Spec: v1alpha1.GroupSpec{Visibility: visibility, Join: join}},
	}
	in.Community.Spec.Visibility = visibility
	for i, set := range []func(*v1alpha1.Moderation){
		func(m *v1alpha1.Moderation) { in.Community.Spec.Moderation = m },
		func(m *v1alpha1.Moderation) { in.Tier.Moderation = &v1alpha1.TierModeration{Defaults: m} },
	} {
		if i < len(layers) {
			set(&layers[i])
		}
	}
	e, _, _ := desired.Effective(in)
	return *e.Moderation
}

// Each field is said by one of three layers, the others saying something else
// or nothing. A field that is added to the API and forgotten here fails.
func TestTheNearestLayerDecidesFieldByField(t *testing.T) {
	near := v1alpha1.Management{
		Mode: v1alpha1.ModePlan, Membership: v1alpha1.MembershipExclusive, Adoption: v1alpha1.AdoptIfUnowned, Deletion: v1alpha1.DeletionArchive,
		RemovalBudget: &v1alpha1.RemovalBudget{
			Percent: ptr.To[int32](0), Count: ptr.To[int32](0), Floor: ptr.To[int32](0), Window: &metav1.Duration{Duration: time.Hour},
		},
	}
	far := v1alpha1.Management{
		Mode: v1alpha1.ModeObserve, Membership: v1alpha1.MembershipAdditive, Adoption: v1alpha1.AdoptNever, Deletion: v1alpha1.DeletionDelete,
		RemovalBudget: &v1alpha1.RemovalBudget{
			Percent: ptr.To[int32](50), Count: ptr.To[int32](9), Floor: ptr.To[int32](2), Window: &metav1.Duration{Duration: time.Minute},
		},
	}
	resolve := func(layers ...v1alpha1.Management) v1alpha1.Management {
		pointers := []*v1alpha1.Management{nil}
		for i := range layers {
			pointers = append(pointers, layers[i].DeepCopy())
		}
		return desired.Management(pointers...)
	}
	decides(t, near, far, resolve, func(m *v1alpha1.Management) reflect.Value { return reflect.ValueOf(m).Elem() })
	decides(t, near, far, resolve, func(m *v1alpha1.Management) reflect.Value {
		if m.RemovalBudget == nil {
			m.RemovalBudget = &v1alpha1.RemovalBudget{}
		}
		return reflect.ValueOf(m.RemovalBudget).Elem()
	})

	nearModeration := v1alpha1.Moderation{
		Posting: v1alpha1.AudienceManagers, Reactions: v1alpha1.AudienceManagers, MassMentions: v1alpha1.AudienceManagers,
		Invitations: v1alpha1.AudienceManagers, Removals: v1alpha1.AudienceManagers, Pins: v1alpha1.AudienceManagers,
		Deletions: v1alpha1.AudienceManagers, Guests: v1alpha1.GuestsAllowed, History: v1alpha1.HistorySinceJoining,
		BlockedServers: []string{}, OnUnsupported: v1alpha1.BlockUnsupported,
	}
	farModeration := v1alpha1.Moderation{
		Posting: v1alpha1.AudienceModerators, Reactions: v1alpha1.AudienceModerators, MassMentions: v1alpha1.AudienceModerators,
		Invitations: v1alpha1.AudienceModerators, Removals: v1alpha1.AudienceModerators, Pins: v1alpha1.AudienceModerators,
		Deletions: v1alpha1.AudienceModerators, Guests: v1alpha1.GuestsForbidden, History: v1alpha1.HistoryEverything,
		BlockedServers: []string{"*.example.net"}, OnUnsupported: v1alpha1.ReportUnsupported,
	}
	decides(t, nearModeration, farModeration, func(layers ...v1alpha1.Moderation) v1alpha1.Moderation {
		return moderation(v1alpha1.VisibilityInternal, v1alpha1.JoinOpen, layers...)
	}, func(m *v1alpha1.Moderation) reflect.Value { return reflect.ValueOf(m).Elem() })
}

// decides checks each field of a struct: near's over far's, and far's where near has none.
func decides[T any](t *testing.T, near, far T, resolve func(...T) T, fields func(*T) reflect.Value) {
	t.Helper()
	one := func(of T, i int) T {
		var only T
		fields(&only).Field(i).Set(fields(&of).Field(i))
		return only
	}
	for i := range fields(&near).NumField() {
		t.Run(fields(&near).Type().String()+"."+fields(&near).Type().Field(i).Name, func(t *testing.T) {
			g := NewWithT(t)
			nearest, fallback := resolve(one(near, i), far), resolve(one(near, (i+1)%fields(&near).NumField()), far)
			g.Expect(fields(&nearest).Field(i).Interface()).To(Equal(fields(&near).Field(i).Interface()), "the nearer layer says it")
			g.Expect(fields(&fallback).Field(i).Interface()).To(Equal(fields(&far).Field(i).Interface()), "only the farther layer says it")
			g.Expect(fields(&near).Field(i).Interface()).NotTo(Equal(fields(&far).Field(i).Interface()), "the layers differ")
		})
	}
}

func TestResolvingLeavesTheLayersAsTheyWere(t *testing.T) {
	g := NewWithT(t)
	p := &v1alpha1.Platform{Spec: v1alpha1.PlatformSpec{
		Management:    &v1alpha1.Management{RemovalBudget: &v1alpha1.RemovalBudget{Count: ptr.To[int32](5)}},
		RemovalBudget: &v1alpha1.PlatformRemovalBudget{RemovalBudget: v1alpha1.RemovalBudget{Count: ptr.To[int32](7), Percent: ptr.To[int32](30)}},
	}}
	before := p.DeepCopy()
	layer := desired.PlatformLayer(p)
	g.Expect(layer.RemovalBudget).To(Equal(&v1alpha1.RemovalBudget{Count: ptr.To[int32](5), Percent: ptr.To[int32](30)}),
		"the platform's removalBudget fills what its management leaves out")
	desired.Management(layer)
	g.Expect(p).To(Equal(before))
	g.Expect(desired.PlatformLayer(&v1alpha1.Platform{})).To(Equal(&v1alpha1.Management{}))
}

func TestAGroupInheritsFromItsCommunityAndThePlatform(t *testing.T) {
	g := NewWithT(t)
	in := desired.Inputs{
		Platform: &v1alpha1.Platform{Spec: v1alpha1.PlatformSpec{
			Management: &v1alpha1.Management{Mode: v1alpha1.ModeObserve, Membership: v1alpha1.MembershipAdditive, Deletion: v1alpha1.DeletionArchive},
		}},
		Community: &v1alpha1.Community{Spec: v1alpha1.CommunitySpec{
			Visibility: v1alpha1.VisibilityPublic,
			Management: &v1alpha1.Management{Mode: v1alpha1.ModePlan, Membership: v1alpha1.MembershipExclusive},
			Moderation: &v1alpha1.Moderation{Posting: v1alpha1.AudienceManagers, Pins: v1alpha1.AudienceManagers},
		}},
	}
	effective, refusal, _ := desired.Effective(in)
	g.Expect(refusal).To(BeNil())
	g.Expect(effective.Visibility).To(Equal(v1alpha1.VisibilityPublic))
	g.Expect(effective.Join).To(Equal(v1alpha1.JoinOpen))
	g.Expect(effective.Management.Mode).To(Equal(v1alpha1.ModePlan), "the community's before the platform's")
	g.Expect(effective.Management.Deletion).To(Equal(v1alpha1.DeletionArchive), "the platform's where the community says nothing")

	in.Group = &v1alpha1.Group{Spec: v1alpha1.GroupSpec{
		Visibility: v1alpha1.VisibilityPrivate, Join: v1alpha1.JoinInvite,
		Management: &v1alpha1.Management{Mode: v1alpha1.ModeEnforce},
		Moderation: &v1alpha1.Moderation{Pins: v1alpha1.AudienceModerators},
	}}
	effective, refusal, _ = desired.Effective(in)
	g.Expect(refusal).To(BeNil())
	g.Expect(effective.Visibility).To(Equal(v1alpha1.VisibilityPrivate))
	g.Expect(effective.Join).To(Equal(v1alpha1.JoinInvite))
	g.Expect(effective.Management.Mode).To(Equal(v1alpha1.ModeEnforce), "the group's before the community's")
	g.Expect(effective.Management.Membership).To(Equal(v1alpha1.MembershipExclusive), "the community's where the group says nothing")
	g.Expect(effective.Management.Deletion).To(Equal(v1alpha1.DeletionArchive), "the platform's where both say nothing")
	g.Expect(effective.Moderation.Pins).To(Equal(v1alpha1.AudienceModerators))
	g.Expect(effective.Moderation.Posting).To(Equal(v1alpha1.AudienceManagers))
	g.Expect(effective.Moderation.History).To(Equal(v1alpha1.HistorySinceJoining), "built in for the group's own visibility")
	g.Expect(effective.Moderation.Invitations).To(Equal(v1alpha1.AudienceModerators), "built in for the group's own join")
}

func TestAGroupIsNoLooserThanItsCommunity(t *testing.T) {
	const public, internal, private, unset = v1alpha1.VisibilityPublic, v1alpha1.VisibilityInternal, v1alpha1.VisibilityPrivate, v1alpha1.Visibility("")
	for _, tc := range []struct {
		community, group v1alpha1.Visibility
		// effective is empty where the group is refused.
		effective v1alpha1.Visibility
	}{
		{unset, unset, internal},
		{unset, public, ""},
		{unset, private, private},
		{public, unset, public},
		{public, public, public},
		{public, internal, internal},
		{public, private, private},
		{internal, unset, internal},
		{internal, public, ""},
		{internal, internal, internal},
		{internal, private, private},
		{private, unset, private},
		{private, public, ""},
		{private, internal, ""},
		{private, private, private},
	} {
		t.Run("a "+string(tc.group)+" group of a "+string(tc.community)+" community", func(t *testing.T) {
			g := NewWithT(t)
			c := &v1alpha1.Community{ObjectMeta: metav1.ObjectMeta{Name: "square"}, Spec: v1alpha1.CommunitySpec{Visibility: tc.community}}
			effective, refusal, _ := desired.Effective(desired.Inputs{
				Platform: &v1alpha1.Platform{}, Community: c, Group: &v1alpha1.Group{Spec: v1alpha1.GroupSpec{Visibility: tc.group}},
			})
			if tc.effective == "" {
				g.Expect(refusal).NotTo(BeNil())
				g.Expect(refusal.Reason).To(Equal(v1alpha1.ReasonVisibilityTooLoose))
				g.Expect(refusal.Message).To(And(ContainSubstring("Community square"), ContainSubstring(string(tc.group)), ContainSubstring("stricter")))
				return
			}
			g.Expect(refusal).To(BeNil())
			g.Expect(effective.Visibility).To(Equal(tc.effective))
		})
	}
}
