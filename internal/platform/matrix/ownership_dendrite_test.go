// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"context"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// handmade is a room that somebody made by hand.
type handmade struct {
	Room string `json:"room_id"`
}

// byHand makes a room of a version with an address, in which the operator is at a power level.
func byHand(ctx context.Context, maker person, operator person, version, address string, power int) handmade {
	GinkgoHelper()
	users := map[string]int{operator.id: power}
	if version != "12" {
		users[maker.id] = 100
	}
	var made handmade
	maker.does(ctx, http.MethodPost, "/createRoom", map[string]any{
		"room_version": version, "room_alias_name": address, "preset": "private_chat", "invite": []string{operator.id},
		"name": "Made by hand", "power_level_content_override": map[string]any{"users": users},
	}, &made)
	operator.does(ctx, http.MethodPost, inRoom(made.Room, "join"), nil, nil)
	return made
}

var _ = Describe("whose a space is", Label("promise 2"), func() {
	DescribeTable("takes over a room that somebody made, once they are below the operator",
		func(ctx context.Context, version string) {
			bot, maker := somebody(ctx, "bot"), somebody(ctx, "maker")
			a := open(ctx, as(bot))
			town := a.want()
			town.Members = []model.Member{{Account: maker.id, Role: model.RoleManager}}
			made := byHand(ctx, maker, bot, version, town.Address, 100)

			Eventually(func() bool { h := a.sees(ctx, town).Holder; return h != nil && h.Space != nil }).Should(BeTrue())
			holder := a.sees(ctx, town).Holder
			Expect(holder.ID).To(Equal(made.Room))
			Expect(holder.Mark).To(BeNil())
			Expect(holder.Space.Version).To(Equal(version))
			Expect(holder.Space.Control).To(ContainSubstring(maker.id))
			Expect(holder.Space.Members).To(Equal(map[string]model.Membership{maker.id: model.Present}))
			Expect(holder.Space.Roles).To(Equal(map[string]model.Role{maker.id: model.RoleOperator}))
			_, err := a.Apply(ctx, op(plan.Mark, town, made.Room))
			Expect(kindOf(err)).To(Equal(platform.Forbidden))

			levels := maker.reads(ctx, made.Room, "m.room.power_levels")
			levels["users"] = map[string]int{bot.id: 100, maker.id: 75}
			maker.sets(ctx, made.Room, "m.room.power_levels", levels)
			Eventually(func() string { return a.sees(ctx, town).Holder.Space.Control }).Should(BeEmpty())
			space := a.make(ctx, town)
			Expect(space.ID).To(Equal(made.Room))
			Expect(space.Settings.DisplayName).To(Equal(town.Settings.DisplayName))
			Expect(space.Roles).To(Equal(map[string]model.Role{maker.id: model.RoleManager}))

			again := open(ctx, as(bot))
			Expect(again.differs(ctx, town)).To(BeEmpty())
		},
		Entry(nil, "10"), Entry(nil, "11"), Entry(nil, "9"),
	)

	It("says so when its power was taken away by hand", func(ctx context.Context) {
		bot, maker := somebody(ctx, "bot"), somebody(ctx, "maker")
		a := open(ctx, as(bot))
		town := a.want()
		made := byHand(ctx, maker, bot, "11", town.Address, 100)
		levels := maker.reads(ctx, made.Room, "m.room.power_levels")
		levels["users"] = map[string]int{bot.id: 100}
		maker.sets(ctx, made.Room, "m.room.power_levels", levels)
		Eventually(func() bool {
			h := a.sees(ctx, town).Holder
			return h != nil && h.Space != nil && h.Space.Control == ""
		}).Should(BeTrue())
		a.make(ctx, town)
		a.quiet()

		levels = bot.reads(ctx, made.Room, "m.room.power_levels")
		levels["users"] = map[string]int{bot.id: 60}
		bot.sets(ctx, made.Room, "m.room.power_levels", levels)
		a.hinted(town.Mark.Ref)
		o, err := a.Observe(ctx, platform.Query{Ref: town.Mark.Ref, Address: town.Address, KnownID: made.Room})
		Expect(err).NotTo(HaveOccurred())
		Expect(o.Lost).To(BeFalse())
		if o.Space == nil {
			Expect(o.Holder.Space.Control).To(ContainSubstring("power level 60"))
		} else {
			Expect(o.Space.Control).To(ContainSubstring("power level 60"))
		}
	})

	It("says that a space is lost when it was removed from it", func(ctx context.Context) {
		bot, maker := somebody(ctx, "bot"), somebody(ctx, "maker")
		a := open(ctx, as(bot))
		town := a.want()
		made := byHand(ctx, maker, bot, "11", town.Address, 50)
		Eventually(func() bool { h := a.sees(ctx, town).Holder; return h != nil && h.Space != nil }).Should(BeTrue())
		maker.does(ctx, http.MethodPost, inRoom(made.Room, "kick"), map[string]string{"user_id": bot.id}, nil)
		look := func(a *actor) platform.Observation {
			o, err := a.Observe(ctx, platform.Query{Ref: town.Mark.Ref, Address: town.Address, KnownID: made.Room})
			Expect(err).NotTo(HaveOccurred())
			return o
		}
		Eventually(func() bool { return look(a).Lost }).Should(BeTrue())
		Expect(look(a).Holder).To(BeNil())
		again := open(ctx, as(bot))
		Expect(look(again).Lost).To(BeTrue())
		Expect(look(again).Complete).To(BeTrue())
	})

	It("is told by a hint when it leaves a space by hand", func(ctx context.Context) {
		bot := somebody(ctx, "bot")
		a := open(ctx, as(bot))
		town := a.want()
		space := a.make(ctx, town)
		a.quiet()
		bot.does(ctx, http.MethodPost, inRoom(space.ID, "leave"), nil, nil)
		a.hinted(town.Mark.Ref)
		o, err := a.Observe(ctx, platform.Query{Ref: town.Mark.Ref, KnownID: space.ID})
		Expect(err).NotTo(HaveOccurred())
		Expect(o.Lost).To(BeTrue())
		Expect(o.Space).To(BeNil())
	})

	It("believes no mark that somebody else wrote", func(ctx context.Context) {
		bot, forger := somebody(ctx, "bot"), somebody(ctx, "forger")
		a := open(ctx, as(bot))
		town := a.want()
		made := byHand(ctx, forger, bot, "11", town.Address, 0)
		forger.sets(ctx, made.Room, "dev.cabildo.owner", map[string]string{
			"ownerID": a.owner, "kind": "Community", "namespace": "town", "name": town.Mark.Ref.Name,
		})
		Eventually(func() bool { h := a.sees(ctx, town).Holder; return h != nil && h.Space != nil }).Should(BeTrue())
		o := a.sees(ctx, town)
		Expect(o.Space).To(BeNil())
		Expect(o.Holder.Mark).To(BeNil())
	})

	It("keeps away from another installation's spaces, and knows whose they are", func(ctx context.Context) {
		bot, other := somebody(ctx, "bot"), somebody(ctx, "other")
		theirs := open(ctx, as(other), owned("elsewhere"))
		town := theirs.want()
		made := theirs.make(ctx, town)
		ours := open(ctx, as(bot))
		want := ours.want()
		want.Address = town.Address
		Expect(ours.sees(ctx, want).Holder).To(Equal(&platform.Holder{ID: made.ID}))

		bot.does(ctx, http.MethodPost, inRoom(made.ID, "join"), nil, nil)
		Eventually(func() *model.Mark { return ours.sees(ctx, want).Holder.Mark }).Should(Equal(&town.Mark))
		_, err := ours.Apply(ctx, set(plan.FieldTopic, want, made.ID))
		Expect(kindOf(err)).To(Equal(platform.Conflict))
	})

	It("still knows its room when a moderator redacted the mark", func(ctx context.Context) {
		a := open(ctx)
		town := a.want()
		moderator := somebody(ctx, "moderator")
		town.Members = []model.Member{{Account: moderator.id, Role: model.RoleModerator}}
		space := a.make(ctx, town)
		a.quiet()
		var state []struct {
			Type string
			ID   string `json:"event_id"`
		}
		moderator.does(ctx, http.MethodGet, inRoom(space.ID, "state"), nil, &state)
		for _, event := range state {
			if strings.HasPrefix(event.Type, "dev.cabildo.owner") || event.Type == "m.room.name" {
				moderator.does(ctx, http.MethodPut, inRoom(space.ID, "redact", event.ID, unique("txn")), nil, nil)
			}
		}
		Eventually(func() []string { return a.differs(ctx, town) }).Should(ContainElement("set DisplayName"))
		Expect(a.sees(ctx, town).Space.ID).To(Equal(space.ID))
		a.make(ctx, town)
		again := open(ctx)
		Expect(again.differs(ctx, town)).To(BeEmpty())
	})

	It("deletes a space as far as a client can, and its name is free", func(ctx context.Context) {
		a := open(ctx)
		p, invited := somebody(ctx, "p"), somebody(ctx, "invited")
		town := a.want()
		parent := a.make(ctx, town)
		g := group(town)
		g.Members = []model.Member{{Account: p.id, Role: model.RoleManager}}
		room := a.make(ctx, g)
		operator().does(ctx, http.MethodPost, inRoom(room.ID, "invite"), map[string]string{"user_id": invited.id}, nil)
		for range 2 { // the second time there is nothing left to do
			_, err := a.Apply(ctx, op(plan.Delete, g, room.ID))
			Expect(err).NotTo(HaveOccurred())
		}
		o := a.sees(ctx, g)
		Expect(o.Space).To(BeNil())
		Expect(o.Holder).To(BeNil())
		var joined struct {
			Rooms []string `json:"joined_rooms"`
		}
		p.does(ctx, http.MethodGet, "/joined_rooms", nil, &joined)
		Expect(joined.Rooms).NotTo(ContainElement(room.ID))
		var child map[string]any
		operator().does(ctx, http.MethodGet, inRoom(parent.ID, "state", "m.space.child", room.ID), nil, &child)
		Expect(child).To(BeEmpty())
		Expect(a.make(ctx, g).ID).NotTo(Equal(room.ID))
	})
})
