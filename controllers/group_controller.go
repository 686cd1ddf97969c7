// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
)

// GroupReconciler makes the spaces of each Group.
type GroupReconciler struct {
	spaces *spaceReconciler
}

// +kubebuilder:rbac:groups=community.cabildo.dev,resources=groups,verbs=get;list;watch;patch;update
// +kubebuilder:rbac:groups=community.cabildo.dev,resources=groups/status,verbs=get;patch;update
// +kubebuilder:rbac:groups=community.cabildo.dev,resources=groups/finalizers,verbs=update

func (r *GroupReconciler) setup(mgr ctrl.Manager, o Options, hints *hintRouter) error {
	reader := r.spaces.Client
	list := func(opts func(client.Object) []client.ListOption) handler.EventHandler {
		return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return requestsFor(ctx, reader, &v1alpha1.GroupList{}, opts(o)...)
		})
	}
	err := ctrl.NewControllerManagedBy(mgr).
		Named("group").
		Watches(&v1alpha1.Group{}, own(), builder.WithPredicates(predicate.Or(specOrAnnotations, r.spaces.written.byOthers()))).
		Watches(&v1alpha1.Community{}, inOrder(orderNew, list(inNamespaceOn(indexCommunity))), builder.WithPredicates(communityBecameUsable)).
		Watches(&v1alpha1.Group{}, handler.EnqueueRequestsFromMapFunc(r.fromGroup), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.ConfigMap{}, inOrder(orderLast, handler.EnqueueRequestsFromMapFunc(r.withGuidelines))).
		Watches(&v1alpha1.Platform{}, inOrder(orderNew, handler.EnqueueRequestsFromMapFunc(r.onPlatform)), builder.WithPredicates(platformBecameUsable)).
		Watches(&v1alpha1.CommunityManager{}, handler.EnqueueRequestsFromMapFunc(r.fromManager), builder.WithPredicates(managerChanged)).
		Watches(&v1alpha1.GovernancePolicy{}, governedBy(reader, func() client.ObjectList { return &v1alpha1.GroupList{} }), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Community{}, handler.EnqueueRequestsFromMapFunc(r.fromCommunity), builder.WithPredicates(specOrLabels)).
		WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.fromManager), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesMetadata(&corev1.Namespace{}, list(inNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesMetadata(&corev1.Secret{}, r.spaces.records.lost(model.KindGroup), builder.WithPredicates(onlyRecords)).
		Watches(&v1alpha1.GovernanceDecision{}, decidedTarget(string(model.KindGroup)), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(source.Channel(hints.groups, &handler.TypedEnqueueRequestForObject[*v1alpha1.Group]{})).
		WithOptions(o.controller()).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up the Group controller: %w", err)
	}
	return nil
}

// onPlatform are the groups of the communities on a platform, and those that still have a space there.
func (r *GroupReconciler) onPlatform(ctx context.Context, p client.Object) []reconcile.Request {
	requests := requestsFor(ctx, r.spaces, &v1alpha1.GroupList{}, client.MatchingFields{indexPlatform: p.GetName()})
	for _, c := range requestsFor(ctx, r.spaces, &v1alpha1.CommunityList{}, client.MatchingFields{indexPlatform: p.GetName()}) {
		requests = append(requests, requestsFor(ctx, r.spaces, &v1alpha1.GroupList{},
			client.InNamespace(c.Namespace), client.MatchingFields{indexCommunity: c.Name})...)
	}
	return requests
}

// withGuidelines are the groups with guidelines in a ConfigMap, of their own or their community's.
func (r *GroupReconciler) withGuidelines(ctx context.Context, cm client.Object) []reconcile.Request {
	in := inNamespaceOn(indexGuidelines)(cm)
	requests := requestsFor(ctx, r.spaces, &v1alpha1.GroupList{}, in...)
	for _, c := range requestsFor(ctx, r.spaces, &v1alpha1.CommunityList{}, in...) {
		requests = append(requests, requestsFor(ctx, r.spaces, &v1alpha1.GroupList{},
			client.InNamespace(c.Namespace), client.MatchingFields{indexCommunity: c.Name})...)
	}
	return requests
}

// fromGroup are the groups that take members from a group, by way of others too.
func (r *GroupReconciler) fromGroup(ctx context.Context, g client.Object) []reconcile.Request {
	return membersFrom(ctx, r.spaces, g)
}

// Reconcile makes the group's spaces as declared.
func (r *GroupReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var g v1alpha1.Group
	if err := r.spaces.Get(ctx, req.NamespacedName, &g); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	community := &v1alpha1.Community{}
	name := types.NamespacedName{Namespace: g.Namespace, Name: g.Spec.CommunityRef.Name}
	if err := r.spaces.Get(ctx, name, community); apierrors.IsNotFound(err) {
		community = nil
	} else if err != nil {
		return ctrl.Result{}, fmt.Errorf("reading Community %s: %w", name, err)
	}
	return r.spaces.reconcile(ctx, groupSubject(&g, community))
}
