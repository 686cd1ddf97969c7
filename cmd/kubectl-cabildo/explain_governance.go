// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/tree"
)

func newExplainCommand(streams genericiooptions.IOStreams) *cobra.Command {
	o := explainOptions{IOStreams: streams, config: genericclioptions.NewConfigFlags(true)}
	command := &cobra.Command{
		Use:   "explain KIND NAME",
		Short: "Explain how a community or group is governed, and why",
		Long: `Explain how a community or group is governed: by which policy and in which tier, why,
what is missing for the next one, which managers it needs and has, and of each
setting where it comes from and what each platform proved of it.

Who may read GovernancePolicies sees the numbers of the tiers as well.`,
		Example: `  # A community
  kubectl cabildo explain community engineering -n engineering

  # A group
  kubectl cabildo explain group/golang -n engineering`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	o.config.AddFlags(command.Flags())
	return command
}

type explainOptions struct {
	genericiooptions.IOStreams

	config *genericclioptions.ConfigFlags
}

func (o *explainOptions) run(ctx context.Context, args []string) error {
	if len(args) == 2 {
		args = []string{args[0] + "/" + args[1]}
	}
	if len(args) != 1 {
		return fmt.Errorf("name what to explain, such as: kubectl cabildo explain community engineering -n engineering")
	}
	targets, err := targetsOf(args)
	if err != nil {
		return err
	}
	cluster, err := clusterOf(o.config)
	if err != nil {
		return err
	}
	namespace, err := namespaceOf(o.config)
	if err != nil {
		return err
	}
	text, err := explainTarget(ctx, cluster, targets[0], namespace, terminalWidth(o.Out))
	if err != nil {
		return fmt.Errorf("%s: %w", targets[0], err)
	}
	_, err = fmt.Fprint(o.Out, text)
	return err
}

func explainTarget(ctx context.Context, cluster client.Client, t target, namespace string, width int) (string, error) {
	switch t.kind {
	case v1alpha1.TargetCommunity:
		var c v1alpha1.Community
		if err := t.get(ctx, cluster, namespace, &c, "communities"); err != nil {
			return "", err
		}
		policy, err := policyOf(ctx, cluster, &c)
		if err != nil {
			return "", err
		}
		return tree.Explain(&c, policy, width), nil
	case v1alpha1.TargetGroup:
		var g v1alpha1.Group
		if err := t.get(ctx, cluster, namespace, &g, "groups"); err != nil {
			return "", err
		}
		return tree.ExplainGroup(&g, width), nil
	default:
		return "", fmt.Errorf("explain is for a community or group; kubectl describe shows the conditions of a manager")
	}
}

// policyOf is the policy that governs a community; nil for somebody who may not
// read it, and where it is gone: then the community says the rest.
func policyOf(ctx context.Context, cluster client.Client, c *v1alpha1.Community) (*v1alpha1.GovernancePolicy, error) {
	if c.Status.Governance == nil || c.Status.Governance.Policy == "" {
		return nil, nil
	}
	var p v1alpha1.GovernancePolicy
	err := cluster.Get(ctx, client.ObjectKey{Name: c.Status.Governance.Policy}, &p)
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		return nil, nil
	case err != nil:
		return nil, explain(err, "read", "governancepolicies", "")
	default:
		return &p, nil
	}
}
