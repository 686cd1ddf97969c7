// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// upgrades has somebody upgrade a room, and returns its successor.
func (p person) upgrades(ctx context.Context, room, version string) string {
	GinkgoHelper()
	var answer struct {
		Room string `json:"replacement_room"`
	}
	p.does(ctx, http.MethodPost, inRoom(room, "upgrade"), map[string]string{"new_version": version}, &answer)
	return answer.Room
}

var _ = Describe("a room that is upgraded", func() {
	onDendrite := func() *devenv.LocalHomeserver { return server }

	DescribeTable("with our account is followed, and nobody in it is left behind",
		func(ctx context.Context, started func() *devenv.LocalHomeserver, from, to string) {
			at := started()
			a := openOn(ctx, at, making(from))
			p, guest, banned := somebodyAt(ctx, at, "p"), somebodyAt(ctx, at, "guest"), somebodyAt(ctx, at, "banned")
			bot := operatorAt(at)
			town := a.want()
			space := a.make(ctx, town)
			g := group(town)
			g.Members = []model.Member{{Account: p.id, Role: model.RoleModerator}}
			old := a.make(ctx, g)
			bot.does(ctx, http.MethodPost, inRoom(old.ID, "ban"), map[string]string{"user_id": banned.id}, nil)
			bot.does(ctx, http.MethodPost, inRoom(old.ID, "invite"), map[string]string{"user_id": guest.id}, nil)
			guest.does(ctx, http.MethodPost, inRoom(old.ID, "join"), nil, nil)
			Eventually(func() map[string]model.Membership { return a.sees(ctx, g).Space.Members }).
				Should(And(HaveKeyWithValue(guest.id, model.Present), HaveKeyWithValue(banned.id, model.Banned)))
			a.quiet()

			successor := bot.upgrades(ctx, old.ID, to)
			Eventually(func() string {
				o, err := a.Observe(ctx, query(g))
				Expect(err).NotTo(HaveOccurred())
				Expect(o.Replaced).To(BeNil())
				if !o.Complete || o.Space == nil {
					return ""
				}
				return o.Space.ID
			}).Should(Equal(successor))
			a.hinted(g.Mark.Ref)
			seen := a.sees(ctx, g)
			Expect(seen.Space.Unmarked).To(BeTrue())
			Expect(seen.Space.Predecessor).To(Equal(old.ID))
			Expect(seen.Space.Version).To(Equal(to))
			Expect(seen.Duplicates).To(BeEmpty())

			_, err := a.Apply(ctx, op(plan.Mark, g, successor))
			Expect(err).NotTo(HaveOccurred())
			Expect(a.sees(ctx, g).Space.Members).To(Equal(map[string]model.Membership{
				p.id: model.Present, guest.id: model.Present, banned.id: model.Banned,
			}))
			Expect(a.sees(ctx, g).Space.Unmarked).To(BeFalse())
			g.Members = append(g.Members, model.Member{Account: guest.id})
			room := a.make(ctx, g)
			Expect(room.ID).To(Equal(successor))
			Expect(room.Address).To(Equal(g.Address))
			Expect(room.Linked).To(BeTrue())
			var child map[string]any
			bot.does(ctx, http.MethodGet, inRoom(space.ID, "state", "m.space.child", old.ID), nil, &child)
			Expect(child).To(BeEmpty(), "the community names the old room no more")

			again := openOn(ctx, at)
			Expect(again.differs(ctx, g)).To(BeEmpty())
			Expect(again.sees(ctx, g).Space.ID).To(Equal(successor))
		},
		Entry("on Dendrite", onDendrite, "10", "11"), Entry("on Synapse", theSynapse, "10", "11"),
		Entry("on Synapse, to version 12", theSynapse, "11", "12"),
	)

	DescribeTable("and is a community keeps its groups",
		func(ctx context.Context, started func() *devenv.LocalHomeserver, from, to string) {
			at := started()
			a := openOn(ctx, at, making(from))
			town := a.want()
			old := a.make(ctx, town)
			g := group(town)
			room := a.make(ctx, g)
			successor := operatorAt(at).upgrades(ctx, old.ID, to)
			Eventually(func() string {
				o, err := a.Observe(ctx, query(town))
				Expect(err).NotTo(HaveOccurred())
				if o.Space == nil {
					return ""
				}
				return o.Space.ID
			}).Should(Equal(successor))
			a.make(ctx, town)
			Expect(a.make(ctx, g).ID).To(Equal(room.ID))
			Expect(a.sees(ctx, g).ParentID).To(Equal(successor))
			again := openOn(ctx, at)
			Expect(again.differs(ctx, town)).To(BeEmpty())
			Expect(again.differs(ctx, g)).To(BeEmpty())
		},
		Entry("on Dendrite", onDendrite, "10", "11"), Entry("on Synapse, to version 12", theSynapse, "11", "12"),
	)

	DescribeTable("by somebody else is not ours any more, and it is said who did it", Label("promise 2"),
		func(ctx context.Context, started func() *devenv.LocalHomeserver, from, to string) {
			at := started()
			a := openOn(ctx, at, making(from))
			equal := somebodyAt(ctx, at, "equal")
			bot := operatorAt(at)
			town := a.want()
			town.Members = []model.Member{{Account: equal.id, Role: model.RoleManager}}
			old := a.make(ctx, town)
			levels := bot.reads(ctx, old.ID, "m.room.power_levels")
			levels["users"].(map[string]any)[equal.id] = 100
			bot.sets(ctx, old.ID, "m.room.power_levels", levels)
			Eventually(func() model.Role { return a.sees(ctx, town).Space.Roles[equal.id] }).Should(Equal(model.RoleOperator))
			a.quiet()

			successor := equal.upgrades(ctx, old.ID, to)
			Eventually(func() *platform.Replacement { return a.sees(ctx, town).Replaced }).
				Should(Equal(&platform.Replacement{Old: old.ID, New: successor, By: equal.id}))
			a.hinted(town.Mark.Ref)
			seen := a.sees(ctx, town)
			Expect(seen.Space).To(BeNil())
			Eventually(func() string { return a.sees(ctx, town).Holder.ID }).Should(Equal(successor), "the server moves the address")
			again := openOn(ctx, at)
			Expect(again.sees(ctx, town).Replaced).To(Equal(seen.Replaced))
		},
		Entry("on Dendrite", onDendrite, "10", "11"), Entry("on Synapse, to version 12", theSynapse, "11", "12"),
	)
})
