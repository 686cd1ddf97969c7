// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

var _ = Describe("members", func() {
	members := func(ctx context.Context, a *actor, want model.Space) map[string]model.Membership {
		GinkgoHelper()
		return a.sees(ctx, want).Space.Members
	}

	It("are joined on their behalf with an application service's token, whatever the join rule", func(ctx context.Context) {
		a := open(ctx, asking())
		Expect(a.info.Capabilities[platform.CanJoinOnBehalf].State).To(Equal(platform.Supported))
		town := a.want()
		a.make(ctx, town)
		for _, join := range []model.JoinRule{model.JoinAnybody, model.JoinParentMembers, model.JoinRequest, model.JoinInvite} {
			p := somebody(ctx, "p")
			g := group(town)
			g.Settings.Join = join
			g.Members = []model.Member{{Account: p.id, Role: model.RoleModerator}}
			space := a.make(ctx, g)
			Expect(space.Members).To(Equal(map[string]model.Membership{p.id: model.Present}))
			Expect(space.Roles).To(Equal(map[string]model.Role{p.id: model.RoleModerator}))
		}
	})

	It("who were only invited are joined once an application service's token is there", func(ctx context.Context) {
		a := open(ctx)
		p := somebody(ctx, "p")
		town := a.want()
		town.Settings.Join = model.JoinInvite
		space := a.make(ctx, town)
		operator().does(ctx, http.MethodPost, inRoom(space.ID, "invite"), map[string]string{"user_id": p.id}, nil)
		town.Members = []model.Member{{Account: p.id}}
		Expect(a.make(ctx, town).Members).To(Equal(map[string]model.Membership{p.id: model.Present}))
	})

	It("are invited with an ordinary account's token, and accept themselves", func(ctx context.Context) {
		a := open(ctx, as(somebody(ctx, "bot")))
		Expect(a.info.Capabilities[platform.CanJoinOnBehalf].State).To(Equal(platform.Unsupported))
		p := somebody(ctx, "p")
		town := a.want()
		town.Members = []model.Member{{Account: p.id}}
		space := a.make(ctx, town)
		Expect(space.Members).To(Equal(map[string]model.Membership{p.id: model.Invited}))
		p.does(ctx, http.MethodPost, inRoom(space.ID, "join"), nil, nil)
		Eventually(func() map[string]model.Membership { return members(ctx, a, town) }).
			Should(Equal(map[string]model.Membership{p.id: model.Present}))
		_, err := a.Apply(ctx, op(plan.AddMember, town, space.ID, town.Members[0]))
		Expect(err).NotTo(HaveOccurred())
	})

	It("of other servers are only ever invited", func(ctx context.Context) {
		a := open(ctx)
		town := a.want()
		space := a.make(ctx, town)
		_, err := a.Apply(ctx, op(plan.AddMember, town, space.ID, model.Member{Account: "@somebody:elsewhere.example"}))
		Expect(a.wire.of("POST /rooms/{room}/join")).To(BeZero())
		// The homeserver of the specs doesn't federate, so it can't deliver the invitation.
		Expect(err).To(HaveOccurred())
	})

	It("who were invited can be let go", func(ctx context.Context) {
		a := open(ctx, as(somebody(ctx, "bot")), asking())
		p := somebody(ctx, "p")
		town := a.want()
		town.Settings.Join = model.JoinRequest
		town.Members = []model.Member{{Account: p.id}}
		space := a.make(ctx, town)
		_, err := a.Apply(ctx, op(plan.RemoveMember, town, space.ID, model.Member{Account: p.id}))
		Expect(err).NotTo(HaveOccurred())
		Expect(members(ctx, a, town)[p.id]).To(Equal(model.Removed))
	})

	It("are missing when the server doesn't know them, and asked for once", func(ctx context.Context) {
		a := open(ctx)
		p := somebody(ctx, "p")
		absent := "@nobody-has-this:" + server.ServerName
		ask := []string{p.id, absent, "no-account", "@x:elsewhere.example", "@:" + server.ServerName}
		for range 3 {
			missing, err := a.Missing(ctx, ask)
			Expect(err).NotTo(HaveOccurred())
			Expect(missing).To(Equal([]string{absent, "no-account", "@:" + server.ServerName}))
		}
		Expect(a.wire.of("GET /profile/{account}")).To(Equal(2))
	})

	It("who are in a room already need not be asked for", func(ctx context.Context) {
		a := open(ctx)
		p := somebody(ctx, "p")
		town := a.want()
		town.Members = []model.Member{{Account: p.id}}
		a.make(ctx, town)
		again := open(ctx)
		a.make(ctx, town)
		before := again.wire.requests()
		again.sees(ctx, town)
		Expect(again.Missing(ctx, []string{p.id})).To(BeEmpty())
		Expect(again.wire.requests()).To(Equal(before))
	})
})
