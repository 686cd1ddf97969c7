// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"cmp"
	"context"
	"flag"
	"fmt"

	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// The homeservers that there are.
const (
	Dendrite = "dendrite"
	Synapse  = "synapse"
)

// HomeserverOptions say which homeserver runs. The zero value is Dendrite.
type HomeserverOptions struct {
	// Software is Dendrite or Synapse; empty for Dendrite.
	Software string
	// DefaultLimits leaves Synapse's rate limits as they are by default. Dendrite's are always off.
	DefaultLimits bool
}

// Flag adds the flag -homeserver to a program.
func (o *HomeserverOptions) Flag(flags *flag.FlagSet) {
	flags.Func("homeserver", "which homeserver runs: dendrite, which it is without this flag, or synapse", func(software string) error {
		if software != Dendrite && software != Synapse {
			return fmt.Errorf("it is %s or %s", Dendrite, Synapse)
		}
		o.Software = software
		return nil
	})
}

// Start starts the homeserver. Everybody may publish rooms in its directory.
func (o HomeserverOptions) Start(ctx context.Context) (*devenv.LocalHomeserver, error) {
	switch software := cmp.Or(o.Software, Dendrite); software {
	case Dendrite:
		return devenv.StartDendrite(ctx, devenv.DendriteOptions{})
	case Synapse:
		return devenv.StartSynapse(ctx, devenv.SynapseOptions{Publish: true, DefaultLimits: o.DefaultLimits})
	default:
		return nil, fmt.Errorf("there is no homeserver %q: it is %s or %s", software, Dendrite, Synapse)
	}
}

// Version is the homeserver's name with its version.
func (o HomeserverOptions) Version() (string, error) {
	if o.Software == Synapse {
		limits := "with SQLite, and limits that nobody reaches"
		if o.DefaultLimits {
			limits = "with SQLite, and its default limits"
		}
		return fmt.Sprintf("Synapse %s %s", devenv.SynapseVersion(), limits), nil
	}
	version, err := versionOf("dendrite")
	return fmt.Sprintf("Dendrite %s with SQLite", version), err
}
