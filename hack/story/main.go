// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// The story: a year of one community, from a seed to what the company stands
// on, told on a clock that is put ahead. A real control plane with the chart's
// policies, the controllers of the manager, and the memory platform; with
// --real the same year, with fewer people, on a real Matrix homeserver and a
// real Mattermost server; --homeserver synapse makes the first one Synapse. Every step is checked against the table of tiers, and
// what does not hold ends the story.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

func main() {
	onServers := flag.Bool("real", false, "on a real Matrix homeserver and a real Mattermost server, with fewer people")
	var on stack.HomeserverOptions
	on.Flag(flag.CommandLine)
	flag.Parse()
	if on.Software != "" && !*onServers {
		fmt.Fprintln(os.Stderr, "story: --homeserver goes with --real; without that there is none")
		os.Exit(2)
	}
	ctrl.SetLogger(logr.Discard()) // the story is told by what the resources say
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *onServers, on); err != nil {
		fmt.Fprintln(os.Stderr, "\nstory:", err)
		stop()
		os.Exit(1) //nolint:gocritic // the servers were stopped by run
	}
}

func run(ctx context.Context, onServers bool, on stack.HomeserverOptions) (err error) {
	began := time.Now()
	w, err := open(ctx, onServers, on)
	defer func() { err = errors.Join(err, w.close()) }()
	if err != nil {
		return err
	}
	for _, chapter := range chapters {
		if err := chapter(ctx, w); err != nil {
			w.explain(ctx)
			return fmt.Errorf("on %s: %w", w.clock.Now().UTC().Format(time.DateOnly), err)
		}
	}
	fmt.Printf("\nThe end: %d checks held, in %.0f s.\n", w.checks, time.Since(began).Seconds())
	return nil
}
