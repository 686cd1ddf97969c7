// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// Adapter is a platform.Adapter for one Mattermost server and one account.
type Adapter struct {
	cfg    platform.Config
	log    logr.Logger
	client *client

	view      *view
	records   *records
	people    *people
	addresses *addresses
	creations *creations
	hints     *platform.HintQueue
	// spaces lets one write at a time into a space, and one create at a time for a name.
	spaces platform.Locks
	// listing lets one reading of everything run at a time.
	listing sync.Mutex

	//nolint:containedctx // the life of what runs in the background, from New to Close
	life  context.Context
	end   context.CancelFunc
	start sync.Once
	tasks sync.WaitGroup

	mu sync.Mutex // guards what follows
	// account is who we are; its ID is empty until it was asked.
	account account
	// offer is what the server can do; nil until it was asked.
	offer *offer
}

// account is our own account.
type account struct{ id, name, email string }

var _ platform.Factory = New

// defaultResync is how often everything is read again when the configuration doesn't say.
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
		cfg: cfg, log: cfg.Log, client: c, people: newPeople(c), addresses: newAddresses(c), creations: newCreations(),
		hints: platform.NewHintQueue(), life: life, end: end,
	}
	a.records = newRecords(c, func() string { return a.us().id })
	a.view = newView(a.records, cfg.OwnerID)
	a.tasks.Go(func() { a.hints.Deliver(life) })
	return a, nil
}

// Hints tells of resources whose spaces changed.
func (a *Adapter) Hints() <-chan platform.Hint { return a.hints.Out() }

// Close ends what runs in the background and closes the channel of hints.
func (a *Adapter) Close() {
	a.end()
	a.start.Do(func() {}) // nothing starts any more
	a.tasks.Wait()
}

// begin starts to follow the server, once.
func (a *Adapter) begin() {
	a.start.Do(func() {
		a.tasks.Go(func() { a.keepRecords(a.life) })
		a.tasks.Go(func() { a.resync(a.life) })
		a.tasks.Go(func() { a.follow(a.life) })
	})
}

// us is our account; without an ID until it is known.
func (a *Adapter) us() account {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.account
}

// offered is what the server can do; nothing special until it was asked.
func (a *Adapter) offered() offer {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.offer == nil {
		return offer{fixed: builtIn}
	}
	return *a.offer
}

// Display is the name of a team or channel, as people type it.
func (a *Adapter) Display(address string) string { return address }

// creations remembers the spaces that this process has made and nobody has
// written to yet, of which it need not be asked what happened in them before.
type creations struct {
	mu    sync.Mutex
	fresh map[string]bool
	// inARow are so many as were made with no calm between them, and last is when the last one was.
	inARow int
	last   time.Time
}

// The server reads all channels of an account again for the first event after
// each channel that the account came into, as long as the account has a
// WebSocket (servers 9.9 and 11.1, WebConn.ShouldSendEvent; 554 channels took half as
// much again of the database). So while many are made there is none.
const (
	manyInARow = 30
	calm       = 3 * time.Second
)

func newCreations() *creations { return &creations{fresh: map[string]bool{}} }

func (c *creations) made(space string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fresh[space] = true
	if time.Since(c.last) > calm {
		c.inARow = 0
	}
	c.inARow++
	c.last = time.Now()
}

// many says that many spaces are being made just now.
func (c *creations) many() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inARow >= manyInARow && time.Since(c.last) <= calm
}

func (c *creations) untouched(space string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fresh[space]
}

func (c *creations) touch(space string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.fresh, space)
}
