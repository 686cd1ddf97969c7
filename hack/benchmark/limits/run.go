// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package limits measures under the rate limits that Synapse has by default:
// whether a community of some size is made, with the token of an application
// service, without one answer that asks to wait.
package limits

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cabildo-dev/cabildo/hack/benchmark/report"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// shape has 500 memberships: 30 groups declare 15 members each, and the community 50.
var shape = stack.Shape{Groups: 300, Members: 15, People: 50}

type benchmark struct {
	stack.Stack
	shape     stack.Shape
	manifests *stack.Manifests
	results   results
}

type results struct {
	versions string
	shape    stack.Shape
	cold     time.Duration
	asked    stack.Requests
	refused  int // of the requests until everything was Ready, and of those of the restart
	restart  *stack.Restart
}

// Run measures with three hundred groups, or with so many.
func Run(ctx context.Context, limit int) (_ *report.Section, err error) {
	b := &benchmark{Stack: stack.Stack{On: stack.HomeserverOptions{Software: stack.Synapse, DefaultLimits: true}}, shape: shape}
	b.shape.Groups = cmp.Or(limit, shape.Groups)
	b.results.shape = b.shape
	defer func() {
		err = errors.Join(err, b.Close())
		if b.manifests != nil {
			err = errors.Join(err, b.manifests.Remove())
		}
	}()
	if err := stack.Take(ctx,
		stack.Step{Says: "Starting a Kubernetes control plane and a Synapse with its default limits", Do: b.Start},
		stack.Step{Says: "Installing the Helm chart, and running the manager with its service account", Do: b.Install},
		stack.Step{Says: fmt.Sprintf("Generating a community with %d groups and %d memberships", b.shape.Groups, b.shape.Memberships()), Do: b.generate},
		stack.Step{Says: "Making the people's accounts", Do: b.makePeople},
		stack.Step{Says: "Cold: applying the manifests, and waiting until everything is Ready", Do: b.cold},
		stack.Step{Says: "Restart: starting the manager anew, and waiting until it has looked at everything", Do: b.again},
	); err != nil {
		return nil, err
	}
	return b.results.section(), nil
}

func (b *benchmark) generate(context.Context) (err error) {
	b.manifests, err = stack.Generate(b.shape)
	return err
}

func (b *benchmark) makePeople(ctx context.Context) error {
	return stack.MakePeople(ctx, b.Homeserver, b.manifests.People())
}

func (b *benchmark) cold(ctx context.Context) error {
	if err := b.DeclarePlatform(ctx, "benchmark"); err != nil {
		return err
	}
	began, err := b.Apply(ctx, b.manifests)
	if err != nil {
		return err
	}
	ready, err := b.WaitReady(ctx, b.shape.Groups, began)
	if err != nil {
		return err
	}
	m, err := b.ManagerMetrics(ctx)
	if err != nil {
		return err
	}
	b.results.cold, b.results.asked, b.results.refused = ready.Sub(began), m.Requests(), m.TooMany()
	if b.results.versions, err = b.Versions(ctx); err != nil {
		return err
	}
	return b.Settle(ctx)
}

func (b *benchmark) again(ctx context.Context) (err error) {
	if b.results.restart, err = b.Restart(ctx, b.shape.Groups); err != nil {
		return err
	}
	m, err := b.ManagerMetrics(ctx)
	b.results.refused += m.TooMany()
	return err
}

// mostRequests are those of a restart.
const mostRequests = 10

func (r *results) section() *report.Section {
	again := r.restart
	return &report.Section{
		Name: "limits",
		Figures: []report.Figure{
			{What: "from the first apply to the last Ready", Value: report.Seconds(r.cold)},
			{What: "requests until then", Value: fmt.Sprint(r.asked.Reads() + r.asked.Writes())},
			report.AtMost("answers that asked to wait (429)", r.refused, 0),
			{What: "restart: resources Ready after it", Value: fmt.Sprint(again.Ready), Limit: fmt.Sprint(again.All), OK: again.Ready == again.All},
			report.AtMost("restart: requests to the homeserver", again.Requests.Reads()+again.Requests.Writes(), mostRequests),
			report.AtMost("restart: writes to the homeserver", again.Requests.Writes(), 0),
			report.AtMost("restart: writes to the API server, leases apart", again.ServerWrites(), 0),
		},
		Settings: []report.Setting{
			{Name: "servers", Value: r.versions},
			report.Machine(),
			{Name: "resources", Value: fmt.Sprintf("1 Platform, 1 Community, %d Groups; %d people with %d memberships", r.shape.Groups, r.shape.People, r.shape.Memberships())},
			{Name: "request budget", Value: fmt.Sprintf("%d a second, %d at once, with an application service's token", stack.PerSecond, stack.Concurrency)},
		},
		Requests: []report.Requests{
			{Of: "Cold", Asked: r.asked, Groups: r.shape.Groups},
			{Of: "Restart, until nothing was left to do", Asked: again.Requests, Groups: r.shape.Groups},
		},
		Complaints: again.Complaints(),
	}
}
