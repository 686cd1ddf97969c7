// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

var _ = Describe("The annotation force-release", func() {
	beRefused := And(
		Satisfy(apierrors.IsForbidden),
		MatchError(ContainSubstring("Only the platform team sets the annotation community.cabildo.dev/force-release")),
		MatchError(ContainSubstring("the verb force-release on platforms.community.cabildo.dev")),
	)
	both := map[string]func(edits ...edit) client.Object{
		"Group":     func(edits ...edit) client.Object { return group(edits...) },
		"Community": func(edits ...edit) client.Object { return community("engineering", append(edits, on("none", ""))...) },
	}

	for kind, object := range both {
		Describe("on a "+kind, func() {
			// made is the object as it is in the cluster, held by the manager's finalizer.
			made := func(ctx context.Context, edits ...edit) client.Object {
				GinkgoHelper()
				o := object(edits...)
				o.SetFinalizers([]string{v1alpha1.SpaceFinalizer})
				Expect(admin.Create(ctx, o)).To(Succeed())
				DeferCleanup(func(ctx context.Context) {
					Expect(client.IgnoreNotFound(admin.Delete(ctx, o))).To(Succeed())
					Expect(client.IgnoreNotFound(admin.Patch(ctx, o, withoutFinalizers))).To(Succeed())
				})
				return o
			}
			set := func(o client.Object, value string) client.Object { annotated(value)(o); return o }

			It("is set by the platform team, also on what is being deleted", func(ctx context.Context) {
				Expect(as(keeper).Create(ctx, object(annotated("true")), client.DryRunAll)).To(Succeed())
				o := made(ctx)
				Expect(as(tenant).Delete(ctx, o)).To(Succeed())
				Expect(admin.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
				Expect(as(keeper).Update(ctx, set(o, "true"))).To(Succeed())
			})

			It("is not set by a tenant, whatever its value", func(ctx context.Context) {
				for _, value := range []string{"true", "false", ""} {
					Expect(as(tenant).Create(ctx, object(annotated(value)), client.DryRunAll)).To(beRefused)
				}
			})

			It("is not set by a tenant on what is there, nor on what is being deleted", func(ctx context.Context) {
				o := made(ctx)
				Expect(as(tenant).Update(ctx, set(o, "true"))).To(beRefused)
				Expect(as(tenant).Delete(ctx, o)).To(Succeed())
				Expect(as(tenant).Patch(ctx, o, merge(`{"metadata":{"annotations":{"community.cabildo.dev/force-release":"true"}}}`))).To(beRefused)
			})

			It("is not changed by a tenant, but kept or taken away", func(ctx context.Context) {
				o := made(ctx, annotated("false"))
				Expect(as(tenant).Update(ctx, set(o, "true"))).To(beRefused)
				set(o, "false").SetLabels(map[string]string{"a": "b"})
				Expect(as(tenant).Update(ctx, o)).To(Succeed(), "it was there before")
				o.SetAnnotations(nil)
				Expect(as(tenant).Update(ctx, o)).To(Succeed(), "taking it away is safe")
			})

			It("does not keep a tenant from other annotations, nor from deleting", func(ctx context.Context) {
				o := made(ctx)
				o.SetAnnotations(map[string]string{v1alpha1.RecreateAnnotation: "!lost:example.com"})
				Expect(as(tenant).Update(ctx, o)).To(Succeed())
				Expect(as(tenant).Delete(ctx, o)).To(Succeed())
			})

			It("does not keep the manager from finalizers and status", func(ctx context.Context) {
				o := made(ctx, annotated("true"))
				Expect(as(manager).Status().Patch(ctx, o, merge(`{"status":{"observedGeneration":1}}`))).To(Succeed())
				Expect(as(tenant).Delete(ctx, o)).To(Succeed())
				Expect(as(manager).Patch(ctx, o, withoutFinalizers)).To(Succeed())
				Expect(admin.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Satisfy(apierrors.IsNotFound))
			})
		})
	}
})
