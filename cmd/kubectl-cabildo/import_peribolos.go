// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/cabildo-dev/cabildo/internal/importer"
	"github.com/cabildo-dev/cabildo/internal/importer/peribolos"
)

func newImportPeribolosCommand(streams genericiooptions.IOStreams) *cobra.Command {
	output := importOutput{IOStreams: streams}
	var options importer.Options
	var org string
	command := &cobra.Command{
		Use:   "peribolos DIR",
		Short: "Import the people and teams of a GitHub organisation",
		Long: `Import the configuration of a GitHub organisation in the format of Peribolos: a
folder with org.yaml and more files with teams in it and its sub-folders, or a
folder of several such folders, of which --org picks one.

It becomes one Community with a Group for each team. Admins of the organisation
are managers of the Community and maintainers of a team managers of its Group;
everybody else is a member. A team's Group takes in the Groups of the teams below
it. A secret team's Group is private and by invitation; to others, people ask to
come in. A person's username is the GitHub handle in lower case. Everything else
is in the report.

Give each organisation a namespace of its own: teams of two may have one name.`,
		Example: `  # Write the manifests and a report to a folder
  kubectl cabildo import peribolos config --org kubernetes-sigs -o manifests -n kubernetes-sigs

  # See whether the cluster would take them
  kubectl cabildo import peribolos config/kubernetes-csi -n kubernetes-csi | kubectl apply --dry-run=server -f -`,
		Args: oneArgument("folder", "peribolos config/kubernetes-csi"),
		RunE: func(_ *cobra.Command, args []string) error {
			config, err := peribolos.ReadDir(args[0], org)
			if err != nil {
				return err
			}
			result, err := peribolos.Convert(config, options)
			if err != nil {
				return err
			}
			return output.write(result)
		},
	}
	output.addFlags(command.Flags())
	addOptions(command.Flags(), &options)
	command.Flags().StringVar(&options.Community, "community", "", "name of the community; left out, it is the organisation's folder")
	command.Flags().StringVar(&org, "org", "", "the organisation to import from a folder of several")
	return command
}
