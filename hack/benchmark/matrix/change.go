// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

const (
	// changes is how many groups are changed, if there are so many.
	changes = 60
	// lookEvery is the pause between two looks into a room.
	lookEvery = 20 * time.Millisecond
	// changeWithin is when a change is given up.
	changeWithin = time.Minute
)

// change changes the purpose of one group after the other, each time waits
// until a client sees it as the topic of the room, and then until the group is
// Ready again.
func (b *benchmark) change(ctx context.Context) error {
	n := min(changes, len(b.manifests.Groups))
	for i := range n {
		group := &b.manifests.Groups[i*len(b.manifests.Groups)/n]
		took, err := b.changeOne(ctx, client.ObjectKeyFromObject(group), fmt.Sprintf("Changed by the benchmark, as number %d", i+1))
		if err != nil {
			return fmt.Errorf("changing %s: %w", group.Name, err)
		}
		b.results.changes = append(b.results.changes, took)
	}
	slices.Sort(b.results.changes)
	return nil
}

func (b *benchmark) changeOne(ctx context.Context, name client.ObjectKey, purpose string) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, changeWithin, errors.New("not seen in time"))
	defer cancel()
	var group v1alpha1.Group
	if err := b.Cluster.Get(ctx, name, &group); err != nil {
		return 0, err
	}
	if len(group.Status.Platforms) != 1 {
		return 0, fmt.Errorf("it is on %d platforms", len(group.Status.Platforms))
	}
	topicPath := "/_matrix/client/v3/rooms/" + url.PathEscape(group.Status.Platforms[0].SpaceID) + "/state/m.room.topic"
	before := group.DeepCopy()
	group.Spec.Purpose = purpose

	began := time.Now()
	if err := b.Cluster.Patch(ctx, &group, client.MergeFrom(before)); err != nil {
		return 0, err
	}
	err := stack.Until(ctx, lookEvery, func() (bool, error) {
		var topic struct {
			Topic string `json:"topic"`
		}
		if err := b.Get(ctx, topicPath, &topic); err != nil && !errors.Is(err, stack.ErrNotFound) {
			return false, err
		}
		return topic.Topic == purpose, nil
	})
	if err != nil {
		return 0, err
	}
	took := time.Since(began)
	return took, stack.Until(ctx, lookEvery, func() (bool, error) {
		if err := b.Cluster.Get(ctx, name, &group); err != nil {
			return false, err
		}
		return stack.IsReady(group.Generation, group.Status.ObservedGeneration, group.Status.Conditions), nil
	})
}

// resyncInterval is the shortest that there is.
const resyncInterval = time.Minute

// resync counts what is asked in the course of two intervals because the sync
// doesn't carry it.
func (b *benchmark) resync(ctx context.Context) error {
	var p v1alpha1.Platform
	if err := b.Cluster.Get(ctx, client.ObjectKey{Name: stack.PlatformName}, &p); err != nil {
		return err
	}
	before := p.DeepCopy()
	p.Spec.ResyncInterval = &metav1.Duration{Duration: resyncInterval}
	if err := b.Cluster.Patch(ctx, &p, client.MergeFrom(before)); err != nil {
		return err
	}
	m, err := b.ManagerMetrics(ctx)
	if err != nil {
		return err
	}
	first := m.Requests()
	last := first
	for end := time.Now().Add(2 * resyncInterval); time.Now().Before(end); {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
		if m, err = b.ManagerMetrics(ctx); err != nil {
			return err
		}
		now := m.Requests()
		b.results.busiestSecond = max(b.results.busiestSecond, now.Since(last).Reads())
		last = now
	}
	b.results.resync = last.Since(first)
	return nil
}
