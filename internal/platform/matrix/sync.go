// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	crand "crypto/rand"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

const (
	// longPoll is how long the server may keep a poll open without news.
	longPoll = 30 * time.Second
	// pollGrace is how much later than that the answer may come.
	pollGrace = 30 * time.Second
	// firstPoll bounds the sync that brings everything.
	firstPoll = 5 * time.Minute

	// While there is news, the pause between two polls is so many times as long as the server worked for the
	// last one, between these bounds: it looks through all our rooms for every poll.
	paceFactor = 6
	leastPace  = 20 * time.Millisecond
	mostPace   = 6 * time.Second

	leastBackoff = 500 * time.Millisecond
	mostBackoff  = 15 * time.Second
)

// position is where the sync stands.
type position struct {
	// since is the server's mark of what it has told; empty for nothing yet.
	since string
	// nonce is new with each sync that reads everything; see syncFilter.
	nonce string
}

// restart begins anew with a sync that reads everything.
func restart() position { return position{nonce: crand.Text()} }

// follow keeps the view up to date until the context ends.
func (a *Adapter) follow(ctx context.Context) {
	at, failures, busy := restart(), 0, false
	var failed error // the last poll, if it did
	var whole wholeSync
	for ctx.Err() == nil {
		wait := time.Until(whole.next(a.cfg.ResyncInterval, failures > 0))
		if wait <= 0 {
			at = restart()
		}
		wait = min(wait, a.view.nextDoubt(time.Now()))
		if failures > 0 {
			wait = 0 // so that it is soon known that the connection is back
		}
		first, asked := at.since == "", time.Now()
		err := a.identify(ctx, failed)
		var answer *syncAnswer
		if err == nil {
			answer, err = a.poll(ctx, at, wait)
		}
		if err == nil {
			a.takeIn(ctx, answer, first, asked)
		}
		if ctx.Err() != nil {
			return
		}
		if failed = err; err != nil {
			failures++
			a.lost(ctx, failures, err)
			if first || platform.IsKind(err, platform.Invalid) || platform.IsKind(err, platform.NotFound) {
				at = restart() // the server no longer knows the position
			}
			a.rest(ctx, backoff(failures, err))
			continue
		}
		if first {
			whole = wholeSync{at: asked, took: time.Since(asked)}
		}
		if failures > 0 {
			a.log.Info("the sync with the homeserver is back")
			a.hints.Add(model.Ref{})
		}
		at.since, failures = answer.NextBatch, 0
		pace := leastPace
		if busy { // the answer came at once: so long did the server work for it
			pace = min(max(pace, paceFactor*time.Since(asked)), mostPace)
		}
		if busy = len(answer.Rooms.Join)+len(answer.Rooms.Leave) > 0; busy {
			a.pause(ctx, time.Since(asked), pace)
		}
	}
}

// pause waits so long as the server worked, and then until somebody waits for what was written, or the pace is kept.
func (a *Adapter) pause(ctx context.Context, least, pace time.Duration) {
	a.rest(ctx, min(least, pace))
	timer := time.NewTimer(pace - least)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a.poke:
	case <-a.view.wanted:
	case <-ctx.Done():
	}
}

// takeIn folds an answer into the view and reads again the rooms of which it
// leaves a doubt. With the first answer that comes before anybody sees the view.
func (a *Adapter) takeIn(ctx context.Context, answer *syncAnswer, first bool, asked time.Time) {
	touched := a.view.fold(answer, first, asked)
	seen := a.view.isSynced()
	if !seen {
		a.clear(ctx)
	}
	a.view.arrived(first, time.Now())
	a.hints.Add(touched...)
	if seen {
		a.clear(ctx)
	}
}

// lost notes that the sync failed so many times in a row. Who waits for the
// platform hears of it when it goes on: see view.health. A view that is trusted
// fails before anything else is asked: meanwhile somebody would be removed.
func (a *Adapter) lost(ctx context.Context, failures int, err error) {
	if failures == 1 {
		a.log.Info("lost the sync with the homeserver", "reason", err.Error())
	}
	if !a.view.isSynced() {
		err = a.unsyncable(ctx, err)
	}
	if a.view.fail(err, time.Now()) {
		a.hints.Add(model.Ref{})
	}
}

// wholeSync is when everything was read last, and how long it took.
type wholeSync struct {
	at   time.Time
	took time.Duration
}

// next is when to read everything again: after the resync interval, so that
// nothing which a sync left out stays unknown for good, and after an outage,
// because the server may come back from a backup and not say so. It takes at
// most a twentieth of the time.
func (w wholeSync) next(every time.Duration, outage bool) time.Time {
	if outage {
		every = 0
	}
	return w.at.Add(max(every, 20*w.took))
}

// poll asks for what is new, and waits for news so long at the most.
func (a *Adapter) poll(ctx context.Context, at position, wait time.Duration) (*syncAnswer, error) {
	query := url.Values{
		"filter":       {syncFilter(at.since == "", at.nonce)},
		"set_presence": {"offline"},
		// State after the timeline is right also where events have the same predecessor
		// (MSC4222; Synapse has it under experimental_features.msc4222_enabled).
		"use_state_after":                    {"true"},
		"org.matrix.msc4222.use_state_after": {"true"},
	}
	limit := firstPoll
	if wait = min(wait, longPoll); at.since == "" {
		wait = 0
	} else {
		query.Set("since", at.since)
		limit = wait + pollGrace
	}
	query.Set("timeout", strconv.FormatInt(wait.Milliseconds(), 10))
	ctx, cancel := context.WithTimeout(platform.WithPriority(ctx, platform.PriorityRevoke), limit)
	defer cancel()
	var answer syncAnswer
	r := request{
		doing: "reading what changed in the rooms", route: platform.LongPoll,
		method: http.MethodGet, path: v3("sync"), query: query, into: &answer,
	}
	if err := a.client.do(ctx, r); err != nil {
		return nil, err
	}
	if answer.NextBatch == "" {
		return nil, platform.Refuse(platform.Unavailable, r.doing, "the answer has no next_batch: it is not from a Matrix homeserver, or was cut off")
	}
	return &answer, nil
}

// rest waits, or until somebody pokes because the server answers again.
func (a *Adapter) rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a.poke:
	case <-ctx.Done():
	}
}

// backoff doubles with every failure, with jitter, and is at least what the server asks for.
func backoff(failures int, err error) time.Duration {
	d := min(leastBackoff<<min(failures-1, 10), mostBackoff)
	d = d/2 + rand.N(d) //nolint:gosec // jitter
	var typed *platform.Error
	if errors.As(err, &typed) {
		d = max(d, typed.RetryAfter)
	}
	return d
}
