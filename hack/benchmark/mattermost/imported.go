// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"fmt"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

// imported is the part with a real community's own configuration.
type imported struct {
	server
	data  string
	limit int
	town  *town // as the operator made it
}

// otherTeam is where the bare loop makes the same channels.
const otherTeam = "bare-loop"

func (p *imported) run(ctx context.Context, limit int) error {
	p.limit = limit
	return stack.Take(ctx, append(p.starting(),
		stack.Step{Says: "Importing " + p.data, Do: p.importData},
		stack.Step{Says: "Making the people's accounts", Do: p.makePeople},
		stack.Step{Says: "Cold: applying the manifests, and waiting until everything is Ready", Do: p.apply},
		stack.Step{Says: "Reading the team", Do: p.readTeam},
		stack.Step{Says: "Taking all down but the Mattermost server", Do: p.leaveServer},
		stack.Step{Says: "Bare loop: making the same channels in another team", Do: p.bare},
		stack.Step{Says: "Comparing the two teams", Do: p.compare},
	)...)
}

func (p *imported) importData(ctx context.Context) (err error) {
	if p.manifests, err = stack.ImportSome(ctx, p.data, p.limit); err != nil {
		return err
	}
	limited(p.limit, len(p.manifests.Groups))
	return nil
}

func (p *imported) apply(ctx context.Context) (err error) {
	p.results.imported, err = p.cold(ctx)
	return err
}

func (p *imported) readTeam(ctx context.Context) (err error) {
	if p.town, err = p.readTown(ctx, p.manifests.Community.Name); err != nil {
		return err
	}
	if want := len(p.manifests.Groups); len(p.town.channels) != want {
		return fmt.Errorf("the operator made %d channels, not %d", len(p.town.channels), want)
	}
	p.results.groups, p.results.people, p.results.memberships = len(p.town.channels), len(p.town.members), p.town.memberships()
	return nil
}

// leaveServer leaves the server with what the operator made, and nothing beside it.
func (p *imported) leaveServer(context.Context) error {
	p.Manager.Stop()
	return p.Plane.Stop()
}

func (p *imported) bare(ctx context.Context) error {
	loop, err := newBareLoop(&p.server)
	if err != nil {
		return err
	}
	before, cpuErr := p.Mattermost.CPUTime()
	if p.results.bare, err = loop.run(ctx, otherTeam, p.town); err != nil {
		return err
	}
	if cpuErr == nil {
		after, err := p.Mattermost.CPUTime()
		if err != nil {
			return err
		}
		p.results.bareCPU = after - before
	}
	p.results.bareRequests, err = loop.requests()
	return err
}

// compare shows that both made the same, or the ratio would say nothing.
func (p *imported) compare(ctx context.Context) error {
	made, err := p.readTown(ctx, otherTeam)
	if err != nil {
		return err
	}
	wrong := differences(p.town, made)
	for i, difference := range wrong {
		if i == 20 {
			fmt.Printf("  … and %d more\n", len(wrong)-i)
			break
		}
		fmt.Println("  ", difference)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("the bare loop made something else: %d differences", len(wrong))
	}
	fmt.Printf("  %d channels with the same settings, guidelines, members and roles\n", len(made.channels))
	return nil
}
