// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

var _ = Describe("a declared community", func() {
	It("becomes a space with its groups, whatever the order of apply", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar")
		community, golang := w.community(), w.group("golang", "ana", "omar")
		golang.Spec.Members[1].Role = v1alpha1.RoleModerator
		golang.Spec.Moderation = &v1alpha1.Moderation{Posting: v1alpha1.AudienceManagers}

		w.create(ctx, golang)
		w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonCommunityNotFound)
		w.create(ctx, community)
		w.expect(ctx, community, metav1.ConditionFalse, v1alpha1.ReasonPlatformNotFound)
		w.ready(ctx)
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)

		room := w.server.Space("eng-golang")
		Expect(room.Settings.DisplayName).To(Equal("golang"))
		Expect(room.Settings.Join).To(Equal(model.JoinParentMembers))
		Expect(room.Settings.Permissions).To(HaveKeyWithValue(model.ActionPost, model.RoleManager))
		Expect(room.Members).To(And(HaveKeyWithValue("@ana:memory", model.Present), HaveKeyWithValue("@omar:memory", model.Present)))
		Expect(room.Roles).To(Equal(map[string]model.Role{"@omar:memory": model.RoleModerator}))
		Expect(golang.Status.Platforms).To(ConsistOf(v1alpha1.PlatformSpaceStatus{Name: w.name, SpaceID: room.ID, Address: "eng-golang", Record: golang.Status.Platforms[0].Record, Ledger: golang.Status.Platforms[0].Ledger}))
		Expect(golang.Status.Platforms[0].Record).NotTo(BeEmpty())
		Expect(golang.Status.Members).To(HaveValue(Equal(v1alpha1.MemberCounts{Declared: 2, Present: 2})))
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(community), community)).To(Succeed())
			g.Expect(community.Status.Groups).To(BeEquivalentTo(1))
		}).Should(Succeed())
		Expect(golang.Status.Effective.Management.Mode).To(Equal(v1alpha1.ModeEnforce))
		w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionTrue, v1alpha1.ReasonAllResolved)
		w.expectCondition(ctx, golang, v1alpha1.ConditionModerationEnforced, metav1.ConditionTrue, v1alpha1.ReasonEnforced)
	})

	It("is made on every platform before people are brought in on one", func(ctx SpecContext) {
		people := []string{"ana", "ben", "cleo", "dan", "eva"}
		w, other := newWorld(ctx, people...).ready(ctx), newWorld(ctx, people...)
		other.platform.Spec.Access = w.platform.Spec.Access
		other.ready(ctx)
		community, golang := w.community(), w.group("golang", "ana")
		community.Spec.Platforms = append(community.Spec.Platforms, v1alpha1.CommunityPlatform{PlatformRef: v1alpha1.LocalReference{Name: other.name}, SpaceName: "eng"})
		for _, person := range people {
			community.Spec.Members = append(community.Spec.Members, v1alpha1.MemberSource{Person: person})
		}
		w.server.Delay(memory.Call(plan.AddMember), time.Second)
		w.create(ctx, community, golang)
		made := func() *model.Observed { return other.server.Space("eng-golang") }
		Eventually(made, "4s").ShouldNot(BeNil())
		Expect(len(w.server.Space("eng").Members)).To(BeNumerically("<", len(people)), "the first platform is still at it")
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(other.server.Space("eng").Members).To(HaveLen(len(people)))
		Expect(w.server.Space("eng").Members).To(HaveLen(len(people)))
	})

	It("is quiet when nothing changed: a second pass writes nothing", Label("promise 9"), func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		community, golang := w.community(), w.group("golang", "ana")
		w.create(ctx, community, golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		writes, version, looks := w.server.Writes(), golang.ResourceVersion, w.server.Calls(memory.CallObserve)

		w.server.Edit("eng-golang", func(*model.Observed) {}) // a hint without a change
		Eventually(func() int { return w.server.Calls(memory.CallObserve) }).Should(BeNumerically(">", looks))
		Consistently(func(g Gomega) {
			g.Expect(w.server.Writes()).To(Equal(writes))
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(golang), golang)).To(Succeed())
			g.Expect(golang.ResourceVersion).To(Equal(version))
		}).Should(Succeed())
	})

	It("is quiet after a restart: the first pass of a new manager writes nothing", Label("promise 9"), Serial, func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		community, golang := w.community(), w.group("golang", "ana")
		w.create(ctx, community, golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Eventually(func(g Gomega) { // counts are written at most every 30 s, and a new manager would not wait
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(community), community)).To(Succeed())
			g.Expect(community.Status.Groups).To(BeEquivalentTo(1))
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(golang), golang)).To(Succeed())
			g.Expect(golang.Status.Members).To(HaveValue(HaveField("Present", BeEquivalentTo(1))))
		}, "40s").Should(Succeed())
		writes, looks := w.server.Writes(), w.server.Calls(memory.CallObserve)
		versions := func() []string {
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(w.platform), w.platform)).To(Succeed())
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(community), community)).To(Succeed())
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(golang), golang)).To(Succeed())
			return []string{w.platform.ResourceVersion, community.ResourceVersion, golang.ResourceVersion}
		}
		before := versions()

		w.server.Delay(memory.CallProbe, 300*time.Millisecond) // the new session opens after the resources were looked at
		stop, _ := startManager()
		DeferCleanup(stop)
		Eventually(func() int { return w.server.Calls(memory.CallObserve) }).Should(BeNumerically(">=", looks+2))
		Consistently(func(g Gomega) {
			g.Expect(versions()).To(Equal(before))
			g.Expect(w.server.Writes()).To(Equal(writes))
		}).Should(Succeed())
	})

	It("is set back when somebody renames its space by hand", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		golang := w.group("golang")
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.server.Edit("eng-golang", func(o *model.Observed) { o.Settings.DisplayName = "Rust" })
		Eventually(func() string { return w.server.Space("eng-golang").Settings.DisplayName }).Should(Equal("golang"))
	})

	It("keeps one space when the answer to its creation is lost", Label("promise 3"), func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		w.server.Fail(memory.Call(plan.Create), memory.Fault{
			Err: &platform.Error{Kind: platform.Ambiguous, Doing: "creating a space"}, AfterWrite: true, Once: true,
		})
		community := w.community()
		w.create(ctx, community)
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Spaces()).To(Equal(1))
		Expect(w.server.Calls(memory.Call(plan.Create))).To(Equal(1))
	})

	It("pins its guidelines from a labelled ConfigMap, and follows their changes", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		community, golang := w.community(), w.group("golang")
		community.Spec.Guidelines = &v1alpha1.Guidelines{ConfigMapKeyRef: &v1alpha1.ConfigMapKeyReference{Name: "guidelines", Key: "text"}}
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "guidelines"}, Data: map[string]string{"text": "Be kind."}}
		w.create(ctx, cm, community, golang)

		By("serving everything else while they can't be read")
		said := w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonGuidelinesNotFound)
		Expect(said.Message).To(ContainSubstring("community.cabildo.dev/read=true"))
		Expect(w.server.Space("eng-golang")).NotTo(BeNil())

		w.change(ctx, cm, func() { cm.Labels = map[string]string{v1alpha1.ReadLabel: "true"} })
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Space("eng-golang").GuidelinesDigest).To(Equal(model.Digest("Be kind.")))
		w.change(ctx, cm, func() { cm.Data["text"] = "Be kind and clear." })
		Eventually(func() string { return w.server.Space("eng-golang").GuidelinesDigest }).Should(Equal(model.Digest("Be kind and clear.")))

		By("leaving what is pinned when the ConfigMap goes")
		Expect(k8s.Delete(ctx, cm)).To(Succeed())
		w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonGuidelinesNotFound)
		Expect(w.server.Space("eng-golang").GuidelinesDigest).To(Equal(model.Digest("Be kind and clear.")))
	})

	DescribeTable("writes nothing", Label("promise 10"),
		func(ctx SpecContext, edit func(*v1alpha1.Community), reason string, pending bool) {
			w := newWorld(ctx, "ana").ready(ctx)
			community := w.community()
			edit(community)
			w.create(ctx, community)
			w.expect(ctx, community, metav1.ConditionFalse, reason)
			Expect(w.server.Writes()).To(BeZero())
			if pending {
				Expect(community.Status.Pending).To(ConsistOf(w.name + ": create"))
			}
		},
		Entry("in mode Plan, and says what it would do", func(c *v1alpha1.Community) {
			c.Spec.Management = &v1alpha1.Management{Mode: v1alpha1.ModePlan}
		}, v1alpha1.ReasonPlanned, true),
		Entry("in mode Observe", func(c *v1alpha1.Community) {
			c.Spec.Management = &v1alpha1.Management{Mode: v1alpha1.ModeObserve}
		}, v1alpha1.ReasonObserved, false),
		Entry("while suspended", func(c *v1alpha1.Community) { c.Spec.Suspend = true }, v1alpha1.ReasonSuspended, true),
	)
})

var _ = Describe("members", func() {
	It("who have no account are named, and block only themselves", Label("promise 6"), func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		golang := w.group("golang", "ana", "nobody")
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		said := w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionFalse, v1alpha1.ReasonPeopleNotFound)
		Expect(said.Message).To(ContainSubstring("@nobody:memory"))
		Expect(w.server.Space("eng-golang").Members).To(And(HaveKey("@ana:memory"), Not(HaveKey("@nobody:memory"))))
	})

	It("who can't be added do not hold up the others", Label("promise 6"), func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar").ready(ctx)
		golang := w.group("golang", "ana", "omar")
		q, _ := asked.Load(w.platform.Spec.Matrix.HomeserverURL)
		q.(*questions).refuse("@ana:memory")
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonPeopleNotAdded)
		Expect(w.inSpace("eng-golang")()).To(ConsistOf("@omar:memory"))
		q.(*questions).refuse("")
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Space("eng-golang").Members).To(HaveLen(2))
	})

	It("are left alone where something else on the platform decides who is in the space", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar", "eve").ready(ctx)
		golang := w.group("golang", "ana")
		golang.Spec.Management = &v1alpha1.Management{Membership: v1alpha1.MembershipExclusive}
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.server.Edit("eng-golang", func(o *model.Observed) {
			o.Delegated = &model.Delegation{By: "the access policy of the channel"}
			o.Members["@eve:memory"] = model.Present
		})
		w.change(ctx, golang, func() {
			golang.Spec.Members = append(golang.Spec.Members, v1alpha1.MemberSource{Person: "omar", Role: v1alpha1.RoleManager})
		})
		said := w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionFalse, v1alpha1.ReasonMembersDelegated)
		Expect(said.Message).To(And(
			ContainSubstring("the access policy of the channel decides who is in the space"),
			ContainSubstring("declared and not in it: @omar:memory (1 in all)"), ContainSubstring("not as declared: 1 member and 1 role")))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.inSpace("eng-golang")()).To(ConsistOf("@ana:memory", "@eve:memory"))
		Expect(golang.Status.Platforms[0].Ledger).To(ContainElement(v1alpha1.LedgerEntry{
			Setting: "membership", Wanted: "Exclusive", State: v1alpha1.SettingDelegated,
			Reason: "the access policy of the channel decides who is in the space",
		}))

		By("deciding again who is in it")
		w.server.Edit("eng-golang", func(o *model.Observed) { o.Delegated = nil })
		w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionTrue, v1alpha1.ReasonAllResolved)
		Eventually(w.inSpace("eng-golang")).Should(ConsistOf("@ana:memory", "@omar:memory"))
	})

	It("who are many are worth a word while they are added", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		golang := w.group("golang")
		for i := range 40 {
			name := fmt.Sprintf("p%d", i)
			w.server.AddPerson("@" + name + ":memory")
			golang.Spec.Members = append(golang.Spec.Members, v1alpha1.MemberSource{Person: name})
		}
		w.server.Delay(memory.Call(plan.AddMember), 50*time.Millisecond)
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonProgressing)
		Expect(golang.Status.Platforms).To(ConsistOf(HaveField("SpaceID", w.server.Space("eng-golang").ID)))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(golang.Status.Members).To(HaveValue(HaveField("Present", BeEquivalentTo(40))))
	})

	It("who left by their own choice are not dragged back, unless the declaration says so", func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		golang := w.group("golang", "ana")
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.server.Edit("eng-golang", func(o *model.Observed) { o.Members["@ana:memory"] = model.Left })
		Consistently(func() model.Membership { return w.server.Space("eng-golang").Members["@ana:memory"] }).Should(Equal(model.Left))
		w.change(ctx, golang, func() { golang.Spec.Members[0].AfterLeaving = v1alpha1.ReaddAfterLeaving })
		Eventually(func() model.Membership { return w.server.Space("eng-golang").Members["@ana:memory"] }).Should(Equal(model.Present))
	})

	It("who are not declared stay where the declaration is a floor", func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		golang := w.group("golang", "ana")
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.server.Edit("eng-golang", func(o *model.Observed) { o.Members["@guest:memory"] = model.Present })
		Consistently(func() model.Membership { return w.server.Space("eng-golang").Members["@guest:memory"] }).Should(Equal(model.Present))
	})

	Context("where the declaration is the exact list", func() {
		exclusive := func(ctx SpecContext, w *world) *v1alpha1.Group {
			golang := w.group("golang", "ana")
			golang.Spec.Management = &v1alpha1.Management{
				Membership:    v1alpha1.MembershipExclusive,
				RemovalBudget: &v1alpha1.RemovalBudget{Percent: ptr.To[int32](50), Count: ptr.To[int32](2)},
			}
			w.create(ctx, w.community(), golang)
			w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
			return golang
		}
		joined := func(w *world) int {
			n := 0
			for _, m := range w.server.Space("eng-golang").Members {
				if m == model.Present {
					n++
				}
			}
			return n
		}

		It("are removed within the budget, and wait beyond it", Label("promise 4"), func(ctx SpecContext) {
			w := newWorld(ctx, "ana").ready(ctx)
			golang := exclusive(ctx, w)
			w.server.Edit("eng-golang", func(o *model.Observed) {
				for _, undeclared := range []string{"@a:memory", "@b:memory", "@c:memory", "@d:memory"} {
					o.Members[undeclared] = model.Present
				}
			})
			said := w.expectCondition(ctx, golang, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonRemovalBudgetExceeded)
			Expect(said.Message).To(ContainSubstring("2 members"))
			Expect(golang.Status.Proposal.Operations).To(Equal([]string{w.name + ": remove @c:memory", w.name + ": remove @d:memory"}))

			By("not removing more in a second pass of the same window")
			w.server.Edit("eng-golang", func(*model.Observed) {})
			Consistently(func() int { return joined(w) }).Should(Equal(3))
		})

		It("stay while a source of members can't be read", Label("promise 1"), func(ctx SpecContext) {
			w := newWorld(ctx, "ana").ready(ctx)
			golang := exclusive(ctx, w)
			w.change(ctx, golang, func() {
				golang.Spec.Members = append(golang.Spec.Members, v1alpha1.MemberSource{Group: &v1alpha1.LocalReference{Name: "none"}})
			})
			w.expectCondition(ctx, golang, v1alpha1.ConditionMembersResolved, metav1.ConditionFalse, v1alpha1.ReasonGroupNotFound)
			w.server.Edit("eng-golang", func(o *model.Observed) { o.Members["@guest:memory"] = model.Present })
			w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonViewIncomplete)
			Expect(joined(w)).To(Equal(2))
		})
	})

	It("come from another group, and follow it", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar").ready(ctx)
		golang, reviewers := w.group("golang", "ana"), w.group("reviewers")
		reviewers.Spec.Members = []v1alpha1.MemberSource{{Group: &v1alpha1.LocalReference{Name: "golang"}}}
		w.create(ctx, w.community(), golang, reviewers)
		w.expect(ctx, reviewers, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Eventually(func() map[string]model.Membership { return w.server.Space("eng-reviewers").Members }).Should(HaveKey("@ana:memory"))
		w.change(ctx, golang, func() { golang.Spec.Members = append(golang.Spec.Members, v1alpha1.MemberSource{Person: "omar"}) })
		Eventually(func() map[string]model.Membership { return w.server.Space("eng-reviewers").Members }).Should(HaveKey("@omar:memory"))
	})
})
