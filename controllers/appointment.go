// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/managers"
)

// ruling is a policy that governs communities of a manager, and how it counts managers.
type ruling struct {
	policy *v1alpha1.GovernancePolicy
	rules  managers.Rules
}

// rulings are the policies of the communities in a manager's scope, each once, by name.
func (r *CommunityManagerReconciler) rulings(ctx context.Context, inScope []v1alpha1.Community) ([]ruling, error) {
	found := map[string]bool{}
	var all []ruling
	for _, c := range inScope {
		policy, err := policyFor(ctx, r.Client, c.Namespace)
		if err != nil {
			return nil, err
		}
		if policy == nil || found[policy.Name] {
			continue
		}
		found[policy.Name] = true
		all = append(all, ruling{policy, rulesOf(policy, r.directories, nil)})
	}
	slices.SortFunc(all, func(a, b ruling) int { return strings.Compare(a.policy.Name, b.policy.Name) })
	return all, nil
}

// appoint takes up the decision on a manager's appointment, and proposes it
// where a policy has somebody approve it and nobody has.
func (r *CommunityManagerReconciler) appoint(ctx context.Context, m *v1alpha1.CommunityManager, all []ruling) error {
	waits := slices.IndexFunc(all, func(r ruling) bool { return r.rules.NeedsApproval(m) })
	if waits < 0 {
		m.Status.Proposal = nil
		return nil
	}
	lines := managers.Appointment(m)
	hash := managers.AppointmentHash(m)
	if p := m.Status.Proposal; p == nil || p.Hash != hash {
		m.Status.Proposal = &v1alpha1.Proposal{
			Kind: v1alpha1.ProposalAppointment, ID: string(uuid.NewUUID()), Hash: hash, State: v1alpha1.ProposalOpen,
			Summary: lines[0], Operations: lines,
		}
		return nil
	}
	p := m.Status.Proposal
	d, err := decider{r.Client, r.guard, r.clock}.on(ctx, m, v1alpha1.TargetManager, p)
	if d == nil || err != nil {
		return err
	}
	p.Decision, p.DecidedBy = d.Name, d.Spec.DecidedBy
	m.Status.LastDecision = recordOf(p, d.Spec.Verdict)
	if d.Spec.Verdict == v1alpha1.VerdictRefuse {
		p.State = v1alpha1.ProposalRefused
	} else {
		m.Status.Appointment = &v1alpha1.AppointmentRecord{Hash: hash, DecidedBy: d.Spec.DecidedBy, Decision: d.Name}
		m.Status.Proposal = nil
	}
	r.events.Eventf(m, d, corev1.EventTypeNormal, "Appointment"+string(d.Spec.Verdict)+"d", "Decide", "%s, decided by %s.", p.Summary, d.Spec.DecidedBy)
	return nil
}

// standing says in conditions whether a manager counts. provisional says that they don't everywhere.
func standing(m *v1alpha1.CommunityManager, all []ruling) (provisional bool) {
	appointed := metav1.Condition{Type: v1alpha1.ConditionAppointed, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonAppointed, Message: "The policies of the communities count this manager."}
	if a := m.Status.Appointment; a != nil && a.Hash == managers.AppointmentHash(m) {
		appointed.Message = fmt.Sprintf("Appointed by %s.", a.DecidedBy)
	}
	trained := metav1.Condition{Type: v1alpha1.ConditionTrainingComplete, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonTrained}
	asked := false
	for _, r := range all {
		if !r.rules.Appointed(m) {
			provisional = true
			appointed.Status = metav1.ConditionFalse
			appointed.Reason, appointed.Message = v1alpha1.ReasonNotAppointed, fmt.Sprintf(
				"GovernancePolicy %s counts managers who are declared in namespace %s, by the platform team. Until then the role is provisional, with less power.",
				r.policy.Name, strings.Join(r.rules.Policy.Namespaces, " or "))
			if p := m.Status.Proposal; r.rules.NeedsApproval(m) && p != nil {
				appointed.Reason, appointed.Message = v1alpha1.ReasonAppointmentWaits, fmt.Sprintf(
					"GovernancePolicy %s has somebody approve who becomes a manager. Until then the role is provisional, with less power. Approve proposal %s with: kubectl cabildo approve communitymanager/%s -n %s",
					r.policy.Name, p.ID, m.Name, m.Namespace)
				if p.State == v1alpha1.ProposalRefused {
					appointed.Reason, appointed.Message = v1alpha1.ReasonNotAppointed, fmt.Sprintf(
						"%s refused to appoint %s. The role is provisional, with less power. Change the CommunityManager to what may be, or take it out.", p.DecidedBy, m.Spec.Person)
				}
			}
		}
		if !r.rules.ProofAsked() {
			continue
		}
		asked = true
		group := r.rules.Policy.TrainedGroup
		switch r.rules.Trained(m.Spec.Person) {
		case managers.No:
			provisional = true
			trained.Status, trained.Reason, trained.Message = metav1.ConditionFalse, v1alpha1.ReasonNotTrained, fmt.Sprintf(
				"GovernancePolicy %s asks for training, and the person is not in group %q of Directory %s. Until then the role is provisional, with less power.", r.policy.Name, group.Name, group.DirectoryRef.Name)
		case managers.Unknown:
			if trained.Status == metav1.ConditionFalse { // another policy knows that they are not
				break
			}
			trained.Status, trained.Reason, trained.Message = metav1.ConditionUnknown, v1alpha1.ReasonTrainingUnknown, fmt.Sprintf(
				"Whether the person is in group %q of Directory %s is not known: it can't be read, or is not there. Nobody's role changes until it is.", group.Name, group.DirectoryRef.Name)
		case managers.Yes:
			if trained.Message == "" {
				trained.Message = fmt.Sprintf("The person is in group %q of Directory %s.", group.Name, group.DirectoryRef.Name)
			}
		}
	}
	set := func(c metav1.Condition, here bool) {
		if !here {
			meta.RemoveStatusCondition(&m.Status.Conditions, c.Type)
			return
		}
		c.ObservedGeneration = m.Generation
		meta.SetStatusCondition(&m.Status.Conditions, c)
	}
	set(appointed, len(all) > 0)
	set(trained, asked)
	return provisional
}
