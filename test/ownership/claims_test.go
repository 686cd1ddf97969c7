// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

var _ = Describe("two installations on one homeserver", Label("promise 2"), func() {
	// peaceful sees that nobody writes anything into the first one's rooms any
	// more, however often both look, and that the second one never wrote at all.
	peaceful := func(ctx context.Context, looker *mautrix.Client, first, second *town) {
		GinkgoHelper()
		before := map[id.RoomID]map[string]id.EventID{}
		for _, room := range first.rooms() {
			before[id.RoomID(room)] = stateOf(ctx, looker, id.RoomID(room))
		}
		written := east.writes(first.name)
		for range 3 {
			east.touch(ctx, first.community)
			west.touch(ctx, second.community)
			west.touch(ctx, second.group)
			east.settled(ctx, first)
		}
		Consistently(func(g Gomega) {
			g.Expect(east.writes(first.name)).To(Equal(written), "the first one writes")
			g.Expect(west.writes(second.name)).To(BeZero(), "the second one writes")
			for room, state := range before {
				g.Expect(stateOf(ctx, looker, room)).To(Equal(state))
			}
		}).Should(Succeed())
		east.settled(ctx, first)
	}

	DescribeTable("that claim the same names: the first keeps them, and nobody fights",
		func(ctx SpecContext, on anywhere, ownAccounts, adopts bool, reason string) {
			at, name := on(ctx), unique("town")
			first, second := east.town(ctx, name), west.town(ctx, name)
			first.isAt(at)
			second.isAt(at)
			looker := operatorAt(at)
			if ownAccounts {
				looker = personAt(ctx, at, name+"-east")
				first.actsAs(looker.AccessToken)
				second.actsAs(personAt(ctx, at, name+"-west").AccessToken)
			}
			if adopts {
				second.adopts()
			}
			east.ready(ctx, first)
			west.apply(ctx, second.objects()...)
			said := west.says(ctx, second.community, metav1.ConditionFalse, reason)
			Expect(said.Message).To(ContainSubstring(first.rooms()[0]))
			peaceful(ctx, looker, first, second)
			west.says(ctx, second.community, metav1.ConditionFalse, reason)
			west.says(ctx, second.group, metav1.ConditionFalse, v1alpha1.ReasonCommunityNotReady)
		},
		Entry("with one account between them", anywhere(onDendrite), false, false, v1alpha1.ReasonOwnedByAnotherInstallation),
		Entry("with one account between them, and adoption declared", anywhere(onDendrite), false, true, v1alpha1.ReasonOwnedByAnotherInstallation),
		Entry("with accounts of their own, so that the second can't look inside", anywhere(onDendrite), true, false, v1alpha1.ReasonNameTaken),
		Entry("with accounts of their own, and adoption declared", anywhere(onDendrite), true, true, v1alpha1.ReasonCannotControl),
		Entry("with one account between them, on Synapse", anywhere(onSynapse), false, true, v1alpha1.ReasonOwnedByAnotherInstallation),
		Entry("with accounts of their own, on Synapse", anywhere(onSynapse), true, true, v1alpha1.ReasonCannotControl),
	)

	It("with accounts of their own: one that is let into the other's space sees whose it is", func(ctx SpecContext) {
		name := unique("town")
		first, second := east.town(ctx, name), west.town(ctx, name)
		eastern, western := person(ctx, name+"-east"), person(ctx, name+"-west")
		first.actsAs(eastern.AccessToken)
		second.actsAs(western.AccessToken)
		second.adopts()
		east.ready(ctx, first)
		for _, room := range first.rooms() {
			_, err := eastern.InviteUser(ctx, id.RoomID(room), &mautrix.ReqInviteUser{UserID: western.UserID})
			Expect(err).NotTo(HaveOccurred())
			_, err = western.JoinRoomByID(ctx, id.RoomID(room))
			Expect(err).NotTo(HaveOccurred())
		}
		west.apply(ctx, second.objects()...)
		said := west.says(ctx, second.community, metav1.ConditionFalse, v1alpha1.ReasonOwnedByAnotherInstallation)
		Expect(said.Message).To(ContainSubstring("east"))
		peaceful(ctx, eastern, first, second)
	})

	DescribeTable("that claim different names work side by side, and then rest", Label("promise 9"), func(ctx SpecContext, on anywhere) {
		at, first, second := on(ctx), east.town(ctx, unique("town")), west.town(ctx, unique("town"))
		first.isAt(at)
		second.isAt(at)
		east.apply(ctx, first.objects()...)
		west.apply(ctx, second.objects()...)
		east.settled(ctx, first)
		west.settled(ctx, second)
		Expect(leadsToAt(ctx, at, first.name+"-golang")).To(BeEquivalentTo(first.rooms()[1]))
		Expect(leadsToAt(ctx, at, second.name+"-golang")).To(BeEquivalentTo(second.rooms()[1]))
		Expect(first.rooms()).NotTo(ContainElements(second.rooms()))
		eastern, western := east.writes(first.name), west.writes(second.name)
		versions := east.versions(ctx, first)
		Consistently(func(g Gomega) {
			g.Expect(east.writes(first.name)).To(Equal(eastern))
			g.Expect(west.writes(second.name)).To(Equal(western))
			g.Expect(east.versions(ctx, first)).To(Equal(versions), "nothing is written to the API server either")
		}).Should(Succeed())
	},
		Entry("on Dendrite", anywhere(onDendrite)),
		Entry("on Synapse", anywhere(onSynapse)),
	)

	It("hand a space over: what one released the other may adopt, and then it is the other's", func(ctx SpecContext) {
		name := unique("town")
		first, second := east.town(ctx, name), west.town(ctx, name)
		east.ready(ctx, first)
		rooms := first.rooms()
		east.deletes(ctx, first.group, first.community)

		west.apply(ctx, second.objects()...)
		said := west.says(ctx, second.community, metav1.ConditionFalse, v1alpha1.ReasonNameTaken)
		Expect(said.Message).To(And(ContainSubstring("installation east left behind"), ContainSubstring("IfUnowned")))
		Expect(west.writes(name)).To(BeZero(), "nothing is taken that nobody asked for")

		adopt := &v1alpha1.Management{Adoption: v1alpha1.AdoptIfUnowned}
		west.change(ctx, second.community, func() { second.community.Spec.Management = adopt })
		west.change(ctx, second.group, func() { second.group.Spec.Management = adopt })
		west.settled(ctx, second)
		Expect(second.rooms()).To(Equal(rooms))
		var named event.RoomNameEventContent
		Expect(operator().StateEvent(ctx, id.RoomID(rooms[1]), event.StateRoomName, "", &named)).To(Succeed())
		Expect(named.Name).To(Equal("Go of west"))

		By("not giving it back to whoever made it")
		again, written := east.town(ctx, name), west.writes(name)
		again.adopts()
		east.apply(ctx, again.community, again.group)
		east.says(ctx, again.community, metav1.ConditionFalse, v1alpha1.ReasonOwnedByAnotherInstallation)
		before := east.writes(name)
		Consistently(func(g Gomega) {
			g.Expect(east.writes(name)).To(Equal(before))
			g.Expect(west.writes(name)).To(Equal(written))
		}).Should(Succeed())
		west.settled(ctx, second)
	})
})
