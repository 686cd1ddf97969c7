// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package size measures what the manager needs for ten thousand groups, and
// whether a change costs more among so many: on a real API server, and with a
// platform in the manager's own memory, which is quicker than any real one. The
// manager is a process of its own, with the rights of the chart.
package size

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/benchmark/look"
	"github.com/cabildo-dev/cabildo/hack/benchmark/report"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// benchmark is everything that runs, and what was measured.
type benchmark struct {
	stack.Stack
	manifests *stack.Manifests
	groups    *groups
	made      int // groups that are on the API server
	results   results
}

// shape is that of the community; few is how many groups the large community is compared with.
var shape = stack.Shape{Groups: 10_000, Members: 50, People: 150}

const tenth = 10

// Run measures with ten thousand groups, or with so many, and looks on for a time while nothing changes.
func Run(ctx context.Context, limit int, rest time.Duration) (_ *report.Section, err error) {
	of := shape
	if limit > 0 {
		of.Groups = limit
	}
	b := &benchmark{
		Stack: stack.Stack{
			WithoutMatrix: true, ManagerBinary: "benchmark-manager", ManagerArgs: []string{fmt.Sprintf("--people=%d", of.People)},
		},
		manifests: of.Declared(),
		results:   results{shape: of, few: max(of.Groups/tenth, 1), rest: rest},
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if err := stack.Take(ctx,
		stack.Step{Says: "Starting a Kubernetes control plane", Do: b.Start},
		stack.Step{Says: "Installing the Helm chart, and running the manager with its service account", Do: b.Install},
		stack.Step{Says: fmt.Sprintf("Making a community with %d groups", b.results.few), Do: b.begin},
		stack.Step{Says: fmt.Sprintf("Changing groups, %d at once", atOnce), Do: b.changeFew},
		stack.Step{Says: fmt.Sprintf("Making groups until there are %d", of.Groups), Do: b.grow},
		stack.Step{Says: fmt.Sprintf("Changing groups, %d at once", atOnce), Do: b.changeMany},
		stack.Step{Says: "Changing one group after the other, and looking at its space", Do: b.changeSingly},
		stack.Step{Says: fmt.Sprintf("Looking on for %s while nothing changes", rest), Do: b.atRest},
	); err != nil {
		return nil, err
	}
	return b.results.section(), nil
}

// begin declares the platform and the community with its first groups.
func (b *benchmark) begin(ctx context.Context) (err error) {
	if b.results.versions, err = b.Versions(ctx); err != nil {
		return err
	}
	const url = "https://memory.invalid"
	if err := b.Declare(ctx, v1alpha1.PlatformSpec{
		Type: v1alpha1.PlatformMatrix, OwnerID: "benchmark",
		Matrix: &v1alpha1.MatrixPlatform{HomeserverURL: url, ServerName: look.ServerName},
	}, map[string]string{"url": url, "accessToken": "of-no-use"}); err != nil {
		return err
	}
	if b.groups, err = followGroups(ctx, b.Plane.RESTConfig(), b.Cluster.Scheme()); err != nil {
		return err
	}
	if err := b.Cluster.Create(ctx, &b.manifests.Community); err != nil {
		return err
	}
	_, err = b.make(ctx, b.results.few)
	return err
}

// grow makes all groups.
func (b *benchmark) grow(ctx context.Context) (err error) {
	b.results.grown, err = b.make(ctx, len(b.manifests.Groups))
	return err
}

// make makes groups until there are so many, and waits until all are Ready and nothing is left to do.
func (b *benchmark) make(ctx context.Context, until int) (took time.Duration, err error) {
	began := time.Now()
	workers, workersCtx := errgroup.WithContext(ctx)
	workers.SetLimit(stack.Concurrency)
	for ; b.made < until; b.made++ {
		group := &b.manifests.Groups[b.made]
		workers.Go(func() error { return b.Cluster.Create(workersCtx, group) })
	}
	if err := workers.Wait(); err != nil {
		return 0, err
	}
	fmt.Printf("  %3.0f s  all are made, %d are Ready\n", time.Since(began).Seconds(), b.groups.ready())
	if err := b.groups.wait(ctx, func() bool { return b.groups.ready() == until }); err != nil {
		return 0, fmt.Errorf("%d of %d groups are Ready: %w. %s", b.groups.ready(), until, err, b.LastLog())
	}
	took = time.Since(began)
	_, err = b.WaitQuiet(ctx, 0)
	return took, err
}
