// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"context"
	"net/http"
	"sync"
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
		Expect(made.Version).To(Equal("12"))
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

	DescribeTable("sets every setting, and sees it set",
		func(ctx context.Context, change func(*model.Settings)) {
			a := open(ctx)
			town := a.want()
			a.make(ctx, town)
			g := group(town)
			a.make(ctx, g)
			change(&g.Settings)
			Expect(a.differs(ctx, g)).To(HaveLen(1))
			a.make(ctx, g)
		},
		Entry("name", func(s *model.Settings) { s.DisplayName = "Another <name> & more" }),
		Entry("no topic", func(s *model.Settings) { s.Topic = "" }),
		Entry("picture", func(s *model.Settings) { s.Avatar = "mxc://cabildo.test/x" }),
		Entry("public", func(s *model.Settings) { s.Join = model.JoinAnybody }),
		Entry("by request", func(s *model.Settings) { s.Join = model.JoinRequest }),
		Entry("by invitation", func(s *model.Settings) { s.Join = model.JoinInvite }),
		Entry("listed", func(s *model.Settings) { s.Listed = true }),
		Entry("history", func(s *model.Settings) { s.History = model.HistorySinceJoining }),
		Entry("guests", func(s *model.Settings) { s.Guests = model.GuestsAllowed }),
		Entry("servers", func(s *model.Settings) { s.Servers.Blocked = []string{"*.example.net"} }),
		Entry("announcements", func(s *model.Settings) {
			s.Permissions = map[model.Action]model.Role{model.ActionPost: model.RoleManager, model.ActionInvite: model.RoleModerator}
		}),
		Entry("guidelines", func(s *model.Settings) { s.Guidelines = "1. Listen\n2. Speak" }),
	)

	It("finds its spaces again after a restart, without asking for each", func(ctx context.Context) {
		a := open(ctx)
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

		again := open(ctx)
		for _, want := range all {
			Expect(again.differs(ctx, want)).To(BeEmpty())
		}
		Expect(again.wire.requests()).To(BeNumerically("<=", 5))
	})

	It("finds the room whose making it was not told of, and makes no second one", Label("promise 3"), func(ctx context.Context) {
		a := open(ctx)
		town, _ := a.Normalize(a.want())
		a.wire.loseNext("POST /createRoom")
		_, err := a.Apply(ctx, op(plan.Create, town, ""))
		Expect(kindOf(err)).To(Equal(platform.Ambiguous))
		id, err := a.Apply(ctx, op(plan.Create, town, ""))
		Expect(err).NotTo(HaveOccurred())
		Expect(a.wire.of("POST /createRoom")).To(Equal(1))
		Expect(a.sees(ctx, town).Space.ID).To(Equal(id))
	})

	It("that was made just before a crash is found by the next start", Label("promise 3"), func(ctx context.Context) {
		a := open(ctx)
		town, _ := a.Normalize(a.want())
		a.wire.loseNext("POST /createRoom")
		_, err := a.Apply(ctx, op(plan.Create, town, ""))
		Expect(kindOf(err)).To(Equal(platform.Ambiguous))
		a.Close()
		again := open(ctx)
		Expect(again.sees(ctx, town).Space).NotTo(BeNil())
		again.make(ctx, town)
		Expect(again.wire.of("POST /createRoom")).To(BeZero())
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

	It("lets one of two resources that want the same name at once have it", func(ctx context.Context) {
		a := open(ctx)
		one, other := a.want(), a.want()
		other.Address = one.Address
		one, _ = a.Normalize(one)
		other, _ = a.Normalize(other)
		_, err := a.Apply(ctx, op(plan.Create, one, ""))
		Expect(err).NotTo(HaveOccurred())
		_, err = a.Apply(ctx, op(plan.Create, other, ""))
		Expect(kindOf(err)).To(Equal(platform.AlreadyExists))

		a.make(ctx, one)
		holder := a.sees(ctx, other).Holder
		Expect(holder).NotTo(BeNil())
		Expect(holder.Mark.Ref).To(Equal(one.Mark.Ref))
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

	It("sets what it can, and says what the server lets nobody change", Label("promise 8"), func(ctx context.Context) {
		a := open(ctx)
		town := a.want()
		space := a.make(ctx, town)
		town.Settings.Permissions = map[model.Action]model.Role{
			model.ActionPost: model.RoleManager, model.ActionMentionAll: model.RoleModerator,
		}
		normal, _ := a.Normalize(town)
		_, err := a.Apply(ctx, set(plan.FieldPermissions, normal, space.ID))
		seen := a.sees(ctx, town).Space.Settings.Permissions
		Expect(seen[model.ActionPost]).To(Equal(model.RoleManager))
		if err == nil { // a server without the fault
			Expect(seen[model.ActionMentionAll]).To(Equal(model.RoleModerator))
			return
		}
		Expect(kindOf(err)).To(Equal(platform.NotSupported))
		Expect(err).To(MatchError(ContainSubstring("mention everybody")))
		Expect(seen[model.ActionMentionAll]).To(Equal(model.RoleMember))
	})

	It("makes many at once", func(ctx context.Context) {
		a := open(ctx)
		town := a.want()
		a.make(ctx, town)
		var all sync.WaitGroup
		for range 12 {
			g := group(town)
			all.Go(func() {
				defer GinkgoRecover()
				a.make(ctx, g)
			})
		}
		all.Wait()
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
