// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// Adapter is a platform.Adapter for one homeserver and one account.
type Adapter struct {
	cfg    platform.Config
	log    logr.Logger
	client *client

	view      *view
	hints     *platform.HintQueue
	directory *directory
	people    *people
	listing   *listing
	creations *creations
	// rooms lets one write at a time into a room, and one create for a resource.
	rooms platform.Locks

	//nolint:containedctx // the life of what runs in the background, from New to Close
	life  context.Context
	end   context.CancelFunc
	start sync.Once
	tasks sync.WaitGroup
	// poke wakes the sync loop out of its backoff.
	poke chan struct{}

	mu sync.Mutex // guards what follows
	// account is who we are; empty until it was asked.
	account string
	// offer is what the server can do; nil until it was asked.
	offer *offer
}

var _ platform.Factory = New

// defaultResync is how often is verified what /sync doesn't carry, when the configuration doesn't say.
const defaultResync = 10 * time.Minute

// New opens an adapter. The first request is made by Probe or Observe; what
// runs in the background from then on ends with Close, not with the context.
func New(ctx context.Context, cfg platform.Config) (platform.Adapter, error) {
	c, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.ResyncInterval <= 0 {
		cfg.ResyncInterval = defaultResync
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	a := &Adapter{
		cfg: cfg, log: cfg.Log, client: c,
		view: newView(cfg.OwnerID), hints: platform.NewHintQueue(), directory: newDirectory(cfg.ResyncInterval),
		people: newPeople(), listing: newListing(), creations: newCreations(),
		life: life, end: end, poke: make(chan struct{}, 1),
	}
	a.view.doubts.every = cfg.ResyncInterval / laterShare
	a.tasks.Go(func() { a.hints.Deliver(life) })
	return a, nil
}

// Hints tells of resources whose rooms changed.
func (a *Adapter) Hints() <-chan platform.Hint { return a.hints.Out() }

// errClosed is the answer to who asks after Close.
var errClosed = platform.Refuse(platform.Unavailable, "reading the rooms", "the session was closed")

// Close ends the sync and closes the channel of hints.
func (a *Adapter) Close() {
	a.end()
	a.start.Do(func() {}) // nothing starts any more
	a.view.fail(errClosed, time.Now())
	a.tasks.Wait()
}

// begin starts to follow the server, once.
func (a *Adapter) begin() {
	a.start.Do(func() {
		a.tasks.Go(func() { a.follow(a.life) })
		a.tasks.Go(func() { a.watchAddresses(a.life) })
	})
}

// us is our account; empty until it is known.
func (a *Adapter) us() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.account
}

// current makes sure that the view is whole and holds what was written before
// in this scope, so that a write can build on it.
func (a *Adapter) current(ctx context.Context, doing string, s scope) error {
	a.begin()
	if err := a.view.ready(ctx); err != nil {
		return err
	}
	a.view.mu.Lock()
	failing := a.view.failing
	a.view.mu.Unlock()
	if platform.IsKind(failing, platform.Unauthorized) {
		return failing
	}
	if failing != nil {
		return &platform.Error{Kind: platform.Unavailable, Doing: doing, Err: failing}
	}
	return a.view.settle(ctx, s, false)
}
