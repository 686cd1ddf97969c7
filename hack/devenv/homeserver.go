// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"regexp"
	"sync"

	"sigs.k8s.io/yaml"
)

// A Homeserver is what a client of Dendrite knows of it, wherever it runs: as a
// process of this machine (StartDendrite), or elsewhere with these Files. It
// has SQLite and no federation. An application service is registered with it
// that may act for every user of the server.
type Homeserver struct {
	// URL is where clients connect, such as http://127.0.0.1:20017.
	URL string
	// ServerName is the part after the colon in user IDs and aliases.
	ServerName string
	// ASToken is the token of the application service, whose own account is
	// OperatorUserID and which may act as any user of the server (?user_id=).
	ASToken string
	// OperatorUserID is the Matrix ID of the application service's account.
	OperatorUserID string

	hsToken      string
	sharedSecret string

	mu         sync.Mutex
	adminToken string // of the account that purges rooms; empty until it is needed
}

// operatorLocalpart is the account of the application service.
const operatorLocalpart = "cabildo"

// NewHomeserver has new secrets, and no URL yet.
func NewHomeserver(serverName string) *Homeserver {
	return &Homeserver{
		ServerName:     serverName,
		ASToken:        newSecret(),
		OperatorUserID: "@" + operatorLocalpart + ":" + serverName,
		hsToken:        newSecret(),
		sharedSecret:   newSecret(),
	}
}

// ConfigFile is the name of the file that Dendrite is started with.
const ConfigFile = "dendrite.yaml"

// Files are the homeserver's configuration, the registration of the application
// service and a new signing key, by name. Dendrite wants all of them in the
// folder that it runs in, and keeps its data in data/ below it.
func (h *Homeserver) Files(limit *RateLimit) (map[string][]byte, error) {
	registration, err := yaml.Marshal(map[string]any{
		"id":               "cabildo",
		"url":              nil, // nothing is pushed; the operator follows /sync
		"as_token":         h.ASToken,
		"hs_token":         h.hsToken,
		"sender_localpart": operatorLocalpart,
		"rate_limited":     false,
		"namespaces": map[string]any{
			"users":   []any{map[string]any{"exclusive": false, "regex": "@.*:" + regexp.QuoteMeta(h.ServerName)}},
			"aliases": []any{},
			"rooms":   []any{},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("writing the application service's registration: %w", err)
	}
	config, err := yaml.Marshal(h.config(limit))
	if err != nil {
		return nil, fmt.Errorf("writing dendrite's configuration: %w", err)
	}
	return map[string][]byte{
		ConfigFile:          config,
		"registration.yaml": registration,
		"matrix_key.pem":    newSigningKey(),
	}, nil
}

func (h *Homeserver) config(l *RateLimit) map[string]any {
	database := func(name string) map[string]any {
		return map[string]any{"connection_string": "file:data/" + name + ".db"}
	}
	limit := map[string]any{"enabled": false}
	if l != nil {
		limit = map[string]any{"enabled": true, "threshold": l.Threshold, "cooloff_ms": l.Cooloff.Milliseconds()}
	}
	return map[string]any{
		"version": 2,
		"global": map[string]any{
			"server_name":                    h.ServerName,
			"private_key":                    "matrix_key.pem",
			"well_known_client_name":         h.URL,
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
			"registration_shared_secret": h.sharedSecret,
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
