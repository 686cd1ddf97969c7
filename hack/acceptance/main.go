// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// The acceptance run: a real community's own configuration is imported and
// applied to a real control plane, with the chart's manager and a real
// homeserver behind it. It waits until every room is Ready, compares each with
// the configuration through the homeserver's client API, starts the manager
// anew, and shows that its second look at everything wrote nothing. It exits
// with 0 or 1, and tells why. Another run, in the package leads, is about
// people and their roles.
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

	"github.com/cabildo-dev/cabildo/hack/acceptance/leads"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

func main() {
	data := flag.String("data", "", "the folder to import, in the slack-config format")
	sigs := flag.String("sigs", "", "instead of it a file in the format of sigs.yaml, whose leads get their roles on Matrix and Mattermost")
	org := flag.String("org", "", "or the folder of one organisation in the format of Peribolos, whose teams get their members there")
	var on stack.HomeserverOptions
	on.Flag(flag.CommandLine)
	flag.Parse()
	ctrl.SetLogger(logr.Discard()) // the client that we read with has nothing to say
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	switch {
	case *sigs != "":
		err = leads.Run(ctx, on, "sigs-yaml", *sigs)
	case *org != "":
		err = leads.Run(ctx, on, "peribolos", *org)
	default:
		err = start(ctx, on, *data)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "acceptance:", err)
		os.Exit(1)
	}
}

func start(ctx context.Context, on stack.HomeserverOptions, data string) error {
	if info, err := os.Stat(data); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no folder %q to import: make acceptance DATA=folder, with a folder in the slack-config format", data)
	}
	return (&acceptance{Stack: stack.Stack{On: on}, data: data}).run(ctx)
}

// acceptance is everything that runs, and what was found out.
type acceptance struct {
	stack.Stack
	data string

	manifests *stack.Manifests
	results   results
}

// run tells the story in order, and takes everything down at its end.
func (a *acceptance) run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, a.close()) }()
	if err := stack.Take(ctx,
		stack.Step{Says: "Starting a Kubernetes control plane and a Matrix homeserver", Do: a.Start},
		stack.Step{Says: "Installing the Helm chart, and running the manager with its service account", Do: a.Install},
		stack.Step{Says: "Importing " + a.data, Do: a.importData},
		stack.Step{Says: "Making the people's accounts", Do: a.makePeople},
		stack.Step{Says: "Applying the platform and the manifests", Do: a.apply},
		stack.Step{Says: "Waiting until everything is Ready", Do: a.waitReady},
		stack.Step{Says: "Comparing every room with the configuration", Do: a.checkRooms},
		stack.Step{Says: "Starting the manager anew, and waiting until it has looked at everything", Do: a.secondPass},
	); err != nil {
		return err
	}
	return a.results.show()
}

func (a *acceptance) importData(ctx context.Context) (err error) {
	a.manifests, err = stack.Import(ctx, a.data)
	return err
}

func (a *acceptance) makePeople(ctx context.Context) error {
	return stack.MakePeople(ctx, a.Homeserver, a.manifests.People())
}

func (a *acceptance) apply(ctx context.Context) (err error) {
	if err := a.DeclarePlatform(ctx, "acceptance"); err != nil {
		return err
	}
	a.results.applied, err = a.Apply(ctx, a.manifests)
	return err
}

func (a *acceptance) waitReady(ctx context.Context) (err error) {
	if a.results.ready, err = a.WaitReady(ctx, len(a.manifests.Groups), a.results.applied); err != nil {
		return err
	}
	// What follows the last room, such as a status, belongs to the first pass; how many members there are comes late.
	if err := a.Settle(ctx); err != nil {
		return err
	}
	m, err := a.ManagerMetrics(ctx)
	if err != nil {
		return err
	}
	a.results.firstPass = m.Requests()
	return nil
}

func (a *acceptance) close() error {
	err := a.Close()
	if a.manifests != nil {
		err = errors.Join(err, a.manifests.Remove())
	}
	return err
}
