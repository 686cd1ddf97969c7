// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"fmt"

	"sigs.k8s.io/yaml"
)

// DendriteConfig is the name of the file that Dendrite is started with.
const DendriteConfig = "dendrite.yaml"

// DendriteFiles are the homeserver's configuration, the registration of the application
// service and a new signing key, by name. Dendrite wants all of them in the
// folder that it runs in, and keeps its data in data/ below it.
func (h *Homeserver) DendriteFiles(limit *RateLimit) (map[string][]byte, error) {
	registration, err := h.registration()
	if err != nil {
		return nil, err
	}
	config, err := yaml.Marshal(h.dendriteConfig(limit))
	if err != nil {
		return nil, fmt.Errorf("writing dendrite's configuration: %w", err)
	}
	return map[string][]byte{
		DendriteConfig:   config,
		registrationFile: registration,
		"matrix_key.pem": newDendriteKey(),
	}, nil
}

func (h *Homeserver) dendriteConfig(l *RateLimit) map[string]any {
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
		"app_service_api": map[string]any{"config_files": []any{registrationFile}},
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

// newDendriteKey makes the key with which the homeserver signs events, in the
// format that Dendrite reads: the seed of an Ed25519 key.
func newDendriteKey() []byte {
	seed := make([]byte, 32)
	_, _ = rand.Read(seed) // never fails
	return pem.EncodeToMemory(&pem.Block{
		Type:    "MATRIX PRIVATE KEY",
		Headers: map[string]string{"Key-ID": "ed25519:" + hex.EncodeToString(seed[:3])},
		Bytes:   seed,
	})
}
