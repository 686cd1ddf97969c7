// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// chapters are the year, in order.
var chapters = []func(context.Context, *world) error{seed, vacancy, small, distributed, strategic, core, decline}

// seed: a community begins, and nothing blocks its start but that it says why it exists.
func seed(ctx context.Context, w *world) error {
	chapter("January: a seed")
	if err := w.cluster.Create(ctx, w.directory(5)); err != nil {
		return err
	}
	c := community()
	c.Spec = v1alpha1.CommunitySpec{
		DisplayName: "Engineering", BusinessAreas: areas,
		Platforms: []v1alpha1.CommunityPlatform{{PlatformRef: v1alpha1.LocalReference{Name: "chat"}, SpaceName: "eng"}},
		Members:   []v1alpha1.MemberSource{{DirectoryGroup: &v1alpha1.DirectoryGroupSource{DirectoryRef: v1alpha1.LocalReference{Name: "corp"}, Name: "engineers"}}},
	}
	if w.real {
		c.Spec.Platforms = append(c.Spec.Platforms, v1alpha1.CommunityPlatform{PlatformRef: v1alpha1.LocalReference{Name: "mattermost"}, SpaceName: "eng"})
	}
	w.say("%s declares the community engineering, for five people.", engineer)
	if err := w.as[engineer].Create(ctx, c); err != nil {
		return err
	}
	message, err := w.condition(ctx, c, v1alpha1.ConditionReady, v1alpha1.ReasonRequirementsNotMet)
	if err != nil {
		return err
	}
	quote(message)
	w.say("She says why it exists, what it wants to reach, and who answers for it.")
	if err := w.change(ctx, w.as[engineer], c, func() {
		c.Spec.Purpose = "Share practice, so that nobody solves a problem twice."
		c.Spec.Objectives = []v1alpha1.Objective{{Name: "answers", Description: "Questions get an answer within three days."}}
		c.Spec.Sponsor = &v1alpha1.Person{Person: sponsor}
	}); err != nil {
		return err
	}
	if err := w.ready(ctx, c); err != nil {
		return err
	}
	golang := group("golang")
	if err := w.as[engineer].Create(ctx, golang); err != nil {
		return err
	}
	if err := w.ready(ctx, golang); err != nil {
		return err
	}
	w.say("The space is there, and so is its first group: in a seed nobody has to approve one.")
	if err := w.inForce(ctx, "Seed", "golang"); err != nil {
		return err
	}
	if err := w.staffed(ctx, v1alpha1.ReasonUnderstaffed); err != nil {
		return err
	}
	hr := group("hr")
	if err := w.as[engineer].Create(ctx, hr); err != nil {
		return err
	}
	if message, err = w.condition(ctx, hr, v1alpha1.ConditionReady, v1alpha1.ReasonNameReserved); err != nil {
		return err
	}
	w.say("A group called hr is not made.")
	quote(message)
	return w.as[engineer].Delete(ctx, hr)
}

// vacancy: the first managers, and what happens when they go.
func vacancy(ctx context.Context, w *world) error {
	w.days(30)
	chapter("February: somebody cares, and is gone again")
	lucia, omar := manager(lead, v1alpha1.CommitmentInformal, "platform", 0), manager(deputy, v1alpha1.CommitmentInformal, "mobile", 0)
	if err := errors.Join(w.appoint(ctx, lucia), w.appoint(ctx, omar)); err != nil {
		return err
	}
	w.say("%s and %s look after it beside their work.", lead, deputy)
	if err := w.staffed(ctx, v1alpha1.ReasonStaffed); err != nil {
		return err
	}
	if err := errors.Join(w.as[engineer].Delete(ctx, lucia), w.as[engineer].Delete(ctx, omar)); err != nil {
		return err
	}
	w.say("Both move to other work.")
	if err := w.staffed(ctx, v1alpha1.ReasonVacant); err != nil {
		return err
	}
	w.days(31)
	if err := w.look(ctx, community()); err != nil {
		return err
	}
	if err := w.staffed(ctx, v1alpha1.ReasonOrphaned); err != nil {
		return err
	}
	if err := errors.Join(w.appoint(ctx, manager(lead, v1alpha1.CommitmentInformal, "platform", 0)), w.appoint(ctx, manager(deputy, v1alpha1.CommitmentInformal, "mobile", 0))); err != nil {
		return err
	}
	w.say("They come back to it.")
	return w.staffed(ctx, v1alpha1.ReasonStaffed)
}

// small: numbers speak for more, people decide, and the managers get time for it.
func small(ctx context.Context, w *world) error {
	w.days(20)
	chapter("March: it grows")
	members := int(w.size.small) + 2
	if err := w.join(ctx, members); err != nil {
		return err
	}
	w.say("%d people are in it.", members)
	p, err := w.proposal(ctx, "Small")
	if err != nil {
		return err
	}
	c := community()
	forged := w.decision(c, v1alpha1.TargetCommunity, p, v1alpha1.VerdictApprove, approver, "")
	err = w.as[engineer].Create(ctx, forged)
	if err := w.check(err != nil && strings.Contains(err.Error(), "in one's own name"), "a forged decision was taken: %v", err); err != nil {
		return err
	}
	w.say("%s can't decide in another's name, a robot does not count,", engineer)
	quote(err.Error())
	byRobot := w.decision(c, v1alpha1.TargetCommunity, p, v1alpha1.VerdictApprove, robot, "")
	if err := w.as[robot].Create(ctx, byRobot); err != nil {
		return err
	}
	message, err := w.condition(ctx, byRobot, v1alpha1.ConditionReady, v1alpha1.ReasonAutomationCantApprove)
	if err != nil {
		return err
	}
	quote(message)
	if err := w.decides(ctx, c, v1alpha1.TargetCommunity, p, v1alpha1.VerdictApprove, "It is worth a part of somebody's week."); err != nil {
		return err
	}
	if err := w.inForce(ctx, "Small", "golang"); err != nil {
		return err
	}
	if err := w.staffed(ctx, v1alpha1.ReasonUnderstaffed); err != nil {
		return err
	}
	rust := group("rust")
	if err := w.as[engineer].Create(ctx, rust); err != nil {
		return err
	}
	if message, err = w.condition(ctx, rust, v1alpha1.ConditionReady, v1alpha1.ReasonCommunityUnderstaffed); err != nil {
		return err
	}
	w.say("A new group waits.")
	quote(message)
	if err := errors.Join(
		w.as[engineer].Delete(ctx, manager(deputy, "", "", 0)),
		w.appoint(ctx, manager(lead, v1alpha1.CommitmentPartTime, "platform", 20, deputy))); err != nil {
		return err
	}
	w.say("%s gets a day a week for it, and %s stands by.", lead, deputy)
	if err := w.staffed(ctx, v1alpha1.ReasonStaffed); err != nil {
		return err
	}
	w.say("The new group is made.")
	return w.ready(ctx, rust)
}

// distributed: one manager is not enough for three departments, and new groups need a word.
func distributed(ctx context.Context, w *world) error {
	w.days(75)
	chapter("June: a network over the departments")
	members := int(w.size.distributed) + 2
	if err := w.join(ctx, members); err != nil {
		return err
	}
	w.say("%d people are in it, from three business areas.", members)
	if err := w.grow(ctx, "Distributed", "Every department needs somebody of its own."); err != nil {
		return err
	}
	if err := w.staffed(ctx, v1alpha1.ReasonUnderstaffed); err != nil {
		return err
	}
	for area, person := range map[string]string{"mobile": mobile, "data": data} {
		if err := w.appoint(ctx, manager(person, v1alpha1.CommitmentPartTime, area, 20)); err != nil {
			return err
		}
	}
	if err := w.staffed(ctx, v1alpha1.ReasonStaffed); err != nil {
		return err
	}
	memes := group("memes")
	memes.Spec.Moderation = &v1alpha1.Moderation{MassMentions: v1alpha1.AudienceMembers}
	if err := w.as[engineer].Create(ctx, memes); err != nil {
		return err
	}
	if _, err := w.condition(ctx, memes, v1alpha1.ConditionReady, v1alpha1.ReasonCreationWaits); err != nil {
		return err
	}
	w.say("%s asks for a group where everybody may mention everybody. It waits for a person's word.", engineer)
	own := w.decision(memes, v1alpha1.TargetGroup, memes.Status.Proposal, v1alpha1.VerdictApprove, engineer, "")
	if err := w.as[engineer].Create(ctx, own); err != nil {
		return err
	}
	message, err := w.condition(ctx, own, v1alpha1.ConditionReady, v1alpha1.ReasonRequesterCantApprove)
	if err != nil {
		return err
	}
	quote(message)
	if err := w.decides(ctx, memes, v1alpha1.TargetGroup, memes.Status.Proposal, v1alpha1.VerdictApprove, "People need to laugh."); err != nil {
		return err
	}
	if message, err = w.condition(ctx, memes, v1alpha1.ConditionReady, v1alpha1.ReasonModerationTooLoose); err != nil {
		return err
	}
	w.say("The group is made, and held to the limit of the tier.")
	quote(message)
	if err := w.change(ctx, w.as[engineer], memes, func() { memes.Spec.Moderation = nil }); err != nil {
		return err
	}
	return w.ready(ctx, memes)
}

// strategic: importance is declared, and the company has to mean it.
func strategic(ctx context.Context, w *world) error {
	w.days(85)
	chapter("September: it matters to the company")
	c := community()
	if err := w.change(ctx, w.cluster, c, func() { c.Spec.Importance = v1alpha1.ImportanceStrategic }); err != nil {
		return err
	}
	w.say("The office declares its importance Strategic.")
	if err := w.grow(ctx, "Strategic", "Then somebody does this full time."); err != nil {
		return err
	}
	if err := w.staffed(ctx, v1alpha1.ReasonUnderstaffed); err != nil {
		return err
	}
	if err := w.appoint(ctx, manager(office, v1alpha1.CommitmentFullTime, "", 100)); err != nil {
		return err
	}
	if err := w.staffed(ctx, v1alpha1.ReasonStaffed); err != nil {
		return err
	}
	there := &v1alpha1.Directory{ObjectMeta: metav1.ObjectMeta{Name: "corp"}}
	if err := w.change(ctx, w.cluster, there, func() {
		for i := range there.Spec.Inline.People {
			if there.Spec.Inline.People[i].Username == lead {
				there.Spec.Inline.People[i].State = v1alpha1.PersonDisabled
			}
		}
	}); err != nil {
		return err
	}
	w.say("%s leaves the company.", lead)
	message, err := w.condition(ctx, manager(lead, "", "", 0), v1alpha1.ConditionReady, v1alpha1.ReasonPersonLeft)
	if err != nil {
		return err
	}
	quote(message)
	if err := w.staffed(ctx, v1alpha1.ReasonUnderstaffed); err != nil {
		return err
	}
	m := manager(lead, "", "", 0)
	if err := w.change(ctx, w.as[engineer], m, func() {
		m.Spec.Person, m.Spec.Deputies = deputy, nil
	}); err != nil {
		return err
	}
	w.say("%s follows.", deputy)
	return w.staffed(ctx, v1alpha1.ReasonStaffed)
}

// core: what the company stands on.
func core(ctx context.Context, w *world) error {
	w.days(60)
	chapter("November: what the company stands on")
	c := community()
	if err := w.change(ctx, w.cluster, c, func() { c.Spec.Importance = v1alpha1.ImportanceCore }); err != nil {
		return err
	}
	if err := w.grow(ctx, "Core", "Two people full time, and one in each department."); err != nil {
		return err
	}
	if err := w.staffed(ctx, v1alpha1.ReasonUnderstaffed); err != nil {
		return err
	}
	if err := w.appoint(ctx, manager(sponsor, v1alpha1.CommitmentFullTime, "", 100)); err != nil {
		return err
	}
	return w.staffed(ctx, v1alpha1.ReasonStaffed)
}

// decline: less importance moves nothing at once, and a lower tier is a person's word too, and takes nobody out.
func decline(ctx context.Context, w *world) error {
	chapter("Afterwards: less, and nobody is sent away")
	c := community()
	if err := w.change(ctx, w.cluster, c, func() { c.Spec.Importance = v1alpha1.ImportanceStrategic }); err != nil {
		return err
	}
	before := c.Status.Members.Present
	w.days(90)
	if err := w.look(ctx, c); err != nil {
		return err
	}
	if err := w.until(ctx, func() error {
		if err := w.cluster.Get(ctx, client.ObjectKeyFromObject(c), c); err != nil {
			return err
		}
		if c.Status.ObservedGeneration != c.Generation || c.Status.Governance.Evaluation != nil || c.Status.Governance.Tier != "Core" {
			return fmt.Errorf("after ninety days nothing should speak for another tier: %+v", c.Status.Governance)
		}
		return nil
	}); err != nil {
		return err
	}
	w.say("Its importance is Strategic again, and for a hundred days nothing moves.")
	w.days(15)
	p, err := w.proposal(ctx, "Strategic")
	if err != nil {
		return err
	}
	if err := w.decides(ctx, c, v1alpha1.TargetCommunity, p, v1alpha1.VerdictRefuse, "We keep what we have built."); err != nil {
		return err
	}
	w.days(2)
	if err := w.look(ctx, c); err != nil {
		return err
	}
	if err := w.inForce(ctx, "Core", "golang", "rust", "memes"); err != nil {
		return err
	}
	if err := w.cluster.Get(ctx, client.ObjectKeyFromObject(c), c); err != nil {
		return err
	}
	return w.check(c.Status.Members.Present == before, "%d people are in it, and before there were %d", c.Status.Members.Present, before)
}
