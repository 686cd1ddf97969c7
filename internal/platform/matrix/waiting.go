// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"slices"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// waiting are the resources that want an address which leads to a room that is
// not theirs. What they wait for is that the address is given up, or that the
// room may be adopted; /sync tells neither of an address nor, of another's room,
// which resource it matters to. The view's lock guards it.
type waiting struct {
	byRef  map[model.Ref]*held
	byRoom map[string]map[model.Ref]struct{}
}

// held is an address that another room holds.
type held struct {
	alias, room string
	// since is when that was first seen, seen when it was seen last, and due when the server is asked again.
	since, seen, due time.Time
}

const (
	// An address that is waited for is asked for again after a tenth of the time for which it has been held, between these bounds.
	leastWait = 5 * time.Second
	mostWait  = time.Minute
	// askedAtOnce bounds how many addresses are asked for in a second.
	askedAtOnce = 2
)

func newWaiting() waiting {
	return waiting{byRef: map[model.Ref]*held{}, byRoom: map[string]map[model.Ref]struct{}{}}
}

// waitFor notes which room holds the address that a resource wants; none when it is empty.
func (v *view) waitFor(ref model.Ref, alias, room string, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	before := v.waiting.byRef[ref]
	if before != nil && before.alias == alias && before.room == room {
		before.seen = now
		return
	}
	v.waiting.forget(ref)
	if room == "" {
		return
	}
	v.waiting.byRef[ref] = &held{alias: alias, room: room, since: now, seen: now, due: now.Add(leastWait)}
	addTo(v.waiting.byRoom, room, ref)
}

func (w *waiting) forget(ref model.Ref) {
	if h := w.byRef[ref]; h != nil {
		removeFrom(w.byRoom, h.room, ref)
		delete(w.byRef, ref)
	}
}

// due are the resources whose address is to be asked for now, the longest overdue first. Who has
// not asked for longer than a time has given up.
func (v *view) due(now time.Time, givenUp time.Duration) map[model.Ref]held {
	v.mu.Lock()
	defer v.mu.Unlock()
	var refs []model.Ref
	for ref, h := range v.waiting.byRef {
		switch {
		case now.Sub(h.seen) > givenUp:
			v.waiting.forget(ref)
		case !h.due.After(now):
			refs = append(refs, ref)
		}
	}
	slices.SortFunc(refs, func(a, b model.Ref) int { return v.waiting.byRef[a].due.Compare(v.waiting.byRef[b].due) })
	out := map[model.Ref]held{}
	for _, ref := range refs[:min(len(refs), askedAtOnce)] {
		h := v.waiting.byRef[ref]
		h.due = now.Add(min(max(now.Sub(h.since)/10, leastWait), mostWait))
		out[ref] = *h
	}
	return out
}

// watchAddresses asks where the addresses lead that resources wait for, until the context ends.
func (a *Adapter) watchAddresses(ctx context.Context) {
	each := time.NewTicker(time.Second)
	defer each.Stop()
	for {
		select {
		case <-each.C:
		case <-ctx.Done():
			return
		}
		for ref, h := range a.view.due(time.Now(), 3*a.cfg.ResyncInterval) {
			if room, err := a.leadsTo(ctx, h.alias, true, 0); err == nil && room != h.room {
				a.hints.Add(ref)
			}
		}
	}
}
