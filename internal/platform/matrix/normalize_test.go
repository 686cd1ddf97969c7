// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"strings"
	"testing"
	"unicode/utf8"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

var onExample = limits{server: "example.com", account: "@cabildo:example.com", version: 12}

func role() *rapid.Generator[model.Role] {
	return rapid.SampledFrom([]model.Role{model.RoleUnknown, model.RoleMember, model.RoleModerator, model.RoleManager, model.RoleOperator, 7})
}

func wanted() *rapid.Generator[model.Space] {
	return rapid.Custom(func(t *rapid.T) model.Space {
		text := rapid.OneOf(rapid.String(), rapid.Just(strings.Repeat("é\x00 \n", 2000)), rapid.Just("\t a\r\nb "))
		account := rapid.SampledFrom([]string{"@a:example.com", "@b:example.com", "@cabildo:example.com", "@c:elsewhere.example", "nobody"})
		s := model.Space{
			Mark:    model.Mark{OwnerID: "prod", Ref: model.Ref{Kind: model.KindGroup, Namespace: "n", Name: "g"}},
			Address: rapid.OneOf(rapid.StringMatching(`[a-z0-9-]{0,40}`), rapid.String()).Draw(t, "address"),
			Settings: model.Settings{
				DisplayName: text.Draw(t, "name"), Topic: text.Draw(t, "topic"), Guidelines: text.Draw(t, "guidelines"),
				Avatar:  rapid.OneOf(rapid.Just("mxc://example.com/abc"), rapid.String()).Draw(t, "avatar"),
				Join:    rapid.SampledFrom([]model.JoinRule{model.JoinAnybody, model.JoinParentMembers, model.JoinRequest, model.JoinInvite, model.JoinOther, ""}).Draw(t, "join"),
				History: rapid.SampledFrom([]model.History{model.HistoryEverything, model.HistorySinceJoining, model.HistoryOther, ""}).Draw(t, "history"),
				Guests:  rapid.SampledFrom([]model.Guests{model.GuestsAllowed, model.GuestsForbidden, ""}).Draw(t, "guests"),
				Servers: model.Servers{
					OwnOnly: rapid.Bool().Draw(t, "ownOnly"),
					Blocked: rapid.SliceOf(rapid.OneOf(rapid.SampledFrom([]string{"*", "*.com", "Evil.Example", "e?ample.com", " "}), rapid.String())).Draw(t, "blocked"),
				},
				Permissions: rapid.MapOf(rapid.SampledFrom(append(model.Actions(), "Fly")), role()).Draw(t, "permissions"),
			},
			Members: rapid.SliceOf(rapid.Custom(func(t *rapid.T) model.Member {
				return model.Member{Account: account.Draw(t, "account"), Role: role().Draw(t, "role")}
			})).Draw(t, "members"),
		}
		if rapid.Bool().Draw(t, "hasParent") {
			s.Parent = &model.Ref{Kind: model.KindCommunity, Namespace: "n", Name: "c"}
		}
		return s
	})
}

func TestNormalisingTwiceIsTheSameAsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		l := onExample
		l.joins = rapid.Bool().Draw(t, "joins")
		l.version = rapid.SampledFrom([]int{0, 1, 6, 7, 8, 12}).Draw(t, "version")
		once, _ := l.normalize(wanted().Draw(t, "want"))
		twice, losses := l.normalize(once)
		g.Expect(twice).To(Equal(once))
		for _, loss := range losses {
			g.Expect(loss.Fatal).To(BeTrue(), loss.Message) // only what can't be made at all is still wrong
		}
	})
}

func TestANormalSpaceIsWhatIsReadBackFromItsRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := NewWithT(t)
		want, _ := onExample.normalize(wanted().Draw(t, "want"))
		s := want.Settings
		const us, parent = "@cabildo:example.com", "!parent"
		p := newPowers(s.Permissions)
		g.Expect(p.setRoles(us, nil)).To(Succeed())
		join, err := joinContent(s.Join, parent)
		g.Expect(err).NotTo(HaveOccurred())
		r := newRoom("!room")
		for _, e := range []event{
			state(typeCreate, us, map[string]any{"room_version": "12"}), state(typeMember, us, map[string]any{"membership": "join"}, us),
			state(typePowers, us, p.content()), state(typeJoinRules, us, join), state(typeHistory, us, historySetting(s.History)),
			state(typeGuests, us, guestsSetting(s.Guests)), state(typeServerACL, us, aclSetting(s.Servers, "example.com")),
			state(typeName, us, map[string]any{"name": s.DisplayName}), state(typeTopic, us, map[string]any{"topic": s.Topic}),
			state(typeAvatar, us, map[string]any{"url": s.Avatar}),
		} {
			r.fold(e, us, isNew)
		}
		seen := (&view{us: us}).observed(r, parent, "example.com")
		seen.Settings.Guidelines = s.Guidelines // has its own digest
		g.Expect(seen.Settings).To(Equal(s))
		g.Expect(seen.Control).To(BeEmpty())
	})
}

// Promise 8.
func TestWhatIsLost(t *testing.T) {
	group := &model.Ref{Kind: model.KindCommunity, Namespace: "n", Name: "c"}
	for name, row := range map[string]struct {
		limits  limits
		change  func(*model.Space)
		setting string
		fatal   bool
		then    func(Gomega, model.Space)
	}{
		"a capital letter in the name": {change: func(s *model.Space) { s.Address = "Town" }, setting: "spaceName", fatal: true},
		"a name that is too long for an alias": {
			change: func(s *model.Space) { s.Address = strings.Repeat("a", 243) }, setting: "spaceName", fatal: true,
		},
		"a long display name": {
			change:  func(s *model.Space) { s.Settings.DisplayName = strings.Repeat("é", 200) },
			setting: "displayName",
			then: func(g Gomega, s model.Space) {
				g.Expect(len(s.Settings.DisplayName)).To(And(BeNumerically("<=", 255), BeNumerically(">", 250)))
				g.Expect(utf8.ValidString(s.Settings.DisplayName)).To(BeTrue())
			},
		},
		"a picture from the web": {
			change: func(s *model.Space) { s.Settings.Avatar = "https://example.com/a.png" }, setting: "branding.avatarURL",
			then: func(g Gomega, s model.Space) { g.Expect(s.Settings.Avatar).To(BeEmpty()) },
		},
		"asking to join in old rooms": {
			limits: limits{server: "example.com", version: 6},
			change: func(s *model.Space) { s.Settings.Join = model.JoinRequest }, setting: "join",
			then: func(g Gomega, s model.Space) { g.Expect(s.Settings.Join).To(Equal(model.JoinInvite)) },
		},
		"asking to join where there is no way to ask": {
			limits: limits{server: "example.com", version: 12, noKnock: true},
			change: func(s *model.Space) { s.Settings.Join = model.JoinRequest }, setting: "join",
			then: func(g Gomega, s model.Space) { g.Expect(s.Settings.Join).To(Equal(model.JoinInvite)) },
		},
		"joining from the parent in old rooms": {
			limits: limits{server: "example.com", version: 7},
			change: func(s *model.Space) { s.Settings.Join, s.Parent = model.JoinParentMembers, group }, setting: "join",
			then: func(g Gomega, s model.Space) { g.Expect(s.Settings.Join).To(Equal(model.JoinInvite)) },
		},
		"blocking the own server": {
			change:  func(s *model.Space) { s.Settings.Servers.Blocked = []string{"b.example", "*ample.c?m"} },
			setting: "moderation.blockedServers",
			then: func(g Gomega, s model.Space) {
				g.Expect(s.Settings.Servers.Blocked).To(Equal([]string{"b.example"}))
			},
		},
		"a member as operator": {
			change: func(s *model.Space) {
				s.Members = []model.Member{{Account: "@a:example.com", Role: model.RoleOperator}}
			},
			setting: "members",
			then: func(g Gomega, s model.Space) {
				g.Expect(s.Members).To(Equal([]model.Member{{Account: "@a:example.com", Role: model.RoleManager}}))
			},
		},
		"the operator as a member": {
			change:  func(s *model.Space) { s.Members = []model.Member{{Account: "@cabildo:example.com"}} },
			setting: "members",
			then:    func(g Gomega, s model.Space) { g.Expect(s.Members).To(BeEmpty()) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l := row.limits
			if l.server == "" {
				l = onExample
			}
			var want model.Space
			row.change(&want)
			out, losses := l.normalize(want)
			g.Expect(losses).To(HaveLen(1))
			g.Expect(losses[0]).To(And(HaveField("Setting", row.setting), HaveField("Fatal", row.fatal), HaveField("Message", Not(BeEmpty()))))
			if row.then != nil {
				row.then(g, out)
			}
		})
	}
}

func TestNothingIsLostOfAPlainSpace(t *testing.T) {
	g := NewWithT(t)
	want := model.Space{Address: "town-hall", Settings: model.Settings{DisplayName: "Town hall", Topic: "All of it", Join: model.JoinAnybody}}
	out, losses := onExample.normalize(want)
	g.Expect(losses).To(Equal([]platform.Loss(nil)))
	g.Expect(out.Settings.Permissions).To(Equal(builtIn))
}

func TestJoiningIsPromisedForAccountsOfTheOwnServerAlone(t *testing.T) {
	g := NewWithT(t)
	want := model.Space{Members: []model.Member{{Account: "@a:example.com"}}}
	l := onExample
	out, _ := l.normalize(want)
	g.Expect(out.Joins).To(BeFalse())
	l.joins = true
	out, _ = l.normalize(want)
	g.Expect(out.Joins).To(BeTrue())
	want.Members = append(want.Members, model.Member{Account: "@b:elsewhere.example"})
	out, _ = l.normalize(want)
	g.Expect(out.Joins).To(BeFalse())
}

func TestGlobsMatchWholeNames(t *testing.T) {
	g := NewWithT(t)
	for _, yes := range [][2]string{{"*", "a.b"}, {"a.?", "a.b"}, {"*.b", "a.b"}, {"a*b", "ab"}, {"a.b", "a.b"}, {"*a*b*", "xaxbx"}} {
		g.Expect(globMatches(yes[0], yes[1])).To(BeTrue(), "%v", yes)
	}
	for _, no := range [][2]string{{"a.b", "xa.b"}, {"a.b", "a.bx"}, {"?", ""}, {"*.b", "b"}, {"", "a"}, {strings.Repeat("*a", 60) + "b", strings.Repeat("a", 200)}} {
		g.Expect(globMatches(no[0], no[1])).To(BeFalse(), "%v", no)
	}
}
