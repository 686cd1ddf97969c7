// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers holds one thin reconciler a kind, and the one way that
// every space goes: resolve, desire, observe, plan, filter, apply, report.
package controllers

import (
	"cmp"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/directory"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// Options are what the controllers need from the outside.
type Options struct {
	// Namespace is the operator's own: the only one whose Secrets are read.
	Namespace string
	// Factories open adapters, by the type of Platform.
	Factories map[v1alpha1.PlatformType]platform.Factory
	Metrics   *platform.Metrics
	// DirectoryMetrics show how reading directories goes.
	DirectoryMetrics *directory.Metrics
	// Concurrency is how many resources of a kind are reconciled at once. Requests have a budget of
	// their own, so this only bounds how many wait for their turn.
	Concurrency int
	Clock       clock.Clock
	// PassLimit is how long the changes of one space go on before it is looked at again; 10 s where it is zero.
	PassLimit time.Duration
	// RetryBase is the first delay after a failure; it doubles up to RetryMax.
	RetryBase, RetryMax time.Duration
}

// CacheOptions limit what the manager reads and keeps: Secrets of the
// operator's namespace (as metadata), and ConfigMaps that their owner labelled
// for it. Who wrote which field last is a large part of a small object, and nobody here asks.
func CacheOptions(namespace string) cache.Options {
	return cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}:    {Namespaces: map[string]cache.Config{namespace: {}}},
			&corev1.ConfigMap{}: {Label: labels.SelectorFromSet(labels.Set{v1alpha1.ReadLabel: "true"})},
		},
	}
}

// Setup adds every controller to the manager.
func Setup(ctx context.Context, mgr ctrl.Manager, o Options) error {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	sessions := platform.NewSessions()
	if err := mgr.Add(sessions); err != nil {
		return fmt.Errorf("adding the sessions: %w", err)
	}
	if err := addIndexes(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	hints := newHintRouter(sessions)
	if err := mgr.Add(hints); err != nil {
		return fmt.Errorf("adding the hints: %w", err)
	}
	base := base{
		Client:   mgr.GetClient(),
		sessions: sessions,
		events:   mgr.GetEventRecorder("cabildo"),
		clock:    o.Clock,
	}
	directories := directory.NewDirectories()
	guard := decisionsGuard{mgr.GetAPIReader()}
	kept := newRecords(mgr.GetClient(), mgr.GetAPIReader(), o.Namespace)
	spaces := &spaceReconciler{
		base: base, directories: directories, troubled: hints.troubled, counted: newThrottle(o.Clock), guard: guard,
		written:   newWritten(),
		passLimit: cmp.Or(o.PassLimit, builtInPassLimit),
		records:   kept, brought: &brought{records: kept},
		closed: newClosures(mgr.GetClient(), mgr.GetAPIReader(), o.Namespace, o.Clock),
	}
	if err := (&PlatformReconciler{
		base: base, secrets: mgr.GetAPIReader(), namespace: o.Namespace, factories: o.Factories, metrics: o.Metrics,
	}).setup(mgr, o, hints); err != nil {
		return err
	}
	if err := (&DirectoryReconciler{
		base: base, secrets: mgr.GetAPIReader(), namespace: o.Namespace, directories: directories, metrics: o.DirectoryMetrics, hints: hints,
	}).setup(mgr, o); err != nil {
		return err
	}
	if err := (&CommunityReconciler{spaces: spaces}).setup(mgr, o, hints); err != nil {
		return err
	}
	if err := (&DecisionReconciler{base: base, guard: guard}).setup(mgr, o); err != nil {
		return err
	}
	if err := (&CommunityManagerReconciler{base: base, guard: guard, directories: directories}).setup(mgr, o, hints); err != nil {
		return err
	}
	if err := (&GovernancePolicyReconciler{base: base}).setup(mgr, o); err != nil {
		return err
	}
	return (&GroupReconciler{spaces: spaces}).setup(mgr, o, hints)
}

// base is what every reconciler has.
type base struct {
	client.Client
	sessions *platform.Sessions
	events   events.EventRecorder
	clock    clock.Clock
}

func (o Options) controller() controller.Options {
	first, most := o.RetryBase, o.RetryMax
	if first == 0 {
		first = 500 * time.Millisecond
	}
	if most == 0 {
		most = 5 * time.Minute
	}
	return controller.Options{
		MaxConcurrentReconciles: max(o.Concurrency, 1),
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](first, most),
	}
}
