// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"errors"
	"time"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

// processors is how long the processors worked for each server in a phase; zero where the system doesn't tell.
type processors struct{ server, manager, plane time.Duration }

func (s *server) processors() (p processors, err error) {
	var errs [3]error
	p.server, errs[0] = s.Mattermost.CPUTime()
	p.manager, errs[1] = s.Manager.CPUTime()
	p.plane, errs[2] = s.Plane.CPUTime()
	return p, errors.Join(errs[:]...)
}

// cold is the first apply of everything.
type cold struct {
	took     time.Duration
	cpu      processors
	requests stack.Requests
	// plane is what was written to the API server, by what.
	plane map[string]int
}

// cold applies everything, and waits until it is Ready. Requests are those
// until nothing was left to do, which is a moment later: records are written
// together.
func (s *server) cold(ctx context.Context) (c cold, err error) {
	written, err := s.Watch(ctx, func(ctx context.Context) (err error) {
		c, err = s.applyAll(ctx)
		return err
	})
	if err != nil {
		return c, err
	}
	c.requests, c.plane = written.Requests, written.Server
	return c, nil
}

// applyAll returns when nothing is left to do.
func (s *server) applyAll(ctx context.Context) (c cold, err error) {
	if err := s.DeclareMattermost(ctx, "benchmark"); err != nil {
		return c, err
	}
	before, cpuErr := s.processors()
	began, err := s.Apply(ctx, s.manifests)
	if err != nil {
		return c, err
	}
	ready, err := s.WaitReady(ctx, len(s.manifests.Groups), began)
	if err != nil {
		return c, err
	}
	c.took = ready.Sub(began)
	if cpuErr == nil {
		after, err := s.processors()
		if err != nil {
			return c, err
		}
		c.cpu = processors{after.server - before.server, after.manager - before.manager, after.plane - before.plane}
	}
	if s.results.versions, err = s.Versions(ctx); err != nil {
		return c, err
	}
	return c, s.Settle(ctx)
}
