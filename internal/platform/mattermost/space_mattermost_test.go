// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"strings"
	"time"

	mm "github.com/mattermost/mattermost/server/public/model"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

var _ = Describe("a team and its channels", func() {
	It("are as declared, for the people in them", func(ctx SpecContext) {
		a := open(ctx)
		ana, omar := somebody(ctx, "ana"), somebody(ctx, "omar")
		town := a.community(with(
			model.Member{Account: ana.Username, Role: model.RoleManager}, model.Member{Account: omar.Username},
		), func(s *model.Space) { s.Settings.Guidelines = "Be kind" })
		team := a.make(ctx, town)
		long := strings.TrimSpace(strings.Repeat("buying and selling ", 30))
		open := a.group(town, with(model.Member{Account: omar.Username, Role: model.RoleManager}), func(s *model.Space) {
			s.Settings.Topic, s.Settings.Guidelines = long, "Fair prices"
		})
		closed := a.group(town, func(s *model.Space) { s.Settings.Join = model.JoinInvite })
		market, council := a.make(ctx, open), a.make(ctx, closed)

		seen, _, err := ana.GetTeam(ctx, team, "")
		Expect(err).NotTo(HaveOccurred())
		Expect([]any{seen.Name, seen.DisplayName, seen.Description, seen.AllowOpenInvite}).To(Equal([]any{town.Address, "Town", "All of us", true}))
		member, _, err := ana.GetTeamMember(ctx, team, ana.ID, "")
		Expect(err).NotTo(HaveOccurred())
		Expect(member.SchemeAdmin).To(BeTrue())
		channel, _, err := omar.GetChannel(ctx, market)
		Expect(err).NotTo(HaveOccurred())
		Expect([]any{channel.Name, channel.DisplayName, channel.Header, channel.Purpose, channel.Type}).To(Equal(
			[]any{open.Address, "Market", long, long[:250], mm.ChannelTypeOpen}))
		role, _, err := omar.GetChannelMember(ctx, market, omar.ID, "")
		Expect(err).NotTo(HaveOccurred())
		Expect([]bool{role.SchemeAdmin, role.SchemeUser}).To(Equal([]bool{true, true}))
		pinned, _, err := omar.GetPinnedPosts(ctx, market, "")
		Expect(err).NotTo(HaveOccurred())
		Expect(pinned.Order).To(HaveLen(1))
		Expect(pinned.Posts[pinned.Order[0]].Message).To(Equal("Fair prices"))
		_, _, err = omar.GetChannel(ctx, council)
		Expect(err).To(HaveOccurred(), "it is private")
		square, _, err := omar.GetChannelByName(ctx, mm.DefaultChannelName, team, "")
		Expect(err).NotTo(HaveOccurred())
		pinned, _, err = omar.GetPinnedPosts(ctx, square.Id, "")
		Expect(err).NotTo(HaveOccurred())
		Expect(pinned.Order).To(HaveLen(1))

		By("changing everything that can be changed")
		open.Settings.DisplayName, open.Settings.Topic, open.Settings.Guidelines = "Bazaar", "Short", "Fairer prices"
		open.Settings.Join, open.Address = model.JoinInvite, unique("bazaar")
		closed.Settings.Join = model.JoinParentMembers
		town.Settings.DisplayName, town.Settings.Topic, town.Settings.Join, town.Settings.Guidelines = "City", "", model.JoinInvite, ""
		Expect(a.make(ctx, town)).To(Equal(team))
		Expect(a.make(ctx, open)).To(Equal(market))
		Expect(a.make(ctx, closed)).To(Equal(council))
		channel, _, err = omar.GetChannel(ctx, market)
		Expect(err).NotTo(HaveOccurred())
		Expect([]any{channel.Name, channel.DisplayName, channel.Header, channel.Purpose, channel.Type}).To(Equal(
			[]any{open.Address, "Bazaar", "Short", "Short", mm.ChannelTypePrivate}))
		pinned, _, err = omar.GetPinnedPosts(ctx, market, "")
		Expect(err).NotTo(HaveOccurred())
		Expect(pinned.Order).To(HaveLen(1))
		Expect(pinned.Posts[pinned.Order[0]].Message).To(Equal("Fairer prices"))
		pinned, _, err = omar.GetPinnedPosts(ctx, square.Id, "")
		Expect(err).NotTo(HaveOccurred())
		Expect(pinned.Order).To(BeEmpty())

		By("looking with another process")
		b := openAgain(ctx)
		before := b.wire.Requests()
		Expect(b.plan(ctx, town)).To(BeEmpty())
		Expect(b.plan(ctx, open)).To(BeEmpty())
		Expect(b.plan(ctx, closed)).To(BeEmpty())
		Expect(b.wire.Requests()-before).To(BeNumerically("<=", 8), "%v", b.wire.Counts())
	})

	It("are made once, whatever is lost on the way", Label("promise 3"), func(ctx SpecContext) {
		a := open(ctx)
		town := a.community()
		market := a.group(town)
		a.wire.LoseNext("POST /teams")
		ops := a.plan(ctx, town)
		Expect(ops).To(HaveLen(1))
		_, err := a.Apply(ctx, ops[0])
		Expect(platform.IsKind(err, platform.Ambiguous)).To(BeTrue(), "%v", err)
		team := a.make(ctx, town)
		a.wire.LoseNext("POST /channels")
		_, err = a.Apply(ctx, a.plan(ctx, market)[0])
		Expect(platform.IsKind(err, platform.Ambiguous)).To(BeTrue(), "%v", err)

		By("going on with another process")
		b := openAgain(ctx)
		Expect(b.make(ctx, town)).To(Equal(team))
		id := b.make(ctx, market)
		Expect(a.wire.Of("POST /channels") + b.wire.Of("POST /channels")).To(Equal(1))
		Expect(b.see(ctx, market).Space.ID).To(Equal(id))
		Expect(b.wire.Of("POST /teams")).To(BeZero())

		By("making it again at the same time")
		want, _ := a.Normalize(market)
		again, err := a.Apply(ctx, plan.Operation{Verb: plan.Create, Space: want, ParentID: team})
		Expect(err).NotTo(HaveOccurred())
		Expect(again).To(Equal(id))
	})

	It("have an icon, which is set back when somebody changes it", func(ctx SpecContext) {
		a := open(ctx)
		town := a.community(func(s *model.Space) { s.Settings.Icon = "data:image/png;base64," + dot })
		team := a.make(ctx, town)
		hasIcon := func() bool {
			GinkgoHelper()
			t, _, err := server.Admin().GetTeam(ctx, team, "")
			Expect(err).NotTo(HaveOccurred())
			return t.LastTeamIconUpdate != 0
		}
		picture, _, err := server.Admin().GetTeamIcon(ctx, team, "")
		Expect(err).NotTo(HaveOccurred())
		Expect(picture).NotTo(BeEmpty())
		Expect(hasIcon()).To(BeTrue())
		Expect(openAgain(ctx).plan(ctx, town)).To(BeEmpty())
		_, err = server.Admin().RemoveTeamIcon(ctx, team)
		Expect(err).NotTo(HaveOccurred())
		b := openAgain(ctx)
		Expect(b.plan(ctx, town)).To(HaveLen(1))
		b.make(ctx, town)
		Expect(hasIcon()).To(BeTrue())
		town.Settings.Icon = ""
		b.make(ctx, town)
		Expect(hasIcon()).To(BeFalse())
	})

	It("are archived with all that was said, and opened again", func(ctx SpecContext) {
		a := open(ctx)
		ana := somebody(ctx, "ana")
		town := a.community(with(model.Member{Account: ana.Username}))
		market := a.group(town, with(model.Member{Account: ana.Username}))
		team := a.make(ctx, town)
		id := a.make(ctx, market)
		said, _, err := ana.CreatePost(ctx, &mm.Post{ChannelId: id, Message: "Good morning"})
		Expect(err).NotTo(HaveOccurred())
		want, _ := a.Normalize(market)
		_, err = a.Apply(ctx, plan.Operation{Verb: plan.Archive, SpaceID: id, Space: want, ParentID: team})
		Expect(err).NotTo(HaveOccurred())
		Expect(a.see(ctx, market).Space.Archived).To(BeTrue())
		_, _, err = ana.CreatePost(ctx, &mm.Post{ChannelId: id, Message: "Good night"})
		Expect(err).To(HaveOccurred())

		b := openAgain(ctx)
		Expect(b.see(ctx, market).Space.Archived).To(BeTrue())
		Expect(b.make(ctx, market)).To(Equal(id))
		post, _, err := ana.GetPost(ctx, said.Id, "")
		Expect(err).NotTo(HaveOccurred())
		Expect(post.Message).To(Equal("Good morning"))
	})

	It("are looked at again at once when somebody changes them by hand", func(ctx SpecContext) {
		a := open(ctx)
		ana, omar := somebody(ctx, "ana"), somebody(ctx, "omar")
		town := a.community(with(model.Member{Account: ana.Username, Role: model.RoleManager}, model.Member{Account: omar.Username}))
		market := a.group(town, with(model.Member{Account: ana.Username, Role: model.RoleManager}, model.Member{Account: omar.Username}))
		team := a.make(ctx, town)
		id := a.make(ctx, market)
		// seen waits for a hint after which the space is as it was made by hand, and makes it as declared again.
		seen := func(want model.Space, changed func(*model.Observed) bool) {
			GinkgoHelper()
			Eventually(func() bool {
				select {
				case hint := <-a.Hints():
					return hint.Ref == want.Mark.Ref && changed(a.see(ctx, want).Space)
				default:
					return false
				}
			}, 5*time.Second).Should(BeTrue())
			a.make(ctx, want)
		}
		Eventually(a.connected, 5*time.Second).Should(BeTrue())
		name := "Flea market"
		_, _, err := ana.PatchChannel(ctx, id, &mm.ChannelPatch{DisplayName: &name})
		Expect(err).NotTo(HaveOccurred())
		seen(market, func(is *model.Observed) bool { return is.Settings.DisplayName == name })
		_, _, err = server.Admin().UpdateChannelPrivacy(ctx, id, mm.ChannelTypePrivate)
		Expect(err).NotTo(HaveOccurred())
		seen(market, func(is *model.Observed) bool { return is.Settings.Join == model.JoinInvite })
		_, err = ana.DeleteChannel(ctx, id)
		Expect(err).NotTo(HaveOccurred())
		seen(market, func(is *model.Observed) bool { return is.Archived })
		_, err = omar.RemoveUserFromChannel(ctx, id, omar.ID)
		Expect(err).NotTo(HaveOccurred())
		seen(market, func(is *model.Observed) bool { return is.Members[omar.Username] == model.Left })
		_, _, err = ana.PatchTeam(ctx, team, &mm.TeamPatch{DisplayName: &name})
		Expect(err).NotTo(HaveOccurred())
		seen(town, func(is *model.Observed) bool { return is.Settings.DisplayName == name })
	})

	It("cost nothing while nothing changes", Label("promise 9"), func(ctx SpecContext) {
		a := open(ctx)
		ana := somebody(ctx, "ana")
		town := a.community(with(model.Member{Account: ana.Username}), func(s *model.Space) { s.Settings.Guidelines = "Be kind" })
		market := a.group(town, with(model.Member{Account: ana.Username}))
		a.make(ctx, town)
		a.make(ctx, market)
		Eventually(func() int { return a.wire.Of("PUT /users/{user}/preferences") }).Should(BeNumerically(">=", 2), "the last records are written a moment later")
		Consistently(a.wire.Requests, time.Second).Should(Equal(a.wire.Requests()))
		before := a.wire.Requests()
		Expect(a.plan(ctx, town)).To(BeEmpty())
		Expect(a.plan(ctx, market)).To(BeEmpty())
		Expect(a.wire.Requests()).To(Equal(before), "%v", a.wire.Counts())
	})
})

// dot is a PNG of one pixel.
const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// openAgain opens an adapter for the same account, as another process would.
func openAgain(ctx SpecContext) *actor {
	GinkgoHelper()
	return open(ctx)
}
