// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package slackconfig_test

import (
	"path/filepath"
	"testing"

	"github.com/cabildo-dev/cabildo/internal/importer"
	"github.com/cabildo-dev/cabildo/internal/importer/importertest"
	"github.com/cabildo-dev/cabildo/internal/importer/slackconfig"
)

// TestAnExampleBecomesManifestsAndAReport reads a folder with a bit of
// everything. What comes of it lies beside it, to be read.
func TestAnExampleBecomesManifestsAndAReport(t *testing.T) {
	result := convertDir(t, filepath.Join("testdata", "example", "in"), slackconfig.Options{
		Community: "bread", Namespace: "guild", Platform: "chat",
	})
	importertest.Golden(t, result, filepath.Join("testdata", "example", "out"))
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
