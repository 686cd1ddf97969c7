// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// A server that hides profiles says nothing about an account, so only what it says is not there is missing.
// Promise 1.
func TestOnlyAnAccountThatTheServerDoesNotKnowIsMissing(t *testing.T) {
	g := NewWithT(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "hidden"):
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"errcode":"M_FORBIDDEN"}`))
		case strings.Contains(r.URL.Path, "gone"):
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"errcode":"M_NOT_FOUND"}`))
		case strings.Contains(r.URL.Path, "broken"):
			w.WriteHeader(http.StatusInternalServerError)
		default:
			_, _ = w.Write([]byte(`{}`))
		}
	}))
	defer server.Close()
	opened, err := New(context.Background(), platform.Config{URL: server.URL, ServerName: "example.com", Token: secret, Client: server.Client()})
	g.Expect(err).NotTo(HaveOccurred())
	defer opened.Close()

	missing, err := opened.Missing(context.Background(), []string{"@here:example.com", "@hidden:example.com", "@gone:example.com"})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(missing).To(ConsistOf("@gone:example.com"))
	_, err = opened.Missing(context.Background(), []string{"@broken:example.com"})
	g.Expect(err).To(HaveOccurred())
}
