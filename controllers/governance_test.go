// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

// ungoverned is the label of namespaces that the suite's policy leaves out.
const ungoverned = "ungoverned"

// policy governs the world's namespace, before the suite's own. Its tiers are
// Seed, Small from four members, and Large from eight.
func (w *world) policy() *v1alpha1.GovernancePolicy {
	members := func(n int32) *v1alpha1.EnterWhen {
		return &v1alpha1.EnterWhen{AnyOf: []v1alpha1.Threshold{{Members: ptr.To(n)}}}
	}
	return &v1alpha1.GovernancePolicy{
		ObjectMeta: metav1.ObjectMeta{Name: w.name},
		Spec: v1alpha1.GovernancePolicySpec{
			Governs:  v1alpha1.Governs{NamespaceSelector: metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: w.namespace}}},
			Priority: 10,
			Tiers: []v1alpha1.Tier{
				{Name: "Seed"},
				{
					Name: "Small", Rank: 10, EnterWhen: members(4),
					Moderation: &v1alpha1.TierModeration{Defaults: &v1alpha1.Moderation{MassMentions: v1alpha1.AudienceModerators}},
					Staffing:   &v1alpha1.Staffing{Enforcement: v1alpha1.EnforcementWarn, Managers: []v1alpha1.StaffingRule{{Commitment: v1alpha1.CommitmentPartTime, Count: 1}}},
				},
				{
					Name: "Large", Rank: 20, EnterWhen: members(8),
					Moderation: &v1alpha1.TierModeration{Limits: &v1alpha1.ModerationLimits{MassMentions: v1alpha1.AudienceModerators}},
					Approvals:  &v1alpha1.TierApprovals{GroupCreation: v1alpha1.ApprovalRequired},
				},
			},
		},
	}
}

// ungovern takes the world's namespace out of the suite's policy.
func (w *world) ungovern(ctx context.Context) {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	w.change(ctx, namespace, func() { namespace.Labels[ungoverned] = "true" })
}

// poke has an object looked at again, as a resync would.
func (w *world) poke(ctx context.Context, o client.Object) {
	GinkgoHelper()
	w.change(ctx, o, func() {
		annotations := o.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations["poked"] = fmt.Sprint(now.Now().UnixNano())
		o.SetAnnotations(annotations)
	})
}

// governance waits for what a community says about its governance.
func (w *world) governance(ctx context.Context, c *v1alpha1.Community, says func(Gomega, *v1alpha1.GovernanceStatus)) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(c), c)).To(Succeed())
		g.Expect(c.Status.Governance).NotTo(BeNil())
		says(g, c.Status.Governance)
	}).Should(Succeed())
}

// grows puts as many looks as the policy takes behind a community, and waits for the proposal.
func (w *world) grows(ctx context.Context, c *v1alpha1.Community, toward string) *v1alpha1.Proposal {
	GinkgoHelper()
	for pass := int32(1); pass <= 3; pass++ {
		w.poke(ctx, c)
		w.governance(ctx, c, func(g Gomega, at *v1alpha1.GovernanceStatus) {
			g.Expect(at.Evaluation).To(HaveValue(And(HaveField("Toward", toward), HaveField("Passes", pass))))
		})
		if pass < 3 {
			Expect(c.Status.Governance.Proposal).To(BeNil(), "it takes three looks")
			ahead(25 * time.Hour)
		}
	}
	Expect(c.Status.Governance.Proposal).NotTo(BeNil())
	return c.Status.Governance.Proposal.DeepCopy()
}

func members(usernames ...string) []v1alpha1.MemberSource {
	var sources []v1alpha1.MemberSource
	for _, u := range usernames {
		sources = append(sources, v1alpha1.MemberSource{Person: u})
	}
	return sources
}

var _ = Describe("Governance", func() {
	eight := []string{"ana", "ben", "cleo", "dan", "eva", "finn", "gus", "hana"}

	It("makes no space where no policy governs, leaves what exists, and still lets nobody in who has left", Label("promise 10"), func(ctx SpecContext) {
		w := newWorld(ctx, "ana", "ben").ready(ctx)
		d := w.directory("ana", "ben", "carla", "dan", "eva")
		d.Spec.LeaverBudget = &v1alpha1.LeaverBudget{Percent: ptr.To[int32](50)}
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.ungovern(ctx)
		c := w.community()
		c.Spec.Members = []v1alpha1.MemberSource{{DirectoryGroup: &v1alpha1.DirectoryGroupSource{
			DirectoryRef: v1alpha1.LocalReference{Name: w.name}, Name: "engineers",
		}}}
		w.create(ctx, c)
		w.expect(ctx, c, metav1.ConditionFalse, v1alpha1.ReasonNotGoverned)
		w.expectCondition(ctx, c, v1alpha1.ConditionGoverned, metav1.ConditionFalse, v1alpha1.ReasonNotGoverned)
		Expect(w.server.Spaces()).To(BeZero())

		policy := w.policy()
		w.create(ctx, policy)
		w.expect(ctx, c, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.expectCondition(ctx, c, v1alpha1.ConditionGoverned, metav1.ConditionTrue, v1alpha1.ReasonGoverned)
		Expect(w.inSpace("eng")()).To(ConsistOf("@ana:memory", "@ben:memory"))

		Expect(k8s.Delete(ctx, policy)).To(Succeed())
		w.expect(ctx, c, metav1.ConditionFalse, v1alpha1.ReasonNotGoverned)
		w.change(ctx, c, func() { c.Spec.DisplayName = "Renamed" })
		w.expect(ctx, c, metav1.ConditionFalse, v1alpha1.ReasonNotGoverned)
		w.change(ctx, d, func() { d.Spec.Inline.People[1].State = v1alpha1.PersonDisabled })
		Eventually(w.inSpace("eng")).Should(ConsistOf("@ana:memory"))
		Consistently(func() string { return w.server.Space("eng").Settings.DisplayName }).Should(Equal("Engineering"))
	})

	It("asks a community for its purpose, objectives and sponsor first, and its groups wait with it", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		policy := w.policy()
		policy.Spec.Requires = &v1alpha1.Requirements{Purpose: v1alpha1.RequirementRequired, Objectives: 1, Sponsor: v1alpha1.RequirementRequired}
		w.create(ctx, policy)
		c, golang := w.community(), w.group("golang")
		c.Spec.Purpose = ""
		w.create(ctx, c, golang)
		lacks := w.expect(ctx, c, metav1.ConditionFalse, v1alpha1.ReasonRequirementsNotMet)
		Expect(lacks.Message).To(ContainSubstring("a purpose (spec.purpose), 1 objective (spec.objectives), a sponsor (spec.sponsor)"))
		w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonRequirementsNotMet)
		Expect(w.server.Spaces()).To(BeZero())
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(policy), policy)).To(Succeed())
			g.Expect(policy.Status.Governed).To(BeEquivalentTo(1))
			g.Expect(policy.Status.NotCompliant).To(ConsistOf(w.namespace + "/engineering: RequirementsNotMet"))
		}).Should(Succeed())

		w.change(ctx, c, func() {
			c.Spec.Purpose, c.Spec.Sponsor = "Share practice.", &v1alpha1.Person{Person: "carla"}
			c.Spec.Objectives = []v1alpha1.Objective{{Name: "answers", Description: "Questions get an answer."}}
		})
		w.expect(ctx, c, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(policy), policy)).To(Succeed())
			g.Expect(policy.Status.Compliant).To(BeEquivalentTo(1))
			g.Expect(policy.Status.NotCompliant).To(BeEmpty())
		}).Should(Succeed())
	})

	It("is by the policy with the highest priority, and of equals by the first", func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		c := w.community()
		w.create(ctx, c)
		by := func(name string) {
			GinkgoHelper()
			w.governance(ctx, c, func(g Gomega, at *v1alpha1.GovernanceStatus) { g.Expect(at.Policy).To(Equal(name)) })
		}
		by("open")
		second, first, strong := w.policy(), w.policy(), w.policy()
		second.Name, first.Name, strong.Name = w.name+"-b", w.name+"-a", w.name+"-z"
		strong.Spec.Priority = 11
		w.create(ctx, second)
		by(second.Name)
		w.create(ctx, first)
		by(first.Name)
		w.create(ctx, strong)
		by(strong.Name)
		Expect(k8s.Delete(ctx, strong)).To(Succeed())
		by(first.Name)
	})

	It("grows by tiers: three looks, a proposal with its evidence, a person's word, and then the settings", func(ctx SpecContext) {
		w := newWorld(ctx, eight...).ready(ctx)
		w.create(ctx, w.policy())
		c, golang := w.community(), w.group("golang")
		c.Spec.Members = members(eight[:5]...)
		w.create(ctx, c, golang)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		ahead(time.Minute) // counts are brought up to date once in half a minute
		p := w.grows(ctx, c, "Small")
		Expect(p.Kind).To(Equal(v1alpha1.ProposalTier))
		Expect(p.Summary).To(Equal("tier Small instead of Seed"))
		Expect(p.Operations).To(ConsistOf("tier: Small instead of Seed", "default massMentions: Moderators", "managers: 1 PartTime",
			"while managers are missing: the community is told"))
		Expect(p.Evidence).To(ContainElements("members: 5", "Small takes 4 members"))
		Expect(w.server.Space("eng-golang").Settings.Permissions).To(HaveKeyWithValue(model.ActionMentionAll, model.RoleMember))
		w.expect(ctx, c, metav1.ConditionTrue, v1alpha1.ReasonReady)

		d := w.decision(ctx, c, p, v1alpha1.VerdictApprove)
		forged := d.DeepCopy()
		forged.Spec.ProposalKind = v1alpha1.ProposalRemoval
		w.create(ctx, forged)
		w.expect(ctx, forged, metav1.ConditionFalse, v1alpha1.ReasonProposalChanged)
		w.create(ctx, d)
		done := w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(done.Message).To(Equal("Done: tier Small instead of Seed."))
		for _, space := range []string{"eng", "eng-golang"} {
			Eventually(func() map[model.Action]model.Role { return w.server.Space(space).Settings.Permissions }).
				Should(HaveKeyWithValue(model.ActionMentionAll, model.RoleModerator))
		}
		w.governance(ctx, c, func(g Gomega, at *v1alpha1.GovernanceStatus) {
			g.Expect(at.Tier).To(Equal("Small"))
			g.Expect(at.Proposal).To(BeNil())
			g.Expect(at.Evaluation).To(BeNil())
			g.Expect(at.Next).To(HaveValue(Equal(v1alpha1.NextTier{Tier: "Large", When: []string{"8 members"}})))
			g.Expect(at.Staffing.Gap).To(BeEquivalentTo(1))
		})
		w.expectCondition(ctx, c, v1alpha1.ConditionStaffed, metav1.ConditionFalse, v1alpha1.ReasonUnderstaffed)
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(golang), golang)).To(Succeed())
			g.Expect(golang.Status.Effective.Origins).To(ConsistOf(v1alpha1.SettingOrigin{Setting: "massMentions", From: "tier Small of GovernancePolicy " + w.name}))
			g.Expect(golang.Status.Platforms[0].Ledger).To(ContainElement(v1alpha1.LedgerEntry{Setting: "massMentions", Wanted: "Moderators", State: v1alpha1.SettingEnforced}))
		}).Should(Succeed())
		w.create(ctx, w.manager("ana", v1alpha1.ManagerLead))
		w.expectCondition(ctx, c, v1alpha1.ConditionStaffed, metav1.ConditionTrue, v1alpha1.ReasonStaffed)
	})

	It("keeps a refused tier away until something else speaks for one, and a stale decision is void", func(ctx SpecContext) {
		w := newWorld(ctx, eight...).ready(ctx)
		policy := w.policy()
		w.create(ctx, policy)
		c := w.community()
		c.Spec.Members = members(eight[:5]...)
		w.create(ctx, c)
		w.expect(ctx, c, metav1.ConditionTrue, v1alpha1.ReasonReady)
		ahead(time.Minute)
		stale := w.grows(ctx, c, "Small")
		w.change(ctx, policy, func() { policy.Spec.Tiers[1].Moderation.Defaults.Pins = v1alpha1.AudienceManagers })
		w.governance(ctx, c, func(g Gomega, at *v1alpha1.GovernanceStatus) {
			g.Expect(at.Proposal).To(HaveValue(HaveField("ID", Not(Equal(stale.ID)))))
		})
		void := w.decision(ctx, c, stale, v1alpha1.VerdictApprove)
		w.create(ctx, void)
		w.expect(ctx, void, metav1.ConditionFalse, v1alpha1.ReasonProposalChanged)

		d := w.decision(ctx, c, c.Status.Governance.Proposal, v1alpha1.VerdictRefuse)
		w.create(ctx, d)
		w.expect(ctx, d, metav1.ConditionTrue, v1alpha1.ReasonReady)
		ahead(48 * time.Hour)
		w.poke(ctx, c)
		w.governance(ctx, c, func(g Gomega, at *v1alpha1.GovernanceStatus) {
			g.Expect(at.Tier).To(Equal("Seed"))
			g.Expect(at.Proposal).To(HaveValue(HaveField("State", v1alpha1.ProposalRefused)))
		})
	})

	It("has new groups wait for a person's word where the tier says so, but not of who wrote it or a robot", Label("promise 10"), func(ctx SpecContext) {
		w := newWorld(ctx, eight...).ready(ctx)
		policy := w.policy()
		policy.Spec.Evaluation = &v1alpha1.Evaluation{PromoteAfter: ptr.To[int32](1)}
		w.create(ctx, policy)
		c, before := w.community(), w.group("before")
		c.Spec.Members = members(eight...)
		w.create(ctx, c, before)
		w.expect(ctx, before, metav1.ConditionTrue, v1alpha1.ReasonReady)
		ahead(time.Minute)
		w.poke(ctx, c)
		w.governance(ctx, c, func(g Gomega, at *v1alpha1.GovernanceStatus) { g.Expect(at.Proposal).NotTo(BeNil()) })
		large := w.decision(ctx, c, c.Status.Governance.Proposal, v1alpha1.VerdictApprove)
		w.create(ctx, large)
		w.governance(ctx, c, func(g Gomega, at *v1alpha1.GovernanceStatus) { g.Expect(at.Tier).To(Equal("Large")) })

		golang := w.group("golang", "ana")
		Expect(decider.Create(ctx, golang)).To(Succeed())
		w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonCreationWaits)
		Expect(golang.Status.Proposal.Operations).To(ConsistOf(w.name + `: make eng-golang "golang" as Internal, Open`))
		own := w.decision(ctx, golang, golang.Status.Proposal, v1alpha1.VerdictApprove)
		w.create(ctx, own)
		w.expect(ctx, own, metav1.ConditionFalse, v1alpha1.ReasonRequesterCantApprove)

		w.change(ctx, policy, func() { policy.Spec.Approvals = &v1alpha1.ApprovalRules{Automation: []string{large.Spec.DecidedBy}} })
		w.change(ctx, golang, func() { golang.Spec.Join = v1alpha1.JoinInvite })
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(golang), golang)).To(Succeed())
			g.Expect(golang.Status.Proposal.Operations).To(ConsistOf(w.name + `: make eng-golang "golang" as Internal, Invite`))
		}).Should(Succeed())
		robot := w.decision(ctx, golang, golang.Status.Proposal, v1alpha1.VerdictApprove)
		w.create(ctx, robot)
		w.expect(ctx, robot, metav1.ConditionFalse, v1alpha1.ReasonAutomationCantApprove)
		Expect(w.server.Space("eng-golang")).To(BeNil())

		w.change(ctx, policy, func() { policy.Spec.Approvals = nil }) // it was a person's account after all
		w.expect(ctx, robot, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Space("eng-golang")).NotTo(BeNil())
		w.expect(ctx, before, metav1.ConditionTrue, v1alpha1.ReasonReady)

		w.server.Add(model.Observed{Address: "eng-found", Settings: model.Settings{DisplayName: "By hand"}})
		found := w.group("found")
		found.Spec.Management = &v1alpha1.Management{Adoption: v1alpha1.AdoptIfUnowned}
		w.create(ctx, found)
		w.expect(ctx, found, metav1.ConditionFalse, v1alpha1.ReasonCreationWaits)
		Expect(found.Status.Proposal.Operations).To(ConsistOf(w.name + `: take over the space of eng-found "found" as Internal, Open`))
		Expect(w.server.Space("eng-found").Settings.DisplayName).To(Equal("By hand"), "one that was made by hand is no way around an approval")
		w.create(ctx, w.decision(ctx, found, found.Status.Proposal, v1alpha1.VerdictApprove))
		w.expect(ctx, found, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.server.Space("eng-found").Settings.DisplayName).To(Equal("found"))
	})

	It("has new groups wait while managers are missing where the tier blocks, and leaves what exists", func(ctx SpecContext) {
		w := newWorld(ctx, "ana").ready(ctx)
		policy := w.policy()
		policy.Spec.Tiers[0].Staffing = &v1alpha1.Staffing{Managers: []v1alpha1.StaffingRule{{Commitment: v1alpha1.CommitmentInformal, Count: 1}}}
		w.create(ctx, policy)
		c, golang := w.community(), w.group("golang")
		w.create(ctx, c)
		w.expect(ctx, c, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.expectCondition(ctx, c, v1alpha1.ConditionStaffed, metav1.ConditionFalse, v1alpha1.ReasonUnderstaffed)
		w.create(ctx, golang)
		waits := w.expect(ctx, golang, metav1.ConditionFalse, v1alpha1.ReasonCommunityUnderstaffed)
		Expect(waits.Message).To(ContainSubstring("lacks managers (1 Informal)"))
		lead := w.manager("ana", v1alpha1.ManagerLead)
		w.create(ctx, lead)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(k8s.Delete(ctx, lead)).To(Succeed())
		w.expectCondition(ctx, c, v1alpha1.ConditionStaffed, metav1.ConditionFalse, v1alpha1.ReasonVacant)
		w.expect(ctx, golang, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})

	It("lets a group be stricter than its tier's limit and never looser", Label("promise 7"), func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		policy := w.policy()
		policy.Spec.Tiers[0].Moderation = &v1alpha1.TierModeration{Limits: &v1alpha1.ModerationLimits{
			MassMentions: v1alpha1.AudienceModerators, Join: v1alpha1.JoinRequest, BlockedServers: []string{"evil.example.net"},
		}}
		w.create(ctx, policy)
		c, looser, stricter := w.community(), w.group("looser"), w.group("stricter")
		looser.Spec.Moderation = &v1alpha1.Moderation{MassMentions: v1alpha1.AudienceMembers}
		stricter.Spec.Join = v1alpha1.JoinInvite
		stricter.Spec.Moderation = &v1alpha1.Moderation{MassMentions: v1alpha1.AudienceManagers, BlockedServers: []string{"bad.example.net"}}
		w.create(ctx, c, looser, stricter)
		told := w.expect(ctx, looser, metav1.ConditionFalse, v1alpha1.ReasonModerationTooLoose)
		Expect(told.Message).To(Equal("massMentions: Members is looser than Moderators, the limit of tier Seed of GovernancePolicy " + w.name +
			", which is in force instead; choose Moderators or Managers."))
		w.expect(ctx, stricter, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.expect(ctx, c, metav1.ConditionTrue, v1alpha1.ReasonReady)
		loose, strict := w.server.Space("eng-looser").Settings, w.server.Space("eng-stricter").Settings
		Expect(loose.Permissions).To(HaveKeyWithValue(model.ActionMentionAll, model.RoleModerator))
		Expect(loose.Join).To(Equal(model.JoinRequest), "what is built in is held to the limit too")
		Expect(loose.Servers.Blocked).To(Equal([]string{"evil.example.net"}))
		Expect(strict.Permissions).To(HaveKeyWithValue(model.ActionMentionAll, model.RoleManager))
		Expect(strict.Join).To(Equal(model.JoinInvite))
		Expect(strict.Servers.Blocked).To(Equal([]string{"bad.example.net", "evil.example.net"}))
		w.change(ctx, looser, func() { looser.Spec.Moderation = nil })
		w.expect(ctx, looser, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})

	It("keeps reserved names for official spaces", Label("promise 10"), func(ctx SpecContext) {
		w := newWorld(ctx)
		w.platform.Spec.Access[0].Official = v1alpha1.OfficialAllowed
		w.ready(ctx)
		policy := w.policy()
		policy.Spec.Names = &v1alpha1.NameRules{Reserved: []string{"hr", "official-*"}}
		w.create(ctx, policy)
		hr, news, fine := w.group("hr"), w.group("official-news"), w.group("hr-friends")
		w.create(ctx, w.community(), hr, news, fine)
		w.expect(ctx, fine, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.expect(ctx, news, metav1.ConditionFalse, v1alpha1.ReasonNameReserved)
		refused := w.expect(ctx, hr, metav1.ConditionFalse, v1alpha1.ReasonNameReserved)
		Expect(refused.Message).To(HavePrefix("GovernancePolicy " + w.name + ` reserves names like hr, and "hr" is one. Choose another spaceName`))
		Expect(w.server.Space("eng-hr")).To(BeNil())
		w.change(ctx, hr, func() { hr.Spec.Standing = v1alpha1.StandingOfficial })
		w.expect(ctx, hr, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})

	It("says of a setting that the server turns out not to set, goes on, and does not try it again and again", Label("promise 8", "promise 9"), func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		c := w.community()
		w.create(ctx, c)
		w.expect(ctx, c, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.server.Fail(memory.Call(plan.Set), memory.Fault{Err: platform.Refuse(platform.NotSupported, "setting who pins (this server can't)", "no")})
		w.change(ctx, c, func() { c.Spec.Moderation = &v1alpha1.Moderation{Pins: v1alpha1.AudienceManagers} })
		said := w.expectCondition(ctx, c, v1alpha1.ConditionModerationEnforced, metav1.ConditionFalse, v1alpha1.ReasonSettingsUnsupported)
		Expect(said.Message).To(Equal(w.name + ": pins is Members and should be Managers: setting who pins (this server can't)."))
		w.expect(ctx, c, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(c.Status.Platforms[0].Ledger).To(ContainElement(v1alpha1.LedgerEntry{
			Setting: "pins", Wanted: "Managers", Seen: "Members", State: v1alpha1.SettingUnsupported, Reason: "setting who pins (this server can't)",
		}))
		tries, looks := w.server.Calls(memory.Call(plan.Set)), w.server.Calls(memory.CallObserve)
		w.poke(ctx, c)
		Eventually(func() int { return w.server.Calls(memory.CallObserve) }).Should(BeNumerically(">", looks))
		Consistently(func() int { return w.server.Calls(memory.Call(plan.Set)) }).Should(Equal(tries))

		w.change(ctx, c, func() { c.Spec.Moderation.OnUnsupported = v1alpha1.BlockUnsupported })
		w.expect(ctx, c, metav1.ConditionFalse, v1alpha1.ReasonApplyFailed)
	})

	It("says of a setting that somebody changed that it drifted, where nothing is set back", Label("promise 8"), func(ctx SpecContext) {
		w := newWorld(ctx).ready(ctx)
		c := w.community()
		w.create(ctx, c)
		w.expect(ctx, c, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.change(ctx, c, func() { c.Spec.Management = &v1alpha1.Management{Mode: v1alpha1.ModeObserve} })
		w.expect(ctx, c, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.server.Edit("eng", func(o *model.Observed) { o.Settings.Permissions[model.ActionPin] = model.RoleManager })
		drifted := w.expectCondition(ctx, c, v1alpha1.ConditionModerationEnforced, metav1.ConditionFalse, v1alpha1.ReasonDrifted)
		Expect(drifted.Message).To(Equal(w.name + ": pins is Managers and should be Members."))
		Expect(c.Status.Platforms[0].Ledger).To(ContainElement(v1alpha1.LedgerEntry{
			Setting: "pins", Wanted: "Members", Seen: "Managers", State: v1alpha1.SettingDrifted, Reason: "it was read back as something else",
		}))
	})
})
