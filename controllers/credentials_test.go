// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

var _ = Describe("credentials", Label("promise 11"), func() {
	// probes is how often somebody came to the server with a token.
	probes := func(w *world) func() int { return func() int { return w.server.Calls(memory.CallProbe) } }

	It("are taken from the operator's namespace alone, never from a Secret of the same name elsewhere", func(ctx SpecContext) {
		w := newWorld(ctx)
		elsewhere := w.secret.DeepCopy()
		elsewhere.Namespace = w.namespace
		w.create(ctx, elsewhere, w.platform)
		said := w.expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonCredentialsNotFound)
		Expect(said.Message).To(ContainSubstring(operatorNamespace + "/" + w.name))
		w.change(ctx, elsewhere, func() { elsewhere.Labels = map[string]string{"read": "me"} })
		Consistently(probes(w)).Should(BeZero())
		w.create(ctx, w.secret)
		w.expect(ctx, w.platform, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})

	It("are not sent to another server, also when the Platform is pointed there later", func(ctx SpecContext) {
		w, theirs := newWorld(ctx).ready(ctx), newWorld(ctx)
		community := w.community()
		w.create(ctx, community)
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		before := w.server.Writes()
		right := w.platform.Spec.Matrix.HomeserverURL
		w.change(ctx, w.platform, func() { w.platform.Spec.Matrix.HomeserverURL = theirs.platform.Spec.Matrix.HomeserverURL })
		said := w.expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonCredentialNotForThisURL)
		Expect(said.Message).NotTo(ContainSubstring("secret-"))
		w.change(ctx, community, func() { community.Spec.Purpose = "Something new." })
		w.expect(ctx, community, metav1.ConditionFalse, v1alpha1.ReasonPlatformNotReady)
		Consistently(probes(theirs)).Should(BeZero())
		Expect(w.server.Writes()).To(Equal(before), "the session of before is closed")

		w.change(ctx, w.platform, func() { w.platform.Spec.Matrix.HomeserverURL = right })
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Space("eng").Settings.Topic).To(Equal("Something new."))
	})

	It("that are gone make everything wait, change nothing, and heal it when they are back", Label("promise 5"), func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "omar").ready(ctx)
		community, golang, rust := w.community(), w.group("golang", "ana"), w.group("rust")
		rust.Spec.Management = &v1alpha1.Management{Deletion: v1alpha1.DeletionArchive}
		w.create(ctx, community, golang, rust)
		for _, g := range []*v1alpha1.Group{golang, rust} {
			w.expect(ctx, g, metav1.ConditionTrue, v1alpha1.ReasonReady)
		}
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		writes, spaces := w.server.Writes(), w.server.Spaces()

		Expect(k8s.Delete(ctx, w.secret)).To(Succeed())
		w.expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonCredentialsNotFound)
		w.expectCondition(ctx, w.platform, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonCredentialsNotFound)
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady) // nothing is wrong with it

		By("waiting with what is declared or deleted meanwhile")
		w.change(ctx, golang, func() { golang.Spec.Members = append(golang.Spec.Members, v1alpha1.MemberSource{Person: "omar"}) })
		said := w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonPlatformNotReady)
		Expect(said.Message).To(ContainSubstring(v1alpha1.ReasonCredentialsNotFound))
		Expect(golang.Status.Platforms).To(HaveLen(1), "where the space is stays known")
		Expect(k8s.Delete(ctx, rust)).To(Succeed())
		said = w.expect(ctx, rust, metav1.ConditionFalse, v1alpha1.ReasonPlatformNotReady)
		Expect(said.Message).To(ContainSubstring("deletion: Archive waits"))
		Consistently(w.server.Writes).Should(Equal(writes))

		By("being back")
		again := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: w.name}, Data: w.secret.Data}
		again.StringData = map[string]string{"url": w.platform.Spec.Matrix.HomeserverURL, "accessToken": "renewed"}
		w.create(ctx, again)
		w.expect(ctx, w.platform, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Space("eng-golang").Members).To(HaveKey("@omar:memory"))
		w.gone(ctx, rust)
		Expect(w.server.Space("eng-rust").Archived).To(BeTrue())
		Expect(w.server.Spaces()).To(Equal(spaces))
	})
})
