// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/mattermost"
)

var _ = Describe("members", func() {
	It("come into the team first, and have the roles that are declared and no other", Label("promise 7"), func(ctx SpecContext) {
		a := open(ctx)
		ana, omar := somebody(ctx, "ana"), somebody(ctx, "omar")
		town := a.community()
		market := a.group(town, with(
			model.Member{Account: ana.Username, Role: model.RoleManager}, model.Member{Account: omar.Username, Role: model.RoleModerator}))
		a.make(ctx, town)
		id := a.make(ctx, market)
		Expect(a.see(ctx, market).Space.Roles).To(Equal(map[string]model.Role{ana.Username: model.RoleManager}), "there are no moderators")
		_, err := ana.UpdateChannelMemberSchemeRoles(ctx, id, omar.ID, schemeAdmin)
		Expect(err).NotTo(HaveOccurred(), "who administers a channel can make others administrators")
		b := openAgain(ctx)
		Expect(b.see(ctx, market).Space.Roles).To(HaveKeyWithValue(omar.Username, model.RoleManager))
		b.make(ctx, market)
		Expect(b.see(ctx, market).Space.Roles).To(HaveLen(1))
		member, _, err := omar.GetChannelMember(ctx, id, omar.ID, "")
		Expect(err).NotTo(HaveOccurred())
		Expect([]bool{member.SchemeAdmin, member.SchemeUser}).To(Equal([]bool{false, true}), "still an ordinary member")
	})

	It("who left are told from those who were removed", func(ctx SpecContext) {
		a := open(ctx)
		ana, omar, eve := somebody(ctx, "ana"), somebody(ctx, "omar"), somebody(ctx, "eve")
		everybody := with(model.Member{Account: ana.Username, Role: model.RoleManager},
			model.Member{Account: omar.Username}, model.Member{Account: eve.Username})
		town := a.community(everybody)
		market := a.group(town, everybody)
		team := a.make(ctx, town)
		id := a.make(ctx, market)
		_, err := omar.RemoveUserFromChannel(ctx, id, omar.ID)
		Expect(err).NotTo(HaveOccurred())
		_, err = ana.RemoveUserFromChannel(ctx, id, eve.ID)
		Expect(err).NotTo(HaveOccurred())
		b := openAgain(ctx)
		members := b.see(ctx, market).Space.Members
		Expect(members).To(And(HaveKeyWithValue(omar.Username, model.Left), HaveKeyWithValue(eve.Username, model.Removed)))
		var adds []string
		for _, op := range b.plan(ctx, market) {
			if op.Verb == plan.AddMember {
				adds = append(adds, op.String())
			}
		}
		Expect(adds).To(ConsistOf("add " + eve.Username))
		b.make(ctx, market)

		_, err = omar.RemoveTeamMember(ctx, team, omar.ID)
		Expect(err).NotTo(HaveOccurred())
		Expect(openAgain(ctx).see(ctx, town).Space.Members).To(HaveKeyWithValue(omar.Username, model.Left))
	})

	It("who are not declared are seen, and removed only from where it is said", func(ctx SpecContext) {
		a := open(ctx)
		ana, guest := somebody(ctx, "ana"), somebody(ctx, "guest")
		town := a.community(with(model.Member{Account: ana.Username}))
		team := a.make(ctx, town)
		market := a.group(town)
		id := a.make(ctx, market)
		_, _, err := guest.AddTeamMember(ctx, team, guest.ID)
		Expect(err).NotTo(HaveOccurred(), "the team is open")
		_, _, err = guest.AddChannelMember(ctx, id, guest.ID)
		Expect(err).NotTo(HaveOccurred(), "so is the channel")
		b := openAgain(ctx)
		ops := b.plan(ctx, market)
		Expect(ops[len(ops)-1].String()).To(Equal("remove " + guest.Username))
		b.make(ctx, market)
		Expect(b.see(ctx, market).Space.Members).NotTo(HaveKeyWithValue(guest.Username, model.Present))
		Expect(b.see(ctx, town).Space.Members).To(HaveKeyWithValue(guest.Username, model.Present))
	})

	It("without an account are named, and so are those whose account was deactivated", func(ctx SpecContext) {
		a := open(ctx)
		ana, gone := somebody(ctx, "ana"), somebody(ctx, "gone")
		_, err := server.Admin().DeleteUser(ctx, gone.ID)
		Expect(err).NotTo(HaveOccurred())
		Expect(a.Missing(ctx, []string{ana.Username, "nobody-" + ana.Username, gone.Username, "not a name!"})).To(ConsistOf(
			"nobody-"+ana.Username, gone.Username, "not a name!"))
	})

	It("are found by addresses that are certainly theirs", func(ctx SpecContext) {
		ana, ben, gone := somebody(ctx, "ana"), somebody(ctx, "ben"), somebody(ctx, "gone")
		admin := server.Admin()
		address := func(p person) string {
			u, _, err := admin.GetUser(ctx, p.ID, "")
			Expect(err).NotTo(HaveOccurred())
			return strings.ToLower(u.Email)
		}
		_, _, err := admin.UpdateUserAuth(ctx, ben.ID, &mm.UserAuth{AuthService: mm.ServiceGitlab, AuthData: mm.NewPointer(ben.ID)})
		Expect(err).NotTo(HaveOccurred())
		_, err = admin.DeleteUser(ctx, gone.ID)
		Expect(err).NotTo(HaveOccurred())
		few := []string{address(ana), address(ben), address(gone), "nobody@example.com"}

		a := open(ctx)
		info, err := a.Probe(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Capabilities[platform.CanFindByEmail].Reason).To(ContainSubstring("RequireEmailVerification is off"))
		Expect(a.AccountsByEmail(ctx, few)).To(Equal(map[string]string{address(ben): ben.Username}), "an identity provider let ben in")
		Expect(a.wire.Of("GET /users/email/{address}")).To(Equal(4))
		Expect(a.AccountsByEmail(ctx, few)).To(HaveLen(1))
		Expect(a.wire.Of("GET /users/email/{address}")).To(Equal(4), "answers are kept")

		By("a server that lets in nobody whose address is not verified")
		require := func(ctx context.Context, verification bool) {
			_, _, err := admin.PatchConfig(ctx, &mm.Config{EmailSettings: mm.EmailSettings{RequireEmailVerification: &verification}})
			Expect(err).NotTo(HaveOccurred())
		}
		require(ctx, true)
		DeferCleanup(func(ctx SpecContext) { require(ctx, false) })
		everybody := map[string]string{address(ana): ana.Username, address(ben): ben.Username}
		b := openAgain(ctx)
		Expect(b.AccountsByEmail(ctx, few)).To(Equal(everybody))

		By("asking for many")
		c := openAgain(ctx)
		for i := range 30 {
			few = append(few, fmt.Sprintf("nobody-%d@example.com", i))
		}
		Expect(c.AccountsByEmail(ctx, few)).To(Equal(everybody))
		Expect(c.wire.Of("GET /users/email/{address}")).To(BeZero(), "everybody is read in pages")
	})

	It("are the same ones when they are renamed or deactivated", func(ctx SpecContext) {
		a := open(ctx)
		ana, omar, gone := somebody(ctx, "ana"), somebody(ctx, "omar"), somebody(ctx, "gone")
		town := a.community(with(model.Member{Account: ana.Username}, model.Member{Account: gone.Username}))
		Expect(a.Stable(ana.Username)).To(Equal(ana.Username), "nobody was looked for yet")
		a.make(ctx, town)
		is := a.Stable(ana.Username)
		Expect(is).To(Equal("id:" + ana.ID))

		By("seeing it happen")
		Eventually(a.connected).Should(BeTrue())
		call := func(who person, name string) {
			GinkgoHelper()
			_, _, err := server.Admin().PatchUser(ctx, who.ID, &mm.UserPatch{Username: &name})
			Expect(err).NotTo(HaveOccurred())
		}
		after := unique("anna")
		call(ana, after)
		Eventually(func() string { return a.Stable(after) }).Should(Equal(is))
		Expect(a.see(ctx, town).Space.Members).To(And(HaveKeyWithValue(after, model.Present), Not(HaveKey(ana.Username))))
		Expect(a.Stable(ana.Username)).To(Equal(is), "nobody else has the name")
		Expect(a.Missing(ctx, []string{ana.Username})).To(HaveLen(1))

		mattermost.Forget(a.Adapter)
		Expect(a.Stable(after)).To(Equal(is), "until they are asked for")

		By("having missed it")
		call(omar, ana.Username)
		_, err := server.Admin().DeleteUser(ctx, gone.ID)
		Expect(err).NotTo(HaveOccurred())
		b := openAgain(ctx)
		Expect(b.see(ctx, town).Space.Members).To(And(HaveKey(after), HaveKey(gone.Username)))
		Expect(b.Stable(after)).To(Equal(is))
		Expect(b.Stable(gone.Username)).To(Equal("id:"+gone.ID), "who can't be added can be taken out")
		Expect(b.Missing(ctx, []string{ana.Username, gone.Username})).To(Equal([]string{gone.Username}))
		Expect(b.Stable(ana.Username)).To(Equal("id:" + omar.ID))
		Expect(b.Stable(ana.ID)).To(Equal(ana.ID), "a username that looks like an ID is not taken for one")
	})

	It("are not read where nobody asks", func(ctx SpecContext) {
		a := open(ctx)
		town := a.community()
		a.make(ctx, town)
		b := openAgain(ctx)
		q := query(town)
		q.Members = false
		o, err := b.Observe(ctx, q)
		Expect(err).NotTo(HaveOccurred())
		Expect(o.Space.Members).To(BeNil())
		Expect(o.Space.Roles).To(BeNil())
		Expect(b.wire.Of("GET /teams/{team}/members")).To(BeZero())
	})
})

var _ = Describe("ownership", Label("promise 2"), func() {
	It("is not taken by a name or by a mark that people can write", func(ctx SpecContext) {
		a := open(ctx)
		eve := somebody(ctx, "eve")
		town := a.community()
		forged, _, err := eve.CreateTeam(ctx, teamOf(town.Address, "cabildo:here"))
		Expect(err).NotTo(HaveOccurred())
		b := openAgain(ctx)
		o := b.see(ctx, town)
		Expect(o.Space).To(BeNil())
		Expect(o.Holder).NotTo(BeNil())
		Expect(o.Holder.ID).To(Equal(forged.Id))
		Expect(o.Holder.Mark).To(BeNil())
		want, _ := b.Normalize(town)
		_, err = b.Apply(ctx, plan.Operation{Verb: plan.Create, Space: want})
		Expect(platform.IsKind(err, platform.AlreadyExists)).To(BeTrue(), "%v", err)
		_, err = b.Apply(ctx, plan.Operation{Verb: plan.Set, Field: plan.FieldTopic, SpaceID: forged.Id, Space: want})
		Expect(platform.IsKind(err, platform.Conflict)).To(BeTrue(), "%v", err)

		By("adopting it, which a person declares")
		_, err = b.Apply(ctx, plan.Operation{Verb: plan.Mark, SpaceID: forged.Id, Space: want})
		Expect(err).NotTo(HaveOccurred())
		Expect(b.make(ctx, town)).To(Equal(forged.Id))
		Expect(openAgain(ctx).see(ctx, town).Space.ID).To(Equal(forged.Id))
	})

	It("of another installation is seen, and never written over", func(ctx SpecContext) {
		_, token, err := server.CreateBot(ctx, unique("other"))
		Expect(err).NotTo(HaveOccurred())
		a, other, twin := open(ctx), open(ctx, as(token), owned("there")), open(ctx, owned("twin"))
		town := a.community()
		market := a.group(town)
		team := a.make(ctx, town)
		id := a.make(ctx, market)
		for _, b := range []*actor{open(ctx, as(token), owned("there")), open(ctx, owned("twin")), other, twin} {
			want := town
			want.Mark.OwnerID = b.owner
			o, err := b.Observe(ctx, withVerify(query(want)))
			Expect(err).NotTo(HaveOccurred())
			Expect(o.Space).To(BeNil())
			Expect(o.Holder.Mark.OwnerID).To(Equal("here"), b.owner)
			_, err = b.Apply(ctx, plan.Operation{Verb: plan.Set, Field: plan.FieldTopic, SpaceID: team, Space: want})
			Expect(err).To(HaveOccurred())
			_, err = b.Apply(ctx, plan.Operation{Verb: plan.Archive, SpaceID: id, Space: want})
			Expect(err).To(HaveOccurred())
		}
		Expect(a.plan(ctx, market)).To(BeEmpty())
	})

	It("is given back, and taken up again", func(ctx SpecContext) {
		a := open(ctx)
		town := a.community()
		team := a.make(ctx, town)
		want, _ := a.Normalize(town)
		_, err := a.Apply(ctx, plan.Operation{Verb: plan.Release, SpaceID: team, Space: want})
		Expect(err).NotTo(HaveOccurred())
		b := openAgain(ctx)
		Expect(b.see(ctx, town).Space.Mark.Released).To(BeTrue())
		Expect(b.make(ctx, town)).To(Equal(team))
		Expect(openAgain(ctx).see(ctx, town).Space.Mark.Released).To(BeFalse())
	})

	It("is told from a space that is lost", func(ctx SpecContext) {
		a := open(ctx)
		town := a.community()
		team := a.make(ctx, town)
		q := query(town)
		q.KnownID = team
		o, err := a.Observe(ctx, q)
		Expect(err).NotTo(HaveOccurred())
		Expect(o.Lost).To(BeFalse())
		q.KnownID = "thereisnospaceofthisid1234"
		o, err = a.Observe(ctx, q)
		Expect(err).NotTo(HaveOccurred())
		Expect(o.Lost).To(BeTrue())
	})
})
