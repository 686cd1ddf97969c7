// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package chaos_test holds the promises of the design while things go wrong
// between the manager and a chat server.
//
// One scenario runs again and again, with the real manager and a proxy of our
// own before the real server: a community and two groups are made, somebody
// comes in by themselves, names, members, guidelines and the join rule change,
// a member is removed, and a group is archived. In each run one fault is met
// again and again, from the first request to the last. In the end everything
// has to be as in a run without faults: nothing made twice, nothing foreign
// touched, nobody removed who belongs there, or while not everything could be
// read. The proxy counts what comes, and holds the manager to its budget, and
// to every 429.
//
// Faults of the wire and of HTTP are made in one place, because both depend on
// what a request is for: a lost answer to a write is another thing than one to
// a read. `make test` takes a few faults, `make chaos` all of them.
package chaos_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
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
	every = flag.Bool("every", false, "every fault on every platform, and not a sample")
	lanes = flag.Int("lanes", 3, "how many runs go on at once")
	seed  = flag.Uint64("seed", 1, "what the dice begin with")
	only  = flag.String("only", "", "only what matches this regular expression, of every platform and fault, such as 'Matrix lost'")
)

// platforms are what there is to run on, and whether it is there. Matrix is Dendrite.
var platforms = map[string]struct {
	has  func(*testing.T) bool
	open func(context.Context) (chat, error)
}{
	"Matrix":     {binary("dendrite"), on("Matrix", stack.HomeserverOptions{})},
	"Synapse":    {hasSynapse, on("Synapse", stack.HomeserverOptions{Software: stack.Synapse})},
	"Mattermost": {binary(devenv.MattermostBinary("")), openMattermost},
}

// sample is what `make test` has time for, by platform.
var sample = map[string][]string{
	"Matrix":     {"lost answers", "incomplete views"},
	"Synapse":    {"429 with Retry-After", "lost answers", "cut connections"},
	"Mattermost": {"lost answers", "429 with Retry-After"},
}

// runTime bounds one run.
const runTime = 12 * time.Minute

// trial is one run.
type trial struct {
	chat  chat
	fault fault
}

// Promise 1. Promise 2. Promise 3. Promise 12.
func TestFaultsChangeNothingInTheEnd(t *testing.T) {
	match, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]func(context.Context) (chat, error){}
	for name, p := range platforms {
		if p.has(t) {
			open[name] = p.open
		}
	}
	for _, binary := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "helm", "manager"} {
		if !has(t, binary) {
			return
		}
	}
	ctrl.SetLogger(logr.Discard()) // the client that we look with has nothing to say
	began := time.Now()
	s, err := openStage(t.Context(), open)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	fmt.Printf("the servers took %.0f s to start\n", time.Since(began).Seconds())

	var results table
	calmly := map[string]picture{}
	var mu sync.Mutex
	in(s.chats, func(c chat) {
		name := fmt.Sprint(c)
		if !slices.ContainsFunc(faults, func(f fault) bool { return chosen(c, f, match) }) {
			return
		}
		t.Run(name+" without faults", func(t *testing.T) {
			now, v, took := s.run(t.Context(), trial{c, calm})
			results.add(c, calm, v, took)
			if err := v.wrong(); err != nil {
				t.Fatalf("%v\nThe manager said:\n%s", err, v.said)
			}
			// On a machine that does other work at the same time, the sample need not reach the budget.
			if n := v.traffic.inASecond; *every && n < perSecond*3/4 {
				t.Errorf("only %d requests in a second: the budget of %d was not put to the test", n, perSecond)
			}
			mu.Lock()
			defer mu.Unlock()
			calmly[name] = now
		})
	})
	var trials []trial
	for _, f := range faults { // the platforms in turn, so that runs at once are not all on one server
		for _, c := range s.chats {
			if chosen(c, f, match) && calmly[fmt.Sprint(c)] != nil {
				trials = append(trials, trial{c, f})
			}
		}
	}
	in(trials, func(at trial) {
		name := fmt.Sprint(at.chat)
		t.Run(strings.ReplaceAll(name+" "+at.fault.name, "/", "."), func(t *testing.T) {
			now, v, took := s.run(t.Context(), at)
			if v.err == nil {
				v.unlike = now.differs(calmly[name])
			}
			results.add(at.chat, at.fault, v, took)
			if err := v.wrong(); err != nil {
				t.Errorf("%v\nThe manager said:\n%s", err, v.said)
			}
			if v.disturbed == 0 {
				t.Error("nothing was disturbed, so this showed nothing")
			}
		})
	})
}

// chosen says whether a run is to be: one that was asked for, or one of the sample.
func chosen(c chat, f fault, match *regexp.Regexp) bool {
	name := fmt.Sprint(c)
	if *every || *only != "" {
		return match.MatchString(name + " " + f.name)
	}
	return slices.Contains(sample[name], f.name)
}

// in does something with each of some things, several at once.
func in[T any](all []T, do func(T)) {
	waiting := make(chan T, len(all))
	for _, one := range all {
		waiting <- one
	}
	close(waiting)
	var running sync.WaitGroup
	for range *lanes {
		running.Go(func() {
			for one := range waiting {
				do(one)
			}
		})
	}
	running.Wait()
}

func binary(name string) func(*testing.T) bool {
	return func(t *testing.T) bool { return has(t, name) }
}

// hasSynapse says whether there is a Synapse, and names what is left out without it.
func hasSynapse(t *testing.T) bool {
	t.Helper()
	err := devenv.HasSynapse()
	if err != nil && !devenv.WithoutSynapse(err) {
		t.Fatal(err)
	}
	if err != nil {
		t.Run("Synapse", func(t *testing.T) { t.Skip(err) })
	}
	return err == nil
}

// has says whether a binary is there. With CI it has to be.
func has(t *testing.T, binary string) bool {
	t.Helper()
	_, err := devenv.Binary(binary)
	switch {
	case errors.Is(err, devenv.ErrNotBuilt) && os.Getenv("CI") != "true":
		t.Log(err)
		return false
	case err != nil:
		t.Fatal(err)
	}
	return true
}

// run plays the scenario once with a fault.
func (s *stage) run(ctx context.Context, at trial) (now picture, v verdict, took time.Duration) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	front, err := newFront(at.chat, at.fault, &traffic{}, *seed)
	if err != nil {
		return nil, verdict{err: err}, 0
	}
	defer front.close()
	w := s.newWorld(at.chat, front)
	v.err = w.play(ctx)
	v.traffic = front.traffic.sum()
	took = time.Since(began)
	front.calmDown()
	if v.err == nil {
		now, v.err = w.look(ctx)
	}
	v.said = s.said(w.name)
	v.err = errors.Join(v.err, w.judge(ctx, &v), w.clear(context.WithoutCancel(ctx)))
	if left, err := w.leaks(ctx, ", though its platform is gone"); err != nil || len(left) > 0 {
		v.err = errors.Join(v.err, err)
		v.leaks = append(v.leaks, left...)
	}
	return now, v, took
}
