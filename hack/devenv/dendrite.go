// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"regexp"
	"sync"
	"time"

	"sigs.k8s.io/yaml"
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

// operatorLocalpart is the account of the application service.
const operatorLocalpart = "cabildo"

// A Dendrite is a Matrix homeserver with SQLite and without federation. An
// application service is registered with it that may act for every user of the
// server. Stop and Start take it down and up again on the same port with the
// same data; Close ends it for good.
type Dendrite struct {
	// URL is where clients connect, such as http://127.0.0.1:20017.
	URL string
	// ServerName is the part after the colon in user IDs and aliases.
	ServerName string
	// ASToken is the token of the application service, whose own account is
	// OperatorUserID and which may act as any user of the server (?user_id=).
	ASToken string
	// OperatorUserID is the Matrix ID of the application service's account.
	OperatorUserID string

	options      DendriteOptions
	session      *session
	lease        *portLease
	hsToken      string
	sharedSecret string

	mu         sync.Mutex // guards what follows
	process    *process   // nil while it is down
	adminToken string     // of the account that purges rooms; empty until it is needed
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
	d := &Dendrite{
		ServerName:     options.ServerName,
		ASToken:        newSecret(),
		OperatorUserID: "@" + operatorLocalpart + ":" + options.ServerName,
		options:        options,
		session:        s,
		hsToken:        newSecret(),
		sharedSecret:   newSecret(),
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
		args:   []string{"--config=" + d.session.path("dendrite.yaml"), "--http-bind-address=" + d.lease.address()},
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
	d.adminToken = ""
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

// configure writes the homeserver's configuration, the registration of the
// application service and the signing key. Paths are relative to the session.
func (d *Dendrite) configure() error {
	registration, err := yaml.Marshal(map[string]any{
		"id":               "cabildo",
		"url":              nil, // nothing is pushed; the operator follows /sync
		"as_token":         d.ASToken,
		"hs_token":         d.hsToken,
		"sender_localpart": operatorLocalpart,
		"rate_limited":     false,
		"namespaces": map[string]any{
			"users":   []any{map[string]any{"exclusive": false, "regex": "@.*:" + regexp.QuoteMeta(d.ServerName)}},
			"aliases": []any{},
			"rooms":   []any{},
		},
	})
	if err != nil {
		return fmt.Errorf("writing the application service's registration: %w", err)
	}
	config, err := yaml.Marshal(d.config())
	if err != nil {
		return fmt.Errorf("writing dendrite's configuration: %w", err)
	}
	return writeFiles(map[string][]byte{
		d.session.path("dendrite.yaml"):     config,
		d.session.path("registration.yaml"): registration,
		d.session.path("matrix_key.pem"):    newSigningKey(),
	})
}

func (d *Dendrite) config() map[string]any {
	database := func(name string) map[string]any {
		return map[string]any{"connection_string": "file:data/" + name + ".db"}
	}
	limit := map[string]any{"enabled": false}
	if l := d.options.RateLimit; l != nil {
		limit = map[string]any{"enabled": true, "threshold": l.Threshold, "cooloff_ms": l.Cooloff.Milliseconds()}
	}
	return map[string]any{
		"version": 2,
		"global": map[string]any{
			"server_name":                    d.ServerName,
			"private_key":                    "matrix_key.pem",
			"well_known_client_name":         d.URL,
			"disable_federation":             true,
			"trusted_third_party_id_servers": []any{},
			"presence":                       map[string]any{"enable_inbound": false, "enable_outbound": false},
			"report_stats":                   map[string]any{"enabled": false},
			"server_notices":                 map[string]any{"enabled": false},
			"metrics":                        map[string]any{"enabled": false},
			"dns_cache":                      map[string]any{"enabled": false},
			"jetstream":                      map[string]any{"storage_path": "data/jetstream"},
			"cache":                          map[string]any{"max_size_estimated": "64mb", "max_age": "1h"},
		},
		"app_service_api": map[string]any{"config_files": []any{"registration.yaml"}},
		"client_api": map[string]any{
			"registration_disabled":      true,
			"guests_disabled":            true,
			"registration_shared_secret": d.sharedSecret,
			"rate_limiting":              limit,
		},
		"federation_api": map[string]any{"database": database("federationapi"), "key_perspectives": []any{}},
		"key_server":     map[string]any{"database": database("keyserver")},
		"media_api":      map[string]any{"database": database("mediaapi"), "base_path": "data/media"},
		"mscs":           map[string]any{"database": database("mscs")},
		"relay_api":      map[string]any{"database": database("relayapi")},
		"room_server":    map[string]any{"database": database("roomserver")},
		"sync_api":       map[string]any{"database": database("syncapi"), "search": map[string]any{"enabled": false}},
		"user_api": map[string]any{
			"account_database": database("userapi"),
			"bcrypt_cost":      4, // the lowest: these passwords guard nothing
		},
		"logging": []any{map[string]any{"type": "std", "level": "warn"}},
	}
}

func newSecret() string {
	secret := make([]byte, 24)
	_, _ = rand.Read(secret) // never fails
	return hex.EncodeToString(secret)
}

// newSigningKey makes the key with which the homeserver signs events, in the
// format that Dendrite reads: the seed of an Ed25519 key.
func newSigningKey() []byte {
	seed := make([]byte, 32)
	_, _ = rand.Read(seed) // never fails
	return pem.EncodeToMemory(&pem.Block{
		Type:    "MATRIX PRIVATE KEY",
		Headers: map[string]string{"Key-ID": "ed25519:" + hex.EncodeToString(seed[:3])},
		Bytes:   seed,
	})
}
