// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

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

// touch has the group looked at again, as any change of it does.
func (w *world) touch(ctx context.Context) {
	w.Change(ctx, w.group, func() {
		if w.group.Annotations == nil {
			w.group.Annotations = map[string]string{}
		}
		w.group.Annotations["touched"] += "x"
	})
}

var _ = Describe("trouble on a real homeserver", func() {
	It("with a refused token is said, and passes when the token is renewed", Label("promise 11"), func(ctx SpecContext) {
		w := newWorld(ctx)
		w.secret.StringData["asToken"] = "wrong"
		w.Create(ctx, w.secret, w.platform)
		said := w.Expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonUnauthorized)
		Expect(said.Message).NotTo(ContainSubstring("wrong"))
		w.Change(ctx, w.secret, func() { w.secret.Data["asToken"] = []byte(homeserver.ASToken) })
		w.Expect(ctx, w.platform, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.platform.Status.Account).To(Equal(homeserver.OperatorUserID))
	})

	It("with a token that expires while work goes on is said by the platform", func(ctx SpecContext) {
		w := newWorld(ctx)
		bot := person(ctx, w.name+"-bot")
		w.secret.StringData = map[string]string{"url": homeserver.URL, "accessToken": bot.AccessToken}
		w.ready(ctx)
		_, err := bot.Logout(ctx)
		Expect(err).NotTo(HaveOccurred())
		w.Change(ctx, w.group, func() { w.group.Spec.DisplayName = "Golang" })
		w.Expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonUnauthorized)
	})

	It("with another server than the one that was named is said", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.platform.Spec.Matrix.ServerName = "elsewhere.example"
		w.Create(ctx, w.secret, w.platform)
		said := w.Expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonInvalidPlatform)
		Expect(said.Message).To(And(ContainSubstring("elsewhere.example"), ContainSubstring(homeserver.ServerName)))
	})

	It("with a homeserver that is down keeps everything, lets go of what is deleted, and heals", Label("promise 1", "promise 5"), Serial, func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		room := w.room()
		homeserver.Stop()
		w.Change(ctx, w.community, func() { w.community.Spec.Purpose = "Something new." })
		w.Expect(ctx, w.community, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
		w.Expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
		Expect(on.API.Delete(ctx, w.group)).To(Succeed())
		w.Gone(ctx, w.group)

		Expect(homeserver.Start(ctx)).To(Succeed())
		w.Expect(ctx, w.platform, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.Expect(ctx, w.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		var name event.RoomNameEventContent
		Expect(state(ctx, room, event.StateRoomName, "", &name)).To(Succeed(), "the deleted group's room is still there")
	})

	It("with an alias that somebody else took leaves their room alone", Label("promise 2"), func(ctx SpecContext) {
		w := newWorld(ctx)
		mallory := person(ctx, w.name+"-mallory")
		theirs, err := mallory.CreateRoom(ctx, &mautrix.ReqCreateRoom{RoomAliasName: w.name, Name: "Mine"})
		Expect(err).NotTo(HaveOccurred())
		w.Create(ctx, w.secret, w.platform, w.community)
		said := w.Expect(ctx, w.community, metav1.ConditionFalse, v1alpha1.ReasonNameTaken)
		Expect(said.Message).To(ContainSubstring(theirs.RoomID.String()))
		rooms, err := operator().JoinedRooms(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(rooms.JoinedRooms).NotTo(ContainElement(theirs.RoomID))
	})

	It("with a person who does not exist serves everybody else", Label("promise 6"), func(ctx SpecContext) {
		w := newWorld(ctx)
		person(ctx, w.name+"-ana")
		w.group.Spec.Members = []v1alpha1.MemberSource{{Person: w.name + "-ana"}, {Person: w.name + "-nobody"}}
		w.ready(ctx)
		said := w.ExpectCondition(ctx, w.group, v1alpha1.ConditionMembersResolved, metav1.ConditionFalse, v1alpha1.ReasonPeopleNotFound)
		Expect(said.Message).To(ContainSubstring(w.name + "-nobody"))
		members, err := operator().JoinedMembers(ctx, w.room())
		Expect(err).NotTo(HaveOccurred())
		Expect(members.Joined).To(And(HaveLen(2), HaveKey(id.NewUserID(w.name+"-ana", homeserver.ServerName))))
	})

	It("with two groups of one name serves the one whose mark is on the room", Label("promise 2"), func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		second := w.group.DeepCopy()
		second.ObjectMeta = metav1.ObjectMeta{Namespace: w.name, Name: "go"}
		second.Spec.SpaceName, second.Status = "golang", v1alpha1.GroupStatus{}
		w.Create(ctx, second)
		w.Expect(ctx, second, metav1.ConditionFalse, v1alpha1.ReasonClaimedByAnotherResource)
	})

	It("with a room that Cabildo was removed from does not make another", Label("promise 3"), func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		lost := w.room()
		_, err := operator().LeaveRoom(ctx, lost)
		Expect(err).NotTo(HaveOccurred())
		said := w.Expect(ctx, w.group, metav1.ConditionFalse, v1alpha1.ReasonSpaceLost)
		Expect(said.Message).To(ContainSubstring(lost.String()))
	})

	It("with power taken away by hand is refused, and nothing is fought over", Label("promise 7"), func(ctx SpecContext) {
		w := newWorld(ctx)
		ana := person(ctx, w.name+"-ana")
		made, err := ana.CreateRoom(ctx, &mautrix.ReqCreateRoom{
			RoomAliasName: w.name + "-golang", RoomVersion: id.RoomV11, Preset: "public_chat",
			PowerLevelOverride: &event.PowerLevelsEventContent{
				Users: map[id.UserID]int{ana.UserID: 100, id.UserID(homeserver.OperatorUserID): 100},
			},
		})
		Expect(err).NotTo(HaveOccurred())
		_, err = operator().JoinRoomByID(ctx, made.RoomID)
		Expect(err).NotTo(HaveOccurred())
		_, err = ana.SendStateEvent(ctx, made.RoomID, event.StatePowerLevels, "", &event.PowerLevelsEventContent{
			Users: map[id.UserID]int{ana.UserID: 50, id.UserID(homeserver.OperatorUserID): 100},
		})
		Expect(err).NotTo(HaveOccurred())
		w.group.Spec.Management = &v1alpha1.Management{Adoption: v1alpha1.AdoptIfUnowned}
		w.ready(ctx)
		Expect(w.room()).To(Equal(made.RoomID))

		// The operator lowers itself, as an administrator who edits the raw event would.
		_, err = operator().SendStateEvent(ctx, made.RoomID, event.StatePowerLevels, "", map[string]any{
			"users": map[string]int{homeserver.OperatorUserID: 50}, "state_default": 50,
			"events": map[string]int{"m.room.power_levels": 100},
		})
		Expect(err).NotTo(HaveOccurred())
		said := w.Expect(ctx, w.group, metav1.ConditionFalse, v1alpha1.ReasonCannotControl)
		Expect(said.Message).To(ContainSubstring(homeserver.OperatorUserID))
	})
})
