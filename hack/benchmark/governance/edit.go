// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package governance

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

const (
	// perSecond is the request budget during the edit.
	perSecond = 50
	// revoked are how many people are taken out, one after the other, and how far apart.
	revoked = 5
	apart   = 2 * time.Second
	lookOn  = 20 * time.Millisecond
	within  = 10 * time.Minute
)

func (b *benchmark) name(i int) string { return fmt.Sprintf("c%04d", i) }

// make declares the communities, of which the first ones have a member each.
func (b *benchmark) make(ctx context.Context) (err error) {
	if b.results.versions, err = b.Versions(ctx); err != nil {
		return err
	}
	var people []string
	for i := range 2*revoked + 1 { // the last one is the manager
		people = append(people, stack.Person(i))
	}
	if err := stack.MakePeople(ctx, b.Homeserver, people); err != nil {
		return err
	}
	if err := b.DeclarePlatform(ctx, "benchmark"); err != nil {
		return err
	}
	workers, workersCtx := errgroup.WithContext(ctx)
	workers.SetLimit(stack.Concurrency)
	for i := range b.communities {
		c := &v1alpha1.Community{
			ObjectMeta: metav1.ObjectMeta{Namespace: stack.Namespace, Name: b.name(i)},
			Spec: v1alpha1.CommunitySpec{
				DisplayName: b.name(i), Purpose: "Share practice.",
				Platforms: []v1alpha1.CommunityPlatform{{PlatformRef: v1alpha1.LocalReference{Name: stack.PlatformName}, SpaceName: stack.NamePrefix + b.name(i)}},
			},
		}
		if i < 2*revoked {
			c.Spec.Members = []v1alpha1.MemberSource{{Person: people[i]}}
		}
		workers.Go(func() error { return b.Cluster.Create(workersCtx, c) })
	}
	if err := workers.Wait(); err != nil {
		return err
	}
	if err := b.until(ctx, func(c *v1alpha1.Community) bool {
		return stack.IsReady(c.Generation, c.Status.ObservedGeneration, c.Status.Conditions)
	}); err != nil {
		return err
	}
	// From now on with a budget.
	var p v1alpha1.Platform
	if err := b.Cluster.Get(ctx, client.ObjectKey{Name: stack.PlatformName}, &p); err != nil {
		return err
	}
	before := p.DeepCopy()
	p.Spec.Requests = stack.Budget(perSecond)
	if err := b.Cluster.Patch(ctx, &p, client.MergeFrom(before)); err != nil {
		return err
	}
	_, err = b.WaitQuiet(ctx, 0)
	return err
}

// until waits until something holds of every community.
func (b *benchmark) until(ctx context.Context, so func(*v1alpha1.Community) bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, within, errors.New("not done in time"))
	defer cancel()
	return stack.Until(ctx, 500*time.Millisecond, func() (bool, error) {
		var all v1alpha1.CommunityList
		if err := b.Cluster.List(ctx, &all, client.InNamespace(stack.Namespace)); err != nil {
			return false, err
		}
		for i := range all.Items {
			if !so(&all.Items[i]) {
				return false, nil
			}
		}
		return len(all.Items) == b.communities, nil
	})
}

// revoke takes the member out of a community, and returns how long it took until they were out of the room.
func (b *benchmark) revoke(ctx context.Context, i int) (time.Duration, error) {
	var c v1alpha1.Community
	if err := b.Cluster.Get(ctx, client.ObjectKey{Namespace: stack.Namespace, Name: b.name(i)}, &c); err != nil {
		return 0, err
	}
	path := "/_matrix/client/v3/rooms/" + url.PathEscape(c.Status.Platforms[0].SpaceID) + "/state/m.room.member/" +
		url.PathEscape("@"+stack.Person(i)+":"+b.Homeserver.ServerName)
	before := c.DeepCopy()
	c.Spec.Members = nil
	began := time.Now()
	if err := b.Cluster.Patch(ctx, &c, client.MergeFrom(before)); err != nil {
		return 0, err
	}
	err := stack.Until(ctx, lookOn, func() (bool, error) {
		var member struct {
			Membership string `json:"membership"`
		}
		err := b.Get(ctx, path, &member)
		return member.Membership == "leave", err
	})
	return time.Since(began), err
}

func (b *benchmark) revokeAtRest(ctx context.Context) error {
	for i := range revoked {
		took, err := b.revoke(ctx, i)
		if err != nil {
			return err
		}
		b.results.atRest = append(b.results.atRest, took)
	}
	_, err := b.WaitQuiet(ctx, 0)
	return err
}

// edit changes what every space inherits, and takes people out while that goes to all of them.
func (b *benchmark) edit(ctx context.Context) error {
	before, err := b.ManagerMetrics(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	policy := &v1alpha1.GovernancePolicy{ObjectMeta: metav1.ObjectMeta{Name: "open"}}
	if err := b.Cluster.Get(ctx, client.ObjectKeyFromObject(policy), policy); err != nil {
		return err
	}
	policy.Spec.Tiers[0].Moderation = &v1alpha1.TierModeration{Defaults: &v1alpha1.Moderation{Pins: v1alpha1.AudienceModerators}}
	if err := b.Cluster.Update(ctx, policy); err != nil {
		return err
	}
	for i := range revoked {
		select {
		case <-time.After(apart):
		case <-ctx.Done():
			return ctx.Err()
		}
		took, err := b.revoke(ctx, revoked+i)
		if err != nil {
			return err
		}
		b.results.during = append(b.results.during, took)
	}
	b.results.revokedBy = time.Since(began)
	if err := b.until(ctx, func(c *v1alpha1.Community) bool {
		for _, p := range c.Status.Platforms {
			for _, e := range p.Ledger {
				if e.Setting == "pins" {
					return e.Wanted == string(v1alpha1.AudienceModerators) && e.State == v1alpha1.SettingEnforced
				}
			}
		}
		return false
	}); err != nil {
		return err
	}
	b.results.edited = time.Since(began)
	after, err := b.ManagerMetrics(ctx)
	if err != nil {
		return err
	}
	b.results.asked = after.Requests().Since(before.Requests())
	_, err = b.WaitQuiet(ctx, 0)
	return err
}
