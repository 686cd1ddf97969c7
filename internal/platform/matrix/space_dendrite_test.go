// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"context"
	"net/http"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

var _ = Describe("making a space", func() {
	It("makes a community and a group in it that are as declared, and then has nothing left to do", Label("promise 9"), func(ctx context.Context) {
		a := open(ctx)
		town := a.want()
		town.Settings.Guidelines = "Be **kind**."
		town.Settings.Servers = model.Servers{OwnOnly: true, Blocked: []string{"*.evil.example"}}
		town.Settings.Avatar = "mxc://" + server.ServerName + "/picture"
		made := a.make(ctx, town)
		Expect(made.Version).To(Equal("11"), "the newest that it calls stable, not its default")
		Expect(made.Address).To(Equal(town.Address))
		Expect(made.Control).To(BeEmpty())
		Expect(*made.Mark).To(Equal(town.Mark))
		Expect(made.Settings.DisplayName).To(Equal(town.Settings.DisplayName))
		Expect(made.GuidelinesDigest).To(Equal(model.Digest(town.Settings.Guidelines)))

		g := group(town)
		room := a.make(ctx, g)
		Expect(room.Linked).To(BeTrue())
		Expect(room.Settings.Join).To(Equal(model.JoinParentMembers))
		Expect(operator().reads(ctx, made.ID, "m.room.create")["type"]).To(Equal("m.space"))
		Expect(operator().reads(ctx, room.ID, "m.room.create")).NotTo(HaveKey("type"))
	})

	It("keeps a community waiting for one of the rooms that are linked to it, and for no more", func(ctx context.Context) {
		a := open(ctx)
		town, _ := a.Normalize(a.want())
		made := a.make(ctx, town)
		const rooms = 8
		links := make([]plan.Operation, rooms)
		for i := range links {
			g, _ := a.Normalize(group(town))
			room, err := a.Apply(ctx, plan.Operation{Verb: plan.Create, Space: g, ParentID: made.ID})
			Expect(err).NotTo(HaveOccurred())
			links[i] = plan.Operation{Verb: plan.Link, SpaceID: room, Space: g, ParentID: made.ID}
			a.sees(ctx, g)
		}

		asked, let := a.wire.hold("m.space.child")
		defer let()
		done := make(chan string, rooms+1)
		apply := func(what string, op plan.Operation) {
			_, err := a.Apply(ctx, op)
			if err != nil {
				what = err.Error()
			}
			done <- what
		}
		for _, link := range links {
			go apply("link", link)
		}
		Eventually(asked).Should(Receive())
		Consistently(asked, "200ms").ShouldNot(Receive(), "writes into one room go one after the other")
		town.Settings.Topic = "Another topic"
		go apply("topic", plan.Operation{Verb: plan.Set, Field: plan.FieldTopic, SpaceID: made.ID, Space: town})
		Consistently(done, "200ms").ShouldNot(Receive())
		let()
		var order []string
		for range rooms + 1 {
			var what string
			Eventually(done, "20s").Should(Receive(&what))
			order = append(order, what)
		}
		Expect(order).To(HaveEach(BeElementOf("link", "topic")))
		Expect(slices.Index(order, "topic")).To(BeNumerically("<=", 2), "%v", order)
	})

	It("opens a room to whoever asks, where the server has a way to ask", func(ctx context.Context) {
		a := open(ctx, asking())
		town := a.want()
		a.make(ctx, town)
		town.Settings.Join = model.JoinRequest
		Expect(a.differs(ctx, town)).To(Equal([]string{"set Join"}))
		Expect(a.make(ctx, town).Settings.Join).To(Equal(model.JoinRequest))
	})

	It("finds its spaces again after a restart, without asking for each", func(ctx context.Context) {
		// As an installation of its own: what other specs leave half linked is looked into.
		a := open(ctx, owned("restarts"))
		town := a.want()
		town.Settings.Guidelines = "Be kind."
		all := []model.Space{town}
		a.make(ctx, town)
		for range 8 {
			g := group(town)
			a.make(ctx, g)
			all = append(all, g)
		}
		a.Close()

		again := open(ctx, owned("restarts"))
		for _, want := range all {
			Expect(again.differs(ctx, want)).To(BeEmpty())
		}
		Expect(again.wire.requests()).To(BeNumerically("<=", 5), "%v", again.wire.counts)
	})

	It("keeps the oldest of several rooms for one resource, and retires the others", Label("promise 3"), func(ctx context.Context) {
		a := open(ctx)
		town := a.want()
		first := a.make(ctx, town)
		create := operator().reads(ctx, first.ID, "m.room.create")
		var second struct {
			Room string `json:"room_id"`
		}
		operator().does(ctx, http.MethodPost, "/createRoom", map[string]any{
			"creation_content": map[string]any{"dev.cabildo.key": create["dev.cabildo.key"]},
		}, &second)
		Eventually(func() []string { return a.sees(ctx, town).Duplicates }).Should(Equal([]string{second.Room}))
		Expect(a.sees(ctx, town).Space.ID).To(Equal(first.ID))

		_, err := a.Apply(ctx, op(plan.Archive, town, second.Room))
		Expect(err).NotTo(HaveOccurred())
		Expect(a.sees(ctx, town).Duplicates).To(BeEmpty())
		Expect(a.differs(ctx, town)).To(BeEmpty())
	})

	It("finishes a room that the server began to make for it and did not mark", Label("promise 3"), func(ctx context.Context) {
		// So a server may leave it that loses us in the middle of createRoom.
		a := open(ctx)
		town := a.want()
		town.Address = ""
		whole := a.make(ctx, town)
		mark, create := operator().reads(ctx, whole.ID, "dev.cabildo.owner"), operator().reads(ctx, whole.ID, "m.room.create")
		operator().does(ctx, http.MethodPost, "/rooms/"+whole.ID+"/leave", map[string]any{}, nil)
		Eventually(func() *model.Observed { return a.sees(ctx, town).Space }).Should(BeNil())
		var begun struct {
			Room string `json:"room_id"`
		}
		operator().does(ctx, http.MethodPost, "/createRoom", map[string]any{
			"creation_content": map[string]any{"type": "m.space", "dev.cabildo.key": create["dev.cabildo.key"]},
		}, &begun)
		Eventually(func() *model.Observed { return a.sees(ctx, town).Space }).ShouldNot(BeNil())
		Expect(a.differs(ctx, town)).To(ContainElement("mark"))
		Expect(a.make(ctx, town).ID).To(Equal(begun.Room))
		Expect(operator().reads(ctx, begun.Room, "dev.cabildo.owner")).To(Equal(mark))
	})

	DescribeTable("makes and governs rooms of older versions",
		func(ctx context.Context, version string) {
			a := open(ctx, making(version))
			p := somebody(ctx, "p")
			town := a.want()
			town.Settings.Guidelines = "Be kind."
			town.Members = []model.Member{{Account: p.id, Role: model.RoleManager}}
			a.make(ctx, town)
			g := group(town)
			g.Members = town.Members
			room := a.make(ctx, g)
			Expect(room.Version).To(Equal(version))
			Expect(room.Control).To(BeEmpty())
			Expect(room.Settings.Join).To(Equal(model.JoinParentMembers))
			Expect(operator().reads(ctx, room.ID, "m.room.power_levels")["users"]).
				To(Equal(map[string]any{operator().id: 100.0, p.id: 75.0}))
			g.Members = []model.Member{{Account: p.id}}
			g.Settings.Permissions = map[model.Action]model.Role{model.ActionMentionAll: model.RoleModerator}
			room = a.make(ctx, g)
			Expect(room.Roles).To(BeEmpty())
			again := open(ctx)
			Expect(again.differs(ctx, g)).To(BeEmpty())
		},
		Entry(nil, "9"), Entry(nil, "10"), Entry(nil, "11"),
	)

	It("invites where the server's rooms are too old for more", func(ctx context.Context) {
		a := open(ctx, making("6"))
		Expect(a.info.Capabilities[platform.CanJoinByRequest].State).To(Equal(platform.Unsupported))
		Expect(a.info.Capabilities[platform.CanJoinFromParent].Reason).To(ContainSubstring("version 8"))
		want := a.want()
		want.Settings.Join = model.JoinRequest
		want, losses := a.Normalize(want)
		Expect(losses).To(HaveLen(1))
		Expect(a.make(ctx, want).Settings.Join).To(Equal(model.JoinInvite))
	})

	It("that somebody purged from the server is lost", func(ctx context.Context) {
		a := open(ctx, making("11"), every(100*time.Millisecond))
		town := a.want()
		space := a.make(ctx, town)
		Expect(server.PurgeRoom(ctx, space.ID)).To(Succeed())
		Eventually(func() bool {
			o, err := a.Observe(ctx, platform.Query{Ref: town.Mark.Ref, KnownID: space.ID, Address: town.Address})
			return err == nil && o.Complete && o.Lost && o.Space == nil
		}).WithTimeout(45 * time.Second).Should(BeTrue())
	})
})
