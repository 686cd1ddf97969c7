// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// SynapseOptions says what is special about a homeserver. The zero value is a
// homeserver named DefaultServerName whose rate limits nobody reaches, and which
// is otherwise as Synapse is by default: it answers a repeated /sync from its
// cache for two minutes, and lets nobody publish rooms in its directory.
type SynapseOptions struct {
	// ServerName is the part after the colon in user IDs and aliases.
	ServerName string
	// DefaultLimits leaves the rate limits as Synapse has them by default. They
	// hold for ordinary accounts; application services are exempt, as registered.
	DefaultLimits bool
	// Publish lets everybody publish rooms in the server's directory (room_list_publication_rules).
	Publish bool
	// Config is added to the server's configuration, over what is there.
	Config map[string]any
}

// StartSynapse starts a Synapse and returns when it serves. The context bounds
// the start alone; Close ends it. Without Synapse the error matches ErrNotBuilt.
func StartSynapse(ctx context.Context, options SynapseOptions) (*LocalHomeserver, error) {
	program, err := synapseProgram()
	if err != nil {
		return nil, err
	}
	return startHomeserver(ctx, options.ServerName, software{
		name:  "synapse",
		purge: (*Homeserver).purgeFromSynapse,
		files: func(h *Homeserver) (map[string][]byte, error) { return h.synapseFiles(options) },
		command: func(s *session, _ string) (command, error) {
			return command{
				binary: "synapse",
				path:   program[0],
				args:   append(program[1:], "-m", "synapse.app.homeserver", "--config-path="+s.path(synapseConfig)),
				env:    []string{"PYTHONHOME=", "PYTHONPATH=", "PYTHONNOUSERSITE=1"},
			}, nil
		},
	})
}

// purgeFromSynapse takes everybody out of the room and removes it. This form of
// the request answers when that is done.
func (h *Homeserver) purgeFromSynapse(ctx context.Context, token, roomID string) error {
	return h.call(ctx, request{
		method: http.MethodDelete, path: "/_synapse/admin/v1/rooms/" + url.PathEscape(roomID), token: token,
		body: map[string]any{"purge": true, "force_purge": true},
	}, nil)
}

const (
	synapseConfig  = "synapse.yaml"
	synapseLogging = "log.yaml"
	synapseKey     = "signing.key"
)

func (h *Homeserver) synapseFiles(options SynapseOptions) (map[string][]byte, error) {
	registration, err := h.registration()
	if err != nil {
		return nil, err
	}
	config, err := h.synapseConfig(options)
	if err != nil {
		return nil, err
	}
	logging, err := yaml.Marshal(map[string]any{
		"version": 1, "disable_existing_loggers": false, // most of them are there by then
		"formatters": map[string]any{"line": map[string]any{"format": "%(asctime)s %(name)s %(levelname)s %(message)s"}},
		"handlers":   map[string]any{"console": map[string]any{"class": "logging.StreamHandler", "formatter": "line"}},
		"root":       map[string]any{"level": "WARNING", "handlers": []any{"console"}},
	})
	if err != nil {
		return nil, fmt.Errorf("writing synapse's logging configuration: %w", err)
	}
	return map[string][]byte{
		synapseConfig: config, synapseLogging: logging, synapseKey: newSynapseKey(), registrationFile: registration,
	}, nil
}

func (h *Homeserver) synapseConfig(options SynapseOptions) ([]byte, error) {
	at, err := url.Parse(h.URL)
	if err != nil {
		return nil, fmt.Errorf("writing synapse's configuration: %w", err)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		return nil, fmt.Errorf("writing synapse's configuration: %w", err)
	}
	config := map[string]any{
		"server_name":      h.ServerName,
		"public_baseurl":   h.URL + "/",
		"report_stats":     false,
		"enable_metrics":   false,
		"media_store_path": "data/media",
		"log_config":       synapseLogging,
		"listeners": []any{map[string]any{
			"type": "http", "port": port, "bind_addresses": []any{at.Hostname()}, "tls": false,
			"resources": []any{map[string]any{"names": []any{"client", "federation"}, "compress": false}},
		}},
		"database":                    map[string]any{"name": "sqlite3", "args": map[string]any{"database": "data/homeserver.db"}},
		"signing_key_path":            synapseKey,
		"macaroon_secret_key":         newSecret(),
		"form_secret":                 newSecret(),
		"registration_shared_secret":  h.sharedSecret,
		"app_service_config_files":    []any{registrationFile},
		"trusted_key_servers":         []any{},
		"suppress_key_server_warning": true,
		"federation_domain_whitelist": []any{},
		"bcrypt_rounds":               4, // the lowest: these passwords guard nothing
		"presence":                    map[string]any{"enabled": false},
	}
	if !options.DefaultLimits {
		maps.Copy(config, unlimited())
	}
	if options.Publish {
		config["room_list_publication_rules"] = []any{map[string]any{"action": "allow"}}
	}
	maps.Copy(config, options.Config)
	content, err := yaml.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("writing synapse's configuration: %w", err)
	}
	return content, nil
}

// unlimited are rate limits of Synapse that nobody reaches.
func unlimited() map[string]any {
	limit := map[string]any{"per_second": 100_000, "burst_count": 100_000}
	config := map[string]any{}
	for _, name := range []string{
		"rc_message", "rc_registration", "rc_registration_token_validity", "rc_admin_redaction", "rc_joins_per_room",
		"rc_third_party_invite", "rc_room_creation", "rc_reports", "rc_media_create", "rc_user_directory",
	} {
		config[name] = limit
	}
	for name, parts := range map[string][]string{
		"rc_login":           {"address", "account", "failed_attempts"},
		"rc_joins":           {"local", "remote"},
		"rc_invites":         {"per_room", "per_user", "per_issuer"},
		"rc_3pid_validation": {},
		"rc_presence":        {"per_user"},
	} {
		each := map[string]any{}
		for _, part := range parts {
			each[part] = limit
		}
		if len(parts) == 0 {
			each = limit
		}
		config[name] = each
	}
	return config
}

// newSynapseKey makes the key with which Synapse signs events, in the format
// that it reads: algorithm, version, and the seed of an Ed25519 key.
func newSynapseKey() []byte {
	seed := make([]byte, 32)
	_, _ = rand.Read(seed) // never fails
	return []byte(strings.Join([]string{
		"ed25519", "a_" + hex.EncodeToString(seed[:3]), base64.RawStdEncoding.EncodeToString(seed),
	}, " ") + "\n")
}
