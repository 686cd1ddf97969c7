// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"
	"time"

	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// settleInterval is when a resource is looked at again whose platform has not
// shown yet what was written, if nothing wakes it before: the platform does, as a rule.
const settleInterval = 2 * time.Second

// cuts count, for each resource, how many passes in a row ended because a
// platform had not shown yet what they wrote. Such a pass would keep a worker,
// and its resource from every other change, for nothing but waiting. After a
// few of them a pass waits all the same: then something else is wrong, such as
// a server that takes every change and does none, and what follows is an error
// and not the next attempt.
type cuts struct {
	mu    sync.Mutex
	inRow map[model.Ref]int
}

// may says whether the next pass may be cut.
func (c *cuts) may(ref model.Ref) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inRow[ref] < maxRounds
}

func (c *cuts) add(ref model.Ref) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inRow == nil {
		c.inRow = map[model.Ref]int{}
	}
	c.inRow[ref]++
}

// forget is for a resource that was looked at without an error, or is gone.
func (c *cuts) forget(ref model.Ref) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.inRow, ref)
}

// cut ends what is done with a subject until its platform shows what was
// written. What was decided stays; nothing else is worth a word yet.
func (r *spaceReconciler) cut(ctx context.Context, s *subject, passes []*pass) (ctrl.Result, error) {
	for _, p := range passes {
		r.tell(p)
	}
	r.cuts.add(s.ref)
	if err := r.patchStatus(ctx, s); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: jitter(settleInterval), Priority: ptr.To(orderFirst)}, nil
}
