// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
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
	if missing, err := d.guard.missing(ctx); err != nil || missing != "" {
		return nil, err
	}
	return found, nil
}

// requesterOf is who wrote a resource's spec last, as an admission policy noted; empty where none does.
func requesterOf(o client.Object) string { return o.GetAnnotations()[v1alpha1.RequestedByAnnotation] }

// The admission policies without which a decision says nothing, and their
// bindings: the first holds who makes one, the second notes who asked for what is decided on.
const (
	decisionsPolicy = "decisions.community.cabildo.dev"
	requesterPolicy = "requester.community.cabildo.dev"
)

// decisionsGuard says whether a decision can be trusted: whether who is named in
// it has made it, and did not ask for it. Without the admission policies anybody
// who may make decisions could name another.
type decisionsGuard struct{ reader client.Reader }

// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingadmissionpolicies;validatingadmissionpolicybindings,resourceNames=decisions.community.cabildo.dev,verbs=get
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=mutatingadmissionpolicies;mutatingadmissionpolicybindings,resourceNames=requester.community.cabildo.dev,verbs=get

// missing is the name of a policy that is not in force; empty when all are that the API server can have.
func (g decisionsGuard) missing(ctx context.Context) (string, error) {
	if holds, err := g.validates(ctx); err != nil || !holds {
		return decisionsPolicy, err
	}
	if holds, err := g.notes(ctx); err != nil || !holds {
		return requesterPolicy, err
	}
	return "", nil
}

func (g decisionsGuard) validates(ctx context.Context) (bool, error) {
	var policy admissionv1.ValidatingAdmissionPolicy
	var binding admissionv1.ValidatingAdmissionPolicyBinding
	if found, err := g.read(ctx, decisionsPolicy, &policy, &binding); err != nil || !found {
		return false, err
	}
	return fails(policy.Spec.FailurePolicy) && binding.Spec.PolicyName == decisionsPolicy && binding.Spec.MatchResources == nil &&
		slices.Contains(binding.Spec.ValidationActions, admissionv1.Deny), nil
}

// notes is also true of an API server that does not have such policies, as before
// Kubernetes 1.36: docs/security.md says what is not held there.
func (g decisionsGuard) notes(ctx context.Context) (bool, error) {
	var policy admissionv1.MutatingAdmissionPolicy
	var binding admissionv1.MutatingAdmissionPolicyBinding
	found, err := g.read(ctx, requesterPolicy, &policy, &binding)
	switch {
	case meta.IsNoMatchError(err):
		return true, nil
	case err != nil || !found:
		return false, err
	}
	return fails(policy.Spec.FailurePolicy) && len(policy.Spec.MatchConditions) == 0 &&
		binding.Spec.PolicyName == requesterPolicy && binding.Spec.MatchResources == nil, nil
}

// read reads objects of one name, and says whether all are there.
func (g decisionsGuard) read(ctx context.Context, name string, objects ...client.Object) (bool, error) {
	for _, object := range objects {
		if err := g.reader.Get(ctx, types.NamespacedName{Name: name}, object); apierrors.IsNotFound(err) {
			return false, nil
		} else if err != nil {
			return false, fmt.Errorf("looking whether decisions are guarded: %w", err)
		}
	}
	return true, nil
}

// fails says whether a policy that can't be evaluated refuses the request; that is the API's default.
func fails(policy *admissionv1.FailurePolicyType) bool {
	return policy == nil || *policy == admissionv1.Fail
}
