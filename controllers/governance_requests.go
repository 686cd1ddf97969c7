// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/governance"
)

// governanceChanged passes a community whose groups inherit something else since.
var governanceChanged = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	DeleteFunc:  func(event.DeleteEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, is := e.ObjectOld.(*v1alpha1.Community)
		after, still := e.ObjectNew.(*v1alpha1.Community)
		return is && still && tierChanged(before.Status.Governance, after.Status.Governance)
	},
}

// managerChanged passes a manager who is declared otherwise, or was appointed since.
var managerChanged = predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	DeleteFunc:  func(event.DeleteEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, is := e.ObjectOld.(*v1alpha1.CommunityManager)
		after, still := e.ObjectNew.(*v1alpha1.CommunityManager)
		return is && still && !equality.Semantic.DeepEqual(before.Status.Appointment, after.Status.Appointment)
	},
})

// namespacesOf are the namespaces that a policy picks.
func namespacesOf(ctx context.Context, c client.Reader, p *v1alpha1.GovernancePolicy) []string {
	namespaces := &metav1.PartialObjectMetadataList{}
	namespaces.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
	if err := c.List(ctx, namespaces); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listing what a change concerns")
		return nil
	}
	var names []string
	for _, n := range namespaces.Items {
		if governance.Picks(p, n.Labels) {
			names = append(names, n.Name)
		}
	}
	return names
}

// governedBy are the objects of a kind in the namespaces that a policy picks, or picked before it was changed. A
// thousand of them come after whatever else is to do: a revocation does not wait for all of them.
func governedBy(c client.Reader, list func() client.ObjectList) handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	add := func(ctx context.Context, q queue, policies ...client.Object) {
		for _, o := range policies {
			policy := o.(*v1alpha1.GovernancePolicy).DeepCopy()
			policy.DeletionTimestamp = nil
			for _, namespace := range namespacesOf(ctx, c, policy) {
				for _, request := range requestsFor(ctx, c, list(), client.InNamespace(namespace)) {
					q.Add(request)
				}
			}
		}
	}
	return inOrder(orderLast, handler.Funcs{
		CreateFunc:  func(ctx context.Context, e event.CreateEvent, q queue) { add(ctx, q, e.Object) },
		UpdateFunc:  func(ctx context.Context, e event.UpdateEvent, q queue) { add(ctx, q, e.ObjectOld, e.ObjectNew) },
		DeleteFunc:  func(ctx context.Context, e event.DeleteEvent, q queue) { add(ctx, q, e.Object) },
		GenericFunc: func(ctx context.Context, e event.GenericEvent, q queue) { add(ctx, q, e.Object) },
	})
}
