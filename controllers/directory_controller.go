// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/directory"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// DirectoryReconciler reads each Directory into its index, and says what came of it.
type DirectoryReconciler struct {
	base
	// secrets reads Secrets from the API server, past the cache: only their metadata is watched and kept.
	secrets     client.Reader
	namespace   string
	directories *directory.Directories
	metrics     *directory.Metrics
	hints       *hintRouter
}

// Built in where the Directory does not say.
const (
	builtInLeaverPercent = 2
	builtInLeaverCount   = 50
)

// +kubebuilder:rbac:groups=community.cabildo.dev,resources=directories,verbs=get;list;watch;patch;update
// +kubebuilder:rbac:groups=community.cabildo.dev,resources=directories/status,verbs=get;patch;update
// +kubebuilder:rbac:groups=community.cabildo.dev,resources=directories/finalizers,verbs=update

func (r *DirectoryReconciler) setup(mgr ctrl.Manager, o Options) error {
	with := func(index string) handler.EventHandler {
		return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			if o.GetNamespace() != r.namespace {
				return nil
			}
			return requestsFor(ctx, r.Client, &v1alpha1.DirectoryList{}, client.MatchingFields{index: o.GetName()})
		})
	}
	of := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		return directoryRequests(o)
	})
	err := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.Directory{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesMetadata(&corev1.Secret{}, with(indexCredentials)).
		Watches(&corev1.ConfigMap{}, with(indexList)).
		Watches(&v1alpha1.Community{}, of, builder.WithPredicates(leftDirectories)).
		Watches(&v1alpha1.Group{}, of, builder.WithPredicates(leftDirectories)).
		Watches(&v1alpha1.Platform{}, of, builder.WithPredicates(leftDirectories)).
		Watches(&v1alpha1.GovernancePolicy{}, of, builder.WithPredicates(leftDirectories)).
		WithOptions(o.controller()).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up the Directory controller: %w", err)
	}
	return nil
}

// leftDirectories passes what may set a Directory free: a deletion, and a
// change that takes it out. The handler sees the old object too.
var leftDirectories = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		now := directoryRequests(e.ObjectNew)
		return slices.ContainsFunc(directoryRequests(e.ObjectOld), func(d reconcile.Request) bool { return !slices.Contains(now, d) })
	},
}

// directoryRequests are the Directories that an object uses.
func directoryRequests(o client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for _, name := range directoriesIn(o) {
		requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Name: name}})
	}
	return requests
}

// Reconcile reads the directory and reports on it.
func (r *DirectoryReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var d v1alpha1.Directory
	if err := r.Get(ctx, req.NamespacedName, &d); err != nil {
		if apierrors.IsNotFound(err) {
			r.drop(req.Name)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := d.DeepCopy()
	if !d.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.finish(ctx, before, &d)
	}
	if controllerutil.AddFinalizer(&d, v1alpha1.InUseFinalizer) {
		if err := r.Patch(ctx, &d, client.MergeFrom(before)); err != nil {
			return ctrl.Result{}, fmt.Errorf("adding the finalizer to Directory %s: %w", d.Name, err)
		}
		before = d.DeepCopy()
	}

	changed, problem := r.sync(ctx, &d)
	outcome := status.Outcome{Generation: d.Generation, Problem: problem, Message: "All of it is read."}
	if view := r.directories.Open(d.Name).State().View; view != nil {
		outcome.Message = strings.Join(append([]string{outcome.Message}, view.Notes...), " ")
	}
	status.Apply(&d.Status.Conditions, outcome)
	changed = changed || d.Status.ObservedGeneration != d.Generation
	d.Status.ObservedGeneration = d.Generation
	if err := r.patchStatus(ctx, before, &d); err != nil {
		return ctrl.Result{}, err
	}
	if changed {
		if err := r.wake(ctx, d.Name); err != nil {
			return ctrl.Result{}, err
		}
	}
	return resultOf(problem, jitter(refresh(&d)))
}

// sync reads the directory into its index. changed says that lookups may have other answers now.
func (r *DirectoryReconciler) sync(ctx context.Context, d *v1alpha1.Directory) (changed bool, problem *status.Problem) {
	index := r.directories.Open(d.Name)
	began := r.clock.Now()
	reading, problem := r.read(ctx, d)
	if problem != nil {
		index.Fail(errors.New(problem.Reason))
		return false, problem
	}
	budget := ptr.Deref(d.Spec.LeaverBudget, v1alpha1.LeaverBudget{})
	taken, err := index.Take(reading, directory.Budget{
		Percent: int(ptr.Deref(budget.Percent, builtInLeaverPercent)), Count: int(ptr.Deref(budget.Count, builtInLeaverCount)),
	}, int(d.Status.People))
	if err != nil {
		return false, r.directoryProblem(d, err)
	}
	d.Status.Held = int32(taken.Held)
	state := index.State()
	if state.View != nil {
		d.Status.People, d.Status.Groups = int32(state.View.Active()), int32(state.View.Groups())
		d.Status.Left = int32(len(state.LeftPeople()))
		r.metrics.Read(d.Name, state.View, r.clock.Since(began), r.clock.Now())
	}
	if taken.Held > 0 {
		stay := "They stay as they were, and everything else is taken."
		if state.View == nil {
			stay = "Cabildo was started since and does not know who they were, so nothing is taken."
		}
		return taken.Changed, status.Stall(v1alpha1.ReasonLeaverBudgetExceeded,
			"%d people are gone from Directory %s or disabled in it, and its leaver budget allows %d at once. %s If they have left, raise spec.leaverBudget; if not, correct the directory or what is read of it.",
			taken.Held, d.Name, taken.Allowed, stay)
	}
	return taken.Changed, nil
}

// directoryProblem says what an error of reading means for the Directory.
func (r *DirectoryReconciler) directoryProblem(d *v1alpha1.Directory, err error) *status.Problem {
	const meanwhile = "What was read last stays, and nobody is removed."
	kind := directory.Unavailable
	var typed *directory.Error
	if errors.As(err, &typed) {
		kind = typed.Kind
	}
	switch kind {
	case directory.Unauthorized:
		where := "set credentialsRef"
		if d.Spec.CredentialsRef != nil {
			where = fmt.Sprintf("correct bindDN and password in Secret %s/%s", r.namespace, d.Spec.CredentialsRef.Name)
		}
		return status.Stall(v1alpha1.ReasonUnauthorized, "Directory %s can't be read: %v. The platform team lets the account in there, or %s. %s", d.Name, err, where, meanwhile)
	case directory.Incomplete:
		return status.Stall(v1alpha1.ReasonDirectoryIncomplete, "Directory %s can't be read whole: %v. %s", d.Name, err, meanwhile)
	case directory.Invalid:
		return status.Stall(v1alpha1.ReasonInvalidDirectory, "Directory %s can't be read as it is declared: %v. %s", d.Name, err, meanwhile)
	default:
		return status.Retry(v1alpha1.ReasonDirectoryUnavailable, err, "Directory %s can't be read: %v. %s It is tried again.", d.Name, err, meanwhile)
	}
}

// wake has everything looked at that takes its people from a directory, and all
// that may take them from there: what is in the same namespaces.
func (r *DirectoryReconciler) wake(ctx context.Context, name string) error {
	uses := client.MatchingFields{indexDirectory: name}
	users := slices.Concat(requestsFor(ctx, r.Client, &v1alpha1.CommunityList{}, uses), requestsFor(ctx, r.Client, &v1alpha1.GroupList{}, uses))
	for _, p := range requestsFor(ctx, r.Client, &v1alpha1.PlatformList{}, uses) {
		users = append(users, requestsFor(ctx, r.Client, &v1alpha1.CommunityList{}, client.MatchingFields{indexPlatform: p.Name})...)
	}
	var namespaces []string
	for _, u := range users {
		namespaces = append(namespaces, u.Namespace)
	}
	var policies v1alpha1.GovernancePolicyList
	if err := r.List(ctx, &policies, uses); err != nil {
		return fmt.Errorf("listing the policies that use Directory %s: %w", name, err)
	}
	for i := range policies.Items {
		namespaces = append(namespaces, namespacesOf(ctx, r.Client, &policies.Items[i])...)
	}
	slices.Sort(namespaces)
	for _, namespace := range slices.Compact(namespaces) {
		for _, c := range requestsFor(ctx, r.Client, &v1alpha1.CommunityList{}, client.InNamespace(namespace)) {
			send(ctx, r.hints.communities, &v1alpha1.Community{ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: c.Name}})
		}
		for _, g := range requestsFor(ctx, r.Client, &v1alpha1.GroupList{}, client.InNamespace(namespace)) {
			send(ctx, r.hints.groups, &v1alpha1.Group{ObjectMeta: metav1.ObjectMeta{Namespace: g.Namespace, Name: g.Name}})
		}
		for _, m := range requestsFor(ctx, r.Client, &v1alpha1.CommunityManagerList{}, client.MatchingFields{indexManages: namespace}) {
			send(ctx, r.hints.managers, &v1alpha1.CommunityManager{ObjectMeta: metav1.ObjectMeta{Namespace: m.Namespace, Name: m.Name}})
		}
	}
	return ctx.Err()
}

// drop forgets who is in a directory, and what metrics show of it.
func (r *DirectoryReconciler) drop(name string) {
	r.directories.Drop(name)
	r.metrics.Forget(name)
}

// finish lets a Directory go when nothing uses it any more.
func (r *DirectoryReconciler) finish(ctx context.Context, before, d *v1alpha1.Directory) error {
	var communities v1alpha1.CommunityList
	var groups v1alpha1.GroupList
	var platforms v1alpha1.PlatformList
	var policies v1alpha1.GovernancePolicyList
	for _, list := range []client.ObjectList{&communities, &groups, &platforms, &policies} {
		if err := r.List(ctx, list, client.MatchingFields{indexDirectory: d.Name}); err != nil {
			return fmt.Errorf("listing what uses Directory %s: %w", d.Name, err)
		}
	}
	var consumers []string
	for i := range communities.Items {
		consumers = append(consumers, desired.CommunityRef(&communities.Items[i]).String())
	}
	for i := range groups.Items {
		consumers = append(consumers, desired.GroupRef(&groups.Items[i]).String())
	}
	for i := range platforms.Items {
		consumers = append(consumers, "Platform "+platforms.Items[i].Name)
	}
	for i := range policies.Items {
		consumers = append(consumers, "GovernancePolicy "+policies.Items[i].Name)
	}
	if len(consumers) > 0 {
		status.Apply(&d.Status.Conditions, status.Outcome{Generation: d.Generation, Problem: status.Wait(v1alpha1.ReasonInUse,
			"The Directory is deleted when nothing uses it any more. It is used by %s.", status.Sample(consumers))})
		return r.patchStatus(ctx, before, d)
	}
	r.drop(d.Name)
	if controllerutil.RemoveFinalizer(d, v1alpha1.InUseFinalizer) {
		if err := r.Patch(ctx, d, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("removing the finalizer from Directory %s: %w", d.Name, err)
		}
	}
	return nil
}

func (r *DirectoryReconciler) patchStatus(ctx context.Context, before, d *v1alpha1.Directory) error {
	if equality.Semantic.DeepEqual(before.Status, d.Status) {
		return nil
	}
	if err := r.Status().Patch(ctx, d, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing the status of Directory %s: %w", d.Name, err)
	}
	return nil
}
