// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

var _ = Describe("the end of a resource", Label("promise 5"), func() {
	down := func(w *world) {
		err := &platform.Error{Kind: platform.Unavailable, Doing: "reading"}
		w.server.Fail(memory.CallObserve, memory.Fault{Err: err})
		w.server.Fail(memory.CallProbe, memory.Fault{Err: err})
	}
	up := func(w *world) {
		w.server.Fail(memory.CallObserve, memory.Fault{})
		w.server.Fail(memory.CallProbe, memory.Fault{})
	}
	provisioned := func(ctx SpecContext, w *world, deletion v1alpha1.DeletionMode) *v1alpha1.Group {
		golang := w.group("golang")
		golang.Spec.Management = &v1alpha1.Management{Deletion: deletion}
		w.create(ctx, w.community(), golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		return golang
	}

	It("leaves the conversations, and finds them again when it comes back", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		golang := provisioned(ctx, w, "")
		id := w.server.Space("eng-golang").ID
		Expect(k8s.Delete(ctx, golang)).To(Succeed())
		w.gone(ctx, golang)
		Expect(w.server.Space("eng-golang").Mark.Released).To(BeTrue())
		Expect(w.server.Space("eng-golang").Archived).To(BeFalse())

		again := w.group("golang")
		w.create(ctx, again)
		w.expect(ctx, again, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(again.Status.Platforms[0].SpaceID).To(Equal(id))
		Expect(w.server.Space("eng-golang").Mark.Released).To(BeFalse())
		Expect(w.server.Spaces()).To(Equal(2))
	})

	It("with Retain is not held up by a platform that is down", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		golang := provisioned(ctx, w, v1alpha1.DeletionRetain)
		down(w)
		Expect(k8s.Delete(ctx, golang)).To(Succeed())
		w.gone(ctx, golang)
		Expect(w.server.Space("eng-golang")).NotTo(BeNil())
	})

	It("with Archive waits for a platform that is down, says so, and then is done", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		golang := provisioned(ctx, w, v1alpha1.DeletionArchive)
		down(w)
		Expect(k8s.Delete(ctx, golang)).To(Succeed())
		said := w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
		Expect(said.Message).To(And(ContainSubstring("deletion: Archive waits"), ContainSubstring(v1alpha1.ForceReleaseAnnotation)))
		up(w)
		w.gone(ctx, golang)
		Expect(w.server.Space("eng-golang").Archived).To(BeTrue())
	})

	It("with Archive lets go at once when the platform team says so", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		golang := provisioned(ctx, w, v1alpha1.DeletionArchive)
		down(w)
		Expect(k8s.Delete(ctx, golang)).To(Succeed())
		w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
		w.change(ctx, golang, func() { golang.Annotations = map[string]string{v1alpha1.ForceReleaseAnnotation: "true"} })
		w.gone(ctx, golang)
		Expect(w.server.Space("eng-golang").Archived).To(BeFalse())
	})

	It("with Archive comes back open when it is declared again", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		golang := provisioned(ctx, w, v1alpha1.DeletionArchive)
		Expect(k8s.Delete(ctx, golang)).To(Succeed())
		w.gone(ctx, golang)
		Expect(w.server.Space("eng-golang").Archived).To(BeTrue())
		again := w.group("golang")
		w.create(ctx, again)
		w.expect(ctx, again, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Space("eng-golang").Archived).To(BeFalse())
	})

	It("with Delete takes the space away", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		golang := provisioned(ctx, w, v1alpha1.DeletionDelete)
		Expect(k8s.Delete(ctx, golang)).To(Succeed())
		w.gone(ctx, golang)
		Expect(w.server.Space("eng-golang")).To(BeNil())
	})

	It("of a community leaves its groups' spaces as they are, and the groups can still be deleted", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		golang := provisioned(ctx, w, v1alpha1.DeletionArchive)
		community := w.community()
		Expect(k8s.Delete(ctx, community)).To(Succeed())
		w.gone(ctx, community)
		w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonCommunityNotFound)
		Expect(w.server.Space("eng-golang").Archived).To(BeFalse())
		Expect(k8s.Delete(ctx, golang)).To(Succeed())
		w.gone(ctx, golang)
		Expect(w.server.Space("eng-golang").Archived).To(BeTrue())
	})

	It("of a platform waits while somebody uses it, and names them", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		community := w.community()
		w.create(ctx, community)
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(k8s.Delete(ctx, w.platform)).To(Succeed())
		said := w.expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonInUse)
		Expect(said.Message).To(ContainSubstring("Community " + w.namespace + "/engineering"))
		Expect(k8s.Delete(ctx, community)).To(Succeed())
		w.gone(ctx, community)
		w.gone(ctx, w.platform)
	})

	It("of a platform goes on when the last community leaves it", func(ctx SpecContext) {
		w, other := newWorld(ctx).ready(ctx), newWorld(ctx)
		other.platform.Spec.Access[0].NamespaceSelector = w.platform.Spec.Access[0].NamespaceSelector
		other.ready(ctx)
		community := w.community()
		w.create(ctx, community)
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(k8s.Delete(ctx, w.platform)).To(Succeed())
		w.expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonInUse)
		w.change(ctx, community, func() { community.Spec.Platforms[0].PlatformRef.Name = other.name })
		w.gone(ctx, w.platform)
		w.expect(ctx, community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Space("eng").Mark.Released).To(BeTrue())
	})

	It("of a community on one platform leaves the other", func(ctx SpecContext) {
		w, other := newWorld(ctx).ready(ctx), newWorld(ctx)
		other.platform.Spec.Access[0].NamespaceSelector = w.platform.Spec.Access[0].NamespaceSelector
		other.ready(ctx)
		community, golang := w.community(), w.group("golang")
		community.Spec.Management = &v1alpha1.Management{Deletion: v1alpha1.DeletionArchive}
		community.Spec.Platforms = append(community.Spec.Platforms, v1alpha1.CommunityPlatform{
			PlatformRef: v1alpha1.LocalReference{Name: other.name}, SpaceName: "eng",
		})
		w.create(ctx, community, golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(golang.Status.Platforms).To(HaveLen(2))
		Expect(other.server.Space("eng-golang")).NotTo(BeNil())

		w.change(ctx, community, func() { community.Spec.Platforms = community.Spec.Platforms[:1] })
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(golang), golang)).To(Succeed())
			g.Expect(golang.Status.Platforms).To(HaveLen(1))
			g.Expect(other.server.Space("eng-golang").Archived).To(BeTrue())
			g.Expect(other.server.Space("eng").Archived).To(BeTrue())
		}).Should(Succeed())
		Expect(w.server.Space("eng-golang").Archived).To(BeFalse())
		Expect(w.server.Calls(memory.Call(plan.Archive))).To(BeZero())
	})
})
