// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"fmt"
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
