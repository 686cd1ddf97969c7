// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// DefaultServerName is the homeserver's name when nobody gives one.
const DefaultServerName = "cabildo.test"

// software is what makes of a LocalHomeserver a Dendrite or a Synapse.
type software struct {
	name  string
	purge func(h *Homeserver, ctx context.Context, token, roomID string) error
	// files are written into the session before the first start.
	files func(*Homeserver) (map[string][]byte, error)
	// command starts it at an address, in the session's folder. Its data is in data/ below that.
	command func(s *session, address string) (command, error)
}

// A LocalHomeserver is a Homeserver that runs on this machine. Stop and Start take
// it down and up again on the same port with the same data; Close ends it for good.
type LocalHomeserver struct {
	*Homeserver

	software software
	session  *session
	lease    *portLease

	mu      sync.Mutex // guards what follows
	process *process   // nil while it is down
}

// stopGrace is how long a homeserver may take to end by itself. It waits for
// requests that are under way, and a client's /sync can take half a minute.
const stopGrace = 3 * time.Second

func startHomeserver(ctx context.Context, serverName string, made software) (_ *LocalHomeserver, err error) {
	s, err := newSession()
	if err != nil {
		return nil, err
	}
	d := &LocalHomeserver{Homeserver: newHomeserver(cmp.Or(serverName, DefaultServerName)), software: made, session: s}
	d.purge = func(ctx context.Context, token, roomID string) error {
		return made.purge(d.Homeserver, ctx, token, roomID)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	if d.lease, err = leasePort(); err != nil {
		return nil, err
	}
	d.URL = "http://" + d.lease.address()
	if err := d.configure(); err != nil {
		return nil, err
	}
	if err := d.Start(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// Start brings the homeserver up again, on the same port and with the same
// data. Starting what runs does nothing.
func (d *LocalHomeserver) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errors.New("not ready in time"))
	defer cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.process != nil {
		select {
		case <-d.process.done: // died by itself
		default:
			return nil
		}
	}
	if err := os.MkdirAll(d.session.path("data"), 0o700); err != nil {
		return fmt.Errorf("starting %s: %w", d.software.name, err)
	}
	start, err := d.software.command(d.session, d.lease.address())
	if err != nil {
		return err
	}
	p, err := d.session.start(start)
	if err != nil {
		return err
	}
	if err := p.waitReady(ctx, func(ctx context.Context) error {
		return d.call(ctx, request{method: "GET", path: "/_matrix/client/versions"}, nil)
	}); err != nil {
		p.stop(0)
		return err
	}
	d.process = p
	return nil
}

// Stop takes the homeserver down and keeps its data and port. Clients see a
// refused connection. Stopping what is down does nothing.
func (d *LocalHomeserver) Stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.process != nil {
		d.process.stop(stopGrace)
		d.process = nil
	}
}

// Wipe takes the homeserver down and forgets all its users and rooms. Start
// brings it up empty, with the same URL, name and application service.
func (d *LocalHomeserver) Wipe() error {
	d.Stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forgetAdministrator()
	if err := os.RemoveAll(d.session.path("data")); err != nil {
		return fmt.Errorf("wiping %s: %w", d.software.name, err)
	}
	return nil
}

// Close ends the homeserver for good and removes its data. Closing twice is
// harmless.
func (d *LocalHomeserver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.process != nil {
		d.process.stop(0) // nothing of it is kept, so there is nothing to finish
		d.process = nil
	}
	if d.lease != nil {
		d.lease.release()
		d.lease = nil
	}
	return d.session.remove()
}

// LogFile returns the path of the homeserver's log. It goes with Close.
func (d *LocalHomeserver) LogFile() string { return d.session.path("logs", d.software.name+".log") }

// configure writes the homeserver's files into the session.
func (d *LocalHomeserver) configure() error {
	files, err := d.software.files(d.Homeserver)
	if err != nil {
		return err
	}
	paths := map[string][]byte{}
	for name, content := range files {
		paths[d.session.path(name)] = content
	}
	return writeFiles(paths)
}
