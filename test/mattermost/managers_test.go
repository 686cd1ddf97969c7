// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"context"

	mm "github.com/mattermost/mattermost/server/public/model"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/test/cluster"
)

// standing says of each person in a space, by ID, whether they administer it.
type standing map[string]bool

var _ = Describe("community managers on a real Mattermost", func() {
	us := func(ctx context.Context, g Gomega) string {
		account, _, err := server.Admin().GetUserByUsername(ctx, "cabildo", "")
		g.Expect(err).NotTo(HaveOccurred())
		return account.Id
	}
	// inTeam and inChannel are what an administrator of the server reads, without Cabildo.
	inTeam := func(ctx context.Context, team string) func(Gomega) standing {
		return func(g Gomega) standing {
			members, _, err := server.Admin().GetTeamMembers(ctx, team, 0, 100, "")
			g.Expect(err).NotTo(HaveOccurred())
			found := standing{}
			for _, m := range members {
				if m.DeleteAt == 0 {
					found[m.UserId] = m.SchemeAdmin
					g.Expect([]any{m.SchemeUser, m.ExplicitRoles}).To(Equal([]any{true, ""}))
				}
			}
			delete(found, us(ctx, g))
			return found
		}
	}
	inChannel := func(ctx context.Context, channel string) func(Gomega) standing {
		return func(g Gomega) standing {
			members, _, err := server.Admin().GetChannelMembers(ctx, channel, 0, 100, "")
			g.Expect(err).NotTo(HaveOccurred())
			found := standing{}
			for _, m := range members {
				found[m.UserId] = m.SchemeAdmin
				g.Expect([]any{m.SchemeUser, m.ExplicitRoles}).To(Equal([]any{true, ""}))
			}
			delete(found, us(ctx, g))
			return found
		}
	}

	It("have exactly the power of their role, hand it to their deputies, and lose it", Label("promise 7"), func(ctx SpecContext) {
		w := newWorld(ctx)
		lucia, mo, amy, omar, ana := w.person(ctx, "lucia"), w.person(ctx, "mo"), w.person(ctx, "amy"), w.person(ctx, "omar"), w.person(ctx, "ana")
		w.community.Spec.Members = []v1alpha1.MemberSource{{Person: ana.Username}}
		w.group.Spec.Members = []v1alpha1.MemberSource{{Person: ana.Username}}
		w.community.Spec.Management = &v1alpha1.Management{RemovalBudget: &v1alpha1.RemovalBudget{Floor: ptr.To[int32](10)}}
		w.ready(ctx)
		everywhere := func(expected standing) {
			GinkgoHelper()
			Eventually(inChannel(ctx, w.channel())).Should(Equal(expected))
			Eventually(func(g Gomega) {
				found := inTeam(ctx, w.team())(g)
				for id, administers := range found {
					g.Expect(administers).To(Equal(expected[id]), "whoever came into the team with the channel stays, as a member")
				}
				for id := range expected {
					g.Expect(found).To(HaveKey(id))
				}
			}).Should(Succeed())
		}
		everywhere(standing{ana.ID: false})

		By("being declared")
		lead := cluster.Manager(w.name, lucia.Username, v1alpha1.ManagerLead)
		lead.Spec.Deputies = []v1alpha1.Person{{Person: omar.Username}}
		moderator := cluster.Manager(w.name, mo.Username, v1alpha1.ManagerModerator)
		w.Create(ctx, lead, moderator, cluster.Manager(w.name, amy.Username, v1alpha1.ManagerAmbassador))
		// Mattermost has nobody between a member and an administrator, so a moderator is a member, which is said.
		everywhere(standing{ana.ID: false, lucia.ID: true, mo.ID: false, amy.ID: false})
		Eventually(func() string {
			return w.ExpectCondition(ctx, w.group, v1alpha1.ConditionModerationEnforced, metav1.ConditionFalse, v1alpha1.ReasonSettingsUnsupported).Message
		}).Should(ContainSubstring("Mattermost has no moderators, so whoever is declared as one (1) is a member"))
		name := "Taken over"
		for _, p := range []person{mo, amy, ana} {
			_, _, err := p.PatchTeam(ctx, w.team(), &mm.TeamPatch{DisplayName: &name})
			Expect(err).To(MatchError(ContainSubstring("appropriate permissions")), "only an administrator of the team can rename it")
		}

		By("going on leave")
		w.Change(ctx, lead, func() { lead.Spec.Leave = cluster.LeaveNow() })
		everywhere(standing{ana.ID: false, lucia.ID: false, omar.ID: true, mo.ID: false, amy.ID: false})

		By("coming back")
		w.Change(ctx, lead, func() { lead.Spec.Leave = nil })
		everywhere(standing{ana.ID: false, lucia.ID: true, mo.ID: false, amy.ID: false})

		By("being deleted")
		Expect(w.API.Delete(ctx, lead)).To(Succeed())
		everywhere(standing{ana.ID: false, mo.ID: false, amy.ID: false})
		Expect(w.API.Delete(ctx, moderator)).To(Succeed())
		everywhere(standing{ana.ID: false, amy.ID: false})
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})
})
