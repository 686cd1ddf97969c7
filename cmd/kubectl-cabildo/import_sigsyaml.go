// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/cabildo-dev/cabildo/internal/importer"
	"github.com/cabildo-dev/cabildo/internal/importer/sigsyaml"
)

func newImportSigsYAMLCommand(streams genericiooptions.IOStreams) *cobra.Command {
	output := importOutput{IOStreams: streams}
	var options importer.Options
	command := &cobra.Command{
		Use:   "sigs-yaml FILE",
		Short: "Import the groups of the Kubernetes community and their leads",
		Long: `Import sigs.yaml, the file in which the Kubernetes community declares its
special interest groups, working groups, user groups and committees.

It becomes one Community with a Group for each of them that has chairs or tech
leads. These are managers of their own Group, and members of the Community;
leads emeriti are in the report alone. People join a committee's Group by
invitation. A person's username is the GitHub handle in lower case. Everything
else is in the report.`,
		Example: `  # Write the manifests and a report to a folder
  kubectl cabildo import sigs-yaml community/sigs.yaml -o manifests -n sigs

  # See whether the cluster would take them
  kubectl cabildo import sigs-yaml community/sigs.yaml -n sigs | kubectl apply --dry-run=server -f -`,
		Args: oneArgument("file", "sigs-yaml community/sigs.yaml"),
		RunE: func(_ *cobra.Command, args []string) error {
			config, err := sigsyaml.ReadFile(args[0])
			if err != nil {
				return err
			}
			result, err := sigsyaml.Convert(config, options)
			if err != nil {
				return err
			}
			return output.write(result)
		},
	}
	output.addFlags(command.Flags())
	addOptions(command.Flags(), &options)
	command.Flags().StringVar(&options.Community, "community", "kubernetes-community", "name of the community")
	return command
}
