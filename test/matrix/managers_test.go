// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/test/cluster"
)

// The power levels of a Manager and a Moderator, as docs/platforms.md has them.
const managerLevel, moderatorLevel = 75, 50

var _ = Describe("community managers on a real homeserver", func() {
	// powers are the levels in a room as one of its people reads them, Cabildo's own apart.
	powers := func(ctx context.Context, reader *mautrix.Client, room id.RoomID) func(Gomega) map[id.UserID]int {
		return func(g Gomega) map[id.UserID]int {
			var levels event.PowerLevelsEventContent
			g.Expect(reader.StateEvent(ctx, room, event.StatePowerLevels, "", &levels)).To(Succeed())
			g.Expect(levels.UsersDefault).To(BeZero())
			delete(levels.Users, id.UserID(homeserver.OperatorUserID))
			if levels.Users == nil {
				return map[id.UserID]int{}
			}
			return levels.Users
		}
	}

	It("have exactly the power of their role, hand it to their deputies, and lose it", Label("promise 7"), func(ctx SpecContext) {
		w := newWorld(ctx)
		people := map[string]*mautrix.Client{}
		account := func(name string) id.UserID { return people[name].UserID }
		for _, name := range []string{"lucia", "mo", "amy", "omar", "ana"} {
			people[name] = person(ctx, w.name+"-"+name)
		}
		w.community.Spec.Members = []v1alpha1.MemberSource{{Person: w.name + "-ana"}}
		w.group.Spec.Members = []v1alpha1.MemberSource{{Person: w.name + "-ana"}}
		w.community.Spec.Management = &v1alpha1.Management{RemovalBudget: &v1alpha1.RemovalBudget{Floor: ptr.To[int32](10)}}
		w.ready(ctx)
		rooms := []id.RoomID{id.RoomID(w.community.Status.Platforms[0].SpaceID), w.room()}
		everywhere := func(expected map[id.UserID]int) {
			GinkgoHelper()
			for _, room := range rooms {
				Eventually(powers(ctx, people["ana"], room)).Should(Equal(expected))
			}
		}
		everywhere(map[id.UserID]int{})

		By("being declared")
		lead := cluster.Manager(w.name, w.name+"-lucia", v1alpha1.ManagerLead)
		lead.Spec.Deputies = []v1alpha1.Person{{Person: w.name + "-omar"}}
		moderator := cluster.Manager(w.name, w.name+"-mo", v1alpha1.ManagerModerator)
		w.Create(ctx, lead, moderator, cluster.Manager(w.name, w.name+"-amy", v1alpha1.ManagerAmbassador))
		everywhere(map[id.UserID]int{account("lucia"): managerLevel, account("mo"): moderatorLevel})
		for _, room := range rooms {
			Eventually(func(g Gomega) {
				members, err := people["ana"].JoinedMembers(ctx, room)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(members.Joined).To(And(HaveKey(account("amy")), HaveKey(account("mo")), Not(HaveKey(account("omar")))))
			}).Should(Succeed(), "an ambassador is a member, and a deputy who does not act is nobody yet")
		}
		_, err := people["amy"].KickUser(ctx, w.room(), &mautrix.ReqKickUser{UserID: account("ana")})
		Expect(err).To(MatchError(mautrix.MForbidden), "an ambassador has no power")
		_, err = people["mo"].KickUser(ctx, w.room(), &mautrix.ReqKickUser{UserID: account("lucia")})
		Expect(err).To(HaveOccurred(), "nor has a moderator over a lead") // M_FORBIDDEN by the specification; a 500 on Dendrite 0.13.8
		members, err := people["ana"].JoinedMembers(ctx, w.room())
		Expect(err).NotTo(HaveOccurred())
		Expect(members.Joined).To(HaveKey(account("lucia")))

		By("going on leave")
		w.Change(ctx, lead, func() { lead.Spec.Leave = cluster.LeaveNow() })
		everywhere(map[id.UserID]int{account("omar"): managerLevel, account("mo"): moderatorLevel})

		By("coming back")
		w.Change(ctx, lead, func() { lead.Spec.Leave = nil })
		everywhere(map[id.UserID]int{account("lucia"): managerLevel, account("mo"): moderatorLevel})

		By("being deleted")
		Expect(w.API.Delete(ctx, lead)).To(Succeed())
		everywhere(map[id.UserID]int{account("mo"): moderatorLevel})
		Expect(w.API.Delete(ctx, moderator)).To(Succeed())
		everywhere(map[id.UserID]int{})
		for _, room := range rooms {
			Eventually(func(g Gomega) {
				members, err := people["ana"].JoinedMembers(ctx, room)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(members.Joined).To(And(HaveKey(account("ana")), HaveKey(account("amy")), Not(HaveKey(account("lucia"))), Not(HaveKey(account("mo")))))
			}).Should(Succeed())
		}
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})
})
