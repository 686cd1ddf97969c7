// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/governance"
)

// decider finds the decision that counts.
type decider struct {
	reader client.Reader
	guard  decisionsGuard
	clock  clock.PassiveClock
}

func (r *spaceReconciler) decider() decider { return decider{r.Client, r.guard, r.clock} }

// on is the decision that takes effect on a target's open proposal, or nil. One
// that can't be trusted, because nothing holds who makes it, says so itself.
func (d decider) on(ctx context.Context, target client.Object, kind v1alpha1.TargetKind, p *v1alpha1.Proposal) (*v1alpha1.GovernanceDecision, error) {
	if p == nil || p.State != v1alpha1.ProposalOpen {
		return nil, nil
	}
	about := v1alpha1.DecisionTarget{Kind: kind, Name: target.GetName()}
	var decisions v1alpha1.GovernanceDecisionList
	if err := d.reader.List(ctx, &decisions, client.InNamespace(target.GetNamespace()), client.MatchingFields{indexTarget: targetKey(about)}); err != nil {
		return nil, fmt.Errorf("listing the decisions on %s %s: %w", kind, target.GetName(), err)
	}
	var policies v1alpha1.GovernancePolicyList
	if err := d.reader.List(ctx, &policies, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing the GovernancePolicies: %w", err)
	}
	barred := func(by *v1alpha1.GovernanceDecision) bool {
		reason, _ := governance.Barred(by, policies.Items, requesterOf(target))
		return reason != ""
	}
	found := governance.Decide(p, about, decisions.Items, barred, d.clock.Now())
	if found == nil {
		return nil, nil
	}
	if guarded, err := d.guard.holds(ctx); err != nil || !guarded {
		return nil, err
	}
	return found, nil
}

// requesterOf is who wrote a resource's spec last, as an admission policy noted; empty where none does.
func requesterOf(o client.Object) string { return o.GetAnnotations()[v1alpha1.RequestedByAnnotation] }

// decisionsPolicy is the admission policy that holds who makes a decision, and its binding.
const decisionsPolicy = "decisions.community.cabildo.dev"

// decisionsGuard says whether it can be trusted that who is named in a decision
// has made it: whether the admission policy is in force. Without it anybody who
// may make decisions could name another.
type decisionsGuard struct{ reader client.Reader }

// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingadmissionpolicies;validatingadmissionpolicybindings,resourceNames=decisions.community.cabildo.dev,verbs=get

func (g decisionsGuard) holds(ctx context.Context) (bool, error) {
	var policy admissionv1.ValidatingAdmissionPolicy
	var binding admissionv1.ValidatingAdmissionPolicyBinding
	for _, object := range []client.Object{&policy, &binding} {
		if err := g.reader.Get(ctx, types.NamespacedName{Name: decisionsPolicy}, object); apierrors.IsNotFound(err) {
			return false, nil
		} else if err != nil {
			return false, fmt.Errorf("looking whether decisions are guarded: %w", err)
		}
	}
	fails := policy.Spec.FailurePolicy == nil || *policy.Spec.FailurePolicy == admissionv1.Fail
	return fails && binding.Spec.PolicyName == decisionsPolicy && binding.Spec.MatchResources == nil &&
		slices.Contains(binding.Spec.ValidationActions, admissionv1.Deny), nil
}
