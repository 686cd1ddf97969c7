// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// DendriteOptions says what is special about a homeserver. The zero value is a
// homeserver without rate limits named DefaultServerName.
type DendriteOptions struct {
	// ServerName is the part after the colon in user IDs and aliases.
	ServerName string
	// RateLimit turns on the homeserver's rate limits. They hold for ordinary
	// users; Dendrite exempts administrators and application services.
	RateLimit *RateLimit
}

// A RateLimit allows each device Threshold requests at once; each of these
// counts until Cooloff has passed. More get 429 M_LIMIT_EXCEEDED.
type RateLimit struct {
	Threshold int
	Cooloff   time.Duration // whole milliseconds
}

// DefaultServerName is the homeserver's name when nobody gives one.
const DefaultServerName = "cabildo.test"

// A Dendrite is a Homeserver that runs on this machine. Stop and Start take it
// down and up again on the same port with the same data; Close ends it for good.
type Dendrite struct {
	*Homeserver

	options DendriteOptions
	session *session
	lease   *portLease

	mu      sync.Mutex // guards what follows
	process *process   // nil while it is down
}

// stopGrace is how long Dendrite may take to end by itself. It waits for
// requests that are under way, and a client's /sync can take half a minute.
const stopGrace = 3 * time.Second

// StartDendrite starts a homeserver and returns when it serves. The context
// bounds the start alone; Close ends it.
func StartDendrite(ctx context.Context, options DendriteOptions) (_ *Dendrite, err error) {
	if options.ServerName == "" {
		options.ServerName = DefaultServerName
	}
	s, err := newSession()
	if err != nil {
		return nil, err
	}
	d := &Dendrite{Homeserver: NewHomeserver(options.ServerName), options: options, session: s}
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
func (d *Dendrite) Start(ctx context.Context) error {
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
		return fmt.Errorf("starting dendrite: %w", err)
	}
	p, err := d.session.start(command{
		binary: "dendrite",
		args:   []string{"--config=" + d.session.path(ConfigFile), "--http-bind-address=" + d.lease.address()},
		env:    []string{"GOMEMLIMIT=512MiB"},
	})
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
func (d *Dendrite) Stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.process != nil {
		d.process.stop(stopGrace)
		d.process = nil
	}
}

// Wipe takes the homeserver down and forgets all its users and rooms. Start
// brings it up empty, with the same URL, name and application service.
func (d *Dendrite) Wipe() error {
	d.Stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forgetAdministrator()
	if err := os.RemoveAll(d.session.path("data")); err != nil {
		return fmt.Errorf("wiping dendrite: %w", err)
	}
	return nil
}

// Close ends the homeserver for good and removes its data. Closing twice is
// harmless.
func (d *Dendrite) Close() error {
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
func (d *Dendrite) LogFile() string { return d.session.path("logs", "dendrite.log") }

// configure writes the homeserver's files into the session.
func (d *Dendrite) configure() error {
	files, err := d.Files(d.options.RateLimit)
	if err != nil {
		return err
	}
	paths := map[string][]byte{}
	for name, content := range files {
		paths[d.session.path(name)] = content
	}
	return writeFiles(paths)
}
