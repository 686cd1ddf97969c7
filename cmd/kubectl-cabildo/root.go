// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// newRootCommand holds the commands together. Each has a file of its own.
func newRootCommand(streams genericiooptions.IOStreams) *cobra.Command {
	root := &cobra.Command{
		Use:   "kubectl-cabildo",
		Short: "See and bring in communities, and decide what waits",
		Long: `See the communities that Cabildo looks after, decide what waits for approval, and
bring in communities that another tool declares.`,
		Annotations: map[string]string{
			cobra.CommandDisplayNameAnnotation: "kubectl cabildo",
		},
		// An error is printed once, by main, and without the whole usage.
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w\nSee '%s --help' for the flags that there are", err, cmd.CommandPath())
	})
	root.AddCommand(
		newTreeCommand(streams), newExplainCommand(streams), newApproveCommand(streams), newRefuseCommand(streams),
		newImportCommand(streams), newVersionCommand(streams),
	)
	return root
}
