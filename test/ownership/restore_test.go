// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package ownership_test

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// inhabited makes a town Ready with a person in its group who said something.
func inhabited(ctx context.Context, i *installation, at *devenv.LocalHomeserver) (t *town, ana *mautrix.Client, said id.EventID) {
	GinkgoHelper()
	t = i.town(ctx, unique("town"))
	t.isAt(at)
	ana = personAt(ctx, at, t.name+"-ana")
	t.group.Spec.Members = []v1alpha1.MemberSource{{Person: t.name + "-ana", Role: v1alpha1.RoleModerator}}
	i.ready(ctx, t)
	message, err := ana.SendText(ctx, id.RoomID(t.rooms()[1]), "Hello")
	Expect(err).NotTo(HaveOccurred())
	return t, ana, message.EventID
}

// stillThere sees that a person is in the room as before, and what she said, too.
func stillThere(ctx context.Context, ana *mautrix.Client, room id.RoomID, said id.EventID) {
	GinkgoHelper()
	message, err := ana.GetEvent(ctx, room, said)
	Expect(err).NotTo(HaveOccurred())
	Expect(message.Content.Raw).To(HaveKeyWithValue("body", "Hello"))
	_, err = ana.SendText(ctx, room, "And on we go")
	Expect(err).NotTo(HaveOccurred())
}

// backup is what a backup of the resources has: all kinds of ours as YAML,
// without status and without what only that cluster knows.
func backup(ctx context.Context, i *installation) string {
	GinkgoHelper()
	var documents []string
	for _, list := range []client.ObjectList{&v1alpha1.PlatformList{}, &v1alpha1.CommunityList{}, &v1alpha1.GroupList{}} {
		Expect(i.List(ctx, list)).To(Succeed())
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(list)
		Expect(err).NotTo(HaveOccurred())
		kinds, _, err := i.Scheme().ObjectKinds(list)
		Expect(err).NotTo(HaveOccurred())
		for _, item := range content["items"].([]any) {
			o := unstructured.Unstructured{Object: item.(map[string]any)}
			o.SetAPIVersion(v1alpha1.GroupVersion.String())
			o.SetKind(strings.TrimSuffix(kinds[0].Kind, "List"))
			o.SetUID("")
			o.SetResourceVersion("")
			o.SetManagedFields(nil)
			o.SetGeneration(0)
			unstructured.RemoveNestedField(o.Object, "metadata", "creationTimestamp")
			unstructured.RemoveNestedField(o.Object, "status")
			document, err := yaml.Marshal(o.Object)
			Expect(err).NotTo(HaveOccurred())
			documents = append(documents, string(document))
		}
	}
	return strings.Join(documents, "---\n")
}

var _ = Describe("a lost cluster", Label("promise 2", "promise 3"), func() {
	DescribeTable("is restored from a backup of its resources: the same rooms, no new ones, and not one write", func(ctx SpecContext, on anywhere) {
		at, lost := on(ctx), install(ctx, "north")
		t, ana, said := inhabited(ctx, lost, at)
		looker := operatorAt(at)
		rooms, inRooms := t.rooms(), joinedRooms(ctx, looker)
		state := stateOf(ctx, looker, id.RoomID(rooms[1]))
		saved := backup(ctx, lost)
		Expect(saved).NotTo(Or(ContainSubstring("uid:"), ContainSubstring(rooms[0])), "the backup knows less than the cluster did")
		lost.stop()

		restored := install(ctx, "north")
		again := restored.town(ctx, t.name) // for the namespace; Secrets come from where secrets are kept
		again.isAt(at)
		restored.apply(ctx, again.secret)
		for document := range strings.SplitSeq(saved, "---\n") {
			var o unstructured.Unstructured
			Expect(yaml.Unmarshal([]byte(document), &o.Object)).To(Succeed())
			restored.apply(ctx, &o)
		}
		restored.settled(ctx, again)
		Expect(again.rooms()).To(Equal(rooms))
		Expect(joinedRooms(ctx, looker)).To(Equal(inRooms))
		Expect(restored.writes(t.name)).To(BeZero())
		Expect(stateOf(ctx, looker, id.RoomID(rooms[1]))).To(Equal(state))
		stillThere(ctx, ana, id.RoomID(rooms[1]), said)
	},
		Entry("on Dendrite", anywhere(onDendrite)),
		Entry("on Synapse, which answers the second cluster what the first one asked", anywhere(onSynapse)),
	)
})

var _ = Describe("a folder that GitOps deletes and applies again", Label("promise 2", "promise 5"), func() {
	DescribeTable("finds its rooms, with everybody in them",
		func(ctx SpecContext, order func(*town) []client.Object) {
			t, ana, said := inhabited(ctx, east, homeserver)
			rooms, inRooms := t.rooms(), joinedRooms(ctx, operator())
			membership := event.StateMember.Type + " " + ana.UserID.String()
			before := stateOf(ctx, operator(), id.RoomID(rooms[1]))
			Expect(before).To(HaveKey(membership))

			east.deletes(ctx, order(t)...)
			again := east.town(ctx, t.name)
			again.group.Spec.Members = t.group.Spec.Members
			for _, o := range again.objects() { // what was not deleted is there already
				Expect(client.IgnoreAlreadyExists(east.Create(ctx, o))).To(Succeed())
			}
			east.settled(ctx, again)
			Expect(again.rooms()).To(Equal(rooms))
			Expect(joinedRooms(ctx, operator())).To(Equal(inRooms))
			Expect(leadsTo(ctx, t.name+"-golang")).To(BeEquivalentTo(rooms[1]))
			after := stateOf(ctx, operator(), id.RoomID(rooms[1]))
			Expect(after).To(HaveKeyWithValue(membership, before[membership]), "nobody was removed or invited anew")
			stillThere(ctx, ana, id.RoomID(rooms[1]), said)

			By("being quiet then")
			written := east.writes(t.name)
			east.touch(ctx, again.group)
			east.says(ctx, again.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
			Consistently(func() int { return east.writes(t.name) }).Should(Equal(written))
		},
		Entry("from the last file to the first", func(t *town) []client.Object {
			return []client.Object{t.group, t.community, t.platform, t.secret}
		}),
		Entry("in the order in which it was applied, credentials first", func(t *town) []client.Object {
			return t.objects()
		}),
		Entry("when the community goes before its groups", func(t *town) []client.Object {
			return []client.Object{t.community, t.group}
		}),
	)
})
