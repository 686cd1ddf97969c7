// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package status turns what a pass over a resource found into conditions. It
// is pure; writing them is the controllers' part.
package status

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"syscall"
	"time"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// Severity says what has to happen before a problem can go.
type Severity int

// The severities, the lightest first.
const (
	// Waiting: something else will change and wake the resource.
	Waiting Severity = iota
	// Transient: trying again will do.
	Transient
	// Stalled: a person must act.
	Stalled
)

// Problem is why a resource isn't Ready, with a reason for machines and a
// message that tells people what to do.
type Problem struct {
	Severity Severity
	Reason   string
	Message  string
	// RetryAfter is how long the platform asks to wait; zero when it doesn't say.
	RetryAfter time.Duration
	// Err is what went wrong underneath, where there is such.
	Err error
}

func (p *Problem) Error() string {
	if p.Err == nil {
		return p.Reason + ": " + p.Message
	}
	return fmt.Sprintf("%s: %v", p.Reason, p.Err)
}

func (p *Problem) Unwrap() error { return p.Err }

// doubleStop is the end of a sentence that quotes one. Three are an ellipsis.
var doubleStop = regexp.MustCompile(`([^.])\.\.( |$)`)

// sentences formats a message. What is quoted in it may end with a full stop, as servers' answers do.
func sentences(format string, args ...any) string {
	return doubleStop.ReplaceAllString(fmt.Sprintf(format, args...), "$1.$2")
}

// Wait makes a problem that ends when something else changes.
func Wait(reason, format string, args ...any) *Problem {
	return &Problem{Severity: Waiting, Reason: reason, Message: sentences(format, args...)}
}

// Stall makes a problem that a person must act on.
func Stall(reason, format string, args ...any) *Problem {
	return &Problem{Severity: Stalled, Reason: reason, Message: sentences(format, args...)}
}

// Retry makes a problem that trying again may solve.
func Retry(reason string, err error, format string, args ...any) *Problem {
	return &Problem{Severity: Transient, Reason: reason, Message: sentences(format, args...), Err: err}
}

// FromPlatform says what a platform's error means for a resource. It quotes
// what the platform answered, because a person has to act on it. What went
// wrong on the way there is said in words of our own; the rest stays in Err,
// for the log: it differs with every try, and nobody looked for secrets in it.
func FromPlatform(name string, err error) *Problem {
	var pe *platform.Error
	if !errors.As(err, &pe) {
		return Retry(v1alpha1.ReasonApplyFailed, err, "Platform %s: %s; Cabildo's log says more. It is tried again.",
			name, cmp.Or(onTheWay(err), "something unforeseen went wrong"))
	}
	p := fromAnswer(name, pe)
	p.Err = err
	return p
}

func fromAnswer(name string, pe *platform.Error) *Problem {
	doing := pe.Doing
	if what := onTheWay(pe.Err); what != "" {
		doing += ": " + what
	}
	switch pe.Kind {
	case platform.Unauthorized:
		return Wait(v1alpha1.ReasonUnauthorized,
			"Platform %s refuses its token. The platform team renews the token in the Secret of the platform's credentialsRef.", name)
	case platform.Unavailable:
		return Retry(v1alpha1.ReasonUnavailable, pe, "Platform %s does not answer (%s). Nothing is changed; it is tried again.", name, doing)
	case platform.Ambiguous:
		return Retry(v1alpha1.ReasonUnavailable, pe, "Platform %s did not say whether a write happened (%s). It is looked at again first.", name, doing)
	case platform.RateLimited:
		p := Retry(v1alpha1.ReasonRateLimited, pe, "Platform %s limits how often this can be done (%s). The rest goes on, and this as soon as it can.", name, doing)
		if !pe.Limited {
			p = Retry(v1alpha1.ReasonRateLimited, pe, "Platform %s asks to slow down, or its request budget is used up. It goes on by itself.", name)
		}
		p.RetryAfter = pe.RetryAfter
		return p
	case platform.AlreadyExists:
		return Stall(v1alpha1.ReasonNameTaken,
			"Platform %s: %v. Choose another spaceName, or set management.adoption: IfUnowned to take over a space that nobody owns.", name, pe)
	case platform.Forbidden:
		return Stall(v1alpha1.ReasonCannotControl, "Platform %s does not let Cabildo do this: %v. Give its account the power back.", name, pe)
	case platform.Invalid, platform.NotSupported:
		return Stall(v1alpha1.ReasonApplyFailed, "Platform %s refuses what is declared: %v. Correct it.", name, pe)
	default:
		return Retry(v1alpha1.ReasonApplyFailed, pe, "Platform %s: %v. It is tried again.", name, pe)
	}
}

// onTheWay says what kept a request from its answer, or nothing where that is
// not known. The words are always the same for the same trouble.
func onTheWay(err error) string {
	var certificate *tls.CertificateVerificationError
	var lookup *net.DNSError
	var slow interface{ Timeout() bool }
	switch {
	case errors.As(err, &certificate):
		return "its certificate is not to be trusted: " + certificate.Err.Error()
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return "there is no server of the name " + lookup.Name
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.As(err, &slow) && slow.Timeout():
		return "there was no answer in time"
	default:
		return ""
	}
}

// Worst is the problem that a person should see first, or nil.
func Worst(problems ...*Problem) *Problem {
	var worst *Problem
	for _, p := range problems {
		if p != nil && (worst == nil || p.Severity > worst.Severity) {
			worst = p
		}
	}
	return worst
}
