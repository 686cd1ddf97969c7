// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"regexp"
	"sync"

	"sigs.k8s.io/yaml"
)

// A Homeserver is what a client of a Matrix homeserver knows of it, wherever it
// runs: as a process of this machine (StartDendrite, StartSynapse), or elsewhere
// with DendriteFiles. It has SQLite and no federation. An application service is
// registered with it that may act for every user of the server.
type Homeserver struct {
	// URL is where clients connect, such as http://127.0.0.1:20017.
	URL string
	// ServerName is the part after the colon in user IDs and aliases.
	ServerName string
	// ASToken is the token of the application service, which may act as any
	// user of the server (?user_id=). Without that it acts as its sender, which
	// is an account that nobody uses.
	ASToken string
	// OperatorUserID is the Matrix ID of the account that the operator acts as
	// with ASToken. The operator registers it; here it is only named.
	OperatorUserID string

	hsToken      string
	sharedSecret string
	purge        func(ctx context.Context, token, roomID string) error

	mu         sync.Mutex
	adminToken string // of the account that purges rooms; empty until it is needed
}

const (
	// operatorLocalpart is the operator's account, the default of spec.matrix.account.
	operatorLocalpart = "cabildo"
	// senderLocalpart is the application service's own account. Synapse gives it no /sync.
	senderLocalpart = "cabildo-service"
)

// newHomeserver has new secrets, and no URL yet.
func newHomeserver(serverName string) *Homeserver {
	return &Homeserver{
		ServerName:     serverName,
		ASToken:        newSecret(),
		OperatorUserID: "@" + operatorLocalpart + ":" + serverName,
		hsToken:        newSecret(),
		sharedSecret:   newSecret(),
	}
}

// NewDendrite is a Dendrite that runs elsewhere with its DendriteFiles. It has new secrets, and no URL yet.
func NewDendrite(serverName string) *Homeserver {
	h := newHomeserver(serverName)
	h.purge = h.purgeFromDendrite
	return h
}

// registrationFile is the name of the application service's registration.
const registrationFile = "registration.yaml"

// registration is the registration of the application service. docs/operations.md
// gives the same to administrators: it works on Dendrite and on Synapse.
func (h *Homeserver) registration() ([]byte, error) {
	name := regexp.QuoteMeta(h.ServerName)
	content, err := yaml.Marshal(map[string]any{
		"id":               "cabildo",
		"url":              nil, // nothing is pushed; the operator follows /sync
		"as_token":         h.ASToken,
		"hs_token":         h.hsToken,
		"sender_localpart": senderLocalpart,
		"rate_limited":     false,
		"namespaces": map[string]any{
			"users":   []any{map[string]any{"exclusive": false, "regex": "@.*:" + name}},
			"aliases": []any{map[string]any{"exclusive": false, "regex": "#.*:" + name}},
			"rooms":   []any{},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("writing the application service's registration: %w", err)
	}
	return content, nil
}

func newSecret() string {
	secret := make([]byte, 24)
	_, _ = rand.Read(secret) // never fails
	return hex.EncodeToString(secret)
}
