// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"time"

	"github.com/go-logr/logr"
)

// Config is what an adapter needs to reach its platform.
type Config struct {
	// Name of the Platform resource, for metrics and logs.
	Name string
	// OwnerID is the installation that we are.
	OwnerID string
	// URL is the base URL of the server's API.
	URL string
	// ServerName is the name in the server's addresses, where it differs from the URL (Matrix).
	ServerName string
	// Token authenticates us. It must not be in a log, an error or an event.
	Token string
	// AppService says that Token is an application service's (Matrix).
	AppService bool
	// Account is the local part of the account to act as with an application service's token (Matrix). Empty for
	// the account that the service itself has.
	Account string
	// Client carries every request: budget, certificates, proxy, no redirects to other hosts.
	Client *http.Client
	// TLS and Proxy are the client's, for connections that are not requests; nil for the system's and none.
	TLS   *tls.Config
	Proxy func(*http.Request) (*url.URL, error)
	// Turn waits until a request may go that Client does not carry, such as the one for a WebSocket; nil when there is no budget.
	Turn func(context.Context) error
	// ResyncInterval is how often what the shared view doesn't carry is verified again.
	ResyncInterval time.Duration
	Log            logr.Logger
}

// Factory opens an adapter. It does not talk to the platform yet: Probe does.
type Factory func(ctx context.Context, cfg Config) (Adapter, error)

type contextKey int

const (
	routeKey contextKey = iota
	priorityKey
	shareKey
)

// WithRoute names the request's route template, such as "PUT /rooms/{room}/state/{type}", for metrics.
func WithRoute(ctx context.Context, route string) context.Context {
	return context.WithValue(ctx, routeKey, route)
}

// Route is what WithRoute set, or "other".
func Route(ctx context.Context) string {
	if route, ok := ctx.Value(routeKey).(string); ok {
		return route
	}
	return "other"
}

// Priority orders the requests that wait for the budget.
type Priority int

// The priorities, the most urgent first.
const (
	PriorityRevoke Priority = iota
	PriorityGrant
	PriorityDrift

	priorities = int(PriorityDrift) + 1
)

// String is the priority as metrics name it.
func (p Priority) String() string { return [priorities]string{"revoke", "grant", "drift"}[p] }

// WithPriority says how urgent the requests of this context are.
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey, p)
}

// PriorityOf is what WithPriority set, or PriorityGrant.
func PriorityOf(ctx context.Context) Priority {
	if p, ok := ctx.Value(priorityKey).(Priority); ok {
		return p
	}
	return PriorityGrant
}

// WithShare says for whom the requests of this context are, such as a community.
// Requests that are equally urgent take turns between the shares.
func WithShare(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, shareKey, key)
}

// Share is what WithShare set. Requests without one share one.
func Share(ctx context.Context) string {
	key, _ := ctx.Value(shareKey).(string)
	return key
}
