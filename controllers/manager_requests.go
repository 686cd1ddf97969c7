// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// specOrLabels passes what may change whom a selector picks, and what it does then.
var specOrLabels = predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{})

// managedRequests are the communities in which a manager may have a role.
func managedRequests(ctx context.Context, c client.Reader, m *v1alpha1.CommunityManager) []reconcile.Request {
	communities, err := managed(ctx, c, m)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listing what a change concerns")
		return nil
	}
	var requests []reconcile.Request
	for i := range communities {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&communities[i])})
	}
	return requests
}

// derived says what to list for what takes members from managers in a namespace.
func derived(namespace string) []client.ListOption {
	return []client.ListOption{client.InNamespace(namespace), client.MatchingFields{indexManagersOf: "true"}}
}

// fromManagers are the groups of a namespace that take members from managers, by way of others too.
func fromManagers(ctx context.Context, c client.Reader, namespace string) []reconcile.Request {
	found := requestsFor(ctx, c, &v1alpha1.GroupList{}, derived(namespace)...)
	for _, g := range slices.Clone(found) {
		o := &v1alpha1.Group{}
		o.Namespace, o.Name = g.Namespace, g.Name
		found = append(found, membersFrom(ctx, c, o)...)
	}
	return found
}

// derivedCommunities are the communities of a namespace that take members from
// managers, and those with groups that do: on some platforms these are inside.
func derivedCommunities(ctx context.Context, c client.Reader, namespace string) []reconcile.Request {
	found := requestsFor(ctx, c, &v1alpha1.CommunityList{}, derived(namespace)...)
	for _, name := range fromManagers(ctx, c, namespace) {
		found = append(found, requestsFor(ctx, c, &v1alpha1.CommunityList{},
			client.InNamespace(namespace), client.MatchingFields{indexMemberGroup: name.Name})...)
		var g v1alpha1.Group
		if err := c.Get(ctx, name.NamespacedName, &g); err == nil {
			found = append(found, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: g.Spec.CommunityRef.Name}})
		}
	}
	return found
}

// managersIn are the managers of a namespace, or the one that an object is.
func managersIn(ctx context.Context, c client.Reader, o client.Object) []v1alpha1.CommunityManager {
	if m, is := o.(*v1alpha1.CommunityManager); is {
		return []v1alpha1.CommunityManager{*m}
	}
	var list v1alpha1.CommunityManagerList
	if err := c.List(ctx, &list, client.InNamespace(o.GetName())); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listing what a change concerns")
	}
	return list.Items
}

// fromManager are the communities that a manager, or all managers of a namespace, concern.
func (r *CommunityReconciler) fromManager(ctx context.Context, o client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, m := range managersIn(ctx, r.spaces, o) {
		requests = append(requests, managedRequests(ctx, r.spaces, &m)...)
		for _, namespace := range managedNamespaces(&m) {
			requests = append(requests, derivedCommunities(ctx, r.spaces, namespace)...)
		}
	}
	return requests
}

// fromCommunity are the communities that may take the managers of another one.
func (r *CommunityReconciler) fromCommunity(ctx context.Context, o client.Object) []reconcile.Request {
	return derivedCommunities(ctx, r.spaces, o.GetNamespace())
}

// fromManager are the groups that a manager, or all managers of a namespace, concern.
func (r *GroupReconciler) fromManager(ctx context.Context, o client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, m := range managersIn(ctx, r.spaces, o) {
		for _, c := range managedRequests(ctx, r.spaces, &m) {
			requests = append(requests, requestsFor(ctx, r.spaces, &v1alpha1.GroupList{},
				client.InNamespace(c.Namespace), client.MatchingFields{indexCommunity: c.Name})...)
		}
		for _, namespace := range managedNamespaces(&m) {
			requests = append(requests, fromManagers(ctx, r.spaces, namespace)...)
		}
	}
	return requests
}

// fromCommunity are the groups that may take the managers of a community.
func (r *GroupReconciler) fromCommunity(ctx context.Context, o client.Object) []reconcile.Request {
	return fromManagers(ctx, r.spaces, o.GetNamespace())
}
