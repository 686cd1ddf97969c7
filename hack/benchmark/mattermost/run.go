// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package mattermost measures on a Mattermost server, in two parts.
//
// A real community's own configuration is applied to a real control plane, with
// the chart's manager behind it: how long that takes, and how long a bare loop
// takes that makes the same channels on the same server in another team.
//
// A generated community has a known number of channels and members, so that
// requests can be compared with the fewest that do it: to make everything, after
// a restart, and while nothing changes. And what somebody changes by hand there
// is put back: how soon.
package mattermost

import (
	"context"
	"errors"
	"fmt"

	"github.com/cabildo-dev/cabildo/hack/benchmark/report"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// server is a control plane with a Mattermost server, and what is applied to it.
type server struct {
	stack.Stack
	manifests *stack.Manifests
	results   *results
}

func newServer(r *results) server {
	return server{Stack: stack.Stack{WithMattermost: true, WithoutMatrix: true}, results: r}
}

// Run measures with the configuration in a folder and with a generated one, or
// with so many groups of each.
func Run(ctx context.Context, data string, limit int) (*report.Section, error) {
	var r results
	for _, part := range []interface {
		run(ctx context.Context, limit int) error
		close() error
	}{
		&imported{server: newServer(&r), data: data}, &generated{server: newServer(&r)},
	} {
		if err := errors.Join(part.run(ctx, limit), part.close()); err != nil {
			return nil, err
		}
	}
	return r.section(), nil
}

func (s *server) makePeople(ctx context.Context) error {
	return stack.MakeMattermostPeople(ctx, s.Mattermost, s.manifests.People())
}

func (s *server) close() error {
	err := s.Close()
	if s.manifests != nil {
		err = errors.Join(err, s.manifests.Remove())
	}
	return err
}

// starting are the steps before anything is declared.
func (s *server) starting() []stack.Step {
	return []stack.Step{
		{Says: "Starting a Kubernetes control plane and a Mattermost server", Do: s.Start},
		{Says: "Installing the Helm chart, and running the manager with its service account", Do: s.Install},
	}
}

// limited says that there are not so many groups as the page's figures have.
func limited(limit, groups int) {
	if limit > 0 {
		fmt.Printf("  a limited run: %d groups\n", groups)
	}
}
