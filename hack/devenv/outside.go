// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// A server that refuses to run as root runs as another user, who can't come to
// a session's folder. Its data lies in a folder of its own then, outside, which
// goes with the session all the same.

// makeOutside makes a folder that belongs to another user. The session has a
// link to it, and has it first, so that a sweep finds what there is.
func (s *session) makeOutside(name string, uid, gid int) (string, error) {
	links := s.path(outsideDir)
	if err := os.MkdirAll(links, 0o700); err != nil {
		return "", fmt.Errorf("making a folder for %s: %w", name, err)
	}
	dir := filepath.Join(sharedTemp(), "cabildo-"+name+"-"+newSecret()[:16])
	if err := os.Symlink(dir, filepath.Join(links, name)); err != nil {
		return "", fmt.Errorf("making a folder for %s: %w", name, err)
	}
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, uid, gid)); err != nil {
		return "", fmt.Errorf("making a folder for %s: %w", name, err)
	}
	return dir, nil
}

// removeOutside removes the folders that the links of a session lead to.
func removeOutside(links string) error {
	entries, err := os.ReadDir(links)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		dir, err := os.Readlink(filepath.Join(links, entry.Name()))
		if err == nil {
			err = os.RemoveAll(dir)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// sharedTemp is the temporary folder, where that is one that everybody can come
// to; a private one stays private.
func sharedTemp() string {
	own := filepath.Clean(os.TempDir())
	for dir := own; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return "/tmp"
		}
		if dir == filepath.Dir(dir) {
			return own
		}
	}
}
