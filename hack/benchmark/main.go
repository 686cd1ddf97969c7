// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// The benchmark: a real community's own configuration is applied to a real
// control plane, with the chart's manager and a real homeserver behind it.
// It measures how long that takes, and how long a bare loop takes that makes
// the same rooms on the same homeserver; what a new manager asks when nothing
// has changed; and how soon one change reaches its room. It prints the figures
// with their limits, and exits with 0 or 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

func main() {
	var b benchmark
	flag.StringVar(&b.data, "data", "", "the folder to import, in the slack-config format")
	flag.IntVar(&b.limit, "groups", 0, "take so many groups, for a quick run; its figures are not those of the page")
	flag.StringVar(&b.page, "write", "", "the page to renew with the figures")
	flag.Parse()
	ctrl.SetLogger(logr.Discard()) // the client that we read with has nothing to say
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := b.start(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

// benchmark is everything that runs, and what was measured.
type benchmark struct {
	stack.Stack
	data  string
	limit int
	page  string

	manifests *stack.Manifests
	rooms     []room // as the operator made them
	results   results
}

func (b *benchmark) start(ctx context.Context) error {
	if info, err := os.Stat(b.data); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no folder %q to import: make benchmark DATA=folder, with a folder in the slack-config format", b.data)
	}
	if b.limit > 0 && b.page != "" {
		return errors.New("the page has the figures of all groups: say either -groups or -write")
	}
	return b.run(ctx)
}

// run tells the story in order, and takes everything down at its end.
func (b *benchmark) run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, b.close()) }()
	if err := stack.Take(ctx,
		stack.Step{Says: "Starting a Kubernetes control plane and a Matrix homeserver", Do: b.Start},
		stack.Step{Says: "Installing the Helm chart, and running the manager with its service account", Do: b.Install},
		stack.Step{Says: "Importing " + b.data, Do: b.importData},
		stack.Step{Says: "Making the people's accounts", Do: b.makePeople},
		stack.Step{Says: "Cold: applying the manifests, and waiting until everything is Ready", Do: b.cold},
		stack.Step{Says: "Reading the rooms", Do: b.readRooms},
		stack.Step{Says: "Restart: starting the manager anew, and waiting until it has looked at everything", Do: b.restart},
		stack.Step{Says: "Change: changing one group after the other, and looking into its room", Do: b.change},
		stack.Step{Says: "Resync: counting what is verified in two intervals", Do: b.resync},
		stack.Step{Says: "Taking all down but the homeserver, and emptying that", Do: b.empty},
		stack.Step{Says: "Making the people's accounts", Do: b.makePeople},
		stack.Step{Says: "Bare loop: making the same rooms", Do: b.bare},
		stack.Step{Says: "Comparing the rooms with those of the operator", Do: b.compare},
	); err != nil {
		return err
	}
	return b.report()
}

func (b *benchmark) importData(ctx context.Context) (err error) {
	if b.manifests, err = stack.Import(ctx, b.data); err != nil {
		return err
	}
	if b.limit == 0 {
		return nil
	}
	err = b.manifests.Keep(b.limit)
	fmt.Printf("  a limited run: %d groups of them\n", len(b.manifests.Groups))
	return err
}

func (b *benchmark) makePeople(ctx context.Context) error {
	return stack.MakePeople(ctx, b.Homeserver, b.manifests.People())
}

func (b *benchmark) close() error {
	err := b.Close()
	if b.manifests != nil {
		err = errors.Join(err, b.manifests.Remove())
	}
	return err
}
