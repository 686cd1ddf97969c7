// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/cabildo-dev/cabildo/internal/importer"
)

func newImportCommand(streams genericiooptions.IOStreams) *cobra.Command {
	command := &cobra.Command{
		Use:   "import",
		Short: "Turn what another tool declares into manifests",
		Long: `Turn what another tool declares into manifests of communities and groups.

Nothing is changed anywhere: the manifests are written down, with a report of
everything that they can't say, for you to read, correct and apply.`,
	}
	command.AddCommand(newImportSlackConfigCommand(streams), newImportSigsYAMLCommand(streams), newImportPeribolosCommand(streams))
	return command
}

// importOutput says where an import goes. Every importer has these flags.
type importOutput struct {
	genericiooptions.IOStreams

	output    string
	report    string
	overwrite bool
}

func (o *importOutput) addFlags(flags *pflag.FlagSet) {
	flags.StringVarP(&o.output, "output", "o", "-", "folder to write the manifests and report.md to; - writes the manifests to standard output")
	flags.StringVar(&o.report, "report", "", "file to write the report to as well: .md or .json")
	flags.BoolVar(&o.overwrite, "overwrite", false, "overwrite files that are there already with other content")
}

// write writes manifests and report, and shows the report's short form on
// standard error, so that the manifests can be piped into kubectl.
func (o *importOutput) write(result *importer.Result) error {
	files, err := importer.Manifests(result.Objects)
	if err != nil {
		return err
	}
	if err := o.writeReport(result); err != nil {
		return err
	}
	if o.output == "-" {
		if _, err := o.Out.Write(importer.Stream(files)); err != nil {
			return fmt.Errorf("writing the manifests: %w", err)
		}
		return o.show(result, "")
	}
	files = append(files, importer.File{Name: "report.md", Content: result.Markdown()})
	if err := importer.WriteFiles(o.output, files, o.overwrite); err != nil {
		return err
	}
	return o.show(result, fmt.Sprintf("\nRead %s, then apply what is right:\n  kubectl apply --server-side -f %s\n",
		filepath.Join(o.output, "report.md"), o.output))
}

func (o *importOutput) writeReport(result *importer.Result) error {
	switch filepath.Ext(o.report) {
	case "":
		if o.report != "" {
			return fmt.Errorf("the report %s needs a name that ends in .md or .json", o.report)
		}
		return nil
	case ".md":
		return importer.WriteFile(o.report, result.Markdown())
	case ".json":
		content, err := result.JSON()
		if err != nil {
			return err
		}
		return importer.WriteFile(o.report, content)
	default:
		return fmt.Errorf("the report %s needs a name that ends in .md or .json", o.report)
	}
}

func (o *importOutput) show(result *importer.Result, next string) error {
	_, err := fmt.Fprint(o.ErrOut, result.Text(), next)
	return err
}

// addOptions are the flags for what the files do not say; the community's name
// has another default for each importer.
func addOptions(flags *pflag.FlagSet, options *importer.Options) {
	flags.StringVarP(&options.Namespace, "namespace", "n", "", "namespace of the manifests; left out, they have none and go where they are applied")
	flags.StringVar(&options.Platform, "platform", "chat", "name of the Platform that the community lives on")
}

// oneArgument is what an importer reads.
func oneArgument(what, example string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("name one %s to import from, such as: kubectl cabildo import %s -o manifests", what, example)
		}
		return nil
	}
}
