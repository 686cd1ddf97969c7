// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"net/http"
	"time"

	mm "github.com/mattermost/mattermost/server/public/model"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/test/cluster"
)

var _ = Describe("a community on a real Mattermost", func() {
	It("is a team with its channels, named, governed and pinned, for the people in them", func(ctx SpecContext) {
		w := newWorld(ctx)
		ana, omar := w.person(ctx, "ana"), w.person(ctx, "omar")
		w.community.Spec.Members = []v1alpha1.MemberSource{{Person: ana.Username, Role: v1alpha1.RoleManager}}
		w.group.Spec.Members = []v1alpha1.MemberSource{{Person: ana.Username, Role: v1alpha1.RoleManager}, {Person: omar.Username}}
		w.ready(ctx)
		team, _, err := ana.GetTeam(ctx, w.team(), "")
		Expect(err).NotTo(HaveOccurred())
		Expect([]any{team.Name, team.DisplayName, team.Description}).To(Equal([]any{w.name, "Engineering", "Share practice."}))
		channel, _, err := omar.GetChannel(ctx, w.channel())
		Expect(err).NotTo(HaveOccurred())
		Expect([]any{channel.Name, channel.DisplayName, channel.Header, channel.Purpose, channel.Type}).To(Equal(
			[]any{w.name + "-golang", "Go", "Everything about Go.", "Everything about Go.", mm.ChannelTypeOpen}))
		role, _, err := ana.GetChannelMember(ctx, w.channel(), ana.ID, "")
		Expect(err).NotTo(HaveOccurred())
		Expect(role.SchemeAdmin).To(BeTrue())
		pinned, _, err := omar.GetPinnedPosts(ctx, w.channel(), "")
		Expect(err).NotTo(HaveOccurred())
		Expect(pinned.Posts[pinned.Order[0]].Message).To(Equal("Be **kind**."))
		Expect(w.group.Status.Members).To(HaveValue(Equal(v1alpha1.MemberCounts{Declared: 2, Present: 2})))

		By("saying what this server can't do")
		said := w.ExpectCondition(ctx, w.group, v1alpha1.ConditionModerationEnforced, metav1.ConditionFalse, v1alpha1.ReasonSettingsUnsupported)
		Expect(said.Message).To(And(ContainSubstring("moderation.removals"), ContainSubstring("Unlicensed")))
		w.Change(ctx, w.group, func() {
			w.group.Spec.Moderation = &v1alpha1.Moderation{OnUnsupported: v1alpha1.BlockUnsupported}
		})
		w.Expect(ctx, w.group, metav1.ConditionFalse, v1alpha1.ReasonSettingsUnsupported)
	})

	It("is set back within seconds when somebody renames it, archives it or makes it private by hand", func(ctx SpecContext) {
		w := newWorld(ctx)
		ana := w.person(ctx, "ana")
		w.community.Spec.Members = []v1alpha1.MemberSource{{Person: ana.Username, Role: v1alpha1.RoleManager}}
		w.group.Spec.Members = []v1alpha1.MemberSource{{Person: ana.Username, Role: v1alpha1.RoleManager}}
		w.ready(ctx)
		name := "Rust"
		_, _, err := ana.PatchChannel(ctx, w.channel(), &mm.ChannelPatch{DisplayName: &name})
		Expect(err).NotTo(HaveOccurred())
		const soon = 5 * time.Second
		Eventually(func() string { return w.now(ctx).DisplayName }, soon).Should(Equal("Go"))
		_, err = ana.DeleteChannel(ctx, w.channel())
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() int64 { return w.now(ctx).DeleteAt }, soon).Should(BeZero())
		_, _, err = server.Admin().UpdateChannelPrivacy(ctx, w.channel(), mm.ChannelTypePrivate)
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() mm.ChannelType { return w.now(ctx).Type }, soon).Should(Equal(mm.ChannelTypeOpen))
	})

	It("is reached over TLS with the authority of the Platform's caBundle, and so are the server's events", func(ctx SpecContext) {
		company := cluster.NewAuthority()
		front := company.Front(server.URL)
		w := newWorld(ctx).at(front.URL)
		w.Create(ctx, w.secret, w.platform)
		w.Expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
		Expect(front.Requests.Load()).To(BeZero(), "no token reached a server that could not prove who it is")
		w.Change(ctx, w.platform, func() { w.platform.Spec.CABundle = company.Bundle })
		w.Create(ctx, w.community, w.group)
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
		name := "Rust"
		_, _, err := server.Admin().PatchChannel(ctx, w.channel(), &mm.ChannelPatch{DisplayName: &name})
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() string { return w.now(ctx).DisplayName }, 5*time.Second).Should(Equal("Go"))
	})

	It("is set back within the interval where the server's events don't come through", func(ctx SpecContext) {
		company := cluster.NewAuthority()
		front := company.Front(server.URL)
		front.Answer(func(w http.ResponseWriter, r *http.Request) bool {
			if isWebSocket(r) {
				w.WriteHeader(http.StatusForbidden)
			}
			return isWebSocket(r)
		})
		w := newWorld(ctx).at(front.URL)
		w.platform.Spec.CABundle = company.Bundle
		w.platform.Spec.ResyncInterval = &metav1.Duration{Duration: time.Minute}
		w.ready(ctx)
		name := "Rust"
		_, _, err := server.Admin().PatchChannel(ctx, w.channel(), &mm.ChannelPatch{DisplayName: &name})
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() string { return w.now(ctx).DisplayName }, 100*time.Second).Should(Equal("Go"))
	})

	It("leaves the channel and what was said when the group is deleted, and finds it again", Label("promise 5"), func(ctx SpecContext) {
		w := newWorld(ctx)
		ana := w.person(ctx, "ana")
		w.group.Spec.Members = []v1alpha1.MemberSource{{Person: ana.Username}}
		w.ready(ctx)
		said, _, err := ana.CreatePost(ctx, &mm.Post{ChannelId: w.channel(), Message: "Hello"})
		Expect(err).NotTo(HaveOccurred())
		channel := w.channel()
		Expect(w.API.Delete(ctx, w.group)).To(Succeed())
		w.Gone(ctx, w.group)
		_, _, err = ana.GetPost(ctx, said.Id, "")
		Expect(err).NotTo(HaveOccurred())
		Expect(w.now(ctx).DeleteAt).To(BeZero(), "it is open as before")
		again := w.group.DeepCopy()
		again.ObjectMeta = metav1.ObjectMeta{Namespace: w.name, Name: "golang"}
		again.Status = v1alpha1.GroupStatus{}
		w.Create(ctx, again)
		w.Expect(ctx, again, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(again.Status.Platforms[0].SpaceID).To(Equal(channel))
	})

	It("is archived where that is declared, and restored with all that was said when it is declared again", Label("promise 5"), func(ctx SpecContext) {
		w := newWorld(ctx)
		w.group.Spec.Management = &v1alpha1.Management{Deletion: v1alpha1.DeletionArchive}
		w.ready(ctx)
		channel := w.channel()
		Expect(w.API.Delete(ctx, w.group)).To(Succeed())
		w.Gone(ctx, w.group)
		Expect(w.now(ctx).DeleteAt).NotTo(BeZero())
		again := w.group.DeepCopy()
		again.ObjectMeta = metav1.ObjectMeta{Namespace: w.name, Name: "golang"}
		again.Status = v1alpha1.GroupStatus{}
		w.Create(ctx, again)
		w.Expect(ctx, again, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(again.Status.Platforms[0].SpaceID).To(Equal(channel))
		Expect(w.now(ctx).DeleteAt).To(BeZero())
	})

	It("takes over what a person made, archived or not, only once adoption is declared", Label("promise 2"), func(ctx SpecContext) {
		w := newWorld(ctx)
		ana := w.person(ctx, "ana")
		w.community.Spec.Members = []v1alpha1.MemberSource{{Person: ana.Username}}
		w.Create(ctx, w.secret, w.platform, w.community)
		w.Expect(ctx, w.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		made, _, err := ana.CreateChannel(ctx, &mm.Channel{TeamId: w.team(), Name: w.name + "-golang", DisplayName: "Ana's", Type: mm.ChannelTypeOpen})
		Expect(err).NotTo(HaveOccurred())
		_, err = ana.DeleteChannel(ctx, made.Id)
		Expect(err).NotTo(HaveOccurred())
		w.Create(ctx, w.group)
		said := w.Expect(ctx, w.group, metav1.ConditionFalse, v1alpha1.ReasonNameTaken)
		Expect(said.Message).To(And(ContainSubstring(made.Id), ContainSubstring("archived")))
		w.Change(ctx, w.group, func() { w.group.Spec.Management = &v1alpha1.Management{Adoption: v1alpha1.AdoptIfUnowned} })
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.channel()).To(Equal(made.Id))
		Expect(w.now(ctx).DisplayName).To(Equal("Go"))
		Expect(w.now(ctx).DeleteAt).To(BeZero())
	})
})

var _ = Describe("members on a real Mattermost", func() {
	It("who are taken out of a group stay in the community, and who came alone stays", func(ctx SpecContext) {
		w := newWorld(ctx)
		ana, omar, guest := w.person(ctx, "ana"), w.person(ctx, "omar"), w.person(ctx, "guest")
		w.group.Spec.Members = []v1alpha1.MemberSource{{Person: ana.Username}, {Person: omar.Username}}
		w.ready(ctx)
		_, _, err := guest.AddTeamMember(ctx, w.team(), guest.ID)
		Expect(err).NotTo(HaveOccurred())
		_, _, err = guest.AddChannelMember(ctx, w.channel(), guest.ID)
		Expect(err).NotTo(HaveOccurred())
		w.Change(ctx, w.group, func() { w.group.Spec.Members = w.group.Spec.Members[:1] })
		Eventually(func() bool { return isIn(ctx, w.channel(), omar) }).Should(BeFalse())
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(isIn(ctx, w.channel(), ana)).To(BeTrue())
		Expect(isIn(ctx, w.channel(), guest)).To(BeTrue())
		Expect(w.isInTeam(ctx, omar)).To(BeTrue())
	})

	It("who have left the organisation lose the community that their group brought them into, and who came there alone keeps it", Label("promise 2"), func(ctx SpecContext) {
		w := newWorld(ctx)
		ana, omar, eve := w.person(ctx, "ana"), w.person(ctx, "omar"), w.person(ctx, "eve")
		everybody := &v1alpha1.Directory{ObjectMeta: metav1.ObjectMeta{Name: w.name}, Spec: v1alpha1.DirectorySpec{
			Type:         v1alpha1.DirectoryInline,
			Inline:       &v1alpha1.DirectoryPeople{People: []v1alpha1.DirectoryPerson{{Username: ana.Username}, {Username: omar.Username}, {Username: eve.Username}}},
			LeaverBudget: &v1alpha1.LeaverBudget{Percent: ptr.To[int32](100)},
		}}
		w.platform.Spec.Accounts = &v1alpha1.Accounts{DirectoryRef: &v1alpha1.LocalReference{Name: w.name}}
		w.Create(ctx, everybody, w.secret, w.platform, w.community)
		w.Expect(ctx, w.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		_, _, err := server.Admin().AddTeamMember(ctx, w.team(), eve.ID)
		Expect(err).NotTo(HaveOccurred())
		w.group.Spec.Members = []v1alpha1.MemberSource{{Person: ana.Username}, {Person: omar.Username}, {Person: eve.Username}}
		w.Create(ctx, w.group)
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
		for _, p := range []person{ana, omar, eve} {
			Expect(isIn(ctx, w.channel(), p)).To(BeTrue())
			Expect(w.isInTeam(ctx, p)).To(BeTrue())
		}

		By("having two of them leave")
		w.Change(ctx, everybody, func() {
			everybody.Spec.Inline.People[1].State = v1alpha1.PersonDisabled
			everybody.Spec.Inline.People[2].State = v1alpha1.PersonDisabled
		})
		Eventually(func() bool { return isIn(ctx, w.channel(), omar) || isIn(ctx, w.channel(), eve) }).Should(BeFalse())
		Eventually(func() bool { return w.isInTeam(ctx, omar) }).Should(BeFalse())
		w.Expect(ctx, w.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Consistently(func() bool { return w.isInTeam(ctx, eve) && w.isInTeam(ctx, ana) }).Should(BeTrue())
		Expect(isIn(ctx, w.channel(), ana)).To(BeTrue())
	})

	It("who were renamed stay, and are taken out when they are not declared any more", func(ctx SpecContext) {
		w := newWorld(ctx)
		ana, omar := w.person(ctx, "ana"), w.person(ctx, "omar")
		w.group.Spec.Members = []v1alpha1.MemberSource{{Person: ana.Username}, {Person: omar.Username}}
		w.ready(ctx)
		name := w.name + "-sharif"
		_, _, err := server.Admin().PatchUser(ctx, omar.ID, &mm.UserPatch{Username: &name})
		Expect(err).NotTo(HaveOccurred())
		w.Change(ctx, w.group, func() { w.group.Spec.Purpose = "Look again." })
		w.ExpectCondition(ctx, w.group, v1alpha1.ConditionMembersResolved, metav1.ConditionFalse, v1alpha1.ReasonPeopleNotFound)
		Expect(isIn(ctx, w.channel(), omar)).To(BeTrue(), "nobody is removed while somebody can't be found")

		w.Change(ctx, w.group, func() { w.group.Spec.Members = w.group.Spec.Members[:1] })
		Eventually(func() bool { return isIn(ctx, w.channel(), omar) }).Should(BeFalse())
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(isIn(ctx, w.channel(), ana)).To(BeTrue())
	})

	It("who left by their own choice are not dragged back, and who was removed by hand comes back", func(ctx SpecContext) {
		w := newWorld(ctx)
		ana, omar, eve := w.person(ctx, "ana"), w.person(ctx, "omar"), w.person(ctx, "eve")
		w.group.Spec.Members = []v1alpha1.MemberSource{
			{Person: ana.Username, Role: v1alpha1.RoleManager}, {Person: omar.Username}, {Person: eve.Username},
		}
		w.ready(ctx)
		_, err := omar.RemoveUserFromChannel(ctx, w.channel(), omar.ID)
		Expect(err).NotTo(HaveOccurred())
		_, err = ana.RemoveUserFromChannel(ctx, w.channel(), eve.ID)
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() bool { return isIn(ctx, w.channel(), eve) }).Should(BeTrue())
		Consistently(func() bool { return isIn(ctx, w.channel(), omar) }).Should(BeFalse())
	})

	It("of a group are not taken out of an exclusive community", Label("promise 6"), func(ctx SpecContext) {
		w := newWorld(ctx)
		ana, omar := w.person(ctx, "ana"), w.person(ctx, "omar")
		w.community.Spec.Members = []v1alpha1.MemberSource{{Person: ana.Username}}
		w.community.Spec.Management = &v1alpha1.Management{Membership: v1alpha1.MembershipExclusive}
		w.group.Spec.Members = []v1alpha1.MemberSource{{Person: omar.Username}}
		w.group.Spec.Management = &v1alpha1.Management{Membership: v1alpha1.MembershipAdditive}
		w.ready(ctx)
		w.Change(ctx, w.community, func() { w.community.Spec.Purpose = "Share more." })
		w.Expect(ctx, w.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Consistently(func() bool { return isIn(ctx, w.channel(), omar) }).Should(BeTrue())
		w.Expect(ctx, w.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})
})
