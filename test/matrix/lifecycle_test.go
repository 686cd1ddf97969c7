// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/test/cluster"
)

// stateOf is every piece of state of a room, by type, key and the event that
// set it: two that are equal mean that nobody wrote anything in between.
func stateOf(ctx context.Context, room id.RoomID) map[string]id.EventID {
	GinkgoHelper()
	state, err := operator().State(ctx, room)
	Expect(err).NotTo(HaveOccurred())
	events := map[string]id.EventID{}
	for kind, byKey := range state {
		for key, e := range byKey {
			events[kind.Type+" "+key] = e.ID
		}
	}
	Expect(events).To(HaveKey(event.StateCreate.Type + " "))
	return events
}

// mark is the content of the mark in a room.
func mark(ctx context.Context, room id.RoomID) map[string]any {
	GinkgoHelper()
	content := map[string]any{}
	Expect(state(ctx, room, event.Type{Type: "dev.cabildo.owner", Class: event.StateEventType}, "", &content)).To(Succeed())
	return content
}

// inhabited makes everything Ready, with ana in the group.
func (w *world) inhabited(ctx context.Context) (*world, *mautrix.Client) {
	GinkgoHelper()
	ana := person(ctx, w.name+"-ana")
	w.group.Spec.Members = []v1alpha1.MemberSource{{Person: w.name + "-ana"}}
	return w.ready(ctx), ana
}

// deletion is a group's or community's management that says what becomes of the space.
func deletion(d v1alpha1.DeletionMode) *v1alpha1.Management { return &v1alpha1.Management{Deletion: d} }

var _ = Describe("the end of a resource on a real homeserver", Label("promise 5"), func() {
	It("with Archive waits for a server that is down, then closes the room, and opens it again for who comes back", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.group.Spec.Management = deletion(v1alpha1.DeletionArchive)
		w, ana := w.inhabited(ctx)
		room := w.room()
		hello, err := ana.SendText(ctx, room, "Hello")
		Expect(err).NotTo(HaveOccurred())
		read := func() error { _, err := ana.GetEvent(ctx, room, hello.EventID); return err }
		Eventually(read).Should(Succeed(), "the homeserver has passed it on to where it is read, which is not lost when it stops")

		homeserver.Stop()
		DeferCleanup(func(ctx SpecContext) { Expect(homeserver.Start(ctx)).To(Succeed()) })
		Expect(on.API.Delete(ctx, w.group)).To(Succeed())
		said := w.Expect(ctx, w.group, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
		Expect(said.Message).To(ContainSubstring("deletion: Archive waits"))
		Expect(w.group.Finalizers).To(ContainElement(v1alpha1.SpaceFinalizer))

		Expect(homeserver.Start(ctx)).To(Succeed())
		w.Gone(ctx, w.group)
		_, err = ana.SendText(ctx, room, "Anybody?")
		Expect(err).To(MatchError(mautrix.MForbidden))
		Expect(read()).To(Succeed(), "what was said can still be read")
		Expect(mark(ctx, room)).To(HaveKeyWithValue("released", true))

		w.comesBack(ctx)
		Expect(w.room()).To(Equal(room))
		_, err = ana.SendText(ctx, room, "Here we are")
		Expect(err).NotTo(HaveOccurred())
	})

	It("with Delete empties the room, and its name is free", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.group.Spec.Management = deletion(v1alpha1.DeletionDelete)
		w, ana := w.inhabited(ctx)
		room := w.room()
		Expect(on.API.Delete(ctx, w.group)).To(Succeed())
		w.Gone(ctx, w.group)
		for _, who := range []*mautrix.Client{ana, operator()} {
			rooms, err := who.JoinedRooms(ctx)
			Expect(err).NotTo(HaveOccurred())
			Expect(rooms.JoinedRooms).NotTo(ContainElement(room))
		}
		w.comesBack(ctx)
		Expect(w.room()).NotTo(Equal(room))
	})

	It("of a community leaves its groups' rooms as they are, and a group can still be deleted as it says", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.group.Spec.Management = deletion(v1alpha1.DeletionArchive)
		w, _ = w.inhabited(ctx)
		room := w.room()
		before := stateOf(ctx, room)
		Expect(on.API.Delete(ctx, w.community)).To(Succeed())
		w.Gone(ctx, w.community)
		w.Expect(ctx, w.group, metav1.ConditionFalse, v1alpha1.ReasonCommunityNotFound)
		Expect(stateOf(ctx, room)).To(Equal(before))
		Expect(on.API.Delete(ctx, w.group)).To(Succeed())
		w.Gone(ctx, w.group)
		var archived map[string]any
		Expect(state(ctx, room, event.Type{Type: "dev.cabildo.archived", Class: event.StateEventType}, "", &archived)).To(Succeed())
		Expect(archived).To(HaveKeyWithValue("archived", true))
	})

	It("of a platform waits while it is used, names by whom, and leaves the rooms", func(ctx SpecContext) {
		w, _ := newWorld(ctx).inhabited(ctx)
		room := w.room()
		before := stateOf(ctx, room)
		Expect(on.API.Delete(ctx, w.platform)).To(Succeed())
		said := w.Expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonInUse)
		Expect(said.Message).To(And(
			ContainSubstring("Community "+w.name+"/engineering"), ContainSubstring("Group "+w.name+"/golang")))
		Expect(stateOf(ctx, room)).To(Equal(before))
		Expect(on.API.Delete(ctx, w.group)).To(Succeed())
		Expect(on.API.Delete(ctx, w.community)).To(Succeed())
		w.Gone(ctx, w.platform)
		Expect(mark(ctx, room)).To(HaveKeyWithValue("released", true), "the session was there until the last one left")
	})

	It("of the credentials makes everything wait, and heals when they are back", Label("promise 11"), func(ctx SpecContext) {
		w, _ := newWorld(ctx).inhabited(ctx)
		room := w.room()
		before := stateOf(ctx, room)
		Expect(on.API.Delete(ctx, w.secret)).To(Succeed())
		w.Expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonCredentialsNotFound)
		w.Change(ctx, w.group, func() { w.group.Spec.DisplayName, w.group.Spec.Members = "Golang", nil })
		w.Expect(ctx, w.group, metav1.ConditionFalse, v1alpha1.ReasonPlatformNotReady)
		Consistently(func() map[string]id.EventID { return stateOf(ctx, room) }).Should(Equal(before))

		w.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: cluster.Namespace, Name: w.name},
			StringData: map[string]string{"url": homeserver.URL, "asToken": homeserver.ASToken},
		})
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.room()).To(Equal(room))
		var name event.RoomNameEventContent
		Expect(state(ctx, room, event.StateRoomName, "", &name)).To(Succeed())
		Expect(name.Name).To(Equal("Golang"))
	})

	It("of a place on a platform releases the room there, and leaves the other platform alone", func(ctx SpecContext) {
		w, other := newWorld(ctx), newWorld(ctx)
		w.community.Spec.Platforms = append(w.community.Spec.Platforms, v1alpha1.CommunityPlatform{
			PlatformRef: v1alpha1.LocalReference{Name: other.name}, SpaceName: other.name,
		})
		w.Create(ctx, other.secret, other.platform)
		w, _ = w.inhabited(ctx)
		Expect(w.group.Status.Platforms).To(HaveLen(2))
		rooms := map[string]id.RoomID{}
		for _, p := range w.group.Status.Platforms {
			rooms[p.Name] = id.RoomID(p.SpaceID)
		}
		stays, goes := rooms[w.name], rooms[other.name]
		before := stateOf(ctx, stays)
		w.Change(ctx, w.community, func() { w.community.Spec.Platforms = w.community.Spec.Platforms[:1] })
		Eventually(func() map[string]any { return mark(ctx, goes) }).Should(HaveKeyWithValue("released", true))
		Eventually(func(g Gomega) {
			w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
			g.Expect(w.group.Status.Platforms).To(ConsistOf(HaveField("SpaceID", stays.String())))
		}).Should(Succeed())
		Expect(stateOf(ctx, stays)).To(Equal(before))
	})
})

// comesBack declares the group anew, as GitOps would, and waits until it is Ready.
func (w *world) comesBack(ctx context.Context) {
	GinkgoHelper()
	again := &v1alpha1.Group{ObjectMeta: metav1.ObjectMeta{Namespace: w.name, Name: w.group.Name}, Spec: w.group.Spec}
	w.group = again
	w.Create(ctx, again)
	w.Expect(ctx, again, metav1.ConditionTrue, v1alpha1.ReasonReady)
}

var _ = Describe("a name that changes on a real homeserver", func() {
	It("moves the space and its groups along, and the old names still lead there", func(ctx SpecContext) {
		w, _ := newWorld(ctx).inhabited(ctx)
		room, space := w.room(), id.RoomID(w.community.Status.Platforms[0].SpaceID)
		w.Change(ctx, w.community, func() { w.community.Spec.Platforms[0].SpaceName = w.name + "-new" })
		w.Change(ctx, w.group, func() { w.group.Spec.SpaceName = "go" })
		leads := func(address string) id.RoomID {
			answer, err := operator().ResolveAlias(ctx, id.NewRoomAlias(address, homeserver.ServerName))
			if err != nil {
				return ""
			}
			return answer.RoomID
		}
		Eventually(func() id.RoomID { return leads(w.name + "-new-go") }).Should(Equal(room))
		Eventually(func() id.RoomID { return leads(w.name + "-new") }).Should(Equal(space))
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.Expect(ctx, w.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.room()).To(Equal(room))
		Expect(leads(w.name + "-golang")).To(Equal(room))
		Expect(leads(w.name)).To(Equal(space))
		var canonical event.CanonicalAliasEventContent
		Expect(state(ctx, room, event.StateCanonicalAlias, "", &canonical)).To(Succeed())
		Expect(canonical.Alias).To(Equal(id.NewRoomAlias(w.name+"-new-go", homeserver.ServerName)))
		Expect(canonical.AltAliases).To(ContainElement(id.NewRoomAlias(w.name+"-golang", homeserver.ServerName)))
	})
})

var _ = Describe("what is frozen on a real homeserver", Label("promise 10"), func() {
	DescribeTable("is not written to, whatever changes in the declaration or in the room, and goes on when it is let",
		func(ctx SpecContext, freeze, thaw func(context.Context, *world), reason string) {
			w, _ := newWorld(ctx).inhabited(ctx)
			room := w.room()
			freeze(ctx, w)
			if reason != v1alpha1.ReasonPlanned && reason != v1alpha1.ReasonObserved { // these are said when there is something to do
				w.Expect(ctx, w.group, metav1.ConditionFalse, reason)
			}
			w.Change(ctx, w.group, func() { w.group.Spec.DisplayName = "Golang" })
			_, err := operator().SendStateEvent(ctx, room, event.StateTopic, "", &event.TopicEventContent{Topic: "By hand"})
			Expect(err).NotTo(HaveOccurred())
			before := stateOf(ctx, room)
			w.Expect(ctx, w.group, metav1.ConditionFalse, reason)
			Consistently(func() map[string]id.EventID { return stateOf(ctx, room) }).Should(Equal(before))

			thaw(ctx, w)
			w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
			var name event.RoomNameEventContent
			Expect(state(ctx, room, event.StateRoomName, "", &name)).To(Succeed())
			Expect(name.Name).To(Equal("Golang"))
			var topic event.TopicEventContent
			Expect(state(ctx, room, event.StateTopic, "", &topic)).To(Succeed())
			Expect(topic.Topic).To(Equal("Everything about Go."))
		},
		Entry("while nothing is granted",
			func(ctx context.Context, w *world) {
				w.Change(ctx, w.platform, func() { w.platform.Spec.Access = nil })
			},
			func(ctx context.Context, w *world) {
				w.Change(ctx, w.platform, func() {
					w.platform.Spec.Access = []v1alpha1.PlatformAccess{{Names: []string{w.name, w.name + "-*"}}}
				})
			}, v1alpha1.ReasonNamespaceNotGranted),
		Entry("in mode Plan", mode(v1alpha1.ModePlan), mode(v1alpha1.ModeEnforce), v1alpha1.ReasonPlanned),
		Entry("in mode Observe", mode(v1alpha1.ModeObserve), mode(v1alpha1.ModeEnforce), v1alpha1.ReasonObserved),
		Entry("while it is suspended",
			func(ctx context.Context, w *world) { w.Change(ctx, w.group, func() { w.group.Spec.Suspend = true }) },
			func(ctx context.Context, w *world) { w.Change(ctx, w.group, func() { w.group.Spec.Suspend = false }) },
			v1alpha1.ReasonSuspended),
	)
})

func mode(m v1alpha1.ManagementMode) func(context.Context, *world) {
	return func(ctx context.Context, w *world) {
		w.Change(ctx, w.group, func() { w.group.Spec.Management = &v1alpha1.Management{Mode: m} })
	}
}
