// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

// processors is how long the processors worked for each server in a phase.
type processors struct{ homeserver, manager, plane time.Duration }

// processors are read now; where the system doesn't tell, they are zero.
func (b *benchmark) processors() (p processors, err error) {
	var errs [3]error
	p.homeserver, errs[0] = b.Homeserver.CPUTime()
	p.manager, errs[1] = b.Manager.CPUTime()
	p.plane, errs[2] = b.Plane.CPUTime()
	return p, errors.Join(errs[:]...)
}

// cold is the first apply on an empty homeserver, until the last group is Ready.
func (b *benchmark) cold(ctx context.Context) error {
	if err := b.DeclarePlatform(ctx, "benchmark"); err != nil {
		return err
	}
	before, cpuErr := b.processors()
	began, err := b.Apply(ctx, b.manifests)
	if err != nil {
		return err
	}
	ready, err := b.WaitReady(ctx, len(b.manifests.Groups), began)
	if err != nil {
		return err
	}
	if cpuErr == nil {
		after, err := b.processors()
		if err != nil {
			return err
		}
		b.results.coldCPU = processors{
			after.homeserver - before.homeserver, after.manager - before.manager, after.plane - before.plane,
		}
	}
	m, err := b.ManagerMetrics(ctx)
	if err != nil {
		return err
	}
	b.results.cold, b.results.coldRequests = ready.Sub(began), m.Requests()
	if b.results.versions, err = b.Versions(ctx); err != nil {
		return err
	}
	return b.Settle(ctx) // what follows the last room is not to be part of the next figure
}

// readRooms notes what the bare loop has to make.
func (b *benchmark) readRooms(ctx context.Context) (err error) {
	if b.rooms, err = readRooms(ctx, &b.Stack); err != nil {
		return err
	}
	if want := 1 + len(b.manifests.Groups); len(b.rooms) != want {
		return fmt.Errorf("the operator is in %d rooms, not in %d", len(b.rooms), want)
	}
	for _, r := range b.rooms {
		b.results.memberships += len(r.members)
	}
	b.results.groups, b.results.people = len(b.manifests.Groups), len(b.manifests.People())
	return nil
}

// restart is the first look of a new manager, when nothing has changed; and of another one, right after it.
func (b *benchmark) restart(ctx context.Context) error {
	if err := b.restartOnce(ctx, "restart"); err != nil {
		return err
	}
	return b.restartOnce(ctx, "second restart")
}

// cached is longer than Synapse answers a repeated sync from its cache.
const cached = 2*time.Minute + 5*time.Second

// restartLate is that of a third one, when a homeserver has forgotten what it answered the ones before.
func (b *benchmark) restartLate(ctx context.Context) error {
	if b.On.Software != stack.Synapse {
		fmt.Println("  Dendrite keeps no answers")
		return nil
	}
	select {
	case <-time.After(cached):
	case <-ctx.Done():
		return ctx.Err()
	}
	return b.restartOnce(ctx, "restart after two minutes")
}

func (b *benchmark) restartOnce(ctx context.Context, name string) error {
	r, err := b.Restart(ctx, len(b.manifests.Groups))
	b.results.restarts = append(b.results.restarts, restart{name, r})
	return err
}

// empty leaves the same homeserver without rooms and accounts, and nothing beside it.
func (b *benchmark) empty(ctx context.Context) error {
	b.Manager.Stop()
	if err := errors.Join(b.Plane.Stop(), b.Homeserver.Wipe()); err != nil {
		return err
	}
	return b.Homeserver.Start(ctx)
}

func (b *benchmark) bare(ctx context.Context) error {
	loop, err := newBareLoop(b.Homeserver)
	if err != nil {
		return err
	}
	if err := b.Homeserver.RegisterOperator(ctx); err != nil { // before the clock runs: the emptied homeserver has no account
		return err
	}
	before, cpuErr := b.Homeserver.CPUTime()
	if b.results.bare, err = loop.run(ctx, b.rooms); err != nil {
		return err
	}
	if cpuErr == nil {
		after, err := b.Homeserver.CPUTime()
		if err != nil {
			return err
		}
		b.results.bareCPU = after - before
	}
	b.results.bareRequests, err = loop.requests()
	return err
}

// compare shows that both made the same, or the ratio would say nothing.
func (b *benchmark) compare(ctx context.Context) error {
	made, err := readRooms(ctx, &b.Stack)
	if err != nil {
		return err
	}
	wrong := differences(b.rooms, made)
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
	fmt.Printf("  %d rooms with the same state, guidelines, addresses and members\n", len(made))
	return nil
}
