// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// A new database and Mattermost's tables in it take the most of its first
// start. So the first one that starts leaves a copy of its database beside the
// binary, and the others begin with that.

// startWithDatabase starts the database and the server, with a database that
// has its tables already where there is one.
func (m *Mattermost) startWithDatabase(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errors.New("not ready in time"))
	defer cancel()
	template, err := m.template(ctx)
	if err != nil {
		return err
	}
	if _, err := os.Stat(template); err == nil {
		if err := m.database.copyOf(template); err != nil {
			return err
		}
		return m.startBoth(ctx)
	}
	if err := m.database.create(ctx); err != nil {
		return err
	}
	if err := m.startBoth(ctx); err != nil {
		return err
	}
	m.Stop()
	m.database.stop()
	// Where bin/ can't be written to, every start is a first one.
	_ = keepTemplate(m.database.data(), template)
	return m.startBoth(ctx)
}

func (m *Mattermost) startBoth(ctx context.Context) error {
	if err := m.database.start(ctx); err != nil {
		return err
	}
	return m.Start(ctx)
}

// template is the folder for the database that all of this version begin with.
func (m *Mattermost) template(ctx context.Context) (string, error) {
	bin, err := binDir()
	if err != nil {
		return "", err
	}
	server, err := buildinfo.ReadFile(filepath.Join(bin, m.binary()))
	if err != nil {
		return "", fmt.Errorf("reading how mattermost was built: %w", err)
	}
	// Its files are those of one version of PostgreSQL and one kind of machine.
	database, err := exec.CommandContext(ctx, filepath.Join(m.database.bin, "postgres"), "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking postgres for its version: %w", err)
	}
	key := sha256.Sum256(append([]byte(server.String()), database...))
	return filepath.Join(bin, "mattermost-database-"+hex.EncodeToString(key[:6])), nil
}

// keepTemplate copies a database that was stopped in order. When several do so
// at the same time, one of them wins.
func keepTemplate(data, template string) error {
	partial, err := os.MkdirTemp(filepath.Dir(template), filepath.Base(template)+".partial-")
	if err != nil {
		return fmt.Errorf("keeping a database: %w", err)
	}
	// There is nobody's data in it, and bin/ may serve several users.
	if err := errors.Join(os.CopyFS(partial, os.DirFS(data)), os.Chmod(partial, 0o755)); err != nil {
		return errors.Join(fmt.Errorf("keeping a database: %w", err), os.RemoveAll(partial))
	}
	if os.Rename(partial, template) != nil { // somebody else's is there
		return os.RemoveAll(partial)
	}
	return nil
}
