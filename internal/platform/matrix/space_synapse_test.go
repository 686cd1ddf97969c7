// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"context"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// What the homeserver of the other specs has not got: rooms of version 12, and a way to ask to join.
var _ = Describe("on a server that has more", func() {
	var synapse *devenv.LocalHomeserver

	BeforeEach(func() { synapse = theSynapse() })

	It("makes and governs rooms of version 12, where its own power is not listed", func(ctx context.Context) {
		a := openOn(ctx, synapse)
		p := somebodyAt(ctx, synapse, "p")
		town := a.want()
		town.Settings.Guidelines = "Be kind."
		town.Members = []model.Member{{Account: p.id, Role: model.RoleManager}}
		space := a.make(ctx, town)
		Expect(space.Version).To(Equal("12"), "the newest that it calls stable, not its default")
		g := group(town)
		g.Members = town.Members
		room := a.make(ctx, g)
		Expect(room.Version).To(Equal("12"))
		Expect(room.ID).NotTo(ContainSubstring(":"))
		Expect(room.Control).To(BeEmpty())
		Expect(room.Settings.Join).To(Equal(model.JoinParentMembers))
		Expect(operatorAt(synapse).reads(ctx, room.ID, "m.room.power_levels")["users"]).To(Equal(map[string]any{p.id: 75.0}))

		g.Members = []model.Member{{Account: p.id}}
		g.Settings.Permissions = map[model.Action]model.Role{model.ActionMentionAll: model.RoleModerator}
		room = a.make(ctx, g)
		Expect(room.Roles).To(BeEmpty())
		Expect(room.Settings.Permissions[model.ActionMentionAll]).To(Equal(model.RoleModerator))
		Expect(operatorAt(synapse).reads(ctx, room.ID, "m.room.power_levels")["users"]).To(BeEmpty())

		again := openOn(ctx, synapse)
		Expect(again.differs(ctx, town)).To(BeEmpty())
		Expect(again.differs(ctx, g)).To(BeEmpty())
	})

	It("can't take over a room of version 12 that somebody else made", Label("promise 2", "promise 7"), func(ctx context.Context) {
		bot, maker := somebodyAt(ctx, synapse, "bot"), somebodyAt(ctx, synapse, "maker")
		a := openOn(ctx, synapse, as(bot))
		town := a.want()
		byHand(ctx, maker, bot, "12", town.Address, 100)
		Eventually(func() *platform.Holder { return a.sees(ctx, town).Holder }).ShouldNot(BeNil())
		Eventually(func() *model.Observed { return a.sees(ctx, town).Holder.Space }).ShouldNot(BeNil())
		Expect(a.sees(ctx, town).Holder.Space.Control).To(ContainSubstring(maker.id))
		Expect(a.sees(ctx, town).Holder.Space.Control).To(ContainSubstring("version 12"))
	})

	It("sets what it can, and says what the server lets nobody change", Label("promise 8"), func(ctx context.Context) {
		a := openOn(ctx, synapse, mentionsFixed())
		town := a.want()
		space := a.make(ctx, town)
		town.Settings.Permissions = map[model.Action]model.Role{
			model.ActionPost: model.RoleManager, model.ActionMentionAll: model.RoleModerator,
		}
		normal, _ := a.Normalize(town)
		_, err := a.Apply(ctx, set(plan.FieldPermissions, normal, space.ID))
		Expect(kindOf(err)).To(Equal(platform.NotSupported))
		Expect(err).To(MatchError(ContainSubstring("mention everybody")))
		seen := a.sees(ctx, town).Space.Settings.Permissions
		Expect(seen[model.ActionPost]).To(Equal(model.RoleManager))
		Expect(seen[model.ActionMentionAll]).To(Equal(model.RoleMember))
	})

	It("sees that a room of version 12 was purged", func(ctx context.Context) {
		a := openOn(ctx, synapse, every(100*time.Millisecond))
		town := a.want()
		space := a.make(ctx, town)
		Expect(synapse.PurgeRoom(ctx, space.ID)).To(Succeed())
		Eventually(func() bool {
			o, err := a.Observe(ctx, platform.Query{Ref: town.Mark.Ref, KnownID: space.ID, Address: town.Address})
			return err == nil && o.Complete && o.Lost && o.Space == nil
		}).WithTimeout(45 * time.Second).Should(BeTrue())
	})

	It("lets in who asks", func(ctx context.Context) {
		a := openOn(ctx, synapse, as(somebodyAt(ctx, synapse, "bot")))
		asks := somebodyAt(ctx, synapse, "asks")
		Expect(a.info.Capabilities[platform.CanJoinByRequest].State).To(Equal(platform.Supported))
		town := a.want()
		town.Settings.Join = model.JoinRequest
		space := a.make(ctx, town)
		is := func() model.Membership { return a.sees(ctx, town).Space.Members[asks.id] }
		asks.does(ctx, http.MethodPost, "/knock/"+space.ID, map[string]any{}, nil)
		Eventually(is).Should(Equal(model.Asking))
		_, err := a.Apply(ctx, op(plan.AddMember, town, space.ID, model.Member{Account: asks.id}))
		Expect(err).NotTo(HaveOccurred())
		Expect(is()).To(Equal(model.Invited))
	})
})
