// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	mm "github.com/mattermost/mattermost/server/public/model"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

const (
	// changes is how many channels are changed by hand, if there are so many.
	changes = 20
	// lookEvery is the pause between two looks at a channel.
	lookEvery = 20 * time.Millisecond
	// backWithin is when a change is given up.
	backWithin = time.Minute
)

// deed is something that an administrator does to a channel.
type deed struct {
	does string
	do   func(ctx context.Context, api *mm.Client4, c *mm.Channel) error
}

// deeds are done in turn.
var deeds = []deed{
	{"renames", func(ctx context.Context, api *mm.Client4, c *mm.Channel) error {
		name, displayName := c.Name+"-x", "By hand"
		_, _, err := api.PatchChannel(ctx, c.Id, &mm.ChannelPatch{Name: &name, DisplayName: &displayName})
		return err
	}},
	{"archives", func(ctx context.Context, api *mm.Client4, c *mm.Channel) error {
		_, err := api.DeleteChannel(ctx, c.Id)
		return err
	}},
	{"makes private or public", func(ctx context.Context, api *mm.Client4, c *mm.Channel) error {
		other := mm.ChannelTypePrivate
		if c.Type == mm.ChannelTypePrivate {
			other = mm.ChannelTypeOpen
		}
		_, _, err := api.UpdateChannelPrivacy(ctx, c.Id, other)
		return err
	}},
}

// byHand changes one channel after the other, and each time waits until it is as it was.
func (p *generated) byHand(ctx context.Context) error {
	n := min(changes, len(p.manifests.Groups))
	for i := range n {
		group := &p.manifests.Groups[i*len(p.manifests.Groups)/n]
		deed := deeds[i%len(deeds)]
		took, err := p.changeByHand(ctx, client.ObjectKeyFromObject(group), deed)
		if err != nil {
			return fmt.Errorf("an administrator %s %s: %w", deed.does, group.Name, err)
		}
		p.results.byHand = append(p.results.byHand, took)
	}
	slices.Sort(p.results.byHand)
	return nil
}

func (p *generated) changeByHand(ctx context.Context, name client.ObjectKey, deed deed) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, backWithin, errors.New("not back in time"))
	defer cancel()
	var group v1alpha1.Group
	if err := p.Cluster.Get(ctx, name, &group); err != nil {
		return 0, err
	}
	if len(group.Status.Platforms) != 1 {
		return 0, fmt.Errorf("it is on %d platforms", len(group.Status.Platforms))
	}
	api := p.Mattermost.Admin()
	was, _, err := api.GetChannel(ctx, group.Status.Platforms[0].SpaceID)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := deed.do(ctx, api, was); err != nil {
		return 0, err
	}
	err = stack.Until(ctx, lookEvery, func() (bool, error) {
		is, _, err := api.GetChannel(ctx, was.Id)
		if err != nil {
			return false, err
		}
		return is.Name == was.Name && is.DisplayName == was.DisplayName && is.Type == was.Type && is.DeleteAt == was.DeleteAt, nil
	})
	return time.Since(began), err
}
