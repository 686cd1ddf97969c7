// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// Operator is the account that every adapter acts as.
const Operator = "@cabildo:memory"

// MaxAddress is the longest address that the server takes.
const MaxAddress = 64

type adapter struct {
	server *Server
	owner  string
	token  string
	hints  chan platform.Hint
	close  sync.Once
	// met is what the accounts are that this adapter has seen, by the name that each had; guarded by the server's lock.
	met map[string]string
}

// Open returns a platform.Factory for this server.
func (s *Server) Open(_ context.Context, cfg platform.Config) (platform.Adapter, error) {
	a := &adapter{server: s, owner: cfg.OwnerID, token: cfg.Token, hints: make(chan platform.Hint, 256), met: map[string]string{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners[a] = struct{}{}
	return a, nil
}

// Probe answers that everything is supported.
func (a *adapter) Probe(ctx context.Context) (platform.Info, error) {
	if err := a.server.slow(ctx, CallProbe); err != nil {
		return platform.Info{}, err
	}
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	if err := a.asked(CallProbe); err != nil {
		return platform.Info{}, err
	}
	info := platform.Info{Server: "memory", Account: Operator, Capabilities: map[platform.Capability]platform.Support{}}
	for _, c := range platform.Capabilities() {
		info.Capabilities[c] = platform.Support{State: platform.Supported}
	}
	return info, nil
}

// asked counts a read, and returns what goes wrong with it. The lock is held.
func (a *adapter) asked(call Call) error {
	fault, failed := a.server.call(call)
	if err := a.refused(); err != nil {
		return err
	}
	if failed {
		return fault.Err
	}
	return nil
}

// refused says that the token is not the server's. The lock is held.
func (a *adapter) refused() error {
	if a.server.token == "" || a.server.token == a.token {
		return nil
	}
	return platform.Refuse(platform.Unauthorized, "asking the server", "the token is not known")
}

// Observe reads the state as it is.
func (a *adapter) Observe(ctx context.Context, q platform.Query) (platform.Observation, error) {
	s := a.server
	if err := s.slow(ctx, CallObserve); err != nil {
		return platform.Observation{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := a.asked(CallObserve); err != nil {
		return platform.Observation{Why: err.Error()}, err
	}
	o := platform.Observation{Complete: s.incomplete == "", Why: s.incomplete}
	for _, space := range a.marked(q.Ref) {
		if o.Space == nil {
			o.Space = clone(space)
			a.meet(slices.Collect(maps.Keys(space.Members))...)
		} else if !space.Archived {
			o.Duplicates = append(o.Duplicates, space.ID)
		}
	}
	if q.Parent != nil {
		if parents := a.marked(*q.Parent); len(parents) > 0 {
			o.ParentID = parents[0].ID
		}
	}
	if h := s.holder(q.Address); q.Address != "" && h != nil && (o.Space == nil || h.ID != o.Space.ID) {
		seen := clone(h)
		a.meet(slices.Collect(maps.Keys(seen.Members))...)
		o.Holder = &platform.Holder{ID: h.ID, Mark: seen.Mark, Space: seen}
	}
	if by, replaced := s.replaced[q.Ref]; replaced && o.Space == nil {
		o.Replaced = &by
	}
	if q.KnownID != "" {
		_, there := s.spaces[q.KnownID]
		o.Lost = !there
	}
	return o, nil
}

// marked are the spaces with the mark of a resource, open ones first and then by age. The lock is held.
func (a *adapter) marked(ref model.Ref) []*model.Observed {
	var found []*model.Observed
	for _, space := range a.server.found.marked(ref) {
		if space.Mark.OwnerID == a.owner {
			found = append(found, space)
		}
	}
	slices.SortFunc(found, func(x, y *model.Observed) int {
		if x.Archived != y.Archived {
			if y.Archived {
				return -1
			}
			return 1
		}
		if c := x.CreatedAt.Compare(y.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(x.ID, y.ID)
	})
	return found
}

// Missing are the accounts that nobody added.
func (a *adapter) Missing(ctx context.Context, accounts []string) ([]string, error) {
	s := a.server
	if err := s.slow(ctx, CallMissing); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := a.asked(CallMissing); err != nil {
		return nil, err
	}
	var missing []string
	for _, account := range accounts {
		if s.people[account] == "" {
			missing = append(missing, account)
		}
	}
	a.meet(accounts...)
	return missing, nil
}

// meet notes who these accounts are. The lock is held.
func (a *adapter) meet(accounts ...string) {
	for _, account := range accounts {
		if is := a.server.people[account]; is != "" {
			a.met[account] = is
		}
	}
}

// Stable is the number of an account that this adapter has met, as a real one knows only whom it has seen.
func (a *adapter) Stable(account string) string {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	return cmp.Or(a.met[account], account)
}

// AccountsByEmail are those of AddAddress.
func (a *adapter) AccountsByEmail(ctx context.Context, addresses []string) (map[string]string, error) {
	s := a.server
	if err := s.slow(ctx, CallMissing); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := a.asked(CallMissing); err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, address := range addresses {
		if account, known := s.byEmail[address]; known && s.people[account] != "" {
			found[address] = account
			a.meet(account)
		}
	}
	return found, nil
}

// Normalize refuses a name that is too long, and gives nobody the operator's
// role; everything else can be held.
func (a *adapter) Normalize(want model.Space) (model.Space, []platform.Loss) {
	var lost platform.Losses
	if len(want.Address) > MaxAddress {
		lost.Fatal("spaceName", "the name is longer than %d characters", MaxAddress)
	}
	want.Joins = true
	want.Settings.Permissions = maps.Clone(want.Settings.Permissions)
	want.Members = platform.NormalMembers(want.Members, Operator, &lost)
	return want, lost
}

// Display is the address as it is.
func (a *adapter) Display(address string) string { return address }

// Apply does one operation, or gives its fault.
func (a *adapter) Apply(ctx context.Context, op plan.Operation) (string, error) {
	s := a.server
	late := s.slow(ctx, Call(op.Verb))
	s.mu.Lock()
	defer s.mu.Unlock()
	fault, failed := s.call(Call(op.Verb))
	if err := a.refused(); err != nil {
		return "", err
	}
	if failed && !fault.AfterWrite {
		return "", fault.Err
	}
	id, err := a.apply(op, time.Now())
	switch {
	case failed:
		return "", fault.Err
	case late != nil: // it was done, and the answer came too late
		return "", &platform.Error{Kind: platform.Ambiguous, Doing: op.String(), Err: late}
	default:
		return id, err
	}
}

// Hints tells of what is done by hand with Edit.
func (a *adapter) Hints() <-chan platform.Hint { return a.hints }

// Close stops the hints.
func (a *adapter) Close() {
	a.close.Do(func() {
		a.server.mu.Lock()
		defer a.server.mu.Unlock()
		delete(a.server.listeners, a)
		close(a.hints)
	})
}
