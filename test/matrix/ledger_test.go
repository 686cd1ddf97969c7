// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// aclOf are the servers that a room keeps out.
type aclOf struct {
	Deny []string `json:"deny"`
}

var _ = Describe("a setting that the homeserver can't hold", Label("promise 8"), func() {
	// ownServer is a wall that would keep out the own server, beside one that can be built.
	ownServer := func() *v1alpha1.Moderation {
		return &v1alpha1.Moderation{BlockedServers: []string{homeserver.ServerName, "spam.example"}}
	}

	It("is said, with what is done instead, and everything else is in force", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.community.Spec.Visibility = v1alpha1.VisibilityPublic
		w.group.Spec.Visibility, w.group.Spec.Moderation = v1alpha1.VisibilityPublic, ownServer()
		w.ready(ctx)
		said := w.ExpectCondition(ctx, w.group, v1alpha1.ConditionModerationEnforced, metav1.ConditionFalse, v1alpha1.ReasonSettingsUnsupported)
		Expect(said.Message).To(And(ContainSubstring("moderation.blockedServers"), ContainSubstring(homeserver.ServerName)))
		var acl aclOf
		Expect(state(ctx, w.room(), event.StateServerACL, "", &acl)).To(Succeed())
		Expect(acl.Deny).To(ConsistOf("spam.example"))

		By("being declared as it can be")
		w.Change(ctx, w.group, func() { w.group.Spec.Moderation.BlockedServers = []string{"spam.example"} })
		w.ExpectCondition(ctx, w.group, v1alpha1.ConditionModerationEnforced, metav1.ConditionTrue, v1alpha1.ReasonEnforced)
	})

	It("holds everything up where the declaration says Block", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.community.Spec.Visibility = v1alpha1.VisibilityPublic
		w.ready(ctx)
		before := stateOf(ctx, w.room())
		w.Change(ctx, w.group, func() {
			w.group.Spec.Visibility, w.group.Spec.DisplayName, w.group.Spec.Moderation = v1alpha1.VisibilityPublic, "Golang", ownServer()
			w.group.Spec.Moderation.OnUnsupported = v1alpha1.BlockUnsupported
		})
		w.Expect(ctx, w.group, metav1.ConditionFalse, v1alpha1.ReasonSettingsUnsupported)
		w.ExpectCondition(ctx, w.group, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonSettingsUnsupported)
		Consistently(func() map[string]id.EventID { return stateOf(ctx, w.room()) }).Should(Equal(before))
	})

	It("and that nobody has read back is not called enforced", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.group.Spec.Management = &v1alpha1.Management{Mode: v1alpha1.ModePlan}
		w.Create(ctx, w.secret, w.platform, w.community, w.group)
		w.Expect(ctx, w.group, metav1.ConditionFalse, v1alpha1.ReasonPlanned)
		Expect(w.group.Status.Conditions).NotTo(ContainElement(And(
			HaveField("Type", v1alpha1.ConditionModerationEnforced), HaveField("Status", metav1.ConditionTrue))))
	})
})
