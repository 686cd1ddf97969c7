// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"maunium.net/go/mautrix"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// answer is what the server said when it refused. Unlike the client library's
// error it doesn't hold the request, whose header has the token.
type answer struct {
	status     int
	code, text string
	retryAfter time.Duration
}

func (a *answer) Error() string {
	if a.code == "" {
		return fmt.Sprintf("HTTP %d", a.status)
	}
	return fmt.Sprintf("%s (HTTP %d): %s", a.code, a.status, a.text)
}

// failed makes the error of a request that went wrong. It says what was being
// done, holds neither the token nor the query of the URL, and tells a write
// that may have happened (Ambiguous) from one that certainly did not.
func (c *client) failed(r request, err error) *platform.Error {
	out := &platform.Error{Doing: r.doing, Kind: platform.Unavailable}
	var typed *platform.Error
	var refused mautrix.HTTPError
	switch {
	case errors.As(err, &typed): // the transport's own: the request budget, or a redirect, whose host the server chose
		out.Kind, out.RetryAfter, out.Limited, out.Err = typed.Kind, typed.RetryAfter, typed.Limited, c.token.Clean(typed)
		return out
	case errors.As(err, &refused) && refused.Response != nil && refused.WrappedError == nil:
		said := answerOf(refused)
		out.Kind, out.RetryAfter, out.Err = said.kind(r.writes()), said.retryAfter, c.token.Clean(said)
		out.Limited = out.Kind == platform.RateLimited
		return out
	case r.writes() && !platform.NeverSent(err):
		out.Kind = platform.Ambiguous
	}
	out.Err = c.token.Clean(causeOf(err))
	return out
}

// causeOf is what went wrong on the way, without the client library's wrapping.
func causeOf(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	var library mautrix.HTTPError
	if errors.As(err, &library) && library.WrappedError != nil {
		return fmt.Errorf("%s: %w", library.Message, library.WrappedError)
	}
	return err
}

func answerOf(refused mautrix.HTTPError) *answer {
	said := &answer{status: refused.Response.StatusCode, retryAfter: platform.RetryAfter(refused.Response.Header)}
	if refused.RespError != nil {
		said.code, said.text = refused.RespError.ErrCode, refused.RespError.Err
		if ms, ok := refused.RespError.ExtraData["retry_after_ms"].(float64); ok && ms > 0 {
			said.retryAfter = time.Duration(ms) * time.Millisecond
		}
	}
	return said
}

// kind sorts an answer.
func (a *answer) kind(write bool) platform.ErrorKind {
	switch a.code {
	case "M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED":
		return platform.Unauthorized
	case "M_LIMIT_EXCEEDED":
		return platform.RateLimited
	case "M_UNRECOGNIZED":
		return platform.NotSupported
	case "M_ROOM_IN_USE":
		return platform.AlreadyExists
	}
	switch status := a.status; {
	case status == http.StatusTooManyRequests:
		return platform.RateLimited
	case status == http.StatusUnauthorized:
		return platform.Unauthorized
	case status == http.StatusForbidden:
		return platform.Forbidden
	case status == http.StatusNotFound && a.code == "": // a gateway's: what is behind it may well be there
		return platform.Unavailable
	case status == http.StatusNotFound:
		return platform.NotFound
	case status == http.StatusMethodNotAllowed:
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
