// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

// record is the Secret with what was granted in the space of an object.
func (w *world) record(ctx context.Context, o client.Object) *corev1.Secret {
	GinkgoHelper()
	var secrets corev1.SecretList
	Expect(k8s.List(ctx, &secrets, client.InNamespace(operatorNamespace), client.MatchingLabels{"community.cabildo.dev/record": "grants"})).To(Succeed())
	kind := map[bool]string{true: "Group ", false: "Community "}[isGroup(o)]
	for i := range secrets.Items {
		if secrets.Items[i].Annotations["community.cabildo.dev/about"] == kind+o.GetNamespace()+"/"+o.GetName() {
			return &secrets.Items[i]
		}
	}
	return nil
}

func isGroup(o client.Object) bool {
	_, ok := o.(*v1alpha1.Group)
	return ok
}

// undeclare takes people out of a group's members.
func (w *world) undeclare(ctx context.Context, g *v1alpha1.Group, people ...string) {
	GinkgoHelper()
	w.change(ctx, g, func() {
		g.Spec.Members = slices.DeleteFunc(g.Spec.Members, func(m v1alpha1.MemberSource) bool { return slices.Contains(people, m.Person) })
	})
}

var _ = Describe("what was granted", Label("promise 1", "promise 2"), func() {
	members := func(w *world) map[string]model.Membership { return w.server.Space("eng-golang").Members }
	provisioned := func(ctx context.Context, w *world, people ...string) *v1alpha1.Group {
		golang := w.group("golang", people...)
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		return golang
	}

	It("is taken back when it is no longer declared, and who came alone stays", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar", "guest").ready(ctx)
		golang := provisioned(ctx, w, "ana", "omar")
		w.server.Edit("eng-golang", func(o *model.Observed) { o.Members["@guest:memory"] = model.Present })
		w.undeclare(ctx, golang, "omar")
		Eventually(func() model.Membership { return members(w)["@omar:memory"] }).Should(Equal(model.Removed))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(members(w)).To(And(HaveKeyWithValue("@ana:memory", model.Present), HaveKeyWithValue("@guest:memory", model.Present)))
	})

	It("is not what somebody had who was there before they were declared", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "guest").ready(ctx)
		golang := provisioned(ctx, w, "ana")
		w.server.Edit("eng-golang", func(o *model.Observed) { o.Members["@guest:memory"] = model.Present })
		w.change(ctx, golang, func() { golang.Spec.Members = append(golang.Spec.Members, v1alpha1.MemberSource{Person: "guest"}) })
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.undeclare(ctx, golang, "guest")
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Consistently(func() model.Membership { return members(w)["@guest:memory"] }).Should(Equal(model.Present))
	})

	It("and declined is not given again, on a platform that forgets who left, unless that is declared", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar").ready(ctx)
		golang := provisioned(ctx, w, "ana", "omar")
		w.server.Edit("eng-golang", func(o *model.Observed) { delete(o.Members, "@omar:memory") })
		Consistently(func() map[string]model.Membership { return members(w) }).ShouldNot(HaveKey("@omar:memory"))
		w.change(ctx, golang, func() { golang.Spec.Members[1].AfterLeaving = v1alpha1.ReaddAfterLeaving })
		Eventually(func() map[string]model.Membership { return members(w) }).Should(HaveKeyWithValue("@omar:memory", model.Present))
	})

	It("is known after a restart, and a restart writes nothing", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar").ready(ctx)
		golang := provisioned(ctx, w, "ana", "omar")
		record := w.record(ctx, golang)
		Expect(record).NotTo(BeNil())
		looks := w.server.Calls(memory.CallObserve)
		restart()
		Eventually(func() int { return w.server.Calls(memory.CallObserve) }).Should(BeNumerically(">=", looks+2), "both were looked at")
		Expect(w.record(ctx, golang).ResourceVersion).To(Equal(record.ResourceVersion))
		w.undeclare(ctx, golang, "omar")
		Eventually(func() model.Membership { return members(w)["@omar:memory"] }).Should(Equal(model.Removed))
	})

	It("comes back with a resource that is declared again", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar").ready(ctx)
		golang := provisioned(ctx, w, "ana", "omar")
		Expect(k8s.Delete(ctx, golang)).To(Succeed())
		w.gone(ctx, golang)
		again := w.group("golang", "ana")
		w.create(ctx, again)
		w.expect(ctx, again, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Eventually(func() model.Membership { return members(w)["@omar:memory"] }).Should(Equal(model.Removed))
		Expect(members(w)).To(HaveKeyWithValue("@ana:memory", model.Present))
	})

	It("says nothing about people", Label("promise 12"), func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar").ready(ctx)
		golang := provisioned(ctx, w, "ana", "omar")
		record := w.record(ctx, golang)
		for key, value := range record.Data {
			for _, part := range []string{"ana", "omar", "memory"} {
				Expect(key + string(value)).NotTo(ContainSubstring(part))
			}
		}
	})

	It("and lost takes nothing away, says so, and begins anew when a person says that it may", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar", "guest").ready(ctx)
		golang := w.group("golang", "ana", "omar")
		golang.Spec.Members[1].Role = v1alpha1.RoleModerator
		golang.Spec.Management = &v1alpha1.Management{Membership: v1alpha1.MembershipExclusive}
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)

		Expect(k8s.Delete(ctx, w.record(ctx, golang))).To(Succeed())
		said := w.expectCondition(ctx, golang, v1alpha1.ConditionGrantsRecorded, metav1.ConditionFalse, v1alpha1.ReasonGrantRecordLost)
		Expect(said.Message).To(And(ContainSubstring(v1alpha1.NewRecordAnnotation), ContainSubstring(golang.Status.Platforms[0].SpaceID)))
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)

		w.undeclare(ctx, golang, "omar")
		w.expectCondition(ctx, golang, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonGrantRecordLost)
		Consistently(func() model.Membership { return members(w)["@omar:memory"] }).Should(Equal(model.Present))
		Expect(w.server.Space("eng-golang").Roles).To(HaveKey("@omar:memory"))
		Expect(w.server.Calls(memory.Call(plan.RemoveMember))).To(BeZero())

		w.change(ctx, golang, func() {
			golang.Annotations = map[string]string{v1alpha1.NewRecordAnnotation: golang.Status.Platforms[0].SpaceID}
		})
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Eventually(func() model.Membership { return members(w)["@omar:memory"] }).Should(Equal(model.Removed))
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(golang), golang)).To(Succeed())
		Expect(meta.FindStatusCondition(golang.Status.Conditions, v1alpha1.ConditionGrantsRecorded)).To(BeNil())
	})

	It("is lost when another record was put in its place", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar").ready(ctx)
		golang := provisioned(ctx, w, "ana", "omar")
		record := w.record(ctx, golang)
		record.Data["head"] = []byte(`{"id":"0000","key":"another"}`)
		Expect(k8s.Update(ctx, record)).To(Succeed())
		w.undeclare(ctx, golang, "omar")
		w.expectCondition(ctx, golang, v1alpha1.ConditionGrantsRecorded, metav1.ConditionFalse, v1alpha1.ReasonGrantRecordLost)
		Expect(members(w)).To(HaveKeyWithValue("@omar:memory", model.Present))
	})

	It("is forgotten with a space that is deleted", func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		golang := w.group("golang", "ana")
		golang.Spec.Management = &v1alpha1.Management{Deletion: v1alpha1.DeletionDelete}
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.record(ctx, golang)).NotTo(BeNil())
		Expect(k8s.Delete(ctx, golang)).To(Succeed())
		w.gone(ctx, golang)
		Expect(w.record(ctx, golang)).To(BeNil())
	})
})
