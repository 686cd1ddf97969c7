// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// PlatformReconciler opens the session of each Platform, and says what it found.
type PlatformReconciler struct {
	base
	// secrets reads Secrets from the API server, past the cache: only their metadata is watched and kept.
	secrets   client.Reader
	namespace string
	factories map[v1alpha1.PlatformType]platform.Factory
	metrics   *platform.Metrics
}

// +kubebuilder:rbac:groups=community.cabildo.dev,resources=platforms,verbs=get;list;watch;patch;update
// +kubebuilder:rbac:groups=community.cabildo.dev,resources=platforms/status,verbs=get;patch;update
// +kubebuilder:rbac:groups=community.cabildo.dev,resources=platforms/finalizers,verbs=update
// The Secrets of the operator's namespace are in config/rbac/secrets_role.yaml.
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

func (r *PlatformReconciler) setup(mgr ctrl.Manager, o Options, hints *hintRouter) error {
	byCredentials := handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, secret client.Object) []reconcile.Request {
		return requestsFor(ctx, r.Client, &v1alpha1.PlatformList{}, client.MatchingFields{indexCredentials: secret.GetName()})
	})
	ofCommunity := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, c client.Object) []reconcile.Request {
		return platformRequests(c)
	})
	err := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Platform{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesMetadata(&corev1.Secret{}, byCredentials).
		Watches(&v1alpha1.Community{}, ofCommunity, builder.WithPredicates(leftPlatforms)).
		Watches(&v1alpha1.Group{}, ofCommunity, builder.WithPredicates(leftPlatforms)).
		WatchesRawSource(source.Channel(hints.platforms, &handler.TypedEnqueueRequestForObject[*v1alpha1.Platform]{})).
		WithOptions(o.controller()).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up the Platform controller: %w", err)
	}
	return nil
}

// Reconcile opens or refreshes the session and reports on it.
func (r *PlatformReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var p v1alpha1.Platform
	if err := r.Get(ctx, req.NamespacedName, &p); err != nil {
		if apierrors.IsNotFound(err) {
			r.drop(req.Name)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := p.DeepCopy()
	if !p.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.finish(ctx, before, &p)
	}
	if controllerutil.AddFinalizer(&p, v1alpha1.InUseFinalizer) {
		if err := r.Patch(ctx, &p, client.MergeFrom(before)); err != nil {
			return ctrl.Result{}, fmt.Errorf("adding the finalizer to Platform %s: %w", p.Name, err)
		}
		before = p.DeepCopy()
	}

	info, problem := r.open(ctx, &p)
	outcome := status.Outcome{Generation: p.Generation, Problem: problem}
	if problem == nil {
		p.Status.Server, p.Status.Account = info.Server, info.Account
		p.Status.Capabilities = capabilities(info)
		outcome.Message = fmt.Sprintf("Acting as %s.", info.Account)
	}
	status.Apply(&p.Status.Conditions, outcome)
	p.Status.ObservedGeneration = p.Generation
	if err := r.patchStatus(ctx, before, &p); err != nil {
		return ctrl.Result{}, err
	}
	return resultOf(problem, jitter(resync(&p)))
}

// open returns what the probe found on the session of the Platform, which it
// opens anew when anything changed that it was opened with.
func (r *PlatformReconciler) open(ctx context.Context, p *v1alpha1.Platform) (platform.Info, *status.Problem) {
	factory, ok := r.factories[p.Spec.Type]
	if !ok {
		r.drop(p.Name)
		return platform.Info{}, status.Stall(v1alpha1.ReasonPlatformTypeUnsupported,
			"This version of Cabildo has no adapter for type %s. It has: %v.", p.Spec.Type, slices.Sorted(maps.Keys(r.factories)))
	}
	settings, problem := r.sessionSettings(ctx, p)
	if problem != nil {
		r.drop(p.Name)
		return platform.Info{}, problem
	}
	session := r.sessions.Get(p.Name)
	if session != nil && session.Fingerprint == settings.fingerprint() {
		info, err := session.Probe(ctx)
		if err != nil {
			return info, r.probeProblem(p, err)
		}
		return info, nil
	}
	adapter, err := settings.open(ctx, factory, r.metrics)
	if err != nil {
		return platform.Info{}, status.Stall(v1alpha1.ReasonInvalidPlatform, "%v. Correct the Platform.", err)
	}
	info, err := adapter.Probe(ctx)
	if err != nil {
		adapter.Close()
		r.sessions.Drop(p.Name) // it is tried again: what was counted stays, and says why
		return platform.Info{}, r.probeProblem(p, err)
	}
	r.sessions.Put(&platform.Session{Adapter: adapter, Name: p.Name, Info: info, Fingerprint: settings.fingerprint()})
	return info, nil
}

// drop ends the session of a platform that is not asked any more, and what metrics show of it.
func (r *PlatformReconciler) drop(name string) {
	r.sessions.Drop(name)
	r.metrics.Forget(name)
}

func (r *PlatformReconciler) probeProblem(p *v1alpha1.Platform, err error) *status.Problem {
	problem := status.FromPlatform(p.Name, err)
	switch problem.Reason {
	case v1alpha1.ReasonApplyFailed:
		if problem.Severity == status.Stalled {
			problem = status.Stall(v1alpha1.ReasonInvalidPlatform, "Platform %s can't be used: %v.", p.Name, err)
		}
	case v1alpha1.ReasonUnauthorized:
		problem.Severity = status.Stalled
		problem.Message = fmt.Sprintf("The server refuses the token. Put a valid one into Secret %s/%s.", r.namespace, p.Spec.CredentialsRef.Name)
	}
	return problem
}

// finish lets a Platform go when nothing uses it any more.
func (r *PlatformReconciler) finish(ctx context.Context, before, p *v1alpha1.Platform) error {
	var communities v1alpha1.CommunityList
	var groups v1alpha1.GroupList
	uses := client.MatchingFields{indexPlatform: p.Name}
	if err := r.List(ctx, &communities, uses); err != nil {
		return fmt.Errorf("listing the communities on Platform %s: %w", p.Name, err)
	}
	if err := r.List(ctx, &groups, uses); err != nil {
		return fmt.Errorf("listing the groups on Platform %s: %w", p.Name, err)
	}
	var consumers []string
	for i := range communities.Items {
		consumers = append(consumers, desired.CommunityRef(&communities.Items[i]).String())
	}
	for i := range groups.Items {
		consumers = append(consumers, desired.GroupRef(&groups.Items[i]).String())
	}
	if len(consumers) > 0 {
		status.Apply(&p.Status.Conditions, status.Outcome{Generation: p.Generation, Problem: status.Wait(v1alpha1.ReasonInUse,
			"The Platform is deleted when nothing uses it any more. It is used by %s.", status.Sample(consumers))})
		return r.patchStatus(ctx, before, p)
	}
	r.drop(p.Name)
	if controllerutil.RemoveFinalizer(p, v1alpha1.InUseFinalizer) {
		if err := r.Patch(ctx, p, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("removing the finalizer from Platform %s: %w", p.Name, err)
		}
	}
	return nil
}

func (r *PlatformReconciler) patchStatus(ctx context.Context, before, p *v1alpha1.Platform) error {
	if equality.Semantic.DeepEqual(before.Status, p.Status) {
		return nil
	}
	if err := r.Status().Patch(ctx, p, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing the status of Platform %s: %w", p.Name, err)
	}
	return nil
}

func capabilities(info platform.Info) []v1alpha1.Capability {
	var list []v1alpha1.Capability
	for _, name := range slices.Sorted(maps.Keys(info.Capabilities)) {
		support := info.Capabilities[name]
		list = append(list, v1alpha1.Capability{
			Name: string(name), State: v1alpha1.CapabilityState(support.State), Reason: support.Reason,
		})
	}
	return list
}

// platformRequests are the Platforms that a Community or Group is or was on.
func platformRequests(o client.Object) []reconcile.Request {
	var names []string
	switch o := o.(type) {
	case *v1alpha1.Community:
		names = platformsIn(o.Status.SpaceStatus)
		for _, p := range o.Spec.Platforms {
			names = append(names, p.PlatformRef.Name)
		}
	case *v1alpha1.Group:
		names = platformsIn(o.Status.SpaceStatus)
	}
	slices.Sort(names)
	var requests []reconcile.Request
	for _, name := range slices.Compact(names) {
		requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Name: name}})
	}
	return requests
}
