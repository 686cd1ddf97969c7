// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package crash_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

// synapse keeps its answers to syncs for two minutes, which is its default.
var synapse = stack.HomeserverOptions{Software: stack.Synapse}

// Promise 3.
func TestACrashNeverDuplicatesOnSynapse(t *testing.T) {
	if *asked == stack.Dendrite {
		t.Skip("it was asked for Dendrite")
	}
	crashes(t, synapse, 1, sampleOnSynapse)
}

// sampleOnSynapse is what `make test` has time for: the making of the first room in all variants, that of the last one
// killed, and one write of some other kinds.
func sampleOnSynapse(points []point) []trial {
	var trials []trial
	rooms := 0
	for _, p := range points {
		if p.route == "createRoom" {
			rooms = p.nth
		}
	}
	for _, p := range points {
		if p.side != matrix {
			continue
		}
		switch {
		case p.route == "createRoom" && p.nth == 1:
			trials = append(trials, every([]point{p})...)
		case p.route == "createRoom" && p.nth == rooms:
			trials = append(trials, trial{p, killed})
		case p.nth != 1:
		case p.route == "directory/room/{alias}", p.route == "rooms/{room}/state/m.space.child":
			trials = append(trials, trial{p, killed})
		case p.route == "rooms/{room}/send/m.room.message", p.route == "rooms/{room}/kick":
			trials = append(trials, trial{p, unanswered})
		}
	}
	return trials
}

// restarts is how often a manager is killed while nothing is to be done.
const restarts = 3

// Promise 3. Promise 9.
func TestARestartWithinTwoMinutesOnSynapseWritesNothing(t *testing.T) {
	if *asked == stack.Dendrite || *only != "" {
		t.Skip("it was asked for something else")
	}
	needs(t, synapse)
	l := openLanes(t, synapse, 1)[0]
	o := l.runs(t.Context(), trial{}, func(w *world, ctx context.Context) error {
		if err := w.make(ctx); err != nil {
			return err
		}
		if err := w.rests(ctx, counts); err != nil {
			return err
		}
		for i := range restarts {
			if err := w.outlives(ctx); err != nil {
				return fmt.Errorf("restart %d: %w", i+1, err)
			}
		}
		for _, step := range []func(context.Context) error{w.rename, w.remove, w.archive, w.retell} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if o.err != nil {
		t.Fatalf("%v\n%s", o.err, o.evidence)
	}
}

const (
	// cached is how long Synapse keeps an answer.
	cached = 2 * time.Minute
	// quiet is how long nothing may be written after a manager that has seen everything has asked for news.
	quiet = 5 * time.Second
	// counts is longer than a manager holds back how many members and groups there are.
	counts = 32 * time.Second
)

// outlives has the manager killed, and sees that the next one writes nothing to either server, whatever the homeserver
// answers from its cache, and that everything stays Ready as it is.
func (w *world) outlives(ctx context.Context) error {
	written, before := w.keeper.wire.written(), w.keeper.wire.firstPoll()
	objects := []client.Object{w.platform, w.community, w.golang, w.incidents}
	var versions []string
	for _, o := range objects {
		versions = append(versions, o.GetResourceVersion())
	}
	w.keeper.wire.end()
	var seen time.Time // when the new manager had seen everything
	return w.keeper.await(ctx, "the new manager has seen everything", func(ctx context.Context) error {
		now := w.keeper.wire.written()
		if len(now) > len(written) {
			return final{fmt.Errorf("it wrote %s", strings.Join(now[len(written):], ", "))}
		}
		for i, o := range objects {
			if err := w.k8s.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
				return err
			}
			if o.GetResourceVersion() != versions[i] {
				return final{fmt.Errorf("%s was written: %s: %s", o.GetName(), readyOf(o).Reason, readyOf(o).Message)}
			}
		}
		if w.keeper.wire.polled() < 2 {
			return errors.New("it asks for the first time")
		}
		if w.keeper.wire.firstPoll().Sub(before) > cached {
			return final{errors.New("the homeserver has forgotten its answers by now, so this shows nothing")}
		}
		if seen.IsZero() {
			seen = time.Now()
		}
		if time.Since(seen) < quiet {
			return errors.New("it may still write")
		}
		return nil
	})
}

// rests waits until nothing was written for so long, and everything is Ready.
func (w *world) rests(ctx context.Context, long time.Duration) error {
	written, since := -1, time.Now()
	return w.keeper.await(ctx, "nothing is left to do", func(ctx context.Context) error {
		if now := len(w.keeper.wire.written()); now != written {
			written, since = now, time.Now()
		}
		if time.Since(since) < long {
			return errors.New("it writes")
		}
		return w.ready(ctx, w.platform, w.community, w.golang, w.incidents)
	})
}

// written are the writes so far, to both servers.
func (w *wire) written() (all []string) {
	calls, _, _ := w.seen()
	for _, c := range calls {
		if c.writes() {
			all = append(all, c.String())
		}
	}
	return all
}
