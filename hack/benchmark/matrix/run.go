// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package matrix measures on a homeserver: a real community's own configuration
// is applied to a real control plane, with the chart's manager behind it. It
// measures how long that takes, and how long a bare loop takes that makes the
// same rooms on the same homeserver; what a new manager asks when nothing has
// changed; and how soon one change reaches its room.
package matrix

import (
	"context"
	"errors"
	"fmt"

	"github.com/cabildo-dev/cabildo/hack/benchmark/report"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// benchmark is everything that runs, and what was measured.
type benchmark struct {
	stack.Stack
	data  string
	limit int

	manifests *stack.Manifests
	rooms     []room // as the operator made them
	results   results
}

// Run measures with the configuration in a folder, or with so many groups of it.
func Run(ctx context.Context, on stack.HomeserverOptions, data string, limit int) (*report.Section, error) {
	b := &benchmark{Stack: stack.Stack{On: on}, data: data, limit: limit}
	b.results.name = "Matrix"
	if on.Software == stack.Synapse {
		b.results.name = "Synapse"
	}
	return b.run(ctx)
}

// run tells the story in order, and takes everything down at its end.
func (b *benchmark) run(ctx context.Context) (_ *report.Section, err error) {
	defer func() { err = errors.Join(err, b.close()) }()
	if err := stack.Take(ctx,
		stack.Step{Says: "Starting a Kubernetes control plane and a Matrix homeserver", Do: b.Start},
		stack.Step{Says: "Installing the Helm chart, and running the manager with its service account", Do: b.Install},
		stack.Step{Says: "Importing " + b.data, Do: b.importData},
		stack.Step{Says: "Making the people's accounts", Do: b.makePeople},
		stack.Step{Says: "Cold: applying the manifests, and waiting until everything is Ready", Do: b.cold},
		stack.Step{Says: "Reading the rooms", Do: b.readRooms},
		stack.Step{Says: "Restart: starting the manager anew, twice, and waiting until it has looked at everything", Do: b.restart},
		stack.Step{Says: "Restart: once more, when the homeserver's cache has come to its end", Do: b.restartLate},
		stack.Step{Says: "Change: changing one group after the other, and looking into its room", Do: b.change},
		stack.Step{Says: "Resync: counting what is verified in two intervals", Do: b.resync},
		stack.Step{Says: "Taking all down but the homeserver, and emptying that", Do: b.empty},
		stack.Step{Says: "Making the people's accounts", Do: b.makePeople},
		stack.Step{Says: "Bare loop: making the same rooms", Do: b.bare},
		stack.Step{Says: "Comparing the rooms with those of the operator", Do: b.compare},
	); err != nil {
		return nil, err
	}
	return b.results.section(), nil
}

func (b *benchmark) importData(ctx context.Context) (err error) {
	if b.manifests, err = stack.ImportSome(ctx, b.data, b.limit); err != nil {
		return err
	}
	if b.limit > 0 {
		fmt.Printf("  a limited run: %d groups of them\n", len(b.manifests.Groups))
	}
	return nil
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
