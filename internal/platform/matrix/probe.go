// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"maunium.net/go/mautrix"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// newestVersion is the newest room version that this release knows.
const newestVersion = 12

// offer is what the server can do.
type offer struct {
	// version is the newest stable room version that both of us know; 0 for none.
	version int
}

// Probe asks the server which versions it speaks, who we are, and which rooms
// it makes, and begins to follow it.
func (a *Adapter) Probe(ctx context.Context) (platform.Info, error) {
	var versions mautrix.RespVersions
	if err := a.client.do(ctx, request{
		doing: "asking " + a.cfg.URL + " which versions of Matrix it speaks", route: "GET /versions",
		method: http.MethodGet, path: []any{"client", "versions"}, into: &versions,
	}); err != nil {
		return platform.Info{}, err
	}
	account, err := a.whoami(ctx)
	if err != nil {
		return platform.Info{}, err
	}
	offer, err := a.ask(ctx)
	if err != nil {
		return platform.Info{}, err
	}
	a.begin()
	select {
	case a.poke <- struct{}{}:
	default:
	}
	return platform.Info{
		Server:       a.software(ctx, versions),
		Account:      account,
		Capabilities: a.capabilities(offer),
	}, nil
}

// identify returns our account, and asks for it when it is not known yet.
func (a *Adapter) identify(ctx context.Context) (string, error) {
	if us := a.us(); us != "" {
		return us, nil
	}
	return a.whoami(ctx)
}

// whoami asks whose the token is. For an application service that is its own account.
func (a *Adapter) whoami(ctx context.Context) (string, error) {
	var answer struct {
		User string `json:"user_id"`
	}
	const doing = "asking whose the access token is"
	if err := a.client.do(ctx, request{
		doing: doing, route: "GET /account/whoami",
		method: http.MethodGet, path: v3("account", "whoami"), into: &answer,
	}); err != nil {
		return "", err
	}
	local, server, found := strings.Cut(strings.TrimPrefix(answer.User, "@"), ":")
	switch {
	case !found || local == "" || a.client.token.Hide(answer.User) != answer.User: // the account is shown to people
		return "", platform.Refuse(platform.Unavailable, doing, "the answer names no account: it is not from a Matrix homeserver")
	case a.cfg.ServerName != "" && server != a.cfg.ServerName:
		return "", platform.Refuse(platform.Invalid, doing, fmt.Sprintf(
			"the token is %s's, of the server %s, and the Platform's serverName is %s: correct one of them",
			answer.User, server, a.cfg.ServerName))
	}
	a.mu.Lock()
	a.account = answer.User
	a.mu.Unlock()
	a.view.mu.Lock()
	a.view.us = answer.User
	a.view.mu.Unlock()
	return answer.User, nil
}

// ask asks which room versions the server offers.
func (a *Adapter) ask(ctx context.Context) (offer, error) {
	var capabilities mautrix.RespCapabilities
	if err := a.client.do(ctx, request{
		doing: "asking which rooms the homeserver makes", route: "GET /capabilities",
		method: http.MethodGet, path: v3("capabilities"), into: &capabilities,
	}); err != nil {
		return offer{}, err
	}
	o := offer{version: newestOf(capabilities.RoomVersions)}
	a.mu.Lock()
	a.offer = &o
	a.mu.Unlock()
	return o, nil
}

// offered is what the server can do, asked for when it is not known yet.
func (a *Adapter) offered(ctx context.Context) (offer, error) {
	a.mu.Lock()
	known := a.offer
	a.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	return a.ask(ctx)
}

func newestOf(versions *mautrix.CapRoomVersions) int {
	if versions == nil {
		return 1 // what the specification says of servers that don't tell
	}
	newest := 0
	for name, stability := range versions.Available {
		number, err := strconv.Atoi(name)
		if err == nil && stability == mautrix.CapRoomVersionStable && number <= newestVersion {
			newest = max(newest, number)
		}
	}
	return newest
}

// software is the server's name and version, or the specification that it speaks.
func (a *Adapter) software(ctx context.Context, versions mautrix.RespVersions) string {
	var answer struct {
		Server struct{ Name, Version string }
	}
	err := a.client.do(ctx, request{
		doing: "asking for the homeserver's version", route: "GET /federation/version",
		method: http.MethodGet, path: []any{"federation", "v1", "version"}, into: &answer,
	})
	if err != nil || answer.Server.Name == "" {
		return "Matrix " + versions.GetLatest().String()
	}
	return a.client.token.Hide(strings.TrimSpace(answer.Server.Name + " " + answer.Server.Version))
}

// The first room versions in which people can ask to come in, and in which the
// members of a space can come into its rooms.
const (
	knockVersion      = 7
	restrictedVersion = 8
)

func (a *Adapter) capabilities(o offer) map[platform.Capability]platform.Support {
	supported := platform.Support{State: platform.Supported}
	since := func(version int) platform.Support {
		if o.version >= version {
			return supported
		}
		return platform.Support{State: platform.Unsupported, Reason: fmt.Sprintf(
			"needs rooms of version %d, and the newest stable version that the server offers is %d", version, o.version)}
	}
	onBehalf := supported
	if !a.cfg.AppService {
		onBehalf = platform.Support{
			State:  platform.Unsupported,
			Reason: "the token is an ordinary account's, so members are invited and accept themselves; an application service's token joins them",
		}
	}
	return map[platform.Capability]platform.Support{
		platform.CanJoinOnBehalf:   onBehalf,
		platform.CanJoinByRequest:  since(knockVersion),
		platform.CanJoinFromParent: since(restrictedVersion),
		platform.CanModerate:       supported,
		platform.CanArchive:        supported,
		platform.CanFederate:       supported,
		platform.CanDelete: {
			State: platform.Unsupported,
			Reason: "Matrix has no deletion in its client API: the room is closed, emptied and left, " +
				"and is the server administrator's to purge",
		},
	}
}
