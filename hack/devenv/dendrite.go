// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"context"
	"net/http"
	"net/url"
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

// StartDendrite starts a Dendrite and returns when it serves. The context
// bounds the start alone; Close ends it.
func StartDendrite(ctx context.Context, options DendriteOptions) (*LocalHomeserver, error) {
	return startHomeserver(ctx, options.ServerName, software{
		name:  "dendrite",
		purge: (*Homeserver).purgeFromDendrite,
		files: func(h *Homeserver) (map[string][]byte, error) { return h.DendriteFiles(options.RateLimit) },
		command: func(s *session, address string) (command, error) {
			return command{
				binary: "dendrite",
				args:   []string{"--config=" + s.path(DendriteConfig), "--http-bind-address=" + address},
				env:    []string{"GOMEMLIMIT=512MiB"},
			}, nil
		},
	})
}

// purgeFromDendrite can't purge rooms of version 12.
func (h *Homeserver) purgeFromDendrite(ctx context.Context, token, roomID string) error {
	return h.call(ctx, request{
		method: http.MethodPost, path: "/_dendrite/admin/purgeRoom/" + url.PathEscape(roomID), token: token,
	}, nil)
}
