// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// WriteFiles writes files into a folder, which is made when it is not there.
// Unless overwrite is set, nothing is written when one of them exists with
// other content: somebody may have edited it. A file is written whole or not
// at all.
func WriteFiles(dir string, files []File, overwrite bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // manifests are for everybody to read
		return fmt.Errorf("making the folder for the manifests: %w", err)
	}
	var write []File
	var others []string
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(dir, f.Name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			write = append(write, f)
		case err != nil:
			return fmt.Errorf("looking at what is in the folder for the manifests: %w", err)
		case !bytes.Equal(content, f.Content):
			write = append(write, f)
			others = append(others, f.Name)
		}
	}
	if len(others) > 0 && !overwrite {
		slices.Sort(others)
		return fmt.Errorf("%s has %s with other content: pick another folder, or say --overwrite", dir, strings.Join(others, ", "))
	}
	for _, f := range write {
		if err := WriteFile(filepath.Join(dir, f.Name), f.Content); err != nil {
			return err
		}
	}
	return nil
}

// WriteFile writes one file, whole or not at all.
func WriteFile(path string, content []byte) (err error) {
	partial, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("writing %s: %w", path, err), os.Remove(partial.Name()))
		}
	}()
	if _, err := partial.Write(content); err != nil {
		return errors.Join(err, partial.Close())
	}
	if err := partial.Chmod(0o644); err != nil {
		return errors.Join(err, partial.Close())
	}
	if err := partial.Close(); err != nil {
		return err
	}
	return os.Rename(partial.Name(), path)
}
