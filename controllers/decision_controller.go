// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/governance"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// DecisionReconciler says what became of each GovernanceDecision. It is the
// target that takes a decision up; this one only tells.
type DecisionReconciler struct {
	base
	guard decisionsGuard
}

// +kubebuilder:rbac:groups=community.cabildo.dev,resources=governancedecisions,verbs=get;list;watch
// +kubebuilder:rbac:groups=community.cabildo.dev,resources=governancedecisions/status,verbs=get;patch;update

func (r *DecisionReconciler) setup(mgr ctrl.Manager, o Options) error {
	ofTarget := func(kind v1alpha1.TargetKind) handler.EventHandler {
		return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return requestsFor(ctx, r.Client, &v1alpha1.GovernanceDecisionList{}, client.InNamespace(o.GetNamespace()),
				client.MatchingFields{indexTarget: targetKey(v1alpha1.DecisionTarget{Kind: kind, Name: o.GetName()})})
		})
	}
	err := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.GovernanceDecision{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Community{}, ofTarget(v1alpha1.TargetCommunity), builder.WithPredicates(proposalChanged)).
		Watches(&v1alpha1.Group{}, ofTarget(v1alpha1.TargetGroup), builder.WithPredicates(proposalChanged)).
		Watches(&v1alpha1.CommunityManager{}, ofTarget(v1alpha1.TargetManager), builder.WithPredicates(proposalChanged)).
		WithOptions(o.controller()).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up the GovernanceDecision controller: %w", err)
	}
	return nil
}

// proposalChanged passes what decides about decisions.
var proposalChanged = predicate.Funcs{
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return !equality.Semantic.DeepEqual(decidedOn(e.ObjectOld), decidedOn(e.ObjectNew))
	},
}

// fateInterval is how soon a decision is looked at again that its target has not taken up.
const fateInterval = 15 * time.Second

// Reconcile says what became of the decision. One that took effect stays so.
func (r *DecisionReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var d v1alpha1.GovernanceDecision
	if err := r.Get(ctx, req.NamespacedName, &d); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if meta.IsStatusConditionTrue(d.Status.Conditions, v1alpha1.ConditionReady) {
		return ctrl.Result{}, nil
	}
	before := d.DeepCopy()
	outcome, err := r.outcome(ctx, &d)
	if err != nil {
		return ctrl.Result{}, err
	}
	status.Apply(&d.Status.Conditions, outcome)
	d.Status.ObservedGeneration = d.Generation
	if !equality.Semantic.DeepEqual(before.Status, d.Status) {
		if err := r.Status().Patch(ctx, &d, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
			return ctrl.Result{}, fmt.Errorf("writing the status of GovernanceDecision %s: %w", req, err)
		}
	}
	if outcome.Problem != nil && outcome.Problem.Severity == status.Waiting {
		left := governance.Expiry(&d).Sub(r.clock.Now())
		return ctrl.Result{RequeueAfter: max(min(left, fateInterval), time.Second)}, nil
	}
	return ctrl.Result{}, nil
}

func (r *DecisionReconciler) outcome(ctx context.Context, d *v1alpha1.GovernanceDecision) (status.Outcome, error) {
	o := status.Outcome{Generation: d.Generation}
	target := fmt.Sprintf("%s %s", d.Spec.TargetRef.Kind, d.Spec.TargetRef.Name)
	object, err := r.target(ctx, d)
	switch {
	case apierrors.IsNotFound(err) && isUnderway(d):
		o.Message = fmt.Sprintf("Done: %s is gone.", target)
		return o, nil
	case apierrors.IsNotFound(err):
		o.Problem = status.Wait(v1alpha1.ReasonTargetNotFound, "%s does not exist in namespace %s.", target, d.Namespace)
		return o, nil
	case err != nil:
		return o, fmt.Errorf("reading %s: %w", target, err)
	}
	says := decidedOn(object)
	switch fate := governance.FateOf(d, says, r.clock.Now()); {
	case fate == governance.Decided, fate == governance.Void && isUnderway(d): // and others were decided since
		o.Message = map[v1alpha1.Verdict]string{v1alpha1.VerdictApprove: "Done", v1alpha1.VerdictRefuse: "Refused"}[d.Spec.Verdict]
		if says.Last != nil && says.Last.Name == d.Name {
			o.Message += ": " + says.Last.Summary
		}
		o.Message += "."
	case fate == governance.Underway:
		o.Problem = status.Wait(v1alpha1.ReasonProgressing, "%s carries it out.", target)
	case fate == governance.Expired:
		o.Problem = status.Stall(v1alpha1.ReasonDecisionExpired,
			"The decision counted until %s, and %s had not taken it up by then. Make another.", governance.Expiry(d).UTC().Format(time.RFC3339), target)
	case fate == governance.Void:
		o.Problem = status.Stall(v1alpha1.ReasonProposalChanged,
			"%s has no open proposal of this kind with this ID and hash: it changed, or was decided already. Look at its status, and decide on what waits there.", target)
	default:
		reason, message, err := r.barred(ctx, d, object)
		if err != nil {
			return o, err
		}
		if reason != "" {
			o.Problem = status.Stall(reason, "%s", message)
			return o, nil
		}
		missing, err := r.guard.missing(ctx)
		if err != nil {
			return o, err
		}
		if missing != "" {
			o.Problem = status.Wait(v1alpha1.ReasonDecisionsUnguarded,
				"The admission policy %s is not in force, so it can't be known who asked for this and who decided, and the decision is not honoured. The platform team installs the policy and its binding with the chart's admission.enabled.", missing)
			return o, nil
		}
		o.Problem = status.Wait(v1alpha1.ReasonDecisionPending, "%s takes it up when it is looked at next.", target)
	}
	return o, nil
}

// isUnderway says whether the decision was taken up before.
func isUnderway(d *v1alpha1.GovernanceDecision) bool {
	c := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionReady)
	return c != nil && c.Reason == v1alpha1.ReasonProgressing
}

// barred says why who made the decision can't approve; empty when they can.
func (r *DecisionReconciler) barred(ctx context.Context, d *v1alpha1.GovernanceDecision, target client.Object) (reason, message string, err error) {
	var policies v1alpha1.GovernancePolicyList
	if err := r.List(ctx, &policies, client.UnsafeDisableDeepCopy); err != nil {
		return "", "", fmt.Errorf("listing the GovernancePolicies: %w", err)
	}
	reason, message = governance.Barred(d, policies.Items, requesterOf(target))
	return reason, message, nil
}

// target is the resource that was decided on.
func (r *DecisionReconciler) target(ctx context.Context, d *v1alpha1.GovernanceDecision) (client.Object, error) {
	name := types.NamespacedName{Namespace: d.Namespace, Name: d.Spec.TargetRef.Name}
	var object client.Object
	switch d.Spec.TargetRef.Kind {
	case v1alpha1.TargetCommunity:
		object = &v1alpha1.Community{}
	case v1alpha1.TargetManager:
		object = &v1alpha1.CommunityManager{}
	default:
		object = &v1alpha1.Group{}
	}
	if err := r.Get(ctx, name, object); err != nil {
		return nil, err
	}
	return object, nil
}

// decidedOn is what a target says about decisions.
func decidedOn(o client.Object) governance.Target {
	if m, is := o.(*v1alpha1.CommunityManager); is {
		return governance.Target{Proposals: []*v1alpha1.Proposal{m.Status.Proposal}, Last: m.Status.LastDecision}
	}
	s := spaceStatusOf(o)
	return governance.Target{Proposals: []*v1alpha1.Proposal{s.Proposal, tierProposal(o)}, Last: s.LastDecision}
}

// spaceStatusOf is the part of the status that all kinds with spaces share.
func spaceStatusOf(o client.Object) *v1alpha1.SpaceStatus {
	switch o := o.(type) {
	case *v1alpha1.Community:
		return &o.Status.SpaceStatus
	case *v1alpha1.Group:
		return &o.Status.SpaceStatus
	default:
		return &v1alpha1.SpaceStatus{}
	}
}

// targetKey is a target in the index of decisions.
func targetKey(t v1alpha1.DecisionTarget) string { return string(t.Kind) + "/" + t.Name }

// decidedTarget is the request for the target of a decision, for the controller of its kind.
func decidedTarget(kind string) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		d := o.(*v1alpha1.GovernanceDecision)
		if string(d.Spec.TargetRef.Kind) != kind {
			return nil
		}
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: d.Namespace, Name: d.Spec.TargetRef.Name}}}
	})
}
