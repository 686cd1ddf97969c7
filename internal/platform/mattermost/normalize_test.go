// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"strings"
	"testing"
	"unicode/utf8"

	mm "github.com/mattermost/mattermost/server/public/model"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

var community = model.Ref{Kind: model.KindCommunity, Namespace: "town", Name: "town"}

func wanted(change func(*model.Space)) model.Space {
	s := model.Space{Address: "town", Settings: model.Settings{DisplayName: "Town", Join: model.JoinAnybody, History: model.HistoryEverything, Guests: model.GuestsForbidden}}
	change(&s)
	return s
}

func lossOf(losses []platform.Loss, setting string) *platform.Loss {
	for _, l := range losses {
		if l.Setting == setting {
			return &l
		}
	}
	return nil
}

func TestNamesThatMattermostRefusesAreFatal(t *testing.T) {
	l := limits{offer: offer{fixed: builtIn}}
	for name, space := range map[string]model.Space{
		"a team of one letter":      wanted(func(s *model.Space) { s.Address = "a" }),
		"a team of 65":              wanted(func(s *model.Space) { s.Address = strings.Repeat("a", 65) }),
		"a team in capitals":        wanted(func(s *model.Space) { s.Address = "Town" }),
		"a team with an underscore": wanted(func(s *model.Space) { s.Address = "to_wn" }),
		"a reserved team":           wanted(func(s *model.Space) { s.Address = "administration" }),
		"a channel of 65":           wanted(func(s *model.Space) { s.Address, s.Parent = strings.Repeat("a", 65), &community }),
		"a channel with a space":    wanted(func(s *model.Space) { s.Address, s.Parent = "a b", &community }),
		"a channel without a name":  wanted(func(s *model.Space) { s.Address, s.Parent = "", &community }),
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			_, losses := l.normalize(space)
			loss := lossOf(losses, "spaceName")
			g.Expect(loss).NotTo(BeNil())
			g.Expect(loss.Fatal).To(BeTrue())
		})
	}
	for name, space := range map[string]model.Space{
		"a team":                       wanted(func(s *model.Space) { s.Address = "town-2" }),
		"a channel of 64":              wanted(func(s *model.Space) { s.Address, s.Parent = strings.Repeat("a", 64), &community }),
		"a channel with an underscore": wanted(func(s *model.Space) { s.Address, s.Parent = "a_b", &community }),
		"a channel with a team's word": wanted(func(s *model.Space) { s.Address, s.Parent = "admin", &community }),
	} {
		t.Run(name, func(t *testing.T) {
			_, losses := l.normalize(space)
			NewWithT(t).Expect(lossOf(losses, "spaceName")).To(BeNil())
		})
	}
}

// Promise 8.
func TestWhatMattermostCantHoldIsALoss(t *testing.T) {
	l := limits{account: "cabildo", offer: offer{fixed: builtIn}}
	for setting, change := range map[string]func(*model.Space){
		"purpose":            func(s *model.Space) { s.Settings.Topic = strings.Repeat("ü", 1025) },
		"displayName":        func(s *model.Space) { s.Settings.DisplayName = strings.Repeat("ü", 65) },
		"guidelines":         func(s *model.Space) { s.Settings.Guidelines = strings.Repeat("ü", 16384) },
		"branding.avatarURL": func(s *model.Space) { s.Settings.Avatar = "mxc://example.com/a" },
		"join":               func(s *model.Space) { s.Settings.Join = model.JoinRequest },
		"branding.icon":      func(s *model.Space) { s.Settings.Icon = "data:image/png;base64,aaaa" },
		"visibility":         func(s *model.Space) { s.Settings.Listed = true },
		"moderation.history": func(s *model.Space) { s.Settings.History = model.HistorySinceJoining },
		"moderation.guests":  func(s *model.Space) { s.Settings.Guests = model.GuestsAllowed },
		"moderation.posting": func(s *model.Space) {
			s.Settings.Permissions = map[model.Action]model.Role{model.ActionPost: model.RoleManager}
		},
		"moderation.removals": func(s *model.Space) {
			s.Settings.Permissions = map[model.Action]model.Role{model.ActionRemove: model.RoleModerator}
		},
		"moderation.pins": func(s *model.Space) {
			s.Settings.Permissions = map[model.Action]model.Role{model.ActionPin: model.RoleModerator}
		},
		"moderation.deletions": func(s *model.Space) {
			s.Settings.Permissions = map[model.Action]model.Role{model.ActionDelete: model.RoleMember}
		},
		"members.role": func(s *model.Space) { s.Members = []model.Member{{Account: "ana", Role: model.RoleModerator}} },
		"members":      func(s *model.Space) { s.Members = []model.Member{{Account: "cabildo"}} },
		"moderation.massMentions": func(s *model.Space) {
			s.Settings.Permissions = map[model.Action]model.Role{model.ActionMentionAll: model.RoleManager}
		},
	} {
		t.Run(setting, func(t *testing.T) {
			g := NewWithT(t)
			_, losses := l.normalize(wanted(func(s *model.Space) { s.Parent = &community }))
			g.Expect(losses).To(BeEmpty(), "nothing is lost before")
			_, losses = l.normalize(wanted(func(s *model.Space) { s.Parent = &community; change(s) }))
			g.Expect(losses).To(HaveLen(1))
			g.Expect(losses[0].Setting).To(Equal(setting))
			g.Expect(losses[0].Fatal).To(BeFalse())
		})
	}
}

func TestALicenceLetsAChannelDiffer(t *testing.T) {
	g := NewWithT(t)
	want := wanted(func(s *model.Space) {
		s.Parent = &community
		s.Settings.Permissions = map[model.Action]model.Role{
			model.ActionPost: model.RoleManager, model.ActionReact: model.RoleModerator, model.ActionRemove: model.RoleManager,
			model.ActionInvite: model.RoleManager, model.ActionPin: model.RoleManager,
		}
	})
	_, losses := limits{offer: offer{fixed: builtIn}}.normalize(want)
	g.Expect(lossOf(losses, "moderation.posting").State).To(Equal(platform.Unlicensed))
	g.Expect(lossOf(losses, "moderation.pins").State).To(BeEmpty(), "no licence has that")
	got, losses := limits{offer: offer{licensed: true, fixed: builtIn}}.normalize(want)
	g.Expect(losses).To(HaveLen(1), "but who may pin")
	g.Expect(got.Settings.Permissions).To(And(
		HaveKeyWithValue(model.ActionPost, model.RoleManager), HaveKeyWithValue(model.ActionReact, model.RoleManager),
		HaveKeyWithValue(model.ActionRemove, model.RoleManager), HaveKeyWithValue(model.ActionPin, model.RoleMember)))

	team := want
	team.Parent = nil
	_, losses = limits{offer: offer{licensed: true, fixed: builtIn}}.normalize(team)
	g.Expect(lossOf(losses, "moderation.posting").State).To(BeEmpty(), "a team has no moderation of its own")

	want.Settings.Permissions[model.ActionInvite] = model.RoleMember
	got, losses = limits{offer: offer{licensed: true, fixed: builtIn}}.normalize(want)
	g.Expect(lossOf(losses, "moderation.invitations")).NotTo(BeNil())
	g.Expect(got.Settings.Permissions[model.ActionInvite]).To(Equal(model.RoleManager), "never looser than declared")
}

func TestNormalisingTwiceIsTheSameAsOnce(t *testing.T) {
	roles := rapid.SampledFrom([]model.Role{model.RoleUnknown, model.RoleMember, model.RoleModerator, model.RoleManager, model.RoleOperator})
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		l := limits{account: "cabildo", offer: offer{licensed: rapid.Bool().Draw(t, "licensed"), fixed: builtIn}}
		want := wanted(func(s *model.Space) {
			s.Address = rapid.StringMatching(`[a-z0-9-]{0,70}`).Draw(t, "address")
			s.Settings.DisplayName, s.Settings.Topic, s.Settings.Guidelines = rapid.String().Draw(t, "name"), rapid.StringN(0, 1100, -1).Draw(t, "topic"), rapid.String().Draw(t, "guidelines")
			s.Settings.Join = rapid.SampledFrom([]model.JoinRule{model.JoinAnybody, model.JoinInvite, model.JoinParentMembers, model.JoinRequest}).Draw(t, "join")
			s.Settings.Permissions = rapid.MapOf(rapid.SampledFrom(model.Actions()), roles).Draw(t, "permissions")
			if rapid.Bool().Draw(t, "channel") {
				s.Parent = &community
			}
			for _, name := range rapid.SliceOf(rapid.StringMatching(`[a-c]`)).Draw(t, "members") {
				s.Members = append(s.Members, model.Member{Account: name, Role: roles.Draw(t, "role")})
			}
		})
		once, _ := l.normalize(want)
		twice, losses := l.normalize(once)
		g.Expect(twice).To(Equal(once))
		for _, loss := range losses {
			g.Expect(loss.Fatal).To(BeTrue(), "%s: %s", loss.Setting, loss.Message)
		}
		g.Expect(utf8.RuneCountInString(once.Settings.DisplayName)).To(BeNumerically("<=", 64))
		for _, m := range once.Members {
			g.Expect(m.Role).To(Or(Equal(model.RoleMember), Equal(model.RoleManager)))
		}
	})
}

func TestWhoMayDoWhatIsReadFromTheRoles(t *testing.T) {
	g := NewWithT(t)
	role := func(name string, permissions ...string) *mm.Role {
		return &mm.Role{Name: name, Permissions: permissions}
	}
	of9 := []*mm.Role{
		role(mm.ChannelUserRoleId, "create_post", "add_reaction", "use_channel_mentions", "manage_public_channel_members"),
		role(mm.TeamAdminRoleId, "delete_others_posts"),
	}
	g.Expect(fixedBy(of9, mm.ChannelAdminRoleId, mm.TeamAdminRoleId)).To(Equal(builtIn))
	g.Expect(fixedBy(of9, mm.ChannelAdminRoleId)).To(HaveKeyWithValue(model.ActionDelete, model.RoleOperator),
		"who administers a channel can't delete there what others said")
	fixed := fixedBy([]*mm.Role{role(mm.ChannelUserRoleId, "create_post"), role(mm.ChannelAdminRoleId, "use_channel_mentions")}, mm.ChannelAdminRoleId)
	g.Expect(fixed).To(And(
		HaveKeyWithValue(model.ActionMentionAll, model.RoleManager), HaveKeyWithValue(model.ActionReact, model.RoleOperator),
		HaveKeyWithValue(model.ActionGovern, model.RoleOperator)))
}

func TestASystemMessageTellsWhoCameAndWent(t *testing.T) {
	g := NewWithT(t)
	said := map[string]model.Membership{}
	for _, post := range []*mm.Post{
		{Type: mm.PostTypeJoinChannel, UserId: "ana"},
		{Type: mm.PostTypeAddToChannel, UserId: "ana", Props: mm.StringInterface{"addedUserId": "omar"}},
		{Type: mm.PostTypeLeaveChannel, UserId: "ana"},
		{Type: mm.PostTypeRemoveFromChannel, UserId: "bot", Props: mm.StringInterface{"removedUserId": "omar"}},
		{Type: mm.PostTypeRemoveFromTeam, UserId: "eve"},
		{Type: "", UserId: "zoe", Props: mm.StringInterface{"removedUserId": "ana"}},
	} {
		note(post, said)
	}
	g.Expect(said).To(Equal(map[string]model.Membership{"ana": model.Left, "omar": model.Removed, "eve": model.Removed}))
}

func TestATopicIsSeenWhereHeaderAndPurposeGoTogether(t *testing.T) {
	g := NewWithT(t)
	long := strings.Repeat("ü", 300)
	for _, topic := range []string{"", "short", long} {
		s := space{team: "t", header: topic, topic: platform.Runes.Cut(topic, maxPurpose)}
		g.Expect(s.topicSeen()).To(Equal(topic))
		s.topic += "!"
		g.Expect(s.topicSeen()).NotTo(Equal(topic))
	}
}

func TestTheSignOfAnInstallationFitsAndTellsItFromOthers(t *testing.T) {
	g := NewWithT(t)
	g.Expect(sign("prod-eu")).To(Equal("cabildo:prod-eu"))
	a, b := sign(strings.Repeat("a", 62)+"x"), sign(strings.Repeat("a", 62)+"y")
	g.Expect(a).To(HaveLen(64))
	g.Expect(a).NotTo(Equal(b))
}
