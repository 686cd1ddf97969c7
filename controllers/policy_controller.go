// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/governance"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// GovernancePolicyReconciler says whom each GovernancePolicy governs, and who
// complies. What it says of a community is done by the community's own reconciler.
type GovernancePolicyReconciler struct {
	base
}

// +kubebuilder:rbac:groups=community.cabildo.dev,resources=governancepolicies,verbs=get;list;watch
// +kubebuilder:rbac:groups=community.cabildo.dev,resources=governancepolicies/status,verbs=get;patch;update

func (r *GovernancePolicyReconciler) setup(mgr ctrl.Manager, o Options) error {
	all := func(ctx context.Context) []reconcile.Request {
		return requestsFor(ctx, r.Client, &v1alpha1.GovernancePolicyList{})
	}
	now := handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, _ client.Object) []reconcile.Request { return all(ctx) })
	err := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.GovernancePolicy{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.GovernancePolicy{}, now, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesMetadata(&corev1.Namespace{}, now, builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&v1alpha1.Community{}, later(all), builder.WithPredicates(complianceChanged)).
		WithOptions(o.controller()).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up the GovernancePolicy controller: %w", err)
	}
	return nil
}

// later has requests come together: of a thousand changes, a few are counted.
func later(requests func(context.Context) []reconcile.Request) handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	add := func(ctx context.Context, q queue) {
		for _, request := range requests(ctx) {
			q.AddAfter(request, countInterval/10)
		}
	}
	return handler.Funcs{
		CreateFunc:  func(ctx context.Context, _ event.CreateEvent, q queue) { add(ctx, q) },
		UpdateFunc:  func(ctx context.Context, _ event.UpdateEvent, q queue) { add(ctx, q) },
		DeleteFunc:  func(ctx context.Context, _ event.DeleteEvent, q queue) { add(ctx, q) },
		GenericFunc: func(ctx context.Context, _ event.GenericEvent, q queue) { add(ctx, q) },
	}
}

// complianceChanged passes a community that complies since, or no longer, or is governed by another policy.
var complianceChanged = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, is := e.ObjectOld.(*v1alpha1.Community)
		after, still := e.ObjectNew.(*v1alpha1.Community)
		return is && still && (complies(before) != complies(after) || policyIn(before) != policyIn(after))
	},
	GenericFunc: func(event.GenericEvent) bool { return false },
}

func policyIn(c *v1alpha1.Community) string {
	if c.Status.Governance == nil {
		return ""
	}
	return c.Status.Governance.Policy
}

// complies says why a community does not comply with its policy; empty when it does, or where nobody looked yet.
func complies(c *v1alpha1.Community) string {
	for _, kind := range []string{v1alpha1.ConditionGoverned, v1alpha1.ConditionStaffed} {
		if condition := meta.FindStatusCondition(c.Status.Conditions, kind); condition != nil && condition.Status == metav1.ConditionFalse {
			return condition.Reason
		}
	}
	return ""
}

// Reconcile counts the communities that a policy governs.
func (r *GovernancePolicyReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var p v1alpha1.GovernancePolicy
	if err := r.Get(ctx, req.NamespacedName, &p); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !p.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	governed, err := r.governedBy(ctx, &p)
	if err != nil {
		return ctrl.Result{}, err
	}
	before := p.DeepCopy()
	p.Status.Governed, p.Status.Compliant, p.Status.NotCompliant = int32(len(governed)), 0, nil
	var not []string
	for _, c := range governed {
		if why := complies(c); why != "" {
			not = append(not, fmt.Sprintf("%s/%s: %s", c.Namespace, c.Name, why))
			continue
		}
		p.Status.Compliant++
	}
	slices.Sort(not)
	p.Status.NotCompliant = not[:min(len(not), status.MaxSamples)]
	outcome := status.Outcome{Generation: p.Generation, Message: "It governs communities."}
	if len(governed) == 0 {
		outcome.Message = "No community is governed by it: none is there, or another policy with a higher priority governs their namespaces."
	}
	status.Apply(&p.Status.Conditions, outcome)
	p.Status.ObservedGeneration = p.Generation
	if !equality.Semantic.DeepEqual(before.Status, p.Status) {
		if err := r.Status().Patch(ctx, &p, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
			return ctrl.Result{}, fmt.Errorf("writing the status of GovernancePolicy %s: %w", p.Name, err)
		}
	}
	return ctrl.Result{RequeueAfter: jitter(desired.BuiltInResync)}, nil
}

// governedBy are the communities of the namespaces that a policy governs. They are shared, so nobody may change them.
func (r *GovernancePolicyReconciler) governedBy(ctx context.Context, p *v1alpha1.GovernancePolicy) ([]*v1alpha1.Community, error) {
	var policies v1alpha1.GovernancePolicyList
	var communities v1alpha1.CommunityList
	namespaces := &metav1.PartialObjectMetadataList{}
	namespaces.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
	for _, list := range []client.ObjectList{&policies, &communities, namespaces} {
		if err := r.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("listing what GovernancePolicy %s governs: %w", p.Name, err)
		}
	}
	governs := map[string]bool{}
	for _, n := range namespaces.Items {
		winner := governance.Governing(policies.Items, n.Labels)
		governs[n.Name] = winner != nil && winner.Name == p.Name
	}
	var governed []*v1alpha1.Community
	for i := range communities.Items {
		if c := &communities.Items[i]; governs[c.Namespace] {
			governed = append(governed, c)
		}
	}
	return governed, nil
}
