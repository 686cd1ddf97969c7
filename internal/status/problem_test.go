// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/status"
)

func TestWhatAPlatformsErrorMeans(t *testing.T) {
	for kind, tc := range map[platform.ErrorKind]struct {
		severity status.Severity
		reason   string
		// says is the remedy, or what happens next.
		says string
		// quotes says that the platform's own words are for the person who acts.
		quotes bool
	}{
		platform.Unauthorized:  {status.Waiting, v1alpha1.ReasonUnauthorized, "The platform team renews the token", false},
		platform.Unavailable:   {status.Transient, v1alpha1.ReasonUnavailable, "(making the space). Nothing is changed; it is tried again.", false},
		platform.Ambiguous:     {status.Transient, v1alpha1.ReasonUnavailable, "(making the space). It is looked at again first.", false},
		platform.RateLimited:   {status.Transient, v1alpha1.ReasonRateLimited, "It goes on by itself.", false},
		platform.AlreadyExists: {status.Stalled, v1alpha1.ReasonNameTaken, "Choose another spaceName", true},
		platform.Forbidden:     {status.Stalled, v1alpha1.ReasonCannotControl, "Give its account the power back.", true},
		platform.Invalid:       {status.Stalled, v1alpha1.ReasonApplyFailed, "Correct it.", true},
		platform.NotSupported:  {status.Stalled, v1alpha1.ReasonApplyFailed, "Correct it.", true},
		platform.NotFound:      {status.Transient, v1alpha1.ReasonApplyFailed, "It is tried again.", true},
		platform.Conflict:      {status.Transient, v1alpha1.ReasonApplyFailed, "It is tried again.", true},
		"of a later adapter":   {status.Transient, v1alpha1.ReasonApplyFailed, "It is tried again.", true},
	} {
		t.Run(string(kind), func(t *testing.T) {
			g := NewWithT(t)
			err := fmt.Errorf("wrapped: %w", &platform.Error{
				Kind: kind, Doing: "making the space", Err: errors.New("the server's words"), RetryAfter: time.Minute,
			})
			problem := status.FromPlatform("chat", err)
			g.Expect(problem.Severity).To(Equal(tc.severity))
			g.Expect(problem.Reason).To(Equal(tc.reason))
			g.Expect(problem.Message).To(ContainSubstring(tc.says))
			g.Expect(problem).To(MatchError(err), "the log has all of it")
			if tc.quotes {
				g.Expect(problem.Message).To(ContainSubstring("making the space: " + string(kind) + ": the server's words"))
			} else {
				g.Expect(problem.Message).NotTo(ContainSubstring("the server's words"))
			}
			if kind == platform.RateLimited {
				g.Expect(problem.RetryAfter).To(Equal(time.Minute))
			} else {
				g.Expect(problem.RetryAfter).To(BeZero())
			}
		})
	}
}

// An adapter takes secrets out of what a platform answers. Nobody has taken
// them out of what fails on the way, so that is not for a status.
// Promise 11.
func TestNoSecretComesIntoAMessage(t *testing.T) {
	leak := &url.Error{Op: "Get", URL: "https://chat.example/sync?access_token=syt_secret", Err: errors.New("Bearer syt_secret refused")}
	for name, err := range map[string]error{
		"an error that no adapter typed":   leak,
		"one that is wrapped":              fmt.Errorf("observing: %w", leak),
		"a server that does not answer":    &platform.Error{Kind: platform.Unavailable, Doing: "observing", Err: leak},
		"a write whose answer was lost":    &platform.Error{Kind: platform.Ambiguous, Doing: "setting the name", Err: leak},
		"a server that asks to slow down":  &platform.Error{Kind: platform.RateLimited, Doing: "observing", Err: leak},
		"a server that refuses the token":  &platform.Error{Kind: platform.Unauthorized, Doing: "observing", Err: leak},
		"words around an adapter's answer": fmt.Errorf("with syt_secret: %w", &platform.Error{Kind: platform.Invalid, Doing: "setting the name"}),
	} {
		t.Run(name, func(t *testing.T) {
			problem := status.FromPlatform("chat", err)
			NewWithT(t).Expect(problem.Message).NotTo(ContainSubstring("syt_secret"))
			NewWithT(t).Expect(problem.Message).To(ContainSubstring("Platform chat"))
		})
	}
}

func TestWhatKeptARequestFromItsAnswer(t *testing.T) {
	refused := &net.OpError{
		Op: "dial", Net: "tcp", Source: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 51234}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED),
	}
	for name, tc := range map[string]struct {
		err  error
		says string
	}{
		"nobody listens": {refused, "the connection was refused"},
		"nobody has that name": {&net.DNSError{Err: "no such host", Name: "chat.example", Server: "10.0.0.10:53", IsNotFound: true},
			"there is no server of the name chat.example"},
		"a name that can't be looked up in time": {&net.DNSError{Err: "read udp 10.0.0.7:51234: i/o timeout", Name: "chat.example", IsTimeout: true},
			"there was no answer in time"},
		"a certificate of nobody we know": {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
			"its certificate is not to be trusted: x509: certificate signed by unknown authority"},
		"a deadline":      {context.DeadlineExceeded, "there was no answer in time"},
		"another trouble": {errors.New("read tcp 10.0.0.7:51234: syt_secret"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			sent := &url.Error{Op: "Get", URL: "https://chat.example/syt_secret", Err: tc.err}
			typed := status.FromPlatform("chat", &platform.Error{Kind: platform.Unavailable, Doing: "observing", Err: sent}).Message
			untyped := status.FromPlatform("chat", sent).Message
			for _, message := range []string{typed, untyped} {
				g.Expect(message).NotTo(ContainSubstring("syt_secret"))
				g.Expect(message).NotTo(ContainSubstring("51234"), "a port that differs with every try")
			}
			if tc.says == "" {
				g.Expect(typed).To(ContainSubstring("(observing)"))
				g.Expect(untyped).To(ContainSubstring("something unforeseen went wrong"))
				return
			}
			g.Expect(typed).To(ContainSubstring("(observing: " + tc.says + ")"))
			g.Expect(untyped).To(ContainSubstring(tc.says))
		})
	}
}

func TestTheWorstProblemIsSeenFirst(t *testing.T) {
	g := NewWithT(t)
	waiting, transient, stalled := status.Wait("A", "a"), status.Retry("B", errors.New("b"), "b"), status.Stall("C", "c")
	g.Expect(status.Worst()).To(BeNil())
	g.Expect(status.Worst(nil, nil)).To(BeNil())
	g.Expect(status.Worst(nil, waiting)).To(BeIdenticalTo(waiting))
	g.Expect(status.Worst(waiting, nil, transient)).To(BeIdenticalTo(transient))
	g.Expect(status.Worst(stalled, transient, waiting)).To(BeIdenticalTo(stalled))
	g.Expect(status.Worst(stalled, status.Stall("D", "d"))).To(BeIdenticalTo(stalled), "of equals, the one that was met first")
}

func TestAProblemIsAnError(t *testing.T) {
	g := NewWithT(t)
	cause := errors.New("connection refused")
	g.Expect(status.Retry("Unavailable", cause, "down")).To(MatchError(cause))
	g.Expect(status.Retry("Unavailable", cause, "down").Error()).To(Equal("Unavailable: connection refused"))
	g.Expect(status.Stall("NameTaken", "%d are taken", 3).Error()).To(Equal("NameTaken: 3 are taken"))
}

func TestAQuotedSentenceEndsWithOneFullStop(t *testing.T) {
	g := NewWithT(t)
	refused := &quoted{"M_FORBIDDEN (HTTP 403): You are not invited to this room."}
	g.Expect(status.Retry("X", refused, "Not added: %v. It is tried again.", refused).Message).
		To(Equal("Not added: M_FORBIDDEN (HTTP 403): You are not invited to this room. It is tried again."))
	g.Expect(status.Stall("X", "%v.", refused).Message).To(HaveSuffix("to this room."))
	g.Expect(status.Wait("X", "And so on... it goes.").Message).To(Equal("And so on... it goes."))
}

// quoted is an error with the words of a server.
type quoted struct{ words string }

func (q *quoted) Error() string { return q.words }
