// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
)

var _ = Describe("A manager who does not count yet", func() {
	has := func(person string, role model.Role) OmegaMatcher {
		return Equal(map[string]model.Role{"@" + person + ":memory": role})
	}

	It("is provisional until somebody approves the appointment, and again when it is another one", Label("promise 10"), func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "ben").ready(ctx)
		policy := w.policy()
		policy.Spec.Managers = &v1alpha1.ManagerRules{Appointment: v1alpha1.AppointmentSponsor}
		w.create(ctx, policy)
		c, lead := w.community(), w.manager("ana", v1alpha1.ManagerLead)
		w.create(ctx, c, lead)
		waits := w.expectCondition(ctx, lead, v1alpha1.ConditionAppointed, metav1.ConditionFalse, v1alpha1.ReasonAppointmentWaits)
		Expect(waits.Message).To(ContainSubstring("kubectl cabildo approve communitymanager/ana -n " + w.namespace))
		Eventually(w.powers("eng")).Should(has("ana", model.RoleModerator))
		w.governance(ctx, c, func(g Gomega, at *v1alpha1.GovernanceStatus) {
			g.Expect(at.Staffing).To(HaveValue(And(HaveField("Managers", BeEquivalentTo(0)), HaveField("Provisional", BeEquivalentTo(1)))))
		})
		Expect(lead.Status.Proposal.Operations).To(Equal([]string{"appoint ana as Lead", "commitment PartTime", "in community " + w.namespace + "/engineering"}))

		d := w.decision(ctx, lead, lead.Status.Proposal, v1alpha1.VerdictApprove)
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.expectCondition(ctx, lead, v1alpha1.ConditionAppointed, metav1.ConditionTrue, v1alpha1.ReasonAppointed)
		Eventually(w.powers("eng")).Should(has("ana", model.RoleManager))

		w.change(ctx, lead, func() { lead.Spec.Person = "ben" })
		w.expectCondition(ctx, lead, v1alpha1.ConditionAppointed, metav1.ConditionFalse, v1alpha1.ReasonAppointmentWaits)
		Eventually(w.powers("eng")).Should(has("ben", model.RoleModerator))
		no := w.decision(ctx, lead, lead.Status.Proposal, v1alpha1.VerdictRefuse)
		w.create(ctx, no)
		w.expect(ctx, no, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.expectCondition(ctx, lead, v1alpha1.ConditionAppointed, metav1.ConditionFalse, v1alpha1.ReasonNotAppointed)
		Consistently(w.powers("eng")).Should(has("ben", model.RoleModerator))
	})

	It("is provisional where the platform team does not declare them", Label("promise 10"), func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		policy := w.policy()
		policy.Spec.Managers = &v1alpha1.ManagerRules{Appointment: v1alpha1.AppointmentPlatformTeam, Namespaces: []string{"community-office"}}
		w.create(ctx, policy)
		lead := w.manager("ana", v1alpha1.ManagerLead)
		w.create(ctx, w.community(), lead)
		not := w.expectCondition(ctx, lead, v1alpha1.ConditionAppointed, metav1.ConditionFalse, v1alpha1.ReasonNotAppointed)
		Expect(not.Message).To(ContainSubstring("counts managers who are declared in namespace community-office"))
		Eventually(w.powers("eng")).Should(has("ana", model.RoleModerator))
		w.change(ctx, policy, func() { policy.Spec.Managers.Namespaces = []string{w.namespace} })
		Eventually(w.powers("eng")).Should(has("ana", model.RoleManager))
		w.expectCondition(ctx, lead, v1alpha1.ConditionAppointed, metav1.ConditionTrue, v1alpha1.ReasonAppointed)
	})

	It("is provisional until the directory proves the training, and loses nothing while it can't be asked", Label("promise 1"), func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "ben").ready(ctx)
		d := w.directory("ana", "ben")
		d.Spec.Inline.Groups = append(d.Spec.Inline.Groups, v1alpha1.DirectoryGroup{Name: "trained", People: []string{"ana"}})
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		policy := w.policy()
		policy.Spec.Managers = &v1alpha1.ManagerRules{TrainedGroup: &v1alpha1.DirectoryGroupSource{
			DirectoryRef: v1alpha1.LocalReference{Name: w.name}, Name: "trained",
		}}
		w.create(ctx, policy)
		ana, ben, c := w.manager("ana", v1alpha1.ManagerLead), w.manager("ben", v1alpha1.ManagerManager), w.community()
		w.create(ctx, c, ana, ben)
		w.expectCondition(ctx, ana, v1alpha1.ConditionTrainingComplete, metav1.ConditionTrue, v1alpha1.ReasonTrained)
		w.expectCondition(ctx, ben, v1alpha1.ConditionTrainingComplete, metav1.ConditionFalse, v1alpha1.ReasonNotTrained)
		Eventually(w.powers("eng")).Should(Equal(map[string]model.Role{"@ana:memory": model.RoleManager, "@ben:memory": model.RoleModerator}))

		w.change(ctx, d, func() { d.Spec.Inline.Groups[1].People = []string{"ana", "ben"} })
		Eventually(w.powers("eng")).Should(Equal(map[string]model.Role{"@ana:memory": model.RoleManager, "@ben:memory": model.RoleManager}))
		w.expectCondition(ctx, ben, v1alpha1.ConditionTrainingComplete, metav1.ConditionTrue, v1alpha1.ReasonTrained)

		w.change(ctx, policy, func() { policy.Spec.Managers.TrainedGroup.Name = "misspelt" })
		w.expectCondition(ctx, ana, v1alpha1.ConditionTrainingComplete, metav1.ConditionUnknown, v1alpha1.ReasonTrainingUnknown)
		w.expectCondition(ctx, c, v1alpha1.ConditionMembersResolved, metav1.ConditionFalse, v1alpha1.ReasonTrainingUnknown)
		Consistently(w.powers("eng")).Should(HaveLen(2), "nobody's role goes while it is not known")
		Expect(w.powers("eng")()).To(HaveKeyWithValue("@ben:memory", model.RoleManager))
	})
})

var _ = Describe("A community whose last manager is gone", func() {
	It("has its sponsor stand in, is orphaned after the grace, and takes the role back when there is a manager again", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "carla", "omar").ready(ctx)
		policy := w.policy()
		policy.Spec.Managers = &v1alpha1.ManagerRules{Vacancy: &v1alpha1.Vacancy{Grace: &metav1.Duration{Duration: 10 * 24 * time.Hour}}}
		w.create(ctx, policy)
		c, golang, lead := w.community(), w.group("golang"), w.manager("ana", v1alpha1.ManagerLead)
		c.Spec.Sponsor = &v1alpha1.Person{Person: "carla"}
		w.create(ctx, c, golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Consistently(w.powers("eng")).Should(BeEmpty(), "one that never had a manager has no vacancy")
		w.create(ctx, lead)
		w.governance(ctx, c, func(g Gomega, at *v1alpha1.GovernanceStatus) { g.Expect(at.Staffing.Managers).To(BeEquivalentTo(1)) })

		Expect(k8s.Delete(ctx, lead)).To(Succeed())
		vacant := w.expectCondition(ctx, c, v1alpha1.ConditionStaffed, metav1.ConditionFalse, v1alpha1.ReasonVacant)
		Expect(vacant.Message).To(ContainSubstring("The sponsor, carla, stands in."))
		for _, space := range []string{"eng", "eng-golang"} {
			Eventually(w.powers(space)).Should(Equal(map[string]model.Role{"@carla:memory": model.RoleManager}))
		}
		ahead(11 * 24 * time.Hour)
		w.poke(ctx, c)
		w.expectCondition(ctx, c, v1alpha1.ConditionStaffed, metav1.ConditionFalse, v1alpha1.ReasonOrphaned)
		Expect(w.powers("eng")()).To(HaveKey("@carla:memory"), "a space without anybody in charge would be worse")

		w.create(ctx, w.manager("omar", v1alpha1.ManagerManager))
		for _, space := range []string{"eng", "eng-golang"} {
			Eventually(w.powers(space)).Should(Equal(map[string]model.Role{"@omar:memory": model.RoleManager}))
		}
		w.governance(ctx, c, func(g Gomega, at *v1alpha1.GovernanceStatus) { g.Expect(at.VacantSince).To(BeNil()) })
	})

	It("does not count a manager who has left the organisation, and says who it was", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "ben", "carla")
		w.platform.Spec.Accounts = &v1alpha1.Accounts{DirectoryRef: &v1alpha1.LocalReference{Name: w.name}}
		d := w.directory("ana", "ben", "carla")
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.ready(ctx)
		w.create(ctx, w.policy())
		c, lead := w.community(), w.manager("ana", v1alpha1.ManagerLead)
		c.Spec.Sponsor = &v1alpha1.Person{Person: "carla"}
		lead.Spec.Deputies = []v1alpha1.Person{{Person: "ben"}}
		w.create(ctx, c, lead)
		Eventually(w.powers("eng")).Should(Equal(map[string]model.Role{"@ana:memory": model.RoleManager}))
		w.governance(ctx, c, func(g Gomega, at *v1alpha1.GovernanceStatus) { g.Expect(at.Staffing.Managers).To(BeEquivalentTo(1)) })
		w.change(ctx, d, func() { d.Spec.Inline.People[0].State = v1alpha1.PersonDisabled })
		Eventually(w.powers("eng")).Should(Equal(map[string]model.Role{"@ben:memory": model.RoleManager, "@carla:memory": model.RoleManager}))
		Expect(w.inSpace("eng")()).NotTo(ContainElement("@ana:memory"))
		vacant := w.expectCondition(ctx, c, v1alpha1.ConditionStaffed, metav1.ConditionFalse, v1alpha1.ReasonVacant)
		Expect(vacant.Message).To(HaveSuffix("Left the organisation, and still declared: ana. Name somebody else."))
		w.expect(ctx, lead, metav1.ConditionFalse, v1alpha1.ReasonPersonLeft)
	})

	It("counts a manager on leave while deputies act, and not after their term", func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "ben").ready(ctx)
		policy := w.policy()
		policy.Spec.Tiers[0].Staffing = &v1alpha1.Staffing{
			Enforcement: v1alpha1.EnforcementWarn, Deputies: ptr.To[int32](1),
			Managers: []v1alpha1.StaffingRule{{Commitment: v1alpha1.CommitmentPartTime, Count: 1, AllocationPercent: ptr.To[int32](20)}},
		}
		w.create(ctx, policy)
		c, lead := w.community(), w.manager("ana", v1alpha1.ManagerLead)
		lead.Spec.Communities[0].AllocationPercent = ptr.To[int32](10)
		w.create(ctx, c, lead)
		short := w.expectCondition(ctx, c, v1alpha1.ConditionStaffed, metav1.ConditionFalse, v1alpha1.ReasonUnderstaffed)
		Expect(short.Message).To(Equal("Tier Seed takes more managers: missing 1 PartTime with 20 percent, 1 of 1 deputies."))
		w.change(ctx, lead, func() {
			lead.Spec.Communities[0].AllocationPercent = ptr.To[int32](25)
			lead.Spec.Deputies = []v1alpha1.Person{{Person: "ben"}}
			lead.Spec.Leave = []v1alpha1.Leave{{Start: day(0), End: day(1)}}
		})
		w.expectCondition(ctx, c, v1alpha1.ConditionStaffed, metav1.ConditionTrue, v1alpha1.ReasonStaffed)
		w.change(ctx, lead, func() { lead.Spec.Term = &v1alpha1.Term{Start: day(-10), End: day(-1)} })
		w.expectCondition(ctx, c, v1alpha1.ConditionStaffed, metav1.ConditionFalse, v1alpha1.ReasonVacant)
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(c), c)).To(Succeed())
	})
})
