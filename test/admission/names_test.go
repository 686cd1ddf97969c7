// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
)

var (
	everybody = metav1.LabelSelector{}
	teamEng   = metav1.LabelSelector{MatchLabels: map[string]string{"team": "eng"}}
)

// where is a selector of expressions, each as key, operator and values.
func where(expressions ...[]string) metav1.LabelSelector {
	var s metav1.LabelSelector
	for _, e := range expressions {
		s.MatchExpressions = append(s.MatchExpressions, metav1.LabelSelectorRequirement{
			Key: e[0], Operator: metav1.LabelSelectorOperator(e[1]), Values: e[2:],
		})
	}
	return s
}

// have makes Platforms for a spec, and waits until the policy sees them.
func have(ctx context.Context, platforms ...*v1alpha1.Platform) {
	GinkgoHelper()
	for _, p := range platforms {
		Expect(admin.Create(ctx, p)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(admin.Delete(ctx, p))).To(Succeed()) })
	}
	caughtUp(ctx)
}

// refuse matches the policy's refusal, with all of these texts.
func refuse(texts ...string) OmegaMatcher {
	all := []OmegaMatcher{
		Satisfy(apierrors.IsForbidden), MatchError(ContainSubstring("'names.community.cabildo.dev'")),
	}
	for _, text := range texts {
		all = append(all, MatchError(ContainSubstring(text)))
	}
	return And(all...)
}

var _ = Describe("A name that a community takes", func() {
	It("is judged by admission as by the manager", func(ctx context.Context) {
		grants := [][]v1alpha1.PlatformAccess{
			nil,
			{access(everybody, "*")},
			{access(teamEng, "eng", "eng-*")},
			{access(everybody, "town"), access(teamEng, "eng")},
			{access(metav1.LabelSelector{MatchLabels: map[string]string{"team": "eng", "stage": "closed"}}, "*")},
			{access(teamEng, "e?g", "t??n", "a.b*", "*-x")},
			{access(teamEng, "*g", "?", "**", "e*g-*")},
			{access(teamEng, "??", "*-*-*")},
			{access(where([]string{"team", "In", "eng", "ops"}), "*")},
			{access(where([]string{"team", "In", "ops"}), "*")},
			{access(where([]string{"team", "NotIn", "eng"}), "*")},
			{access(where([]string{"team", "NotIn", "ops"}), "*")},
			{access(where([]string{"team", "Exists"}), "*")},
			{access(where([]string{"team", "DoesNotExist"}), "*")},
			{access(where([]string{"team", "Exists"}, []string{"stage", "NotIn", "closed"}), "eng")},
			{access(where([]string{"kubernetes.io/metadata.name", "In", other}), "eng")},
			{access(metav1.LabelSelector{MatchLabels: teamEng.MatchLabels,
				MatchExpressions: where([]string{"stage", "DoesNotExist"}).MatchExpressions}, "eng")},
			{official(access(teamEng, "eng"), v1alpha1.OfficialAllowed)},
			{official(access(teamEng, "eng"), v1alpha1.OfficialForbidden)},
			{official(access(teamEng, "town"), v1alpha1.OfficialAllowed), access(teamEng, "eng")},
			{access(teamEng, "eng"), official(access(everybody, "e*"), v1alpha1.OfficialAllowed)},
		}
		names := []string{"eng", "town", "eng-go", "eng-go-web", "ab", "a-b", "e", "my-eng-x", "axb"}

		var platforms []*v1alpha1.Platform
		for i, grant := range grants {
			platforms = append(platforms, platform(fmt.Sprint("grant-", i), grant...))
		}
		have(ctx, platforms...)

		taken, refused := 0, map[string]int{}
		for _, p := range platforms {
			for _, ns := range []string{namespace, other} {
				var home corev1.Namespace
				Expect(admin.Get(ctx, client.ObjectKey{Name: ns}, &home)).To(Succeed())
				for _, name := range names {
					for _, s := range []v1alpha1.Standing{"", v1alpha1.StandingUnofficial, v1alpha1.StandingOfficial} {
						refusal, err := desired.Granted(p, ns, home.Labels, name, s)
						Expect(err).NotTo(HaveOccurred())
						answer := as(tenant).Create(ctx, community("c", in(ns), on(p.Name, name), standing(s)), client.DryRunAll)
						what := fmt.Sprintf("name %s, standing %q, namespace %s, access %+v", name, s, ns, p.Spec.Access)
						if refusal == nil {
							taken++
							Expect(answer).NotTo(HaveOccurred(), what)
							continue
						}
						refused[refusal.Reason]++
						says := refusal.Message
						if refusal.Reason == v1alpha1.ReasonOfficialNotGranted {
							says = fmt.Sprintf("Platform %s does not let namespace %s call the name %q official. Set standing: Unofficial, "+
								"or ask the platform team for official: Allowed in its spec.access.", p.Name, ns, name)
						}
						Expect(answer).To(refuse(says), what)
					}
				}
			}
		}
		Expect(taken).To(BeNumerically(">", 50), "many are taken")
		for _, reason := range []string{
			v1alpha1.ReasonNamespaceNotGranted, v1alpha1.ReasonNameNotGranted, v1alpha1.ReasonOfficialNotGranted,
		} {
			Expect(refused[reason]).To(BeNumerically(">", 5), "several are refused with %s", reason)
		}
	})

	It("is metadata.name where there is no spaceName, also one that the API server makes", func(ctx context.Context) {
		have(ctx, platform("chat", access(teamEng, "eng", "made-*")))
		Expect(as(tenant).Create(ctx, community("eng", on("chat", "")), client.DryRunAll)).To(Succeed())
		Expect(as(tenant).Create(ctx, community("hr", on("chat", "")), client.DryRunAll)).To(refuse(`"hr" is none of them`))
		made := community("", on("chat", ""))
		made.GenerateName = "made-"
		Expect(as(tenant).Create(ctx, made, client.DryRunAll)).To(Succeed())
	})

	It("is judged on each Platform by itself", func(ctx context.Context) {
		have(ctx, platform("chat", access(teamEng, "eng")), platform("talk", access(teamEng, "talk-*")))
		Expect(as(tenant).Create(ctx, community("c", on("chat", "eng"), on("talk", "talk-eng")), client.DryRunAll)).To(Succeed())
		Expect(as(tenant).Create(ctx, community("c", on("chat", "eng"), on("talk", "eng")), client.DryRunAll)).
			To(refuse("Platform talk lets namespace engineering take the names talk-*"))
	})

	It("is let pass on a Platform that does not exist, which may be the next that is applied", func(ctx context.Context) {
		last := platform("chat", access(teamEng, "eng"))
		have(ctx, last)
		Expect(as(tenant).Create(ctx, community("c", on("none", "hr")), client.DryRunAll)).To(Succeed(), "another Platform is there")
		hr := community("c", on("chat", "hr"))
		Expect(as(tenant).Create(ctx, hr, client.DryRunAll)).To(refuse(`"hr" is none of them`))

		Expect(admin.Delete(ctx, last)).To(Succeed())
		var left v1alpha1.PlatformList
		Expect(admin.List(ctx, &left)).To(Succeed())
		Expect(left.Items).To(BeEmpty(), "this is about a cluster without a Platform")
		Eventually(func() error {
			return as(tenant).Create(ctx, hr.DeepCopy(), client.DryRunAll)
		}, settles).Should(Succeed(), "the API server sees that the last Platform is gone")
	})

	Describe("on a Platform with as many entries and names as the API takes, all for one namespace,", func() {
		// full is such a Platform, with globs that have to be tried to their end.
		full := func(name string, length int) *v1alpha1.Platform {
			var entries []v1alpha1.PlatformAccess
			for i := range 64 {
				var names []string
				for j := range 64 {
					end := fmt.Sprintf("-%02d-%02d-*", i, j)
					names = append(names, strings.Repeat("e", length-len(end))+end)
				}
				entries = append(entries, access(where([]string{"team", "In", "eng"}, []string{"stage", "Exists"}), names...))
			}
			return platform(name, entries...)
		}

		It("is judged where the names are ordinary ones", func(ctx context.Context) {
			have(ctx, full("large", 32))
			Expect(as(tenant).Create(ctx, community("c", on("large", strings.Repeat("e", 64))), client.DryRunAll)).
				To(refuse("Platform large", "…, and", "Choose another spaceName"))
			Expect(as(tenant).Create(ctx, community("c", on("large", strings.Repeat("e", 24)+"-63-63-x")), client.DryRunAll)).To(Succeed())
		})

		It("is let pass where the API server gives up, and left to the manager", func(ctx context.Context) {
			have(ctx, full("too-large", 128))
			Expect(as(tenant).Create(ctx, community("c", on("too-large", strings.Repeat("e", 64))), client.DryRunAll)).To(Succeed())
		})
	})

	Describe("that is not granted any more", func() {
		var chat *v1alpha1.Platform
		var c *v1alpha1.Community

		BeforeEach(func(ctx context.Context) {
			chat = platform("chat", official(access(teamEng, "eng"), v1alpha1.OfficialAllowed))
			have(ctx, chat)
			c = community("engineering", on("chat", "eng"), standing(v1alpha1.StandingOfficial))
			c.Finalizers = []string{v1alpha1.SpaceFinalizer}
			Expect(as(tenant).Create(ctx, c)).To(Succeed())
			DeferCleanup(func(ctx context.Context) {
				Expect(client.IgnoreNotFound(admin.Delete(ctx, c))).To(Succeed())
				Expect(client.IgnoreNotFound(admin.Patch(ctx, c, withoutFinalizers))).To(Succeed())
			})
			chat.Spec.Access = []v1alpha1.PlatformAccess{access(teamEng, "town")}
			Expect(admin.Update(ctx, chat)).To(Succeed())
			caughtUp(ctx)
			Expect(as(tenant).Create(ctx, community("again", on("chat", "eng")), client.DryRunAll)).To(refuse("is none of them"))
		})

		DescribeTable("leaves the community free to change", func(ctx context.Context, change func()) {
			change()
			Expect(as(tenant).Update(ctx, c)).To(Succeed())
		},
			Entry("its purpose", func() { c.Spec.Purpose = "Share practice." }),
			Entry("its labels and annotations", func() { c.Labels, c.Annotations = map[string]string{"a": "b"}, map[string]string{"a": "b"} }),
			Entry("nothing at all", func() {}),
			Entry("its standing, to one that needs no grant", func() { c.Spec.Standing = v1alpha1.StandingUnofficial }),
			Entry("its name, to one that is granted", func() {
				c.Spec.Platforms[0].SpaceName, c.Spec.Standing = "town", v1alpha1.StandingUnofficial
			}),
			Entry("its other platforms", func() { on("none", "eng")(c) }),
			Entry("the order of its platforms", func() {
				on("none", "eng")(c)
				c.Spec.Platforms[0], c.Spec.Platforms[1] = c.Spec.Platforms[1], c.Spec.Platforms[0]
			}),
			Entry("the Platform, to another", func() { c.Spec.Platforms = nil; on("none", "eng")(c) }),
			Entry("how the same name is said", func() {
				// metadata.name is another, so a spaceName that goes is a change of the name and is not for here.
				c.Spec.Platforms[0].SpaceName = "eng"
			}),
		)

		It("can't be changed to another that is not granted", func(ctx context.Context) {
			c.Spec.Platforms[0].SpaceName = "hr"
			Expect(as(tenant).Update(ctx, c)).To(refuse(`"hr" is none of them`))
			c.Spec.Platforms[0].SpaceName = ""
			Expect(as(tenant).Update(ctx, c)).To(refuse(`"engineering" is none of them`))
		})

		It("can't be called official again", func(ctx context.Context) {
			c.Spec.Standing = v1alpha1.StandingUnofficial
			Expect(as(tenant).Update(ctx, c)).To(Succeed())
			c.Spec.Standing = v1alpha1.StandingOfficial
			Expect(as(tenant).Update(ctx, c)).To(refuse(`does not let namespace engineering call the name "eng" official`))
		})

		It("can't be called official under another name either", func(ctx context.Context) {
			c.Spec.Platforms[0].SpaceName = "town"
			Expect(as(tenant).Update(ctx, c)).To(refuse(`call the name "town" official`))
		})

		It("holds up neither finalizers nor status nor the deletion", func(ctx context.Context) {
			Expect(as(manager).Status().Patch(ctx, c, merge(`{"status":{"observedGeneration":1}}`))).To(Succeed())
			Expect(as(manager).Patch(ctx, c, merge(`{"metadata":{"finalizers":["community.cabildo.dev/space","example.com/another"]}}`))).To(Succeed())
			Expect(as(tenant).Delete(ctx, c)).To(Succeed())
			// Also with a spec that would be refused: what is being deleted is let go.
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(c), c)).To(Succeed())
			c.Spec.Platforms[0].SpaceName = "hr"
			Expect(as(tenant).Update(ctx, c)).To(Succeed())
			Expect(as(manager).Patch(ctx, c, withoutFinalizers)).To(Succeed())
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(c), c)).To(Satisfy(apierrors.IsNotFound))
		})
	})
})
