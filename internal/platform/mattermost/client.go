// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	mm "github.com/mattermost/mattermost/server/public/model"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// client sends single requests. It never retries: that is for whoever asked.
type client struct {
	api   *mm.Client4
	token platform.Secret
}

func newClient(cfg platform.Config) (*client, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, platform.Refuse(platform.Invalid, "reading the URL of the Mattermost server", fmt.Sprintf("%q is not an http or https URL", cfg.URL))
	}
	api := mm.NewAPIv4Client(cfg.URL)
	api.SetToken(cfg.Token)
	api.HTTPHeader["User-Agent"] = "cabildo"
	if cfg.Client != nil {
		api.HTTPClient = cfg.Client
	}
	return &client{api: api, token: platform.Secret(cfg.Token)}, nil
}

// call is one request and what its errors say.
type call struct {
	// route is the template for metrics, such as "GET /teams".
	route string
	// doing says what it is for, in errors.
	doing string
	// writes says that a lost answer leaves open whether it was done.
	writes bool
}

func read(route, doing string) call  { return call{route: route, doing: doing} }
func write(route, doing string) call { return call{route: route, doing: doing, writes: true} }

// get sends a request whose answer matters. The error is always a *platform.Error.
func get[T any](ctx context.Context, c *client, k call, send func(context.Context, *mm.Client4) (T, *mm.Response, error)) (T, error) {
	answer, resp, err := send(platform.WithRoute(ctx, k.route), c.api)
	if err != nil {
		var none T
		return none, c.failed(k, resp, err)
	}
	return answer, nil
}

// do sends a request whose answer says only that it was done.
func (c *client) do(ctx context.Context, k call, send func(context.Context, *mm.Client4) (*mm.Response, error)) error {
	if resp, err := send(platform.WithRoute(ctx, k.route), c.api); err != nil {
		return c.failed(k, resp, err)
	}
	return nil
}

// failed makes the error of a request that went wrong. It says what was being
// done and does not hold the token, and tells a write that may have happened
// (Ambiguous) from one that certainly did not.
func (c *client) failed(k call, resp *mm.Response, err error) *platform.Error {
	out := &platform.Error{Doing: k.doing, Kind: platform.Unavailable}
	var typed *platform.Error
	var refused *mm.AppError
	switch {
	case errors.As(err, &typed): // the transport's own: the request budget, or a redirect
		out.Kind, out.RetryAfter, out.Err = typed.Kind, typed.RetryAfter, c.token.Clean(typed)
		return out
	case resp != nil && resp.StatusCode >= 300:
		said := answer{status: resp.StatusCode}
		if errors.As(err, &refused) {
			said.id, said.text = refused.Id, refused.Message
		}
		out.Kind, out.RetryAfter, out.Err = said.kind(k.writes), platform.RetryAfter(resp.Header), c.token.Clean(said)
		return out
	case k.writes && !platform.NeverSent(err):
		out.Kind = platform.Ambiguous
	}
	out.Err = c.token.Clean(causeOf(err))
	return out
}

// causeOf is what went wrong on the way, without the URL and what it may hold.
func causeOf(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// answer is what the server said when it refused.
type answer struct {
	status   int
	id, text string
}

func (a answer) Error() string {
	if a.text == "" {
		return fmt.Sprintf("HTTP %d", a.status)
	}
	return fmt.Sprintf("HTTP %d: %s", a.status, a.text)
}

// kind sorts an answer. Mattermost answers a name that is taken with 400, so that the ID of the message decides.
func (a answer) kind(write bool) platform.ErrorKind {
	switch a.id {
	case channelExists, teamExists, teamIDExists:
		return platform.AlreadyExists
	}
	switch status := a.status; {
	case status == http.StatusTooManyRequests:
		return platform.RateLimited
	case status == http.StatusUnauthorized:
		return platform.Unauthorized
	case status == http.StatusForbidden:
		return platform.Forbidden
	case status == http.StatusNotFound && a.id == "": // a gateway's: what is behind it may well be there
		return platform.Unavailable
	case status == http.StatusNotFound:
		return platform.NotFound
	case status == http.StatusNotImplemented, status == http.StatusMethodNotAllowed:
		return platform.NotSupported
	case status == http.StatusConflict:
		return platform.AlreadyExists
	case status == http.StatusServiceUnavailable, !write && status >= 500:
		return platform.Unavailable
	case status >= 500: // it may have got far enough
		return platform.Ambiguous
	default:
		return platform.Invalid
	}
}

// The IDs of the messages that a name is taken (servers 9.9 and 11.1, app/channel.go and app/team.go).
const (
	channelExists = "store.sql_channel.save_channel.exists.app_error"
	teamExists    = "app.team.save.existing.app_error"
	teamIDExists  = "store.sql_team.save_team.existing.app_error"
)
