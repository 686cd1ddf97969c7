// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

// council is a world whose namespace has its grant by a label, and what lives in it.
type council struct {
	*world
	community *v1alpha1.Community
	golang    *v1alpha1.Group
}

// newCouncil makes everything Ready, with ana in the group.
func newCouncil(ctx context.Context) *council {
	GinkgoHelper()
	w := newWorld(ctx, "ana", "omar")
	c := &council{world: w, community: w.community(), golang: w.group("golang", "ana")}
	w.platform.Spec.Access[0].NamespaceSelector = metav1.LabelSelector{MatchLabels: map[string]string{"granted": w.name}}
	c.label(ctx, w.name)
	w.ready(ctx)
	w.create(ctx, c.community, c.golang)
	w.expect(ctx, c.golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
	w.expect(ctx, c.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
	return c
}

// label sets the label of the namespace by which it is granted; empty takes it away.
func (c *council) label(ctx context.Context, value string) {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.namespace}}
	c.change(ctx, namespace, func() {
		delete(namespace.Labels, "granted")
		if value != "" {
			namespace.Labels["granted"] = value
		}
	})
}

var _ = Describe("what is granted and then isn't", Label("promise 10"), func() {
	type row struct {
		freeze, thaw func(context.Context, *council)
		reason       string
		// pending says that what would be done is listed.
		pending bool
	}
	access := func(edit func(*v1alpha1.PlatformSpec)) func(context.Context, *council) {
		return func(ctx context.Context, c *council) { c.change(ctx, c.platform, func() { edit(&c.platform.Spec) }) }
	}
	mode := func(mode v1alpha1.ManagementMode) func(context.Context, *council) {
		return func(ctx context.Context, c *council) {
			c.change(ctx, c.golang, func() { c.golang.Spec.Management = &v1alpha1.Management{Mode: mode} })
		}
	}
	suspend := func(on bool) func(context.Context, *council) {
		return func(ctx context.Context, c *council) { c.change(ctx, c.golang, func() { c.golang.Spec.Suspend = on }) }
	}

	DescribeTable("freezes: a changed declaration and a hand in the space write nothing, and all goes on when it is granted again",
		func(ctx SpecContext, r row) {
			c := newCouncil(ctx)
			r.freeze(ctx, c)
			if r.reason != v1alpha1.ReasonPlanned && r.reason != v1alpha1.ReasonObserved { // these are said when there is something to do
				c.expect(ctx, c.golang, metav1.ConditionFalse, r.reason)
			}
			c.change(ctx, c.golang, func() {
				c.golang.Spec.Purpose = "Something new."
				c.golang.Spec.Members = append(c.golang.Spec.Members, v1alpha1.MemberSource{Person: "omar", Role: v1alpha1.RoleModerator})
			})
			c.expect(ctx, c.golang, metav1.ConditionFalse, r.reason)
			writes, looks := c.server.Writes(), c.server.Calls(memory.CallObserve)
			c.server.Edit("eng-golang", func(o *model.Observed) { o.Settings.DisplayName = "By hand" })
			if r.pending {
				Eventually(func(g Gomega) {
					g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(c.golang), c.golang)).To(Succeed())
					g.Expect(c.golang.Status.Pending).To(ContainElements(
						ContainSubstring("DisplayName"), ContainSubstring("Topic"), ContainSubstring("@omar:memory")))
				}).Should(Succeed())
				Expect(c.server.Calls(memory.CallObserve)).To(BeNumerically(">", looks), "it looks, and leaves it at that")
			}
			Consistently(c.server.Writes).Should(Equal(writes))
			frozen := c.server.Space("eng-golang")
			Expect(frozen.Settings.Topic).To(Equal("About golang."))
			Expect(frozen.Members).To(Equal(map[string]model.Membership{"@ana:memory": model.Present}))
			c.expect(ctx, c.golang, metav1.ConditionFalse, r.reason)

			r.thaw(ctx, c)
			c.expect(ctx, c.golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
			thawed := c.server.Space("eng-golang")
			Expect(thawed.ID).To(Equal(frozen.ID))
			Expect(thawed.Settings.Topic).To(Equal("Something new."))
			Expect(thawed.Settings.DisplayName).To(Equal("golang"))
			Expect(thawed.Members).To(HaveKeyWithValue("@omar:memory", model.Present))
			Expect(c.golang.Status.Pending).To(BeEmpty())
		},
		Entry("by a label of the namespace", row{
			freeze: func(ctx context.Context, c *council) { c.label(ctx, "") },
			thaw:   func(ctx context.Context, c *council) { c.label(ctx, c.name) },
			reason: v1alpha1.ReasonNamespaceNotGranted,
		}),
		Entry("by an entry of access", row{
			freeze: access(func(p *v1alpha1.PlatformSpec) { p.Access = nil }),
			thaw: func(ctx context.Context, c *council) {
				access(func(p *v1alpha1.PlatformSpec) {
					p.Access = []v1alpha1.PlatformAccess{{
						NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{"granted": c.name}}, Names: []string{"eng", "eng-*"},
					}}
				})(ctx, c)
			},
			reason: v1alpha1.ReasonNamespaceNotGranted,
		}),
		Entry("under another name alone", row{
			freeze: access(func(p *v1alpha1.PlatformSpec) { p.Access[0].Names = []string{"eng", "other-*"} }),
			thaw:   access(func(p *v1alpha1.PlatformSpec) { p.Access[0].Names = []string{"eng", "eng-*"} }),
			reason: v1alpha1.ReasonNameNotGranted,
		}),
		Entry("in mode Plan", row{freeze: mode(v1alpha1.ModePlan), thaw: mode(v1alpha1.ModeEnforce), reason: v1alpha1.ReasonPlanned, pending: true}),
		Entry("in mode Observe", row{freeze: mode(v1alpha1.ModeObserve), thaw: mode(v1alpha1.ModeEnforce), reason: v1alpha1.ReasonObserved}),
		Entry("while it is suspended", row{freeze: suspend(true), thaw: suspend(false), reason: v1alpha1.ReasonSuspended, pending: true}),
		Entry("while its community is suspended", row{
			freeze: func(ctx context.Context, c *council) {
				c.change(ctx, c.community, func() { c.community.Spec.Suspend = true })
			},
			thaw: func(ctx context.Context, c *council) {
				c.change(ctx, c.community, func() { c.community.Spec.Suspend = false })
			},
			reason: v1alpha1.ReasonSuspended, pending: true,
		}),
		Entry("while its platform is suspended", row{
			freeze: access(func(p *v1alpha1.PlatformSpec) { p.Suspend = true }),
			thaw:   access(func(p *v1alpha1.PlatformSpec) { p.Suspend = false }),
			reason: v1alpha1.ReasonSuspended, pending: true,
		}),
	)

	It("says what was taken away to both, the community and its groups, without being asked", func(ctx SpecContext) {
		c := newCouncil(ctx)
		c.label(ctx, "")
		said := c.expect(ctx, c.community, metav1.ConditionFalse, v1alpha1.ReasonNamespaceNotGranted)
		Expect(said.Message).To(And(ContainSubstring(c.namespace), ContainSubstring("platform team")))
		c.expect(ctx, c.golang, metav1.ConditionFalse, v1alpha1.ReasonNamespaceNotGranted)
		Expect(c.golang.Status.Platforms).To(HaveLen(1), "where the space is stays known")
	})

	DescribeTable("lets a deleted resource go, and writes nothing",
		func(ctx SpecContext, freeze func(context.Context, *council)) {
			c := newCouncil(ctx)
			freeze(ctx, c)
			writes := c.server.Writes()
			Expect(k8s.Delete(ctx, c.golang)).To(Succeed())
			c.gone(ctx, c.golang)
			Expect(c.server.Writes()).To(Equal(writes))
			Expect(c.server.Space("eng-golang").Mark.Released).To(BeFalse())
		},
		Entry("in mode Plan", mode(v1alpha1.ModePlan)),
		Entry("in mode Observe", mode(v1alpha1.ModeObserve)),
		Entry("while it is suspended", suspend(true)),
		Entry("while its platform is suspended", func(ctx context.Context, c *council) {
			access(func(p *v1alpha1.PlatformSpec) { p.Suspend = true })(ctx, c)
			c.expect(ctx, c.golang, metav1.ConditionFalse, v1alpha1.ReasonSuspended)
		}),
	)

	It("suspended and deleted with Archive waits until it is resumed", func(ctx SpecContext) {
		c := newCouncil(ctx)
		c.change(ctx, c.golang, func() {
			c.golang.Spec.Management = &v1alpha1.Management{Deletion: v1alpha1.DeletionArchive}
			c.golang.Spec.Suspend = true
		})
		Expect(k8s.Delete(ctx, c.golang)).To(Succeed())
		said := c.expect(ctx, c.golang, metav1.ConditionFalse, v1alpha1.ReasonSuspended)
		Expect(said.Message).To(ContainSubstring("Archive waits"))
		Consistently(func() bool { return c.server.Space("eng-golang").Archived }).Should(BeFalse())
		c.change(ctx, c.golang, func() { c.golang.Spec.Suspend = false })
		c.gone(ctx, c.golang)
		Expect(c.server.Space("eng-golang").Archived).To(BeTrue())
	})
})
