// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"maunium.net/go/mautrix"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// client sends single requests. It never retries and never waits for a rate
// limit: that is for whoever asked.
type client struct {
	mx    *mautrix.Client
	token platform.Secret
	// anonymous is the same client without the token.
	anonymous *mautrix.Client
	// actAs is the account that an application service acts as; empty for the account that the token belongs to.
	actAs string
}

// request is one request to the server.
type request struct {
	// doing says what it is for, in errors.
	doing string
	// route is the template for metrics, such as "GET /sync".
	route  string
	method string
	// path is what comes after /_matrix, each part unescaped.
	path  []any
	query url.Values
	body  any
	// invitee is the account that a request invites; empty for other requests.
	invitee string
	// open sends the request without the token.
	open bool
	// asService sends the request as the application service itself, not as the account that it acts as.
	asService bool
	// into receives the answer; nil when it doesn't matter.
	into any
}

func (r request) writes() bool { return r.method != http.MethodGet }

// limits are the rate limits that the request is under. A homeserver has one for each action, and for invitations
// one for each invitee as well (Synapse: rc_message, rc_room_creation, rc_invites.per_user and others).
func (r request) limits() []string {
	if r.invitee != "" {
		return []string{r.route, r.route + " " + r.invitee}
	}
	return []string{r.route}
}

func newClient(cfg platform.Config) (*client, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, platform.Refuse(platform.Invalid, "reading the URL of the homeserver", fmt.Sprintf("%q is not an http or https URL", cfg.URL))
	}
	mx, err := newMautrix(cfg, cfg.Token)
	if err != nil {
		return nil, err
	}
	anonymous, err := newMautrix(cfg, "")
	if err != nil {
		return nil, err
	}
	c := &client{mx: mx, anonymous: anonymous, token: platform.Secret(cfg.Token)}
	if cfg.AppService && cfg.Account != "" {
		c.actAs = "@" + cfg.Account + ":" + cfg.ServerName
	}
	return c, nil
}

func newMautrix(cfg platform.Config, token string) (*mautrix.Client, error) {
	mx, err := mautrix.NewClient(cfg.URL, "", token)
	if err != nil {
		return nil, fmt.Errorf("setting up the Matrix client: %w", err)
	}
	mx.DefaultHTTPRetries = 0
	mx.IgnoreRateLimit = true
	mx.UserAgent = "cabildo"
	mx.Client = cfg.Client
	if mx.Client == nil {
		mx.Client = &http.Client{}
	}
	return mx, nil
}

// keyActAs is the query parameter with which an application service says which
// account it acts as (client-server API, "Identity assertion").
const keyActAs = "user_id"

// do sends a request. The error is always a *platform.Error.
func (c *client) do(ctx context.Context, r request) error {
	mx := c.mx
	if r.open {
		mx = c.anonymous
	}
	_, err := mx.MakeFullRequest(platform.WithLimits(platform.WithRoute(ctx, r.route), r.limits()...), mautrix.FullRequest{
		Method: r.method,
		URL: c.mx.BuildURLWithFullQuery(mautrix.BaseURLPath(append([]any{"_matrix"}, r.path...)), func(q url.Values) {
			if c.actAs != "" && !r.asService && !r.open {
				q.Set(keyActAs, c.actAs)
			}
			for key, values := range r.query {
				q[key] = values
			}
		}),
		RequestJSON:  r.body,
		ResponseJSON: r.into,
	})
	if err != nil {
		return c.failed(r, err)
	}
	return nil
}

// v3 is a path of the client-server API.
func v3(parts ...any) []any { return append([]any{"client", "v3"}, parts...) }
