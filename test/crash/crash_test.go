// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package crash_test holds promise 3 of the design: a crash never duplicates.
//
// One scenario runs again and again, with the real manager between two proxies:
// a community and two groups are made, one group is renamed, a member is
// removed, the other group is archived, and the topics change at the end. In
// each run one thing goes wrong at one point: the manager is killed as soon as
// a server has done a call of its, or while the server is at it, or the answer
// to the call is cut off and the manager lives on. In the end everything has to
// be as in a run that nothing disturbed, with each space made once and nobody
// taken out on the way.
//
// The very first run on a homeserver has a point of its own: the operator's
// account is made. Synapse answers a sync that it was asked before from a cache,
// for two minutes, and each manager here starts well within that time of the one
// before: there a few points are tried, and restarts when nothing has changed.
//
// The points are what an undisturbed run was seen to call, so a new call of the
// manager is a new point by itself. `make test` takes a fixed sample, `make
// crash` every write in all variants, and with ALL=1 the reads too.
package crash_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

var (
	all   = flag.Bool("every", false, "every write in all variants, and not a sample")
	reads = flag.Bool("reads", false, "reads are points as well")
	lanes = flag.Int("lanes", 2, "how many runs go on at once, each with servers of its own")
	asked = flag.String("homeserver", "", "dendrite or synapse, for its points alone; both when it is empty, and then always a sample of Synapse's")
	only  = flag.String("only", "", "only what matches this regular expression, of every point and variant, such as 'createRoom.*killed'")
)

// runTime bounds one run.
const runTime = 4 * time.Minute

// Promise 3.
func TestACrashNeverDuplicates(t *testing.T) {
	if *asked == stack.Synapse {
		t.Skip("it was asked for Synapse")
	}
	crashes(t, stack.HomeserverOptions{}, *lanes, sample)
}

// needs skips a test where something that it takes is missing. In CI that is a failure.
func needs(t *testing.T, on stack.HomeserverOptions) {
	t.Helper()
	binaries := []string{"etcd", "kube-apiserver", "kube-controller-manager", "helm", "manager"}
	if on.Software == stack.Synapse {
		if err := devenv.HasSynapse(); devenv.WithoutSynapse(err) {
			t.Skip(err)
		} else if err != nil {
			t.Fatal(err)
		}
	} else {
		binaries = append(binaries, "dendrite")
	}
	for _, name := range binaries {
		if _, err := devenv.Binary(name); errors.Is(err, devenv.ErrNotBuilt) && os.Getenv("CI") != "true" {
			t.Skip(err)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	ctrl.SetLogger(logr.Discard()) // the client that we look with has nothing to say
}

// crashes plays the scenario on a homeserver, with something going wrong at each point of a sample, or of all points.
func crashes(t *testing.T, on stack.HomeserverOptions, lanes int, sample func([]point) []trial) {
	t.Helper()
	needs(t, on)
	match, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()

	open := openLanes(t, on, lanes)
	first := open[0].run(t.Context(), registers)
	calm := open[0].run(t.Context(), trial{})
	if calm.err != nil {
		t.Fatalf("undisturbed: %v\n%s", calm.err, calm.evidence)
	}
	points := pointsOf(calm.calls, *reads)
	trials := sample(points)
	whole := (*all || *reads || *only != "") && (on.Software != stack.Synapse || *asked == stack.Synapse)
	if whole {
		trials = every(points)
	}
	fmt.Printf("%d points in an undisturbed run of %.1f s\n", len(points), calm.took.Seconds())

	var results table
	results.add(registers, first)
	if err := errors.Join(first.err, first.left.differs(calm.left)); err != nil {
		t.Errorf("the first run on the homeserver, killed when the operator's account was made: %v", err)
	} else if !first.hit {
		t.Error("the operator's account was not made")
	}
	waiting := make(chan trial, len(trials))
	for _, tr := range trials {
		if match.MatchString(tr.String()) {
			waiting <- tr
		}
	}
	close(waiting)
	var running sync.WaitGroup
	for _, l := range open {
		running.Go(func() {
			for tr := range waiting {
				t.Run(strings.ReplaceAll(tr.String(), "/", "."), func(t *testing.T) {
					o := l.run(t.Context(), tr)
					if o.err == nil {
						o.err = o.left.differs(calm.left)
					}
					results.add(tr, o)
					switch {
					case o.err != nil:
						t.Error(o.err) // the table has shown the evidence
					case !o.hit && !whole:
						t.Error("the point was not reached; it is of the sample because it comes in every run")
					case !o.hit:
						t.Skip("the point was not reached: this run had fewer calls of this kind than the undisturbed one")
					}
				})
			}
		})
	}
	running.Wait()
	results.summarise(time.Since(began))
}

func openLanes(t *testing.T, on stack.HomeserverOptions, count int) []*lane {
	t.Helper()
	open := make([]*lane, count)
	failed := make([]error, count)
	var starting sync.WaitGroup
	for i := range open {
		starting.Go(func() { open[i], failed[i] = openLane(t.Context(), on, fmt.Sprintf("crash-%c", 'a'+i)) })
	}
	starting.Wait()
	for _, l := range open {
		t.Cleanup(func() {
			if err := l.close(); err != nil {
				t.Error(err)
			}
		})
	}
	if err := errors.Join(failed...); err != nil {
		t.Fatal(err)
	}
	return open
}

// outcome is what came of a run.
type outcome struct {
	calls []call
	left  picture
	hit   bool
	took  time.Duration
	err   error
	// evidence is what the manager called and said, for a run that went wrong.
	evidence string
}

// run plays the scenario once, with something going wrong at one point.
func (l *lane) run(ctx context.Context, at trial) outcome { return l.runs(ctx, at, (*world).play) }

func (l *lane) runs(ctx context.Context, at trial, play func(*world, context.Context) error) (o outcome) {
	began := time.Now()
	defer func() { o.took = time.Since(began) }()
	ctx, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	folder, err := os.MkdirTemp("", "cabildo-crash-")
	if err != nil {
		o.err = err
		return o
	}
	defer func() { _ = os.RemoveAll(folder) }()
	wire, err := newWire(l.kube, l.home, at)
	if err != nil {
		o.err = err
		return o
	}
	defer wire.close()
	living, end := context.WithCancel(ctx)
	defer end()
	keeper, err := l.keep(living, folder, wire)
	if err != nil {
		o.err = err
		return o
	}

	w := l.newWorld(wire.homeserver.URL)
	w.keeper = keeper
	o.err = play(w, ctx)
	var made []string
	o.calls, made, o.hit = wire.seen()
	if o.err == nil {
		o.err = w.check(ctx, made)
	}
	if o.err == nil {
		o.left, o.err = w.look(ctx)
	}
	o.evidence = evidence(o.calls, keeper.said(6000))
	end()
	<-keeper.ended
	if err := w.clear(context.WithoutCancel(ctx)); err != nil {
		o.err = errors.Join(o.err, err)
	}
	return o
}

func evidence(calls []call, log string) string {
	var text strings.Builder
	for _, c := range calls {
		if c.writes() {
			text.WriteString("  " + c.String() + "\n")
		}
	}
	return "What the manager wrote, in order:\n" + text.String() + "The end of its log:\n" + log
}
