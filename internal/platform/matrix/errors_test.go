// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

const secret = "syt_secret"

// asked sends one request to a server that behaves like this.
func askedOf(t *testing.T, method string, handler http.HandlerFunc) *platform.Error {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	return sent(t, method, server.URL)
}

func sent(t *testing.T, method, url string) *platform.Error {
	t.Helper()
	c, err := newClient(platform.Config{URL: url, Token: secret})
	if err != nil {
		t.Fatal(err)
	}
	var into struct{ OK bool }
	err = c.do(context.Background(), request{doing: "trying", method: method, path: v3("sync"), into: &into})
	var typed *platform.Error
	if !errors.As(err, &typed) {
		t.Fatalf("%v is not a platform error", err)
	}
	return typed
}

func TestAnswersAreSorted(t *testing.T) {
	for name, row := range map[string]struct {
		status      int
		body        string
		read, write platform.ErrorKind
	}{
		"unknown token":    {401, `{"errcode":"M_UNKNOWN_TOKEN"}`, platform.Unauthorized, platform.Unauthorized},
		"missing token":    {401, `{"errcode":"M_MISSING_TOKEN"}`, platform.Unauthorized, platform.Unauthorized},
		"soft logout":      {403, `{"errcode":"M_UNKNOWN_TOKEN"}`, platform.Unauthorized, platform.Unauthorized},
		"forbidden":        {403, `{"errcode":"M_FORBIDDEN"}`, platform.Forbidden, platform.Forbidden},
		"not found":        {404, `{"errcode":"M_NOT_FOUND"}`, platform.NotFound, platform.NotFound},
		"no such endpoint": {404, `{"errcode":"M_UNRECOGNIZED"}`, platform.NotSupported, platform.NotSupported},
		"no such route":    {404, `404 page not found`, platform.Unavailable, platform.Unavailable}, // said by a gateway
		"no such method":   {405, ``, platform.NotSupported, platform.NotSupported},
		"alias taken":      {409, `{"errcode":"M_UNKNOWN"}`, platform.AlreadyExists, platform.AlreadyExists},
		"room in use":      {400, `{"errcode":"M_ROOM_IN_USE"}`, platform.AlreadyExists, platform.AlreadyExists},
		"bad request":      {400, `{"errcode":"M_BAD_JSON"}`, platform.Invalid, platform.Invalid},
		"too large":        {413, `{"errcode":"M_TOO_LARGE"}`, platform.Invalid, platform.Invalid},
		"broken":           {500, `{"errcode":"M_UNKNOWN"}`, platform.Unavailable, platform.Ambiguous},
		"bad gateway":      {502, `<html>`, platform.Unavailable, platform.Ambiguous},
		"gateway timeout":  {504, `<html>`, platform.Unavailable, platform.Ambiguous},
		"no backend":       {503, `<html>`, platform.Unavailable, platform.Unavailable},
		"slow down":        {429, `{"errcode":"M_LIMIT_EXCEEDED"}`, platform.RateLimited, platform.RateLimited},
		"a web page":       {200, `<html>`, platform.Unavailable, platform.Ambiguous},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			answer := func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(row.status)
				_, _ = w.Write([]byte(row.body))
			}
			g.Expect(askedOf(t, http.MethodGet, answer).Kind).To(Equal(row.read))
			g.Expect(askedOf(t, http.MethodPut, answer).Kind).To(Equal(row.write))
		})
	}
}

func TestARateLimitSaysHowLong(t *testing.T) {
	g := NewWithT(t)
	g.Expect(askedOf(t, http.MethodGet, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":1500}`))
	}).RetryAfter).To(Equal(1500 * time.Millisecond))
	g.Expect(askedOf(t, http.MethodGet, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	}).RetryAfter).To(Equal(7 * time.Second))
}

// Promise 3.
func TestAWriteWhoseAnswerIsLostIsAmbiguous(t *testing.T) {
	g := NewWithT(t)
	cut := func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = connection.Close()
		}
	}
	g.Expect(askedOf(t, http.MethodPost, cut).Kind).To(Equal(platform.Ambiguous))
	g.Expect(askedOf(t, http.MethodGet, cut).Kind).To(Equal(platform.Unavailable))
}

func TestAWriteThatWasNeverSentIsNot(t *testing.T) {
	g := NewWithT(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	url := "http://" + listener.Addr().String()
	g.Expect(listener.Close()).To(Succeed())
	g.Expect(sent(t, http.MethodPost, url).Kind).To(Equal(platform.Unavailable))
}

// Promise 11.
func TestNoErrorShowsTheToken(t *testing.T) {
	g := NewWithT(t)
	for _, status := range []int{200, 400, 401, 500} {
		err := askedOf(t, http.MethodPut, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"errcode":"M_UNKNOWN","error":"what is %s?"}`, r.Header.Get("Authorization"))
			if status == http.StatusOK {
				_, _ = w.Write([]byte("}")) // which makes it no answer
			}
		})
		if status != http.StatusOK {
			g.Expect(err).To(MatchError(ContainSubstring("what is")), "the server's words are shown")
		}
		for _, format := range []string{"%v", "%+v", "%#v"} {
			for e := error(err); e != nil; e = errors.Unwrap(e) {
				g.Expect(fmt.Sprintf(format, e)).NotTo(ContainSubstring(secret))
			}
		}
	}
}
