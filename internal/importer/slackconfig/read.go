// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package slackconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/cabildo-dev/cabildo/internal/importer/strictyaml"
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
	r := &reader{config: &Config{}}
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
	if err := r.Err(); err != nil {
		return nil, err
	}
	return r.config, nil
}

// reader collects what the files declare, and what is wrong with them.
type reader struct {
	strictyaml.Reader

	config *Config
}
