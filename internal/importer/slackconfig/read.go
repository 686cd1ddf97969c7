// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package slackconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/cabildo-dev/cabildo/internal/importer"
)

// ReadDir reads a folder with all its sub-folders. Links that lead out of it
// are not followed.
func ReadDir(dir string) (*Config, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the slack-config: %w", err)
	}
	defer func() { _ = root.Close() }()
	return Read(root.FS())
}

// Read reads every *.yaml file. What it does not understand is an error that
// names file and line: an unknown key, a value of the wrong type, a name that
// is declared twice. All errors of all files come together.
func Read(fsys fs.FS) (*Config, error) {
	r := &reader{config: &Config{}, seen: map[string]importer.Position{}}
	files := 0
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return nil
		}
		switch path.Ext(name) {
		case ".yaml":
			files++
			content, err := fs.ReadFile(fsys, name)
			if err != nil {
				return err
			}
			r.read(name, content)
		case ".yml", ".json":
			r.config.Unread = append(r.config.Unread, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the slack-config: %w", err)
	}
	if files == 0 {
		return nil, errors.New("reading the slack-config: no *.yaml file in the folder: name the folder with channels.yaml and usergroups.yaml")
	}
	if err := errors.Join(r.errs...); err != nil {
		return nil, err
	}
	return r.config, nil
}

// reader collects what the files declare, and what is wrong with them.
type reader struct {
	config *Config
	errs   []error
	// seen is where each name was declared, by what it is and the name.
	seen map[string]importer.Position
}

func (r *reader) fail(at importer.Position, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s: %w", at.Where(), fmt.Errorf(format, args...)))
}

// declare notes that a name is taken, and complains when it was.
func (r *reader) declare(kind, name string, at importer.Position) {
	key := kind + "\x00" + name
	if first, ok := r.seen[key]; ok {
		r.fail(at, "%s %q is declared twice: first in %s", kind, name, first.Where())
		return
	}
	r.seen[key] = at
}
