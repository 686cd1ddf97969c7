// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

var _ = Describe("trouble on a real Mattermost", func() {
	It("with a refused token is said, and passes when the token is renewed", Label("promise 11"), func(ctx SpecContext) {
		w := newWorld(ctx)
		const wrong = "abcdefghijklmnopqrstuvwxyz"
		w.secret.StringData["accessToken"] = wrong
		w.Create(ctx, w.secret, w.platform, w.community)
		said := w.Expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonUnauthorized)
		Expect(said.Message).NotTo(ContainSubstring(wrong))
		w.Change(ctx, w.secret, func() { w.secret.Data["accessToken"] = []byte(bot) })
		w.Expect(ctx, w.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
		logged := string(w.Logged.Contents())
		Expect(strings.Contains(logged, bot) || strings.Contains(logged, wrong)).To(BeFalse(), "a token is in the log")
		var events corev1.EventList
		Expect(w.API.List(ctx, &events)).To(Succeed())
		for _, e := range events.Items {
			Expect(e.Message).NotTo(Or(ContainSubstring(bot), ContainSubstring(wrong)))
		}
	})

	It("with an account that is no administrator is said with what to do", func(ctx SpecContext) {
		w := newWorld(ctx)
		ana := w.person(ctx, "ana")
		w.secret.StringData["accessToken"] = ana.Token
		w.Create(ctx, w.secret, w.platform)
		said := w.Expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonCannotControl)
		Expect(said.Message).To(And(ContainSubstring(ana.Username), ContainSubstring("system administrator")))
	})

	It("with the server down is said, and everything goes on when it is back", Serial, func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		server.Stop()
		w.Change(ctx, w.group, func() { w.group.Spec.DisplayName = "Golang" })
		w.Expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
		Expect(server.Start(ctx)).To(Succeed())
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.now(ctx).DisplayName).To(Equal("Golang"))
	})

	It("with a name that Mattermost refuses is said before anything is made", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.platform.Spec.Access = []v1alpha1.PlatformAccess{{Names: []string{"*"}}}
		w.community.Spec.Platforms[0].SpaceName = "admin-" + w.name
		w.Create(ctx, w.secret, w.platform, w.community)
		said := w.Expect(ctx, w.community, metav1.ConditionFalse, v1alpha1.ReasonInvalidName)
		Expect(said.Message).To(ContainSubstring("Mattermost keeps"))
	})

	It("with one person leaves everybody else served", Label("promise 6"), func(ctx SpecContext) {
		w := newWorld(ctx)
		ana := w.person(ctx, "ana")
		w.group.Spec.Members = []v1alpha1.MemberSource{{Person: ana.Username}, {Person: w.name + "-nobody"}}
		w.ready(ctx)
		Expect(isIn(ctx, w.channel(), ana)).To(BeTrue())
		said := w.ExpectCondition(ctx, w.group, v1alpha1.ConditionMembersResolved, metav1.ConditionFalse, v1alpha1.ReasonPeopleNotFound)
		Expect(said.Message).To(ContainSubstring(w.name + "-nobody"))
	})
})
