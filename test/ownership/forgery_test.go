// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership_test

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// owner is the type of the mark.
var owner = event.Type{Type: "dev.cabildo.owner", Class: event.StateEventType}

// markOf is the content of the mark that a town's group would have.
func markOf(t *town) map[string]any {
	return map[string]any{
		"ownerID": t.platform.Spec.OwnerID, "kind": "Group", "namespace": t.group.Namespace, "name": t.group.Name, "listed": false,
	}
}

// keyOf is what Cabildo would write into the making of the group's room: anybody who reads the code can compute it.
func keyOf(t *town) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{t.platform.Spec.OwnerID, "Group", t.group.Namespace, t.group.Name}, "|")))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:10]))
}

var _ = Describe("a person who wants Cabildo's power", Label("promise 2", "promise 7"), func() {
	It("gains nothing by taking the name first and forging mark and key, and loses nothing", func(ctx SpecContext) {
		t := east.town(ctx, unique("town"))
		east.apply(ctx, t.secret, t.platform, t.community)
		east.says(ctx, t.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		mallory := person(ctx, t.name+"-mallory")
		theirs, err := mallory.CreateRoom(ctx, &mautrix.ReqCreateRoom{
			RoomAliasName: t.name + "-golang", Name: "Mine", Preset: "public_chat",
			CreationContent: map[string]any{"dev.cabildo.key": keyOf(t)},
			InitialState:    []*event.Event{{Type: owner, StateKey: new(string), Content: event.Content{Raw: markOf(t)}}},
		})
		Expect(err).NotTo(HaveOccurred())
		before := stateOf(ctx, mallory, theirs.RoomID)
		Expect(before).To(HaveKey(owner.Type + " "))
		written := east.writes(t.name)

		east.apply(ctx, t.group)
		said := east.says(ctx, t.group, metav1.ConditionFalse, v1alpha1.ReasonNameTaken)
		Expect(said.Message).To(ContainSubstring(theirs.RoomID.String()))
		Expect(t.group.Status.Platforms).To(BeEmpty(), "the room is not recorded as the group's")
		Expect(stateOf(ctx, mallory, theirs.RoomID)).To(Equal(before))

		By("showing Cabildo the mark from the inside")
		_, err = operator().JoinRoomByID(ctx, theirs.RoomID)
		Expect(err).NotTo(HaveOccurred())
		before = stateOf(ctx, mallory, theirs.RoomID)
		for range 3 {
			east.touch(ctx, t.group)
			east.says(ctx, t.group, metav1.ConditionFalse, v1alpha1.ReasonNameTaken)
		}
		Expect(t.group.Status.Platforms).To(BeEmpty())
		Expect(stateOf(ctx, mallory, theirs.RoomID)).To(Equal(before))
		Expect(east.writes(t.name)).To(Equal(written))

		By("giving the name up")
		_, err = mallory.DeleteAlias(ctx, id.NewRoomAlias(t.name+"-golang", homeserver.ServerName))
		Expect(err).NotTo(HaveOccurred())
		before = stateOf(ctx, mallory, theirs.RoomID)
		Eventually(func() id.RoomID { // where an address leads is asked again after a while, or when the group is looked at
			east.touch(ctx, t.group)
			Expect(east.Get(ctx, client.ObjectKeyFromObject(t.group), t.group)).To(Succeed())
			if len(t.group.Status.Platforms) == 0 {
				return ""
			}
			return id.RoomID(t.group.Status.Platforms[0].SpaceID)
		}).Should(And(Not(BeEmpty()), Not(Equal(theirs.RoomID))))
		Expect(stateOf(ctx, mallory, theirs.RoomID)).To(Equal(before))
	})

	It("can't write a mark into a space of ours, or raise themselves, with the highest role that there is", func(ctx SpecContext) {
		t := east.town(ctx, unique("town"))
		ana := person(ctx, t.name+"-ana")
		t.group.Spec.Members = []v1alpha1.MemberSource{{Person: t.name + "-ana", Role: v1alpha1.RoleManager}}
		east.ready(ctx, t)
		room := id.RoomID(t.rooms()[1])
		before := stateOf(ctx, ana, room)
		_, err := ana.SendStateEvent(ctx, room, owner, "", map[string]string{"ownerID": "mallory", "kind": "Group", "name": "golang"})
		Expect(err).To(MatchError(mautrix.MForbidden))
		var powers event.PowerLevelsEventContent
		Expect(ana.StateEvent(ctx, room, event.StatePowerLevels, "", &powers)).To(Succeed())
		powers.Users[ana.UserID] = 100
		_, err = ana.SendStateEvent(ctx, room, event.StatePowerLevels, "", &powers)
		Expect(err).To(MatchError(mautrix.MForbidden))
		Expect(stateOf(ctx, ana, room)).To(Equal(before))
	})
})

var _ = Describe("a space that can't be governed", Label("promise 2", "promise 7"), func() {
	It("of version 12, which somebody else made, is refused for good, whatever they grant", func(ctx SpecContext) {
		at := onSynapse(ctx)
		t := east.town(ctx, unique("town"))
		t.isAt(at)
		t.group.Spec.Management = &v1alpha1.Management{Adoption: v1alpha1.AdoptIfUnowned}
		east.apply(ctx, t.secret, t.platform, t.community)
		east.says(ctx, t.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		maker := personAt(ctx, at, t.name+"-maker")
		made, err := maker.CreateRoom(ctx, &mautrix.ReqCreateRoom{
			RoomAliasName: t.name + "-golang", Name: "Made by hand", Preset: "public_chat", RoomVersion: id.RoomV12,
			PowerLevelOverride: &event.PowerLevelsEventContent{Users: map[id.UserID]int{id.UserID(at.OperatorUserID): 100}},
		})
		Expect(err).NotTo(HaveOccurred())
		_, err = operatorAt(at).JoinRoomByID(ctx, made.RoomID)
		Expect(err).NotTo(HaveOccurred())
		before, written := stateOf(ctx, maker, made.RoomID), east.writes(t.name)

		east.apply(ctx, t.group)
		Eventually(func(g Gomega) { // the room has to be seen from the inside first
			east.touch(ctx, t.group)
			g.Expect(east.Get(ctx, client.ObjectKeyFromObject(t.group), t.group)).To(Succeed())
			g.Expect(t.group.Status.Conditions).To(ContainElement(And(
				HaveField("Reason", v1alpha1.ReasonCannotControl),
				HaveField("Message", And(ContainSubstring(maker.UserID.String()), ContainSubstring("version 12"))))))
		}).Should(Succeed())
		Expect(stateOf(ctx, maker, made.RoomID)).To(Equal(before))
		Expect(east.writes(t.name)).To(Equal(written))
	})

	DescribeTable("because another installation's account made it, stays that account's, also when it was released",
		func(ctx SpecContext, on anywhere, says func(made, us string) string) {
			at, name := on(ctx), unique("town")
			first, second := east.town(ctx, name), west.town(ctx, name)
			first.isAt(at)
			second.isAt(at)
			western := personAt(ctx, at, name+"-west")
			second.actsAs(western.AccessToken)
			second.adopts()
			east.ready(ctx, first)
			room := id.RoomID(first.rooms()[0])
			_, err := operatorAt(at).InviteUser(ctx, room, &mautrix.ReqInviteUser{UserID: western.UserID})
			Expect(err).NotTo(HaveOccurred())
			_, err = western.JoinRoomByID(ctx, room)
			Expect(err).NotTo(HaveOccurred())
			east.deletes(ctx, first.group, first.community)
			before := stateOf(ctx, western, room)

			west.apply(ctx, second.objects()...)
			said := west.says(ctx, second.community, metav1.ConditionFalse, v1alpha1.ReasonCannotControl)
			Expect(said.Message).To(ContainSubstring(says(at.OperatorUserID, western.UserID.String())))
			Expect(stateOf(ctx, western, room)).To(Equal(before))
			Expect(west.writes(name)).To(BeZero())
		},
		Entry("in a room of version 11", onDendrite,
			func(_, us string) string { return "the operator " + us + " has power level 0 and needs 100" }),
		Entry("in a room of version 12", onSynapse,
			func(made, _ string) string { return made + " made the room, and in rooms of version 12" }),
	)
})
