// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"sync"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// A HintQueue holds the resources to look at again. However often one is added before
// somebody listens, it is told once, and adding never waits.
type HintQueue struct {
	out  chan Hint
	more chan struct{}

	mu      sync.Mutex // guards what follows
	waiting map[model.Ref]struct{}
	order   []model.Ref
}

// NewHintQueue returns an empty queue. Nothing is told before Deliver runs.
func NewHintQueue() *HintQueue {
	return &HintQueue{
		out: make(chan Hint), more: make(chan struct{}, 1), waiting: map[model.Ref]struct{}{},
	}
}

// Add has resources looked at.
func (h *HintQueue) Add(refs ...model.Ref) {
	h.mu.Lock()
	for _, ref := range refs {
		if _, there := h.waiting[ref]; !there {
			h.waiting[ref] = struct{}{}
			h.order = append(h.order, ref)
		}
	}
	h.mu.Unlock()
	select {
	case h.more <- struct{}{}:
	default:
	}
}

// Out is the channel on which they are told. It is closed at the end of Deliver.
func (h *HintQueue) Out() <-chan Hint { return h.out }

func (h *HintQueue) next() (model.Ref, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.order) == 0 {
		return model.Ref{}, false
	}
	ref := h.order[0]
	h.order = h.order[1:]
	delete(h.waiting, ref)
	return ref, true
}

// Deliver hands the hints out until the context ends, and closes the channel.
func (h *HintQueue) Deliver(ctx context.Context) {
	defer close(h.out)
	for {
		ref, there := h.next()
		if !there {
			select {
			case <-h.more:
				continue
			case <-ctx.Done():
				return
			}
		}
		select {
		case h.out <- Hint{Ref: ref}:
		case <-ctx.Done():
			return
		}
	}
}
