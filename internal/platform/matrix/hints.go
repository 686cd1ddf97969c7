// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"sync"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// hints are the resources to look at again. However often one is added before
// somebody listens, it is told once, and adding never waits.
type hints struct {
	out  chan platform.Hint
	more chan struct{}

	mu      sync.Mutex // guards what follows
	waiting map[model.Ref]struct{}
	order   []model.Ref
}

func newHints() *hints {
	return &hints{
		out: make(chan platform.Hint), more: make(chan struct{}, 1), waiting: map[model.Ref]struct{}{},
	}
}

func (h *hints) add(refs ...model.Ref) {
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

func (h *hints) next() (model.Ref, bool) {
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

// deliver hands the hints out until the context ends, and closes the channel.
func (h *hints) deliver(ctx context.Context) {
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
		case h.out <- platform.Hint{Ref: ref}:
		case <-ctx.Done():
			return
		}
	}
}
