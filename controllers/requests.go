// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// leftPlatforms passes what may set a Platform free: a deletion, and a change
// that takes something off a platform. The handler sees the old object too.
var leftPlatforms = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		now := platformRequests(e.ObjectNew)
		return slices.ContainsFunc(platformRequests(e.ObjectOld), func(p reconcile.Request) bool { return !slices.Contains(now, p) })
	},
}

// createsAndDeletes passes what changes how many there are.
var createsAndDeletes = predicate.Funcs{
	UpdateFunc:  func(event.UpdateEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
}

// membersChanged passes a Group of which other members are declared.
var membersChanged = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	DeleteFunc: func(event.DeleteEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, is := e.ObjectOld.(*v1alpha1.Group)
		after, still := e.ObjectNew.(*v1alpha1.Group)
		return is && still && !equality.Semantic.DeepEqual(before.Spec.Members, after.Spec.Members)
	},
	GenericFunc: func(event.GenericEvent) bool { return false },
}

// specOrAnnotations passes what a person changes: the spec and annotations.
var specOrAnnotations = predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})

// platformBecameUsable passes a changed Platform, and one that is ready since.
// One that stopped being ready wakes nobody: there is nothing that they could do.
var platformBecameUsable = predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, becameReady{})

// communityBecameUsable passes what groups inherit, and a community whose
// space is there since.
var communityBecameUsable = predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{}, becameReady{}, gotSpace, governanceChanged)

var gotSpace = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*v1alpha1.Community)
		after, also := e.ObjectNew.(*v1alpha1.Community)
		return ok && also && len(before.Status.Platforms) < len(after.Status.Platforms)
	},
}

// becameReady passes an update that makes Ready true.
type becameReady struct{ predicate.Funcs }

func (becameReady) Update(e event.UpdateEvent) bool {
	return !isReady(e.ObjectOld) && isReady(e.ObjectNew)
}

func isReady(o client.Object) bool {
	return meta.IsStatusConditionTrue(v1alpha1.ConditionsOf(o), v1alpha1.ConditionReady)
}

// on, inNamespace and inNamespaceOn say what to list for an object: by its
// name in an index, by its namespace's name, and by both.
func on(index string) func(client.Object) []client.ListOption {
	return func(o client.Object) []client.ListOption {
		return []client.ListOption{client.MatchingFields{index: o.GetName()}}
	}
}

func everything(client.Object) []client.ListOption { return nil }

func inNamespace(o client.Object) []client.ListOption {
	return []client.ListOption{client.InNamespace(o.GetName())}
}

func inNamespaceOn(index string) func(client.Object) []client.ListOption {
	return func(o client.Object) []client.ListOption {
		return []client.ListOption{client.InNamespace(o.GetNamespace()), client.MatchingFields{index: o.GetName()}}
	}
}

// requestsFor are the objects that a list with these options finds. The lists
// come from the cache, so an error would be a programming error: it is logged, and the resync catches up.
func requestsFor(ctx context.Context, c client.Reader, list client.ObjectList, opts ...client.ListOption) []reconcile.Request {
	opts = append(opts, client.UnsafeDisableDeepCopy) // of what may be ten thousand, the names are read
	if err := c.List(ctx, list, opts...); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listing what a change concerns")
		return nil
	}
	var requests []reconcile.Request
	// The callback gives no error, so neither does EachListItem.
	_ = meta.EachListItem(list, func(o runtime.Object) error {
		object := o.(client.Object)
		requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{
			Namespace: object.GetNamespace(), Name: object.GetName(),
		}})
		return nil
	})
	return requests
}

// membersFrom are the groups that take members from a group, directly or by way of others.
func membersFrom(ctx context.Context, c client.Reader, group client.Object) []reconcile.Request {
	found := []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(group)}}
	for i := 0; i < len(found); i++ {
		for _, next := range requestsFor(ctx, c, &v1alpha1.GroupList{},
			client.InNamespace(found[i].Namespace), client.MatchingFields{indexMemberGroup: found[i].Name}) {
			if !slices.Contains(found, next) {
				found = append(found, next)
			}
		}
	}
	return found[1:]
}

// jitter is a duration between nine and eleven tenths of d, so that what was
// started together does not come back together.
func jitter(d time.Duration) time.Duration {
	return d*9/10 + rand.N(d/5+1)
}

// resultOf is when to come back: after the failure's back-off, when the
// platform asks for it, or at the next resync. A problem that waits or needs a
// person is looked at again at the resync, besides what wakes it.
func resultOf(problem *status.Problem, after time.Duration) (ctrl.Result, error) {
	if problem == nil || problem.Severity != status.Transient {
		return ctrl.Result{RequeueAfter: after}, nil
	}
	if problem.RetryAfter > 0 {
		return ctrl.Result{RequeueAfter: jitter(problem.RetryAfter)}, nil
	}
	return ctrl.Result{}, problem
}
