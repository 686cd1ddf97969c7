// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

const (
	// patience is how long all decisions together are waited for.
	patience = 30 * time.Second
	// glance is how often a decision is looked at meanwhile.
	glance = 500 * time.Millisecond
)

// decided is a decision that was made about a target.
type decided struct {
	target   target
	decision *v1alpha1.GovernanceDecision
}

// outcomes says what became of the decisions, and what went wrong with them.
func (o *decideOptions) outcomes(ctx context.Context, cluster client.Client, made []decided) []error {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	var problems []error
	for _, d := range made {
		message, err := outcome(ctx, cluster, d.decision)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", d.target, err))
			continue
		}
		if _, err := fmt.Fprintf(o.Out, "%s: %s\n", d.target, message); err != nil {
			return append(problems, err)
		}
	}
	return problems
}

// outcome waits until the decision took effect, or can't any more.
func outcome(ctx context.Context, cluster client.Client, d *v1alpha1.GovernanceDecision) (string, error) {
	var seen error
	err := wait.PollUntilContextCancel(ctx, glance, true, func(ctx context.Context) (bool, error) {
		// An answer that fails is asked for again, as long as there is time.
		if err := cluster.Get(ctx, client.ObjectKeyFromObject(d), d); err != nil {
			if ctx.Err() == nil {
				seen = err
			}
			return false, nil
		}
		seen = nil
		return meta.IsStatusConditionTrue(d.Status.Conditions, v1alpha1.ConditionReady) ||
			meta.IsStatusConditionTrue(d.Status.Conditions, v1alpha1.ConditionStalled), nil
	})
	ready := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionReady)
	switch {
	case seen != nil:
		return "", fmt.Errorf("the decision %s was made, and can't be looked at: %w", d.Name, seen)
	case err != nil && ready == nil:
		return "", fmt.Errorf("the decision %s was made, and the operator has not taken it up; see whether it runs: "+
			"kubectl get deployments -A -l app.kubernetes.io/name=cabildo", d.Name)
	case err != nil:
		return "", fmt.Errorf("the decision %s was made, and is not carried out yet: %s: %s", d.Name, ready.Reason, ready.Message)
	case !meta.IsStatusConditionTrue(d.Status.Conditions, v1alpha1.ConditionReady):
		if ready == nil {
			ready = meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionStalled)
		}
		return "", fmt.Errorf("the decision %s has no effect: %s: %s", d.Name, ready.Reason, ready.Message)
	default:
		return ready.Message, nil
	}
}

// denied is what the API server puts before the message of an admission policy.
const denied = "denied request: "

// explainDecision says what a person can do about a decision that was not taken.
func explainDecision(err error, namespace string) error {
	if _, says, found := strings.Cut(err.Error(), denied); found {
		return fmt.Errorf("the decision was refused: %s", says)
	}
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("you may not decide in namespace %s: ask whoever hands out roles there for the ClusterRole cabildo-approver (%w)", namespace, err)
	}
	return explain(err, "make", "governancedecisions", namespace)
}
