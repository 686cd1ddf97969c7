// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/mattermost/mattermost/server/public/model"
)

// The releases of Mattermost that there is a server of, as major and minor
// number: what make builds when nobody asks for another, and the oldest that
// the adapter supports.
const (
	MattermostNewest = "11.1"
	MattermostOldest = "9.9"
)

// MattermostVersion is the release that is started where nobody asks for one:
// CABILDO_MATTERMOST of the environment, which make sets, or MattermostNewest.
func MattermostVersion() string {
	return cmp.Or(os.Getenv("CABILDO_MATTERMOST"), MattermostNewest)
}

// MattermostBinary is the name by which Binary knows the server of a release;
// an empty one is MattermostVersion.
func MattermostBinary(version string) string {
	if version = cmp.Or(version, MattermostVersion()); version != MattermostNewest {
		return "mattermost-" + version
	}
	return "mattermost"
}

// MattermostOptions say what is special about a server. The zero value has no
// rate limit, and deletes nothing for good.
type MattermostOptions struct {
	// Version is the release, such as MattermostOldest; empty for MattermostVersion.
	Version string
	// RateLimit turns on the server's rate limit.
	RateLimit *MattermostRateLimit
	// PermanentDeletion lets administrators delete teams and channels for good.
	PermanentDeletion bool
}

// A MattermostRateLimit allows each token PerSecond requests on average, and
// Burst more at once. What goes beyond gets 429 with Retry-After.
type MattermostRateLimit struct {
	PerSecond, Burst int
}

// A Mattermost is a server of the Team Edition that runs on this machine, with
// a database of its own. Stop and Start take it down and up again on the same
// port with the same data; Close ends it for good.
type Mattermost struct {
	// URL is where clients connect, such as http://127.0.0.1:20017.
	URL string
	// AdminToken is the token of a system administrator, who is in no team.
	AdminToken string

	options  MattermostOptions
	session  *session
	lease    *portLease
	database *postgres

	mu      sync.Mutex // guards what follows
	process *process   // nil while it is down
}

// StartMattermost starts a server with its database and returns when it serves.
// The context bounds the start alone; Close ends it.
func StartMattermost(ctx context.Context, options MattermostOptions) (_ *Mattermost, err error) {
	if _, err := Binary(MattermostBinary(options.Version)); err != nil {
		return nil, err
	}
	s, err := newSession()
	if err != nil {
		return nil, err
	}
	m := &Mattermost{options: options, session: s}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Close())
		}
	}()
	if m.lease, err = leasePort(); err != nil {
		return nil, err
	}
	m.URL = "http://" + m.lease.address()
	if m.database, err = s.newPostgres(); err != nil {
		return nil, err
	}
	if err := m.linkFiles(); err != nil {
		return nil, err
	}
	if err := m.startWithDatabase(ctx); err != nil {
		return nil, err
	}
	return m, m.makeAdministrator(ctx)
}

// binary is the name of the server's binary.
func (m *Mattermost) binary() string { return MattermostBinary(m.options.Version) }

// linkFiles puts what the server reads while it runs into the folder that it
// runs in, which is where it looks first.
func (m *Mattermost) linkFiles() error {
	bin, err := binDir()
	if err != nil {
		return err
	}
	for _, name := range []string{"i18n", "templates", "fonts"} {
		if err := os.Symlink(filepath.Join(bin, m.binary()+"-files", name), m.session.path(name)); err != nil {
			return fmt.Errorf("linking mattermost's files: %w", err)
		}
	}
	return nil
}

// Start brings the server up again, on the same port and with the same data.
// Starting what runs does nothing.
func (m *Mattermost) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errors.New("not ready in time"))
	defer cancel()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process != nil {
		select {
		case <-m.process.done: // died by itself
		default:
			return nil
		}
	}
	p, err := m.session.start(command{binary: m.binary(), args: []string{"server"}, env: m.settings()})
	if err != nil {
		return err
	}
	if err := p.waitReady(ctx, func(ctx context.Context) error {
		_, _, err := model.NewAPIv4Client(m.URL).GetPing(ctx)
		return err
	}); err != nil {
		p.stop(0)
		return err
	}
	m.process = p
	return nil
}

// Stop takes the server down and keeps its data and port. Clients see a refused
// connection. Stopping what is down does nothing.
func (m *Mattermost) Stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process != nil {
		m.process.stop(stopGrace)
		m.process = nil
	}
}

// Close ends the server and its database for good and removes their data.
// Closing twice is harmless.
func (m *Mattermost) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process != nil {
		m.process.stop(0) // nothing of it is kept, so there is nothing to finish
		m.process = nil
	}
	if m.database != nil {
		m.database.close()
	}
	if m.lease != nil {
		m.lease.release()
		m.lease = nil
	}
	return m.session.remove()
}

// LogFile returns the path of the server's log. It goes with Close.
func (m *Mattermost) LogFile() string { return m.session.path("logs", m.binary()+".log") }
