// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

var _ = Describe("a community on a real homeserver", func() {
	It("is a space with its rooms, named, linked, governed and pinned", func(ctx SpecContext) {
		w := newWorld(ctx)
		ana := person(ctx, w.name+"-ana")
		w.group.Spec.Members = []v1alpha1.MemberSource{{Person: w.name + "-ana", Role: v1alpha1.RoleModerator}}
		w.group.Spec.Moderation = &v1alpha1.Moderation{Posting: v1alpha1.AudienceModerators}
		w.ready(ctx)

		space := id.RoomID(w.community.Status.Platforms[0].SpaceID)
		var create event.CreateEventContent
		Expect(state(ctx, space, event.StateCreate, "", &create)).To(Succeed())
		Expect(create.Type).To(Equal(event.RoomTypeSpace))
		var name event.RoomNameEventContent
		Expect(state(ctx, w.room(), event.StateRoomName, "", &name)).To(Succeed())
		Expect(name.Name).To(Equal("Go"))
		var child event.SpaceChildEventContent
		Expect(state(ctx, space, event.StateSpaceChild, w.room().String(), &child)).To(Succeed())
		Expect(child.Via).To(ConsistOf(homeserver.ServerName))
		var join event.JoinRulesEventContent
		Expect(state(ctx, w.room(), event.StateJoinRules, "", &join)).To(Succeed())
		Expect(join.JoinRule).To(Equal(event.JoinRuleRestricted))
		alias, err := operator().ResolveAlias(ctx, id.NewRoomAlias(w.name+"-golang", homeserver.ServerName))
		Expect(err).NotTo(HaveOccurred())
		Expect(alias.RoomID).To(Equal(w.room()))
		Expect(w.group.Status.Platforms[0].Address).To(Equal("#" + w.name + "-golang:" + homeserver.ServerName))

		By("joining who is declared, with the role, and letting them post where others can't")
		_, err = ana.SendText(ctx, w.room(), "Hello")
		Expect(err).NotTo(HaveOccurred())
		omar := person(ctx, w.name+"-omar")
		_, err = omar.JoinRoom(ctx, space.String(), nil)
		Expect(err).NotTo(HaveOccurred())
		_, err = omar.JoinRoom(ctx, w.room().String(), nil)
		Expect(err).NotTo(HaveOccurred(), "a member of the community can come into an open group")
		_, err = omar.SendText(ctx, w.room(), "Me too")
		Expect(err).To(MatchError(mautrix.MForbidden))

		By("pinning the guidelines")
		var pins event.PinnedEventsEventContent
		Expect(state(ctx, w.room(), event.StatePinnedEvents, "", &pins)).To(Succeed())
		Expect(pins.Pinned).To(HaveLen(1))
		message, err := operator().GetEvent(ctx, w.room(), pins.Pinned[0])
		Expect(err).NotTo(HaveOccurred())
		body, err := json.Marshal(message.Content)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(body)).To(ContainSubstring("Be **kind**."))
	})

	It("is set back when somebody changes it by hand, within seconds", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		_, err := operator().SendStateEvent(ctx, w.room(), event.StateRoomName, "", &event.RoomNameEventContent{Name: "Rust"})
		Expect(err).NotTo(HaveOccurred())
		_, err = operator().SendStateEvent(ctx, w.room(), event.StateJoinRules, "", &event.JoinRulesEventContent{JoinRule: event.JoinRulePublic})
		Expect(err).NotTo(HaveOccurred())
		Eventually(func(g Gomega) {
			var name event.RoomNameEventContent
			g.Expect(state(ctx, w.room(), event.StateRoomName, "", &name)).To(Succeed())
			g.Expect(name.Name).To(Equal("Go"))
			var join event.JoinRulesEventContent
			g.Expect(state(ctx, w.room(), event.StateJoinRules, "", &join)).To(Succeed())
			g.Expect(join.JoinRule).To(Equal(event.JoinRuleRestricted))
		}).Should(Succeed())
	})

	It("takes its guidelines' change into the message that is pinned", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		var before, after event.PinnedEventsEventContent
		Expect(state(ctx, w.room(), event.StatePinnedEvents, "", &before)).To(Succeed())
		w.Change(ctx, w.community, func() { w.community.Spec.Guidelines.Text = "Be kind and clear." })
		Eventually(func(g Gomega) {
			message, err := operator().GetEvent(ctx, w.room(), before.Pinned[0])
			g.Expect(err).NotTo(HaveOccurred())
			edits, err := operator().GetRelations(ctx, w.room(), message.ID, &mautrix.ReqGetRelations{RelationType: event.RelReplace})
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(edits.Chunk).To(HaveLen(1))
		}).Should(Succeed())
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(state(ctx, w.room(), event.StatePinnedEvents, "", &after)).To(Succeed())
		Expect(after.Pinned).To(Equal(before.Pinned))
	})

	It("leaves the room and what was said when the group is deleted, and finds it again", Label("promise 5"), func(ctx SpecContext) {
		w := newWorld(ctx)
		ana := person(ctx, w.name+"-ana")
		w.group.Spec.Members = []v1alpha1.MemberSource{{Person: w.name + "-ana"}}
		w.ready(ctx)
		room := w.room()
		said, err := ana.SendText(ctx, room, "hello")
		Expect(err).NotTo(HaveOccurred())
		Expect(on.API.Delete(ctx, w.group)).To(Succeed())
		w.Gone(ctx, w.group)
		var name event.RoomNameEventContent
		Expect(state(ctx, room, event.StateRoomName, "", &name)).To(Succeed())
		_, err = ana.GetEvent(ctx, room, said.EventID)
		Expect(err).NotTo(HaveOccurred())
		_, err = ana.SendText(ctx, room, "are you still there?")
		Expect(err).NotTo(HaveOccurred())

		again := w.group.DeepCopy()
		again.ObjectMeta = metav1.ObjectMeta{Namespace: w.name, Name: "golang"}
		again.Status = v1alpha1.GroupStatus{}
		w.Create(ctx, again)
		w.Expect(ctx, again, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(again.Status.Platforms[0].SpaceID).To(Equal(room.String()))
	})

	It("takes over a room that a person made, once adoption is declared and power is given", Label("promise 2", "promise 7"), func(ctx SpecContext) {
		w := newWorld(ctx)
		ana := person(ctx, w.name+"-ana")
		made, err := ana.CreateRoom(ctx, &mautrix.ReqCreateRoom{
			RoomAliasName: w.name + "-golang", Name: "Ana's", RoomVersion: id.RoomV11, Preset: "public_chat",
		})
		Expect(err).NotTo(HaveOccurred())
		w.Create(ctx, w.secret, w.platform, w.community, w.group)
		said := w.Expect(ctx, w.group, metav1.ConditionFalse, v1alpha1.ReasonNameTaken)
		Expect(said.Message).To(ContainSubstring(made.RoomID.String()))

		w.Change(ctx, w.group, func() { w.group.Spec.Management = &v1alpha1.Management{Adoption: v1alpha1.AdoptIfUnowned} })
		w.Expect(ctx, w.group, metav1.ConditionFalse, v1alpha1.ReasonCannotControl)

		By("refusing a room whose owner is an equal")
		power := func(owner int) {
			GinkgoHelper()
			_, err := ana.SendStateEvent(ctx, made.RoomID, event.StatePowerLevels, "", &event.PowerLevelsEventContent{
				Users: map[id.UserID]int{ana.UserID: owner, id.UserID(homeserver.OperatorUserID): 100},
			})
			Expect(err).NotTo(HaveOccurred())
		}
		_, err = operator().JoinRoomByID(ctx, made.RoomID)
		Expect(err).NotTo(HaveOccurred())
		power(100)
		Eventually(func(g Gomega) {
			g.Expect(on.API.Get(ctx, client.ObjectKeyFromObject(w.group), w.group)).To(Succeed())
			w.touch(ctx)
			g.Expect(w.group.Status.Conditions).To(ContainElement(And(
				HaveField("Reason", v1alpha1.ReasonCannotControl), HaveField("Message", ContainSubstring(ana.UserID.String())))))
		}).Should(Succeed())

		power(50)
		Eventually(func(g Gomega) {
			w.touch(ctx)
			g.Expect(on.API.Get(ctx, client.ObjectKeyFromObject(w.group), w.group)).To(Succeed())
			g.Expect(w.group.Status.Platforms).To(ContainElement(HaveField("SpaceID", made.RoomID.String())))
		}).Should(Succeed())
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
		var name event.RoomNameEventContent
		Expect(state(ctx, made.RoomID, event.StateRoomName, "", &name)).To(Succeed())
		Expect(name.Name).To(Equal("Go"))
	})
})
