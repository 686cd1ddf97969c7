// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// The order in which resources leave the work queue. A change of one of them
// comes first, because it may be a revocation, and with it whatever was begun
// and waits for the platform to show it.
const (
	// orderFirst is what goes before everything else.
	orderFirst = 0
	// orderNew is what may have no space yet: what was begun is finished first, so that of ten thousand new
	// groups a part is whole, and not all of them half made.
	orderNew = -50
	// orderLast is what a policy's edit concerns, and each resync.
	orderLast = handler.LowPriority
)

// inOrder has everything that a handler enqueues wait with this priority, or
// with a lower one that the handler gives it. A resource may be in the queue
// already, and the higher of two priorities counts: so its resync has the lowest as well.
func inOrder(priority int, h handler.EventHandler) handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	with := func(q queue) queue {
		if prioritised, is := q.(priorityqueue.PriorityQueue[reconcile.Request]); is {
			return orderedQueue{PriorityQueue: prioritised, priority: priority}
		}
		return q
	}
	return handler.Funcs{
		CreateFunc:  func(ctx context.Context, e event.CreateEvent, q queue) { h.Create(ctx, e, with(q)) },
		UpdateFunc:  func(ctx context.Context, e event.UpdateEvent, q queue) { h.Update(ctx, e, with(q)) },
		DeleteFunc:  func(ctx context.Context, e event.DeleteEvent, q queue) { h.Delete(ctx, e, with(q)) },
		GenericFunc: func(ctx context.Context, e event.GenericEvent, q queue) { h.Generic(ctx, e, with(q)) },
	}
}

// orderedQueue is a work queue to which is added with one priority what comes with none.
type orderedQueue struct {
	priorityqueue.PriorityQueue[reconcile.Request]
	priority int
}

func (q orderedQueue) Add(request reconcile.Request) {
	q.AddWithOpts(priorityqueue.AddOpts{}, request)
}

func (q orderedQueue) AddWithOpts(o priorityqueue.AddOpts, requests ...reconcile.Request) {
	if o.Priority == nil {
		o.Priority = &q.priority
	}
	q.PriorityQueue.AddWithOpts(o, requests...)
}

// own is for the resources of a controller themselves: new ones wait until what was begun is done.
func own() handler.EventHandler {
	each := &handler.EnqueueRequestForObject{}
	return handler.TypedFuncs[client.Object, reconcile.Request]{
		CreateFunc: inOrder(orderNew, each).Create, UpdateFunc: each.Update, DeleteFunc: each.Delete,
	}
}
