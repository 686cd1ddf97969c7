// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrorKind says what kind of answer a platform gave.
type ErrorKind string

// The kinds of error.
const (
	NotFound      ErrorKind = "NotFound"
	Conflict      ErrorKind = "Conflict"
	AlreadyExists ErrorKind = "AlreadyExists"
	Unauthorized  ErrorKind = "Unauthorized"
	// Forbidden: we are known, but may not do this.
	Forbidden   ErrorKind = "Forbidden"
	RateLimited ErrorKind = "RateLimited"
	Unavailable ErrorKind = "Unavailable"
	Invalid     ErrorKind = "Invalid"
	// NotSupported: this server can't do it at all.
	NotSupported ErrorKind = "Unsupported"
	// Ambiguous: a write may or may not have happened. Observe again, never retry blindly.
	Ambiguous ErrorKind = "Ambiguous"
)

// Error is what every adapter returns. Match it with errors.As.
type Error struct {
	Kind ErrorKind
	// Doing says what was being done and to what, and never holds a secret.
	Doing string
	// RetryAfter is how long the platform asks to wait; zero when it doesn't say.
	RetryAfter time.Duration
	// Limited says of a RateLimited that it is about requests like this one alone; others can go on.
	Limited bool
	// Err is what the platform answered, or what went wrong on the way. The adapter has taken secrets out of its text.
	Err error
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Doing, e.Kind)
	}
	return fmt.Sprintf("%s: %s: %v", e.Doing, e.Kind, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// IsKind says whether an error is of a kind.
func IsKind(err error, kind ErrorKind) bool {
	var typed *Error
	return errors.As(err, &typed) && typed.Kind == kind
}

// Refuse is an error that an adapter finds itself, without asking the server.
func Refuse(kind ErrorKind, doing, because string) *Error {
	return &Error{Kind: kind, Doing: doing, Err: errors.New(because)}
}

// NeverSent says of the error of a request that the connection was not even made, so that a write did not happen.
func NeverSent(err error) bool {
	var dial *net.OpError
	var lookup *net.DNSError
	return errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &lookup) || errors.Is(err, syscall.ECONNREFUSED)
}

// A Secret is what must not be in a text that people see. Its zero value hides nothing.
type Secret string

// Clean keeps an error whose text is fit to be shown, and makes of another one
// a text without the secret, and not too long.
func (s Secret) Clean(err error) error {
	text := s.Hide(err.Error())
	const most = 512
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}

// Hide takes the secret out of a text that the server had a part in.
func (s Secret) Hide(text string) string {
	if s == "" {
		return text
	}
	return strings.ReplaceAll(text, string(s), "(token)")
}

// RetryAfter is how long the header of an answer asks to wait; zero when it doesn't say.
func RetryAfter(header http.Header) time.Duration {
	said := header.Get("Retry-After")
	if seconds, err := strconv.Atoi(said); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(said); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}
