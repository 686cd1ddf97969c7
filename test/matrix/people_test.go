// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

var _ = Describe("what people do in a room", Label("promise 12"), func() {
	It("is counted, and nobody is named in a status, an event or a line of the log", func(ctx SpecContext) {
		w := newWorld(ctx)
		// Names that are in no specification, and in no name of anything else.
		ana, omar := person(ctx, w.name+"-quetzal"), person(ctx, w.name+"-jacaranda")
		w.group.Spec.Members = []v1alpha1.MemberSource{{Person: w.name + "-quetzal"}}
		w.community.Spec.Visibility, w.group.Spec.Visibility = v1alpha1.VisibilityPublic, v1alpha1.VisibilityPublic
		w.ready(ctx)

		for _, room := range []id.RoomID{id.RoomID(w.community.Status.Platforms[0].SpaceID), w.room()} {
			_, err := omar.JoinRoomByID(ctx, room)
			Expect(err).NotTo(HaveOccurred())
		}
		hello, err := omar.SendText(ctx, w.room(), "Hello")
		Expect(err).NotTo(HaveOccurred())
		_, err = ana.SendReaction(ctx, w.room(), hello.EventID, "👍")
		Expect(err).NotTo(HaveOccurred())
		_, err = ana.LeaveRoom(ctx, w.room())
		Expect(err).NotTo(HaveOccurred())
		// A change that is seen to be set back, so everything before it was seen, too.
		_, err = operator().SendStateEvent(ctx, w.room(), event.StateRoomName, "", &event.RoomNameEventContent{Name: "Rust"})
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() string {
			var name event.RoomNameEventContent
			Expect(state(ctx, w.room(), event.StateRoomName, "", &name)).To(Succeed())
			return name.Name
		}).Should(Equal("Go"))
		w.touch(ctx)
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.group.Status.Members).NotTo(BeNil())
		Expect(w.group.Status.Members.Declared).To(BeEquivalentTo(1))

		// The declaration names people, because somebody wrote it so.
		w.Change(ctx, w.group, func() { w.group.Spec.Members = nil })
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
		for place, text := range everythingSaid(ctx) {
			for _, name := range []string{"quetzal", "jacaranda"} {
				Expect(text).NotTo(ContainSubstring(name), "%s names somebody", place)
			}
		}
	})
})
