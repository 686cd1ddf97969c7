// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"cmp"
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// generated is the part with a community of a known shape.
type generated struct {
	server
}

// generatedShape is what other tools were measured with: 1,000 channels of
// which each tenth has 50 members.
var generatedShape = stack.Shape{Groups: 1000, Members: 50, People: 150}

func (p *generated) run(ctx context.Context, limit int) error {
	p.results.shape = generatedShape
	p.results.shape.Groups = cmp.Or(limit, generatedShape.Groups)
	return stack.Take(ctx, append(p.starting(),
		stack.Step{Says: "Generating a community", Do: p.generate},
		stack.Step{Says: "Making the people's accounts", Do: p.makePeople},
		stack.Step{Says: "Requests: applying the manifests, and waiting until everything is Ready", Do: p.apply},
		stack.Step{Says: "Restart: starting the manager anew, and waiting until it has looked at everything", Do: p.restart},
		stack.Step{Says: fmt.Sprintf("Hints: counting requests in %d intervals", intervals), Do: p.rest},
		stack.Step{Says: "By hand: renaming, archiving and closing channels, and waiting until they are back", Do: p.byHand},
	)...)
}

func (p *generated) generate(context.Context) (err error) {
	p.manifests, err = stack.Generate(p.results.shape)
	fmt.Printf("  %d groups; %d memberships with those of the community\n", p.results.shape.Groups, p.results.shape.Memberships())
	return err
}

func (p *generated) apply(ctx context.Context) (err error) {
	p.results.generated, err = p.cold(ctx)
	return err
}

func (p *generated) restart(ctx context.Context) (err error) {
	p.results.restart, err = p.Restart(ctx, p.results.shape.Groups)
	return err
}

const (
	// resyncInterval is the shortest that there is.
	resyncInterval = time.Minute
	// intervals are how many are looked at.
	intervals = 5
	// everything is the request that each resync makes once: it reads the teams, of which there are few.
	everything = "GET /teams"
)

// rest counts what is asked while nothing changes and the WebSocket is
// connected. A new interval opens a new session: the count begins when every
// resource was looked at on it, which is one interval later at the latest.
func (p *generated) rest(ctx context.Context) error {
	var declared v1alpha1.Platform
	if err := p.Cluster.Get(ctx, client.ObjectKey{Name: stack.PlatformName}, &declared); err != nil {
		return err
	}
	before := declared.DeepCopy()
	declared.Spec.ResyncInterval = &metav1.Duration{Duration: resyncInterval}
	if err := p.Cluster.Patch(ctx, &declared, client.MergeFrom(before)); err != nil {
		return err
	}
	if err := p.quietAfter(ctx, time.Now().Add(resyncInterval*5/4)); err != nil {
		return err
	}
	m, err := p.ManagerMetrics(ctx)
	if err != nil {
		return err
	}
	first := m.Requests()
	written, err := p.Watch(ctx, func(ctx context.Context) error {
		select {
		case <-time.After(intervals * resyncInterval):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		return err
	}
	p.results.rest = *written
	p.results.rest.Requests = written.Requests.Since(first)
	fmt.Printf("  everything was read %d times\n", p.results.rest.Requests[everything].Count)
	return nil
}

// quietAfter waits until nothing is left to do, and not before a time.
func (p *generated) quietAfter(ctx context.Context, earliest time.Time) error {
	select {
	case <-time.After(time.Until(earliest)):
	case <-ctx.Done():
		return ctx.Err()
	}
	_, err := p.WaitQuiet(ctx, 0)
	return err
}
