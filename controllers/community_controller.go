// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
)

// CommunityReconciler makes the spaces of each Community.
type CommunityReconciler struct {
	spaces *spaceReconciler
}

// +kubebuilder:rbac:groups=community.cabildo.dev,resources=communities,verbs=get;list;watch;patch;update
// +kubebuilder:rbac:groups=community.cabildo.dev,resources=communities/status,verbs=get;patch;update
// +kubebuilder:rbac:groups=community.cabildo.dev,resources=communities/finalizers,verbs=update
// +kubebuilder:rbac:groups="",resources=namespaces;configmaps,verbs=get;list;watch

func (r *CommunityReconciler) setup(mgr ctrl.Manager, o Options, hints *hintRouter) error {
	reader := r.spaces.Client
	list := func(opts func(client.Object) []client.ListOption) handler.EventHandler {
		return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return requestsFor(ctx, reader, &v1alpha1.CommunityList{}, opts(o)...)
		})
	}
	ofGroup := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: types.NamespacedName{
			Namespace: o.GetNamespace(), Name: o.(*v1alpha1.Group).Spec.CommunityRef.Name,
		}}}
	})
	err := ctrl.NewControllerManagedBy(mgr).
		Named("community").
		Watches(&v1alpha1.Community{}, own(), builder.WithPredicates(predicate.Or(specOrAnnotations, specOrLabels, r.spaces.written.byOthers()))).
		Watches(&v1alpha1.Platform{}, inOrder(orderNew, list(on(indexPlatform))), builder.WithPredicates(platformBecameUsable)).
		Watches(&v1alpha1.Group{}, ofGroup, builder.WithPredicates(predicate.Or(createsAndDeletes, membersChanged))).
		Watches(&v1alpha1.Group{}, handler.EnqueueRequestsFromMapFunc(r.fromGroup), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.ConfigMap{}, inOrder(orderLast, list(inNamespaceOn(indexGuidelines)))).
		Watches(&v1alpha1.CommunityManager{}, handler.EnqueueRequestsFromMapFunc(r.fromManager), builder.WithPredicates(managerChanged)).
		Watches(&v1alpha1.GovernancePolicy{}, governedBy(reader, func() client.ObjectList { return &v1alpha1.CommunityList{} }), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Community{}, handler.EnqueueRequestsFromMapFunc(r.fromCommunity), builder.WithPredicates(specOrLabels)).
		WatchesMetadata(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.fromManager), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesMetadata(&corev1.Namespace{}, list(inNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesMetadata(&corev1.Secret{}, r.spaces.records.lost(model.KindCommunity), builder.WithPredicates(onlyRecords)).
		Watches(&v1alpha1.GovernanceDecision{}, decidedTarget(string(model.KindCommunity)), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(source.Channel(hints.communities, &handler.TypedEnqueueRequestForObject[*v1alpha1.Community]{})).
		WithOptions(o.controller()).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up the Community controller: %w", err)
	}
	return nil
}

// fromGroup are the communities that take members from a group, by way of others too.
func (r *CommunityReconciler) fromGroup(ctx context.Context, g client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, from := range append(membersFrom(ctx, r.spaces, g), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(g)}) {
		requests = append(requests, requestsFor(ctx, r.spaces, &v1alpha1.CommunityList{},
			client.InNamespace(from.Namespace), client.MatchingFields{indexMemberGroup: from.Name})...)
	}
	return requests
}

// Reconcile makes the community's spaces as declared, and counts its groups.
func (r *CommunityReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var c v1alpha1.Community
	if err := r.spaces.Get(ctx, req.NamespacedName, &c); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	var groups v1alpha1.GroupList // not copied: there may be ten thousand, and they are counted
	if err := r.spaces.List(ctx, &groups, client.InNamespace(c.Namespace), client.MatchingFields{indexCommunity: c.Name},
		client.UnsafeDisableDeepCopy); err != nil {
		return ctrl.Result{}, fmt.Errorf("counting the groups of Community %s: %w", req, err)
	}
	return r.spaces.reconcile(ctx, communitySubject(&c, groups.Items))
}
