// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A session is the folder of one running environment: who owns it, which
// servers it has, their data and logs. All sessions of a user lie side by side,
// so that each start can clear away the sessions whose owner has died.
type session struct {
	dir string
}

const (
	sessionPrefix = "session-"
	newPrefix     = "new-"
	ownerFile     = "owner.json"
	childrenDir   = "children"
	outsideDir    = "outside"
)

// newSession clears away dead sessions and makes a folder for this one.
func newSession() (*session, error) {
	root, err := sessionRoot()
	if err != nil {
		return nil, err
	}
	sweep(root)

	owner, err := identify(os.Getpid())
	if err != nil {
		return nil, err
	}
	// The folder gets its name only when it says who owns it; until then no
	// sweep looks at it.
	dir, err := os.MkdirTemp(root, newPrefix)
	if err != nil {
		return nil, fmt.Errorf("making a folder for the dev environment: %w", err)
	}
	if err := os.Mkdir(filepath.Join(dir, childrenDir), 0o700); err != nil {
		return nil, fmt.Errorf("making a folder for the dev environment: %w", err)
	}
	if err := writeJSON(filepath.Join(dir, ownerFile), owner); err != nil {
		return nil, err
	}
	final := filepath.Join(root, sessionPrefix+strings.TrimPrefix(filepath.Base(dir), newPrefix))
	if err := os.Rename(dir, final); err != nil {
		return nil, fmt.Errorf("making a folder for the dev environment: %w", err)
	}
	return &session{dir: final}, nil
}

func (s *session) path(name ...string) string {
	return filepath.Join(append([]string{s.dir}, name...)...)
}

// record notes a server that was started; the function it returns takes the
// note away again.
func (s *session) record(pid int) (func(), error) {
	id, err := identify(pid)
	if err != nil {
		return nil, err
	}
	path := s.path(childrenDir, fmt.Sprintf("%d.json", pid))
	if err := writeJSON(path, id); err != nil {
		return nil, err
	}
	return func() { _ = os.Remove(path) }, nil
}

// remove deletes the session's folder. Its servers have stopped by now.
func (s *session) remove() error {
	if err := removeSession(s.dir); err != nil {
		return fmt.Errorf("removing the dev environment's data: %w", err)
	}
	return nil
}

func removeSession(dir string) error {
	return errors.Join(removeOutside(filepath.Join(dir, outsideDir)), os.RemoveAll(dir))
}

// sessionRoot is one folder per user, which nobody else may write to: what lies
// in it decides which processes are ended.
func sessionRoot() (string, error) {
	uid := os.Getuid()
	root := filepath.Join(os.TempDir(), fmt.Sprintf("cabildo-devenv-%d", uid))
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", fmt.Errorf("making %s: %w", root, err)
	}
	info, err := os.Lstat(root)
	if err != nil {
		return "", fmt.Errorf("checking %s: %w", root, err)
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) != uid || !info.IsDir() || info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s must be a folder that only you can use: remove it, or set TMPDIR to another place", root)
	}
	return root, nil
}

// sweep ends the servers of sessions whose owner is gone and removes their
// folders. It does what it can: what fails now is there for the next sweep.
func sweep(root string) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	for _, entry := range entries {
		dir := filepath.Join(root, entry.Name())
		switch {
		case strings.HasPrefix(entry.Name(), sessionPrefix):
			var owner identity
			if err := readJSON(filepath.Join(dir, ownerFile), &owner); err != nil || owner.alive() {
				continue
			}
			endChildren(filepath.Join(dir, childrenDir))
			_ = removeSession(dir)
		case strings.HasPrefix(entry.Name(), newPrefix):
			// Left by a start that was cut short; it never had servers.
			if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > time.Hour {
				_ = os.RemoveAll(dir)
			}
		}
	}
}

func endChildren(dir string) {
	notes, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return
	}
	for _, note := range notes {
		var child identity
		if err := readJSON(note, &child); err == nil {
			child.kill()
		}
	}
}

// writeJSON writes the file whole or not at all.
func writeJSON(path string, value any) error {
	content, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	partial := path + ".partial"
	if err := os.WriteFile(partial, content, 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.Rename(partial, path); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

func readJSON(path string, value any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	if err := json.Unmarshal(content, value); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}
