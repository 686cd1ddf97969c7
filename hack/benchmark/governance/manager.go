// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package governance

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// move is what it took until a manager was in every community, or out of it.
type move struct {
	took  time.Duration
	asked stack.Requests
}

// manager is somebody who manages every community.
func manager() *v1alpha1.CommunityManager {
	return &v1alpha1.CommunityManager{
		ObjectMeta: metav1.ObjectMeta{Namespace: stack.Namespace, Name: "everywhere"},
		Spec: v1alpha1.CommunityManagerSpec{
			Person: stack.Person(2 * revoked), Role: v1alpha1.ManagerManager, Commitment: v1alpha1.CommitmentInformal,
			Purpose: "Looks after all of them.", Responsibilities: []string{"Moderation"},
			Communities: []v1alpha1.ManagedCommunities{{Selector: &metav1.LabelSelector{}}},
		},
	}
}

func (b *benchmark) joins(ctx context.Context) (err error) {
	b.results.joined, err = b.moves(ctx, func() error { return b.Cluster.Create(ctx, manager()) }, func(s *v1alpha1.StaffingStatus) bool { return s.Managers == 1 })
	return err
}

func (b *benchmark) leaves(ctx context.Context) (err error) {
	b.results.left, err = b.moves(ctx, func() error { return b.Cluster.Delete(ctx, manager()) }, func(s *v1alpha1.StaffingStatus) bool { return s.Managers == 0 })
	return err
}

// moves declares something, and waits until every community says that it is so and is done with it.
func (b *benchmark) moves(ctx context.Context, declare func() error, so func(*v1alpha1.StaffingStatus) bool) (move, error) {
	before, err := b.ManagerMetrics(ctx)
	if err != nil {
		return move{}, err
	}
	began := time.Now()
	if err := declare(); err != nil {
		return move{}, err
	}
	if err := b.until(ctx, func(c *v1alpha1.Community) bool {
		g := c.Status.Governance
		if c.Name < b.name(2*revoked) { // somebody was taken out of these before, and their removal budget is spent
			return true
		}
		return g != nil && g.Staffing != nil && so(g.Staffing) && stack.IsReady(c.Generation, c.Status.ObservedGeneration, c.Status.Conditions)
	}); err != nil {
		return move{}, fmt.Errorf("%w. %s", err, b.LastLog())
	}
	took := time.Since(began)
	after, err := b.ManagerMetrics(ctx)
	if err != nil {
		return move{}, err
	}
	if _, err := b.WaitQuiet(ctx, 0); err != nil {
		return move{}, err
	}
	return move{took, after.Requests().Since(before.Requests())}, nil
}
