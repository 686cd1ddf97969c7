// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// The demo: a real control plane and real chat servers, the chart with its
// manager, and a small company of communities. It stays up until Ctrl-C; with
// --once it checks what people would see, and exits with 0 or 1. With
// --platforms matrix,mattermost every community is on both, and with
// --homeserver synapse Matrix is Synapse instead of Dendrite.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

func main() {
	once := flag.Bool("once", false, "check the result through the servers' client APIs, and exit")
	platforms := flag.String("platforms", "matrix", "where the communities are: matrix, or matrix,mattermost")
	d := &demo{}
	d.On.Flag(flag.CommandLine)
	flag.StringVar(&d.samples, "samples", filepath.Join("config", "samples"), "the folder of manifests to apply")
	flag.Parse()
	mattermost, err := alsoOnMattermost(*platforms)
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(2)
	}
	ctrl.SetLogger(logr.Discard()) // the client that we read with has nothing to say
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	d.WithMattermost, d.DefaultPolicy = mattermost, true
	if err := d.run(ctx, *once); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1) //nolint:gocritic // the servers were stopped by run
	}
}

// alsoOnMattermost reads the list of platforms. The samples need Matrix.
func alsoOnMattermost(platforms string) (bool, error) {
	names := strings.Split(platforms, ",")
	slices.Sort(names)
	switch names = slices.Compact(names); {
	case slices.Equal(names, []string{"matrix"}):
		return false, nil
	case slices.Equal(names, []string{"matrix", "mattermost"}):
		return true, nil
	default:
		return false, fmt.Errorf("--platforms is matrix or matrix,mattermost, and not %q", platforms)
	}
}

// run tells the story in order, and takes everything down at its end.
func (d *demo) run(ctx context.Context, once bool) (err error) {
	began := time.Now()
	servers := "Starting a Kubernetes control plane and a Matrix homeserver"
	if d.WithMattermost {
		servers = "Starting a Kubernetes control plane, a Matrix homeserver and a Mattermost server"
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	for _, step := range []struct {
		says string
		do   func(context.Context) error
	}{
		{servers, d.Start},
		{"Installing the Helm chart, and running the manager with its service account", d.Install},
		{"Making the people's accounts", d.makePeople},
		{"Applying " + d.folder(), d.apply},
		{"Waiting until everything is Ready", d.waitReady},
	} {
		start := time.Now()
		fmt.Printf("  %s …\n", step.says)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.says, err)
		}
		fmt.Printf("  %*s %.1f s\n", 3, "✓", time.Since(start).Seconds())
	}
	if err := d.show(ctx, time.Since(began)); err != nil {
		return err
	}
	if once {
		return d.check(ctx)
	}
	d.invite()
	select {
	case <-ctx.Done():
		fmt.Println("\n  Stopping.")
		return nil
	case <-d.Manager.Done():
		return fmt.Errorf("the manager ended by itself; its log was %s", d.Manager.LogFile())
	}
}

// demo is everything that runs.
type demo struct {
	stack.Stack
	samples string
	people  []string
}
