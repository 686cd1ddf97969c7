// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package slackconfig_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cabildo-dev/cabildo/internal/importer"
	"github.com/cabildo-dev/cabildo/internal/importer/slackconfig"
)

var update = flag.Bool("update", false, "write what the importer makes of testdata/example/in into testdata/example/out")

// TestAnExampleBecomesManifestsAndAReport reads a folder with a bit of
// everything. What comes of it lies beside it, to be read.
func TestAnExampleBecomesManifestsAndAReport(t *testing.T) {
	result := convertDir(t, filepath.Join("testdata", "example", "in"), slackconfig.Options{
		Community: "bread", Namespace: "guild", Platform: "chat",
	})
	files, err := importer.Manifests(result.Objects)
	if err != nil {
		t.Fatal(err)
	}
	report, err := result.JSON()
	if err != nil {
		t.Fatal(err)
	}
	files = append(files,
		importer.File{Name: "report.md", Content: result.Markdown()},
		importer.File{Name: "report.json", Content: report},
		importer.File{Name: "report.txt", Content: []byte(result.Text())},
	)

	out := filepath.Join("testdata", "example", "out")
	if *update {
		if err := importer.WriteFiles(out, files, true); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		want, err := os.ReadFile(filepath.Join(out, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(f.Content)); diff != "" {
			t.Errorf("%s (-want +got); run with -update when it is meant:\n%s", f.Name, diff)
		}
	}
}

func convertDir(t *testing.T, dir string, options slackconfig.Options) *importer.Result {
	t.Helper()
	config, err := slackconfig.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	result, err := slackconfig.Convert(config, options)
	if err != nil {
		t.Fatal(err)
	}
	return result
}
