// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package size

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/benchmark/look"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

const (
	// atOnce is how many groups are changed at once, and rounds how often; both if there are so many.
	atOnce, rounds = 300, 5
	// singly is how many are changed one after the other.
	singly = 60
	// lookEvery is the pause between two looks at a space.
	lookEvery = 5 * time.Millisecond
	// changeWithin is when a change is given up.
	changeWithin = time.Minute
)

func (b *benchmark) changeFew(ctx context.Context) (err error) {
	b.results.amongFew, err = b.changeAtOnce(ctx)
	return err
}

func (b *benchmark) changeMany(ctx context.Context) (err error) {
	b.results.amongMany, err = b.changeAtOnce(ctx)
	return err
}

// perChange is what one changed group takes: time until all are Ready again,
// and time of the processors, zero where the system doesn't tell.
type perChange struct{ took, manager, plane time.Duration }

// changeAtOnce changes the purpose of some groups at once, and again, and
// returns the median of what a group took.
func (b *benchmark) changeAtOnce(ctx context.Context) (perChange, error) {
	var took, manager, plane []time.Duration
	some := b.spread(atOnce, b.results.few) // the same among few and among many: one with members costs more
	for round := range rounds {
		before := b.processors()
		began := time.Now()
		if err := b.changeRound(ctx, some, fmt.Sprintf("Changed among %d, in round %d", b.made, round)); err != nil {
			return perChange{}, err
		}
		n := time.Duration(len(some))
		took = append(took, time.Since(began)/n)
		after := b.processors()
		manager = append(manager, (after.manager-before.manager)/n)
		plane = append(plane, (after.plane-before.plane)/n)
		// The next round is not to begin with what is left of this one.
		if _, err := b.WaitQuiet(ctx, 0); err != nil {
			return perChange{}, err
		}
	}
	return perChange{median(took), median(manager), median(plane)}, nil
}

func median(of []time.Duration) time.Duration { return slices.Sorted(slices.Values(of))[len(of)/2] }

// processors is how long the processors worked for the manager and the control plane.
func (b *benchmark) processors() (p struct{ manager, plane time.Duration }) {
	p.manager, _ = b.Manager.CPUTime() // zero where the system doesn't tell
	p.plane, _ = b.Plane.CPUTime()
	return p
}

func (b *benchmark) changeRound(ctx context.Context, some []string, purpose string) error {
	generations := make([]int64, len(some))
	workers, workersCtx := errgroup.WithContext(ctx)
	workers.SetLimit(stack.Concurrency)
	for i, name := range some {
		workers.Go(func() (err error) {
			generations[i], err = b.setPurpose(workersCtx, name, purpose)
			return err
		})
	}
	if err := workers.Wait(); err != nil {
		return err
	}
	return b.groups.wait(ctx, func() bool {
		for i, name := range some {
			if b.groups.on(name) < generations[i] {
				return false
			}
		}
		return true
	})
}

// spread are the names of so many groups, spread over the first ones.
func (b *benchmark) spread(n, first int) []string {
	n = min(n, first)
	names := make([]string, n)
	for i := range names {
		names[i] = b.manifests.Groups[i*first/n].Name
	}
	return names
}

// setPurpose changes a group, and returns its new generation.
func (b *benchmark) setPurpose(ctx context.Context, name, purpose string) (int64, error) {
	group := v1alpha1.Group{}
	group.Namespace, group.Name = b.manifests.Community.Namespace, name
	patch := fmt.Appendf(nil, `{"spec":{"purpose":%q}}`, purpose)
	if err := b.Cluster.Patch(ctx, &group, client.RawPatch("application/merge-patch+json", patch)); err != nil {
		return 0, err
	}
	return group.Generation, nil
}

// changeSingly changes the purpose of one group after the other, and each time
// waits until it is the topic of the space, and then until the group is Ready again.
func (b *benchmark) changeSingly(ctx context.Context) error {
	for i, name := range b.spread(singly, b.made) {
		took, err := b.changeOne(ctx, name, fmt.Sprintf("Changed as number %d", i+1))
		if err != nil {
			return fmt.Errorf("changing %s: %w", name, err)
		}
		b.results.changes = append(b.results.changes, took)
	}
	slices.Sort(b.results.changes)
	return nil
}

func (b *benchmark) changeOne(ctx context.Context, name, purpose string) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, changeWithin, errors.New("not seen in time"))
	defer cancel()
	began := time.Now()
	generation, err := b.setPurpose(ctx, name, purpose)
	if err != nil {
		return 0, err
	}
	address := b.manifests.Community.Name + "-" + name
	if err := stack.Until(ctx, lookEvery, func() (bool, error) {
		is, err := look.At(ctx, b.Manager.MetricsURL, address)
		return is.Topic == purpose, err
	}); err != nil {
		return 0, err
	}
	took := time.Since(began)
	return took, b.groups.wait(ctx, func() bool { return b.groups.on(name) >= generation })
}
