// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package size

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// groups follows the groups with a watch: to list ten thousand of them again
// and again would be the most of what the control plane does.
type groups struct {
	mu   sync.Mutex
	at   map[string]int64 // the generation on which each is Ready
	news chan struct{}
}

// followGroups follows the groups until the context ends.
func followGroups(ctx context.Context, config *rest.Config, scheme *runtime.Scheme) (*groups, error) {
	g := &groups{at: map[string]int64{}, news: make(chan struct{}, 1)}
	all, err := cache.New(config, cache.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("following the groups: %w", err)
	}
	informer, err := all.GetInformer(ctx, &v1alpha1.Group{}, cache.BlockUntilSynced(false))
	if err != nil {
		return nil, fmt.Errorf("following the groups: %w", err)
	}
	if _, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: g.seen, UpdateFunc: func(_, object any) { g.seen(object) },
	}); err != nil {
		return nil, fmt.Errorf("following the groups: %w", err)
	}
	go func() { _ = all.Start(ctx) }() // it ends with the context
	if !all.WaitForCacheSync(ctx) {
		return nil, errors.New("following the groups: they were not read")
	}
	return g, nil
}

func (g *groups) seen(object any) {
	group, ok := object.(*v1alpha1.Group)
	if !ok {
		return
	}
	g.mu.Lock()
	if stack.IsReady(group.Generation, group.Status.ObservedGeneration, group.Status.Conditions) {
		g.at[group.Name] = group.Generation
	} else {
		delete(g.at, group.Name)
	}
	g.mu.Unlock()
	select {
	case g.news <- struct{}{}:
	default: // whoever waits has not looked at the last one yet
	}
}

// ready is how many are Ready on their newest generation.
func (g *groups) ready() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.at)
}

// on is the generation on which a group is Ready; 0 when it is not.
func (g *groups) on(name string) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.at[name]
}

// patience is how long no group may change before a wait is given up.
const patience = 3 * time.Minute

// wait waits until it is so.
func (g *groups) wait(ctx context.Context, so func() bool) error {
	for !so() {
		select {
		case <-g.news:
		case <-time.After(patience):
			return fmt.Errorf("no group changed for %s", patience)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
