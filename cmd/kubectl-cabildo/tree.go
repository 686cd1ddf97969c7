// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/tree"
)

func newTreeCommand(streams genericiooptions.IOStreams) *cobra.Command {
	o := treeOptions{IOStreams: streams, config: genericclioptions.NewConfigFlags(true)}
	command := &cobra.Command{
		Use:   "tree",
		Short: "Show communities with their groups and how they are",
		Long: `Show communities with their groups: where they are, how many members they have,
and, for what is not Ready, the reason and what to do about it.`,
		Example: `  # The communities of one namespace
  kubectl cabildo tree -n engineering

  # All of them, with the address of every group
  kubectl cabildo tree -A -o wide`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	o.config.AddFlags(command.Flags())
	command.Flags().BoolVarP(&o.allNamespaces, "all-namespaces", "A", false, "show the communities of all namespaces")
	command.Flags().StringVarP(&o.output, "output", "o", "", "wide shows the address of every group")
	return command
}

type treeOptions struct {
	genericiooptions.IOStreams

	config        *genericclioptions.ConfigFlags
	allNamespaces bool
	output        string
}

func (o *treeOptions) run(ctx context.Context) error {
	if o.output != "" && o.output != "wide" {
		return fmt.Errorf("there is no output %q: leave --output out, or set it to wide; for JSON and YAML there is kubectl get communities,groups", o.output)
	}
	cluster, err := clusterOf(o.config)
	if err != nil {
		return err
	}
	namespace, err := o.namespace()
	if err != nil {
		return err
	}

	var communities v1alpha1.CommunityList
	if err := cluster.List(ctx, &communities, client.InNamespace(namespace)); err != nil {
		return explain(err, "list", "communities", namespace)
	}
	var groups v1alpha1.GroupList
	if err := cluster.List(ctx, &groups, client.InNamespace(namespace)); err != nil {
		return explain(err, "list", "groups", namespace)
	}
	if len(communities.Items)+len(groups.Items) == 0 {
		_, err := fmt.Fprintln(o.ErrOut, "No communities found", where(namespace)+".")
		return err
	}
	_, err = fmt.Fprint(o.Out, tree.Render(communities.Items, groups.Items, tree.Options{
		Namespaces: o.allNamespaces,
		Addresses:  o.output == "wide",
		Width:      terminalWidth(o.Out),
	}))
	return err
}

// namespace is empty for all of them.
func (o *treeOptions) namespace() (string, error) {
	if o.allNamespaces {
		return "", nil
	}
	return namespaceOf(o.config)
}

// terminalWidth is 0 where the output does not go to a terminal.
func terminalWidth(out any) int {
	file, ok := out.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}
