// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"errors"
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
	// noKnock says that the server has no way to ask to come in, whatever its rooms can.
	noKnock bool
}

// Probe asks the server which versions it speaks, who we are, and which rooms
// it makes, and waits until the rooms can be observed: a session that gets no
// /sync is of no use to anybody.
func (a *Adapter) Probe(ctx context.Context) (platform.Info, error) {
	var versions mautrix.RespVersions
	if err := a.client.do(ctx, request{
		doing: "asking " + a.cfg.URL + " which versions of Matrix it speaks", route: "GET /versions",
		method: http.MethodGet, path: []any{"client", "versions"}, into: &versions, open: true,
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
	if err := a.observing(ctx); err != nil {
		return platform.Info{}, err
	}
	return platform.Info{
		Server:       a.software(ctx, versions),
		Account:      account,
		Capabilities: a.capabilities(offer),
	}, nil
}

// ask asks which room versions the server offers, and whether people can ask to come in.
func (a *Adapter) ask(ctx context.Context) (offer, error) {
	var capabilities mautrix.RespCapabilities
	if err := a.client.do(ctx, request{
		doing: "asking which rooms the homeserver makes", route: "GET /capabilities",
		method: http.MethodGet, path: v3("capabilities"), into: &capabilities,
	}); err != nil {
		return offer{}, err
	}
	o := offer{version: newestOf(capabilities.RoomVersions)}
	var err error
	if o.noKnock, err = a.noKnock(ctx); err != nil {
		return offer{}, err
	}
	a.mu.Lock()
	a.offer = &o
	a.mu.Unlock()
	return o, nil
}

// noKnock says whether the server lacks the endpoint for asking to come in,
// which nothing else tells. The specification (M_UNRECOGNIZED) has a server
// answer 404 to an endpoint that it doesn't have, and 405 to the wrong method of one that it has.
func (a *Adapter) noKnock(ctx context.Context) (bool, error) {
	err := a.client.do(ctx, request{
		doing: "asking whether people can ask to join", route: "GET /knock/{room}",
		method: http.MethodGet, path: v3("knock", "!nothing:"+a.cfg.ServerName),
	})
	var said *answer
	if err != nil && !errors.As(err, &said) {
		return false, err
	}
	return platform.IsKind(err, platform.NotSupported) && said.status == http.StatusNotFound, nil
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
		method: http.MethodGet, path: []any{"federation", "v1", "version"}, into: &answer, open: true,
	})
	if err != nil || answer.Server.Name == "" {
		return "Matrix " + versions.GetLatest().String()
	}
	version, _, _ := strings.Cut(answer.Server.Version, " (") // Synapse adds the commit that it was started from
	return a.client.token.Hide(strings.TrimSpace(answer.Server.Name + " " + version))
}

// The first room versions in which people can ask to come in, and in which the
// members of a space can come into its rooms.
const (
	knockVersion      = 7
	restrictedVersion = 8
)

// noWayToAsk is why nobody can ask to come in though the rooms would let them.
const noWayToAsk = "the homeserver doesn't have the endpoint with which people ask to join (/knock)"

func (a *Adapter) capabilities(o offer) map[platform.Capability]platform.Support {
	supported := platform.Support{State: platform.Supported}
	since := func(version int) platform.Support {
		if o.version >= version {
			return supported
		}
		return platform.Support{State: platform.Unsupported, Reason: fmt.Sprintf(
			"needs rooms of version %d, and the newest stable version that the server offers is %d", version, o.version)}
	}
	byRequest := since(knockVersion)
	if byRequest == supported && o.noKnock {
		byRequest = platform.Support{State: platform.Unsupported, Reason: noWayToAsk}
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
		platform.CanJoinByRequest:  byRequest,
		platform.CanJoinFromParent: since(restrictedVersion),
		platform.CanModerate:       supported,
		platform.CanArchive:        supported,
		platform.CanFederate:       supported,
		platform.CanBan:            supported,
		platform.CanFindByEmail: {
			State:  platform.Unsupported,
			Reason: "the client API tells nobody whose an e-mail address is",
		},
		platform.CanRename: {
			State:  platform.Unsupported,
			Reason: "an account's ID is its name, and is never changed",
		},
		platform.CanDelete: {
			State: platform.Unsupported,
			Reason: "Matrix has no deletion in its client API: the room is closed, emptied and left, " +
				"and is the server administrator's to purge",
		},
	}
}
