// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package importertest

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cabildo-dev/cabildo/internal/importer"
)

var update = flag.Bool("update", false, "write what the importer makes of testdata/example/in into testdata/example/out")

// Golden compares what an importer made, the manifests and every form of the
// report, with the files of a folder, where they lie to be read.
func Golden(t *testing.T, result *importer.Result, out string) {
	t.Helper()
	files := Files(t, result)
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

// Files are the manifests and every form of the report.
func Files(t testing.TB, result *importer.Result) []importer.File {
	t.Helper()
	files, err := importer.Manifests(result.Objects)
	if err != nil {
		t.Fatal(err)
	}
	report, err := result.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return append(files,
		importer.File{Name: "report.md", Content: result.Markdown()},
		importer.File{Name: "report.json", Content: report},
		importer.File{Name: "report.txt", Content: []byte(result.Text())},
	)
}
