// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/cabildo-dev/cabildo/internal/importer/slackconfig"
)

func newImportSlackConfigCommand(streams genericiooptions.IOStreams) *cobra.Command {
	output := importOutput{IOStreams: streams}
	var options slackconfig.Options
	command := &cobra.Command{
		Use:   "slack-config DIR",
		Short: "Import the Slack configuration format of the Kubernetes community",
		Long: `Import a folder in the format in which the Kubernetes community declares its
Slack workspace (channels, user groups, users, template and restrictions, in
YAML files of the folder and its sub-folders).

It becomes one Community with a Group for each active channel. The people of a
user group become members of the Groups of its channels, moderators of a channel
become moderators of its Group, and the template's pinned messages become the
community's guidelines. Everything else is in the report.`,
		Example: `  # Write the manifests and a report to a folder
  kubectl cabildo import slack-config ./slack-config -o manifests -n kubernetes

  # See whether the cluster would take them
  kubectl cabildo import slack-config ./slack-config -n kubernetes | kubectl apply --dry-run=server -f -`,
		Args: oneArgument("folder", "slack-config ./slack-config"),
		RunE: func(_ *cobra.Command, args []string) error {
			config, err := slackconfig.ReadDir(args[0])
			if err != nil {
				return err
			}
			result, err := slackconfig.Convert(config, options)
			if err != nil {
				return err
			}
			return output.write(result)
		},
	}
	output.addFlags(command.Flags())
	addOptions(command.Flags(), &options)
	command.Flags().StringVar(&options.Community, "community", "kubernetes", "name of the community")
	return command
}
