// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package importertest finds the input that importers are tested against. It
// is for tests alone.
package importertest

import (
	"os"
	"path/filepath"
	"testing"
)

// Data returns a file or folder of the real data that lies outside the source
// tree and is read from there: in the folder that CABILDO_DATA names, or else
// in shared/data beside the source tree. The test is skipped when it is not
// there.
func Data(t testing.TB, path ...string) string {
	t.Helper()
	data := os.Getenv("CABILDO_DATA")
	if data == "" {
		data = filepath.Join(Repository(t), "..", "shared", "data")
	}
	found := filepath.Join(append([]string{data}, path...)...)
	if _, err := os.Stat(found); err != nil {
		t.Skipf("the real data is not there (%v): set CABILDO_DATA to the folder that has %s", err, filepath.Join(path...))
	}
	return found
}

// Repository is the top of the source tree.
func Repository(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
}
