// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// older is the name of what was there before the policy that notes who asked.
const older = "older"

// requested are the kinds of which it is noted who asked for them.
var requested = map[string]func(name string) client.Object{
	"Community":        func(name string) client.Object { return community(name, on("none", "")) },
	"Group":            func(name string) client.Object { g := group(); g.Name = name; return g },
	"CommunityManager": func(name string) client.Object { return communityManager(name) },
}

var _ = Describe("Who asked for", func() {
	const (
		// first and second may both edit communities, their managers and groups.
		first, second = tenant, keeper
		annotation    = v1alpha1.RequestedByAnnotation
	)
	change := merge(`{"spec":{"purpose":"Another."}}`)
	// forged is a patch that claims somebody asked for it.
	forged := func(name string) client.Patch {
		return merge(fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, annotation, name))
	}
	unset := merge(fmt.Sprintf(`{"metadata":{"annotations":{%q:null}}}`, annotation))

	for kind, object := range requested {
		Describe("a "+kind, func() {
			asked := func(o client.Object) string { return o.GetAnnotations()[annotation] }
			// made is an object that the first user made, held by the manager's finalizer.
			made := func(ctx context.Context) client.Object {
				GinkgoHelper()
				o := object("asked-for")
				Expect(as(first).Create(ctx, o)).To(Succeed())
				DeferCleanup(func(ctx context.Context) {
					Expect(client.IgnoreNotFound(admin.Delete(ctx, o))).To(Succeed())
					Expect(client.IgnoreNotFound(admin.Patch(ctx, o, withoutFinalizers))).To(Succeed())
				})
				Expect(admin.Patch(ctx, o, merge(`{"metadata":{"finalizers":["`+v1alpha1.SpaceFinalizer+`"]}}`))).To(Succeed())
				return o
			}

			It("is who made it, whatever it says and however little", func(ctx context.Context) {
				for what, annotations := range map[string]map[string]string{
					"no annotations": nil, "another annotation": {"a": "b"}, "another's name": {annotation: second}, "no name": {annotation: ""},
				} {
					o := object("asked-for")
					o.SetAnnotations(annotations)
					Expect(as(first).Create(ctx, o, client.DryRunAll)).To(Succeed(), what)
					Expect(asked(o)).To(Equal(first), what)
					Expect(o.GetAnnotations()["a"]).To(Equal(annotations["a"]), "the others stay")
				}
			})

			It("does not change by hand", func(ctx context.Context) {
				o := made(ctx)
				Expect(as(first).Patch(ctx, o, forged(second))).To(Succeed(), "nothing is denied")
				Expect(asked(o)).To(Equal(first))
				Expect(as(second).Patch(ctx, o, unset)).To(Succeed())
				Expect(asked(o)).To(Equal(first), "nor is it taken away")
				Expect(as(second).Patch(ctx, o, merge(`{"metadata":{"annotations":null}}`))).To(Succeed())
				Expect(o.GetAnnotations()).To(HaveLen(1), "not with all of them either")
				Expect(asked(o)).To(Equal(first))
			})

			It("is who changed the spec last, whatever they say", func(ctx context.Context) {
				o := made(ctx)
				Expect(as(second).Patch(ctx, o, change)).To(Succeed())
				Expect(asked(o)).To(Equal(second))
				Expect(as(second).Patch(ctx, o, change)).To(Succeed())
				Expect(as(first).Patch(ctx, o, change)).To(Succeed(), "the same spec again")
				Expect(asked(o)).To(Equal(second))
				both := fmt.Sprintf(`{"spec":{"purpose":"A third."},"metadata":{"annotations":{%q:%q}}}`, annotation, second)
				Expect(as(first).Patch(ctx, o, merge(both))).To(Succeed(), "another spec in another's name")
				Expect(asked(o)).To(Equal(first))
			})

			It("stays through labels, finalizers and the status", func(ctx context.Context) {
				o := made(ctx)
				Expect(as(second).Patch(ctx, o, merge(`{"metadata":{"labels":{"a":"b"}}}`))).To(Succeed())
				Expect(asked(o)).To(Equal(first))
				status := fmt.Sprintf(`{"status":{"observedGeneration":1},"metadata":{"annotations":{%q:%q}}}`, annotation, second)
				Expect(as(manager).Status().Patch(ctx, o, merge(status))).To(Succeed())
				Expect(asked(o)).To(Equal(first))
				if _, ok := o.(*v1alpha1.CommunityManager); ok {
					return // the manager writes nothing there but the status
				}
				Expect(as(manager).Patch(ctx, o, merge(`{"metadata":{"finalizers":["`+v1alpha1.SpaceFinalizer+`","example.com/other"]}}`))).To(Succeed())
				Expect(asked(o)).To(Equal(first), "the manager asked for nothing")
				Expect(o.GetFinalizers()).To(HaveLen(2))
			})

			It("stays while it is deleted, which goes on", func(ctx context.Context) {
				o := made(ctx)
				Expect(as(second).Delete(ctx, o)).To(Succeed())
				Expect(admin.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
				Expect(asked(o)).To(Equal(first))
				Expect(as(first).Patch(ctx, o, forged(second))).To(Succeed())
				Expect(asked(o)).To(Equal(first), "its end may wait for an approval")
				Expect(admin.Patch(ctx, o, withoutFinalizers)).To(Succeed())
				Expect(admin.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Satisfy(apierrors.IsNotFound))
			})

			It("is not taken for granted where nobody noted it before", func(ctx context.Context) {
				o := object(older)
				Expect(admin.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed(), "it is from before the policy")
				Expect(as(first).Patch(ctx, o, forged(second))).To(Succeed())
				Expect(o.GetAnnotations()).NotTo(HaveKey(annotation), "a name that somebody made up")
				Expect(as(first).Patch(ctx, o, change)).To(Succeed())
				Expect(asked(o)).To(Equal(first), "from the first change on it is known")
			})

			It("stays through a tool that applies the same again", func(ctx context.Context) {
				o := made(ctx)
				content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
				Expect(err).NotTo(HaveOccurred())
				manifest := map[string]any{
					"apiVersion": v1alpha1.GroupVersion.String(), "kind": kind, "spec": content["spec"],
					"metadata": map[string]any{"name": o.GetName(), "namespace": o.GetNamespace()},
				}
				for range 2 {
					applied := client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: manifest})
					Expect(as(second).Apply(ctx, applied, client.FieldOwner("argocd"), client.ForceOwnership)).To(Succeed())
					Expect(admin.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
					Expect(asked(o)).To(Equal(first))
				}
			})
		})
	}

	It("a community as large as the API takes is noted too", func(ctx context.Context) {
		c := community("large", on("none", ""))
		for i := range 1000 {
			c.Spec.Members = append(c.Spec.Members, v1alpha1.MemberSource{
				Person: fmt.Sprintf("%0255d", i), Role: v1alpha1.RoleModerator, Expires: "2027-03-31",
			})
		}
		c.Spec.Guidelines = &v1alpha1.Guidelines{Text: strings.Repeat("a", 16384)}
		c.Spec.Branding = &v1alpha1.Branding{Icon: "data:image/png;base64," + strings.Repeat("a", 65536-22)}
		Expect(as(first).Create(ctx, c)).To(Succeed())
		DeferCleanup(admin.Delete, c)
		Expect(as(second).Patch(ctx, c, merge(`{"metadata":{"labels":{"a":"b"}}}`))).To(Succeed())
		Expect(c.Annotations).To(HaveKeyWithValue(annotation, first))
		last := client.RawPatch(types.JSONPatchType, []byte(`[{"op":"replace","path":"/spec/members/999/role","value":"Member"}]`))
		Expect(as(second).Patch(ctx, c, last)).To(Succeed())
		Expect(c.Annotations).To(HaveKeyWithValue(annotation, second))
	})
})
