// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/hack/samples"
)

// makePeople makes an account for everybody whom the manifests name.
func (d *demo) makePeople(ctx context.Context) (err error) {
	d.people, err = samples.MakePeople(ctx, d.Homeserver.Homeserver, d.samples)
	if err == nil && d.WithMattermost {
		_, err = samples.MakeMattermostPeople(ctx, d.Mattermost, d.samples)
	}
	return err
}

// apply renders the platforms for the servers that run, and applies everything with kubectl.
func (d *demo) apply(ctx context.Context) error {
	platforms, err := samples.Platform(d.samples, d.Homeserver.Homeserver, d.Homeserver.URL)
	if err != nil {
		return err
	}
	if d.WithMattermost {
		second, err := samples.OnMattermost(d.samples, d.Mattermost, d.Bot.Token)
		if err != nil {
			return err
		}
		platforms += second
	}
	if err := d.kubectl(ctx, platforms, "apply", "-f", "-"); err != nil {
		return err
	}
	return d.kubectl(ctx, "", "apply", "-k", d.folder())
}

// folder has what is applied.
func (d *demo) folder() string {
	if d.WithMattermost {
		return samples.MattermostFolder(d.samples)
	}
	return d.samples
}

func (d *demo) kubectl(ctx context.Context, input string, args ...string) error {
	kubectl, err := devenv.Binary("kubectl")
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, kubectl, args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+d.Plane.Kubeconfig())
	command.Stdin = strings.NewReader(input)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// readyTime bounds the wait; a usual one takes seconds.
const readyTime = 3 * time.Minute

// waitReady waits until the platform, the communities and the groups are Ready on the generation that was applied.
func (d *demo) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	for {
		waiting, err := samples.Unready(ctx, d.Cluster)
		if err == nil && len(waiting) == 0 {
			return nil
		}
		select {
		case <-time.After(250 * time.Millisecond):
		case <-d.Manager.Done():
			return fmt.Errorf("the manager ended by itself; its log was %s", d.Manager.LogFile())
		case <-ctx.Done():
			return fmt.Errorf("not Ready in %s: %s", readyTime, strings.Join(waiting, "; "))
		}
	}
}
