// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"context"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/test/cluster"
)

// joined are the people in the group's room, without Cabildo.
func (w *world) joined(ctx context.Context) []id.UserID {
	GinkgoHelper()
	members, err := operator().JoinedMembers(ctx, w.room())
	Expect(err).NotTo(HaveOccurred())
	var people []id.UserID
	for user := range members.Joined {
		if user != id.UserID(homeserver.OperatorUserID) {
			people = append(people, user)
		}
	}
	slices.Sort(people)
	return people
}

// loseRecord deletes the record of what was granted in the group's room.
func (w *world) loseRecord(ctx context.Context) {
	GinkgoHelper()
	var secrets corev1.SecretList
	Expect(on.API.List(ctx, &secrets, client.InNamespace(cluster.Namespace), client.MatchingLabels{"community.cabildo.dev/record": "grants"})).To(Succeed())
	about := func(s corev1.Secret) bool {
		return s.Annotations["community.cabildo.dev/about"] == "Group "+w.name+"/"+w.group.Name
	}
	i := slices.IndexFunc(secrets.Items, about)
	Expect(i).To(BeNumerically(">=", 0), "the group has a record")
	Expect(on.API.Delete(ctx, &secrets.Items[i])).To(Succeed())
}

func (w *world) undeclare(ctx context.Context, people ...string) {
	GinkgoHelper()
	w.Change(ctx, w.group, func() {
		w.group.Spec.Members = slices.DeleteFunc(w.group.Spec.Members, func(m v1alpha1.MemberSource) bool { return slices.Contains(people, m.Person) })
	})
}

var _ = Describe("what was granted on a real homeserver", func() {
	// crew makes people, and declares those that are members.
	crew := func(ctx context.Context, w *world, members []string, others ...string) map[string]*mautrix.Client {
		clients := map[string]*mautrix.Client{}
		for _, name := range append(slices.Clone(members), others...) {
			clients[name] = person(ctx, w.name+"-"+name)
		}
		for _, name := range members {
			w.group.Spec.Members = append(w.group.Spec.Members, v1alpha1.MemberSource{Person: w.name + "-" + name})
		}
		return clients
	}

	It("is taken back, and who came alone or left alone is left alone", Label("promise 2"), func(ctx SpecContext) {
		w := newWorld(ctx)
		clients := crew(ctx, w, []string{"ana", "ben", "cai"}, "guest")
		w.group.Spec.Visibility, w.community.Spec.Visibility = v1alpha1.VisibilityPublic, v1alpha1.VisibilityPublic
		w.ready(ctx)
		user := func(name string) id.UserID { return clients[name].UserID }
		_, err := clients["guest"].JoinRoomByID(ctx, w.room())
		Expect(err).NotTo(HaveOccurred())
		_, err = clients["cai"].LeaveRoom(ctx, w.room())
		Expect(err).NotTo(HaveOccurred())

		w.undeclare(ctx, w.name+"-ben")
		Eventually(w.joined).WithArguments(ctx).Should(Equal([]id.UserID{user("ana"), user("guest")}))
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.touch(ctx)
		Consistently(w.joined).WithArguments(ctx).Should(Equal([]id.UserID{user("ana"), user("guest")}))
	})

	It("waits for a person's word beyond the budget, and goes with it", Label("promise 4"), func(ctx SpecContext) {
		w := newWorld(ctx)
		crew(ctx, w, []string{"a", "b", "c", "d"})
		w.ready(ctx)
		w.undeclare(ctx, w.name+"-a", w.name+"-b", w.name+"-c")
		Eventually(func(g Gomega) {
			g.Expect(on.API.Get(ctx, client.ObjectKeyFromObject(w.group), w.group)).To(Succeed())
			g.Expect(w.group.Status.Proposal).NotTo(BeNil())
			g.Expect(w.group.Status.Proposal.Summary).To(Equal("2 members"))
		}).Should(Succeed())
		Expect(w.joined(ctx)).To(HaveLen(3))

		review := &authenticationv1.SelfSubjectReview{}
		Expect(on.Decider.Create(ctx, review)).To(Succeed())
		decision := &v1alpha1.GovernanceDecision{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.name, Name: "agreed"},
			Spec: v1alpha1.GovernanceDecisionSpec{
				TargetRef:  v1alpha1.DecisionTarget{Kind: v1alpha1.TargetGroup, Name: w.group.Name},
				ProposalID: w.group.Status.Proposal.ID, Hash: w.group.Status.Proposal.Hash,
				Verdict: v1alpha1.VerdictApprove, DecidedBy: review.Status.UserInfo.Username,
			},
		}
		Expect(on.Decider.Create(ctx, decision)).To(Succeed())
		w.Expect(ctx, decision, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.joined(ctx)).To(HaveLen(1))
	})

	It("and lost takes nobody out", Label("promise 1"), func(ctx SpecContext) {
		w := newWorld(ctx)
		crew(ctx, w, []string{"ana", "ben"})
		w.group.Spec.Management = &v1alpha1.Management{Membership: v1alpha1.MembershipExclusive}
		w.ready(ctx)
		w.loseRecord(ctx)
		w.ExpectCondition(ctx, w.group, v1alpha1.ConditionGrantsRecorded, metav1.ConditionFalse, v1alpha1.ReasonGrantRecordLost)
		w.undeclare(ctx, w.name+"-ben")
		w.ExpectCondition(ctx, w.group, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonGrantRecordLost)
		Expect(w.joined(ctx)).To(HaveLen(2))
	})
})
