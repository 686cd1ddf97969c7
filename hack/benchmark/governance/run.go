// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package governance measures what it costs to govern: evaluating ten thousand
// communities against a policy, and an edit of the policy that concerns a
// thousand of them on a real homeserver, with a revocation in the middle of it.
package governance

import (
	"context"
	"errors"
	"fmt"

	"github.com/cabildo-dev/cabildo/hack/benchmark/report"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

type benchmark struct {
	stack.Stack
	communities int
	results     results
}

// Run measures with a thousand communities on the homeserver, or with so many.
func Run(ctx context.Context, on stack.HomeserverOptions, limit int) (_ *report.Section, err error) {
	b := &benchmark{Stack: stack.Stack{On: on}, communities: 1000}
	if limit > 0 {
		b.communities = limit
	}
	b.results.communities = b.communities
	defer func() { err = errors.Join(err, b.Close()) }()
	if err := stack.Take(ctx,
		stack.Step{Says: fmt.Sprintf("Evaluating %d communities", evaluated), Do: b.evaluate},
		stack.Step{Says: "Starting a Kubernetes control plane and a Matrix homeserver", Do: b.Start},
		stack.Step{Says: "Installing the Helm chart, and running the manager with its service account", Do: b.Install},
		stack.Step{Says: fmt.Sprintf("Making %d communities", b.communities), Do: b.make},
		stack.Step{Says: "Taking somebody out while nothing else is to do", Do: b.revokeAtRest},
		stack.Step{Says: "Editing the policy, and taking somebody out meanwhile", Do: b.edit},
		stack.Step{Says: "Having somebody manage all communities", Do: b.joins},
		stack.Step{Says: "And no longer", Do: b.leaves},
	); err != nil {
		return nil, err
	}
	return b.results.section(), nil
}
