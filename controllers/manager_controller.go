// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/directory"
	"github.com/cabildo-dev/cabildo/internal/managers"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// CommunityManagerReconciler says where each manager's role is in force. The
// roles themselves are given by the spaces, which look up their managers.
type CommunityManagerReconciler struct {
	base
	guard       decisionsGuard
	directories *directory.Directories
}

// +kubebuilder:rbac:groups=community.cabildo.dev,resources=communitymanagers,verbs=get;list;watch
// +kubebuilder:rbac:groups=community.cabildo.dev,resources=communitymanagers/status,verbs=get;patch;update

func (r *CommunityManagerReconciler) setup(mgr ctrl.Manager, o Options, hints *hintRouter) error {
	list := func(opts func(client.Object) []client.ListOption) handler.EventHandler {
		return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return requestsFor(ctx, r.Client, &v1alpha1.CommunityManagerList{}, opts(o)...)
		})
	}
	samePerson := func(o client.Object) []client.ListOption {
		return []client.ListOption{client.MatchingFields{indexPerson: o.(*v1alpha1.CommunityManager).Spec.Person}}
	}
	ofNamespace := func(o client.Object) []client.ListOption {
		return []client.ListOption{client.MatchingFields{indexManages: o.GetNamespace()}}
	}
	err := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.CommunityManager{}, builder.WithPredicates(specOrAnnotations)).
		Watches(&v1alpha1.CommunityManager{}, list(samePerson), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.Community{}, list(ofNamespace), builder.WithPredicates(specOrLabels)).
		WatchesMetadata(&corev1.Namespace{}, list(inNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		Watches(&v1alpha1.GovernancePolicy{}, list(everything), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.GovernanceDecision{}, decidedTarget(string(v1alpha1.TargetManager)), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(source.Channel(hints.managers, &handler.TypedEnqueueRequestForObject[*v1alpha1.CommunityManager]{})).
		WithOptions(o.controller()).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up the CommunityManager controller: %w", err)
	}
	return nil
}

// Reconcile reports on a manager, and comes back when something changes by itself.
func (r *CommunityManagerReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var m v1alpha1.CommunityManager
	if err := r.Get(ctx, req.NamespacedName, &m); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !m.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	var same v1alpha1.CommunityManagerList
	if err := r.List(ctx, &same, client.MatchingFields{indexPerson: m.Spec.Person}); err != nil {
		return ctrl.Result{}, fmt.Errorf("listing the roles of the person of CommunityManager %s: %w", req, err)
	}
	inScope, err := r.inScope(ctx, &m)
	if err != nil {
		return ctrl.Result{}, err
	}
	all, err := r.rulings(ctx, inScope)
	if err != nil {
		return ctrl.Result{}, err
	}
	now, before := r.clock.Now(), m.DeepCopy()
	if err := r.appoint(ctx, &m, all); err != nil {
		return ctrl.Result{}, err
	}
	outcome := managerOutcome(&m, inScope, now)
	gone := managers.InTerm(&m, now) && leaversOf(ctx, r.Client, r.directories, inScope...)(m.Spec.Person)
	if gone {
		outcome.Problem = personLeft(&m)
	}
	if standing(&m, all) && outcome.Problem == nil && outcome.Halted == "" {
		outcome.Message = fmt.Sprintf("The role is provisional in %d communities, with less power: see the conditions Appointed and TrainingComplete.", len(inScope))
	}
	status.Apply(&m.Status.Conditions, outcome)
	r.allocation(&m, same.Items, now)
	m.Status.ObservedGeneration = m.Generation
	m.Status.Acting = managers.ActingNow(&m, now)
	if gone {
		m.Status.Acting = v1alpha1.ActingNobody
		if len(m.Spec.Deputies) > 0 {
			m.Status.Acting = v1alpha1.ActingDeputies
		}
	}
	m.Status.InScope, m.Status.Communities, m.Status.NextChange = 0, nil, nil
	if m.Status.Acting != v1alpha1.ActingNobody {
		m.Status.InScope = int32(len(inScope))
		for _, c := range inScope[:min(len(inScope), status.MaxSamples)] {
			m.Status.Communities = append(m.Status.Communities, c.Namespace+"/"+c.Name)
		}
	}
	if next := managers.NextChange([]v1alpha1.CommunityManager{m}, now); !next.IsZero() {
		m.Status.NextChange = &metav1.Time{Time: next}
	}
	if !equality.Semantic.DeepEqual(before.Status, m.Status) {
		// A proposal that the cache doesn't have yet must not be replaced by another one of the same list.
		if err := r.Status().Patch(ctx, &m, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); apierrors.IsConflict(err) {
			return ctrl.Result{RequeueAfter: jitter(openingInterval)}, nil
		} else if client.IgnoreNotFound(err) != nil {
			return ctrl.Result{}, fmt.Errorf("writing the status of CommunityManager %s: %w", req, err)
		}
	}
	after := jitter(desired.BuiltInResync)
	if next := managers.NextChange(same.Items, now); !next.IsZero() {
		after = min(after, max(next.Sub(now), time.Second))
	}
	return resultOf(outcome.Problem, after)
}

// inScope are the communities that a manager names and that consent, in order.
func (r *CommunityManagerReconciler) inScope(ctx context.Context, m *v1alpha1.CommunityManager) ([]v1alpha1.Community, error) {
	labels, err := labelsOf(ctx, r.Client, m.Namespace)
	if err != nil {
		return nil, err
	}
	communities, err := managed(ctx, r.Client, m)
	if err != nil {
		return nil, err
	}
	communities = slices.DeleteFunc(communities, func(c v1alpha1.Community) bool { return !managers.Consents(&c, m.Namespace, labels) })
	slices.SortFunc(communities, func(a, b v1alpha1.Community) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return communities, nil
}

// managerOutcome says whether the role is in force as declared. Of another
// namespace it tells no more than what was named: whether a community that
// does not consent exists is not the manager's to know.
func managerOutcome(m *v1alpha1.CommunityManager, inScope []v1alpha1.Community, now time.Time) status.Outcome {
	outcome := status.Outcome{Generation: m.Generation, Message: fmt.Sprintf("The role is in force in %d communities.", len(inScope))}
	if !managers.InTerm(m, now) {
		outcome.Halted, outcome.Message = v1alpha1.ReasonNotInTerm, fmt.Sprintf(
			"The term is %s, so nobody has the role now. Where it should go on, change spec.term.", termText(m.Spec.Term))
		return outcome
	}
	var missing, refusing []string
	for _, e := range m.Spec.Communities {
		namespace := cmp.Or(e.Namespace, m.Namespace)
		if e.Name == "" || slices.ContainsFunc(inScope, func(c v1alpha1.Community) bool { return c.Namespace == namespace && c.Name == e.Name }) {
			continue
		}
		if namespace == m.Namespace {
			missing = append(missing, e.Name)
		} else {
			refusing = append(refusing, namespace+"/"+e.Name)
		}
	}
	switch {
	case len(refusing) > 0:
		outcome.Problem = status.Stall(v1alpha1.ReasonCommunityDoesNotConsent,
			"Not there, or without consent to managers of namespace %s: %s. Correct the names, or ask who owns the community to add this namespace to its spec.managersFrom.",
			m.Namespace, status.Sample(refusing))
	case len(missing) > 0:
		outcome.Problem = status.Wait(v1alpha1.ReasonNoCommunity,
			"There is no Community of this name in namespace %s: %s. Make it, or correct the name.", m.Namespace, status.Sample(missing))
	case len(inScope) == 0:
		outcome.Problem = status.Wait(v1alpha1.ReasonNoCommunity,
			"The selectors pick no Community that lets managers of namespace %s act. Correct spec.communities, or label the communities that are meant.", m.Namespace)
	case managers.OnLeave(m, now) && len(m.Spec.Deputies) == 0:
		outcome.Halted, outcome.Message = v1alpha1.ReasonOnLeave, "On leave, and nobody acts meanwhile. Name somebody in spec.deputies."
	case managers.OnLeave(m, now):
		outcome.Message = fmt.Sprintf("On leave: the deputies act in %d communities.", len(inScope))
	}
	return outcome
}

// personLeft says that a role is held by somebody who is no longer there.
func personLeft(m *v1alpha1.CommunityManager) *status.Problem {
	who := "nobody has the role"
	if len(m.Spec.Deputies) > 0 {
		who = "the role is in force for the deputies alone"
	}
	return status.Stall(v1alpha1.ReasonPersonLeft,
		"The person has left the organisation, so %s. Name somebody else in spec.person, or delete the CommunityManager.", who)
}

func termText(t *v1alpha1.Term) string {
	if t.End == "" {
		return "from " + t.Start
	}
	return "from " + t.Start + " to " + t.End
}

// allocation says whether a person has more than a week of work. Where else
// they have roles is not said: it may be in namespaces that the reader does not see.
func (r *CommunityManagerReconciler) allocation(m *v1alpha1.CommunityManager, same []v1alpha1.CommunityManager, now time.Time) {
	if m.Spec.Commitment == v1alpha1.CommitmentInformal || managers.ActingNow(m, now) != v1alpha1.ActingManager {
		meta.RemoveStatusCondition(&m.Status.Conditions, v1alpha1.ConditionWithinAllocation)
		return
	}
	c := metav1.Condition{
		Type: v1alpha1.ConditionWithinAllocation, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonWithinAllocation,
		Message: "The allocations fit the commitment.", ObservedGeneration: m.Generation,
	}
	if excess := managers.Excess(m.Spec.Person, same, now); excess > 0 {
		c.Status, c.Reason = metav1.ConditionFalse, v1alpha1.ReasonOverAllocated
		c.Message = fmt.Sprintf("The allocations of all roles in force are %d percent more than the commitment allows. Lower some, or find somebody else for a community.", excess)
	}
	meta.SetStatusCondition(&m.Status.Conditions, c)
}
