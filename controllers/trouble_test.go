// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"time"

	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

var _ = Describe("a platform in trouble", func() {
	It("waits for its Secret, takes it when it appears, and follows its changes", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.create(ctx, w.platform)
		said := w.expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonCredentialsNotFound)
		Expect(said.Message).To(ContainSubstring(operatorNamespace + "/" + w.name))
		w.create(ctx, w.secret)
		w.expect(ctx, w.platform, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.platform.Status.Account).To(Equal(memory.Operator))
		Expect(w.platform.Status.Capabilities).NotTo(BeEmpty())

		By("sending the token to no other server")
		w.change(ctx, w.secret, func() { w.secret.Data["url"] = []byte("https://elsewhere.example") })
		said = w.expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonCredentialNotForThisURL)
		Expect(said.Message).NotTo(ContainSubstring("secret-"))

		By("refusing two tokens at once")
		w.change(ctx, w.secret, func() {
			w.secret.Data["url"] = []byte(w.platform.Spec.Matrix.HomeserverURL)
			w.secret.Data["asToken"] = []byte("another")
		})
		w.expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonCredentialsInvalid)
		w.change(ctx, w.secret, func() { delete(w.secret.Data, "asToken") })
		w.expect(ctx, w.platform, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})

	It("says that the token is refused, and goes on when it is taken again", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.server.Fail(memory.CallProbe, memory.Fault{Err: &platform.Error{Kind: platform.Unauthorized, Doing: "asking who we are"}})
		w.create(ctx, w.secret, w.platform)
		w.expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonUnauthorized)
		w.expectCondition(ctx, w.platform, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnauthorized)
		community := w.community()
		w.create(ctx, community)
		said := w.expect(ctx, community, metav1.ConditionFalse, v1alpha1.ReasonPlatformNotReady)
		Expect(said.Message).To(ContainSubstring("Unauthorized"))

		w.server.Fail(memory.CallProbe, memory.Fault{})
		w.change(ctx, w.secret, func() { w.secret.Data["accessToken"] = []byte("renewed") })
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})

	It("that goes down changes nothing, says so, and heals by itself", Label("promise 1"), func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		community := w.community()
		w.create(ctx, community)
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		down := &platform.Error{Kind: platform.Unavailable, Doing: "reading"}
		w.server.Fail(memory.CallObserve, memory.Fault{Err: down})
		w.server.Fail(memory.CallProbe, memory.Fault{Err: down})
		writes := w.server.Writes()
		w.change(ctx, community, func() { community.Spec.Purpose = "Something new." })
		w.expect(ctx, community, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
		w.expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
		Expect(w.server.Writes()).To(Equal(writes))
		w.server.Fail(memory.CallObserve, memory.Fault{})
		w.server.Fail(memory.CallProbe, memory.Fault{})
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Space("eng").Settings.Topic).To(Equal("Something new."))
	})

	It("of which only half is known makes no space that may exist already", Label("promise 1"), func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		w.server.SetIncomplete("a page was cut")
		community := w.community()
		w.create(ctx, community)
		said := w.expect(ctx, community, metav1.ConditionFalse, v1alpha1.ReasonViewIncomplete)
		Expect(said.Message).To(ContainSubstring("a page was cut"))
		Expect(w.server.Writes()).To(BeZero())
		w.server.SetIncomplete("")
		w.change(ctx, community, func() { community.Spec.Purpose = "Again." })
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})

	It("of a type without an adapter says which there are", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.platform.Spec.Type, w.platform.Spec.Matrix = v1alpha1.PlatformMattermost, nil
		w.platform.Spec.Mattermost = &v1alpha1.MattermostPlatform{URL: "https://mattermost.example"}
		w.create(ctx, w.platform)
		said := w.expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonPlatformTypeUnsupported)
		Expect(said.Message).To(ContainSubstring("Matrix"))
	})

	It("with certificates that can't be read says so", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.platform.Spec.CABundle = "-----BEGIN CERTIFICATE-----\nnot a certificate\n-----END CERTIFICATE-----"
		w.create(ctx, w.secret, w.platform)
		w.expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonInvalidPlatform)
	})
})

var _ = Describe("a name", func() {
	It("needs a grant, and the refusal says whose rule it is", Label("promise 10"), func(ctx SpecContext) {
		w := newWorld(ctx)
		access := w.platform.Spec.Access
		w.platform.Spec.Access = nil
		w.ready(ctx)
		community := w.community()
		w.create(ctx, community)
		said := w.expect(ctx, community, metav1.ConditionFalse, v1alpha1.ReasonNamespaceNotGranted)
		Expect(said.Message).To(And(ContainSubstring(w.name), ContainSubstring("platform team")))

		w.change(ctx, w.platform, func() { w.platform.Spec.Access = access; w.platform.Spec.Access[0].Names = []string{"other"} })
		w.expect(ctx, community, metav1.ConditionFalse, v1alpha1.ReasonNameNotGranted)
		w.change(ctx, w.platform, func() { w.platform.Spec.Access[0].Names = []string{"eng"} })
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)

		By("not calling itself official without being allowed to")
		w.change(ctx, community, func() { community.Spec.Standing = v1alpha1.StandingOfficial })
		w.expect(ctx, community, metav1.ConditionFalse, v1alpha1.ReasonOfficialNotGranted)
		Expect(w.server.Space("eng").Mark.Official).To(BeFalse())
		w.change(ctx, w.platform, func() { w.platform.Spec.Access[0].Official = v1alpha1.OfficialAllowed })
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Space("eng").Mark.Official).To(BeTrue())
	})

	It("that is too long for the platform is refused, and nothing is made", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		long := w.group(strings.Repeat("a", 63))
		w.create(ctx, w.community(), long)
		w.expect(ctx, long, metav1.ConditionFalse, v1alpha1.ReasonInvalidName)
		Expect(w.server.Spaces()).To(Equal(1))
	})

	It("that somebody else has is left to them, until adoption is declared", Label("promise 2"), func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		id := w.server.Add(model.Observed{Address: "eng", Settings: model.Settings{DisplayName: "Theirs"}})
		community := w.community()
		w.create(ctx, community)
		said := w.expect(ctx, community, metav1.ConditionFalse, v1alpha1.ReasonNameTaken)
		Expect(said.Message).To(And(ContainSubstring(id), ContainSubstring("IfUnowned")))
		Expect(w.server.Space("eng").Settings.DisplayName).To(Equal("Theirs"))
		Expect(w.server.Writes()).To(BeZero())

		w.change(ctx, community, func() { community.Spec.Management = &v1alpha1.Management{Adoption: v1alpha1.AdoptIfUnowned} })
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Space("eng").ID).To(Equal(id))
		Expect(w.server.Spaces()).To(Equal(1))
	})

	It("of another installation's space is never taken", Label("promise 2"), func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		w.server.Add(model.Observed{Address: "eng", Mark: &model.Mark{OwnerID: "other"}})
		community := w.community()
		community.Spec.Management = &v1alpha1.Management{Adoption: v1alpha1.AdoptIfUnowned}
		w.create(ctx, community)
		w.expect(ctx, community, metav1.ConditionFalse, v1alpha1.ReasonOwnedByAnotherInstallation)
		Expect(w.server.Writes()).To(BeZero())
	})

	It("that two resources want belongs to the one whose mark is on the space", Label("promise 2"), func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		first, second := w.group("golang"), w.group("go")
		w.create(ctx, w.community(), first)
		w.expect(ctx, first, metav1.ConditionTrue, v1alpha1.ReasonReady)
		second.Spec.SpaceName = "golang"
		w.create(ctx, second)
		said := w.expect(ctx, second, metav1.ConditionFalse, v1alpha1.ReasonClaimedByAnotherResource)
		Expect(said.Message).To(ContainSubstring("Group " + w.namespace + "/golang"))
		w.expect(ctx, first, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})

	It("that changes moves the space along, and a taken one keeps the old", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		golang := w.group("golang")
		w.create(ctx, w.community(), golang, w.group("rust"))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		id := w.server.Space("eng-golang").ID
		w.change(ctx, golang, func() { golang.Spec.SpaceName = "go" })
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Space("eng-go").ID).To(Equal(id))

		w.change(ctx, golang, func() { golang.Spec.SpaceName, golang.Spec.DisplayName = "rust", "Go again" })
		w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonClaimedByAnotherResource)
		Eventually(func() string { return w.server.Space("eng-go").Settings.DisplayName }).Should(Equal("Go again"), "the rest goes on")
	})

	It("can't be made looser than the community", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		golang := w.group("golang")
		golang.Spec.Visibility = v1alpha1.VisibilityPublic
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonVisibilityTooLoose)
	})
})

var _ = Describe("a space", func() {
	It("that is gone is not made again behind people's backs", func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		golang := w.group("golang", "ana")
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		before := decoded(ctx, w.record(ctx, golang))
		Eventually(func() bool { return w.server.Space("eng-golang").Members["@ana:memory"] == model.Present }).Should(BeTrue())
		lost := golang.Status.Platforms[0].SpaceID
		w.server.Remove(lost)
		said := w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonSpaceLost)
		Expect(said.Message).To(And(ContainSubstring(lost), ContainSubstring(v1alpha1.RecreateAnnotation)))
		Expect(w.server.Spaces()).To(Equal(1))

		w.change(ctx, golang, func() { golang.Annotations = map[string]string{v1alpha1.RecreateAnnotation: lost} })
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(golang.Status.Platforms[0].SpaceID).NotTo(Equal(lost))
		// Who is not in the new space has not left it: nobody has been in it yet.
		Eventually(func() model.Membership { return w.server.Space("eng-golang").Members["@ana:memory"] }).Should(Equal(model.Present))
		Expect(meta.FindStatusCondition(golang.Status.Conditions, v1alpha1.ConditionGrantsRecorded)).To(BeNil())
		Eventually(func() string { return decoded(ctx, w.record(ctx, golang)).Space }).Should(Equal(golang.Status.Platforms[0].SpaceID))
		Expect(decoded(ctx, w.record(ctx, golang)).ID).NotTo(Equal(before.ID))
	})

	It("that goes on in a successor keeps its record, and with another space it is a new one", func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		golang := w.group("golang", "ana")
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Eventually(func() string { return decoded(ctx, w.record(ctx, golang)).Space }).Should(Equal(golang.Status.Platforms[0].SpaceID))
		before := decoded(ctx, w.record(ctx, golang))

		old := w.server.Space("eng-golang")
		next := *old
		next.Predecessor, next.Unmarked = old.ID, true
		w.server.Remove(old.ID)
		successor := w.server.Add(next)
		w.server.Edit("eng-golang", func(*model.Observed) {})
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(golang), golang)).To(Succeed())
			g.Expect(golang.Status.Platforms[0].SpaceID).To(Equal(successor))
			is := decoded(ctx, w.record(ctx, golang))
			g.Expect(is.ID).To(Equal(before.ID))
			g.Expect(is.Space).To(Equal(successor))
		}).Should(Succeed())
		Expect(meta.FindStatusCondition(golang.Status.Conditions, v1alpha1.ConditionGrantsRecorded)).To(BeNil())

		other := *w.server.Space("eng-golang")
		other.Predecessor = ""
		w.server.Remove(successor)
		w.server.Add(other)
		w.server.Edit("eng-golang", func(*model.Observed) {})
		w.expectCondition(ctx, golang, v1alpha1.ConditionGrantsRecorded, metav1.ConditionFalse, v1alpha1.ReasonGrantRecordLost)
	})

	It("that somebody else upgraded is reported, and nothing is done until a person decides", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		golang := w.group("golang")
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		old := golang.Status.Platforms[0].SpaceID
		writes := w.server.Writes()
		w.server.Replace(old, "upgraded", "@mallory:memory")
		said := w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonSpaceReplaced)
		Expect(said.Message).To(And(ContainSubstring(old), ContainSubstring("upgraded"), ContainSubstring("@mallory:memory"), ContainSubstring(v1alpha1.RecreateAnnotation)))
		Expect(w.server.Writes()).To(Equal(writes))

		w.change(ctx, golang, func() { golang.Annotations = map[string]string{v1alpha1.RecreateAnnotation: old} })
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(golang.Status.Platforms[0].SpaceID).NotTo(BeElementOf(old, "upgraded"))
	})

	It("has its status written again when somebody overwrote it", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		golang := w.group("golang")
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		for range 5 {
			wrong := golang.DeepCopy()
			wrong.Status.Conditions, wrong.Status.Platforms = nil, nil
			Expect(k8s.Status().Patch(ctx, wrong, client.MergeFrom(golang))).To(Succeed())
			w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
			Expect(golang.Status.Platforms).NotTo(BeEmpty())
		}
	})

	It("with an invitation that nobody answers for days is reported", func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		golang := w.group("golang", "ana")
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		since := func(ago time.Duration) {
			w.server.Edit("eng-golang", func(o *model.Observed) {
				o.Members["@ana:memory"], o.InvitedSince = model.Invited, map[string]time.Time{"@ana:memory": time.Now().Add(-ago)}
			})
		}
		since(70 * time.Hour)
		w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionTrue, v1alpha1.ReasonAllResolved)
		since(73 * time.Hour)
		said := w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionFalse, v1alpha1.ReasonInvitationsUnanswered)
		Expect(said.Message).To(ContainSubstring("@ana:memory"))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})

	It("that can't be governed is refused, and left alone", Label("promise 7"), func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		golang := w.group("golang")
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		writes := w.server.Writes()
		w.server.Edit("eng-golang", func(o *model.Observed) {
			o.Control, o.Settings.Topic = "@mallory:memory has as much power.", "Mine now."
		})
		said := w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonCannotControl)
		Expect(said.Message).To(ContainSubstring("@mallory:memory"))
		Expect(w.server.Writes()).To(Equal(writes))
	})

	It("that exists twice keeps the older one and closes the other", Label("promise 3"), func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		golang := w.group("golang")
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		older := w.server.Space("eng-golang")
		younger := *older
		younger.Address, younger.CreatedAt = "", older.CreatedAt.AddDate(0, 0, 1)
		w.server.Add(younger)
		w.server.Edit("eng-golang", func(*model.Observed) {})
		Eventually(func() int { return w.server.Calls(memory.Call(plan.Archive)) }).Should(Equal(1))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(golang.Status.Platforms[0].SpaceID).To(Equal(older.ID))
	})
})

var _ = Describe("a group", func() {
	It("that takes members from itself by way of another is told so", func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		a, b := w.group("a", "ana"), w.group("b")
		a.Spec.Members = append(a.Spec.Members, v1alpha1.MemberSource{Group: &v1alpha1.LocalReference{Name: "b"}})
		b.Spec.Members = []v1alpha1.MemberSource{{Group: &v1alpha1.LocalReference{Name: "a"}}}
		w.create(ctx, w.community(), a, b)
		w.expectCondition(ctx, a, v1alpha1.ConditionMembersResolved, metav1.ConditionFalse, v1alpha1.ReasonGroupCycle)
		w.expect(ctx, a, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Space("eng-b").Members).To(HaveKey("@ana:memory"))
	})
})
