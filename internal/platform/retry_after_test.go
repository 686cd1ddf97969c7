// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
)

func tooMany(header, body string) *http.Response {
	r := &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	if header != "" {
		r.Header.Set("Retry-After", header)
	}
	return r
}

func TestHowLongA429AsksToWait(t *testing.T) {
	// The clock of a bubble begins at midnight UTC 2000-01-01.
	for name, tc := range map[string]struct {
		header, body string
		wait         time.Duration
	}{
		"seconds":                        {"7", "", 7 * time.Second},
		"seconds with space around":      {" 7 ", "", 7 * time.Second},
		"no seconds at all":              {"0", `{"retry_after_ms":9000}`, 0},
		"a date":                         {"Sat, 01 Jan 2000 00:01:30 GMT", "", 90 * time.Second},
		"a date that is past":            {"Fri, 31 Dec 1999 23:59:00 GMT", "", 0},
		"Matrix's milliseconds":          {"", `{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2500}`, 2500 * time.Millisecond},
		"the header before the body":     {"3", `{"retry_after_ms":9000}`, 3 * time.Second},
		"a header that says nothing":     {"soon", `{"retry_after_ms":9000}`, 9 * time.Second},
		"milliseconds with a fraction":   {"", `{"retry_after_ms":1500.5}`, 1500*time.Millisecond + 500*time.Microsecond},
		"nothing":                        {"", "", time.Second},
		"another body":                   {"", "<html>Slow down!</html>", time.Second},
		"milliseconds below nothing":     {"", `{"retry_after_ms":-1}`, time.Second},
		"a day is too long":              {"86400", "", 5 * time.Minute},
		"more seconds than time has":     {"9223372036854775807", "", 5 * time.Minute},
		"more milliseconds than it has":  {"", `{"retry_after_ms":1e300}`, 5 * time.Minute},
		"a date in another century":      {"Fri, 01 Jan 2200 00:00:00 GMT", "", 5 * time.Minute},
		"a date beyond what time counts": {"Fri, 31 Dec 9999 23:59:59 GMT", "", 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				resp := tooMany(tc.header, tc.body)
				defer func() { _ = resp.Body.Close() }()
				NewWithT(t).Expect(retryAfter(resp)).To(Equal(tc.wait))
			})
		})
	}
}

// What a server writes must not make us wait for ever, or lose the answer.
func FuzzRetryAfter(f *testing.F) {
	f.Add("7", "")
	f.Add("", `{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2500}`)
	f.Add("99999999999", "")
	f.Add("Fri, 31 Dec 9999 23:59:59 GMT", "x")
	f.Add("-1", `{"retry_after_ms":9223372036854775807}`)
	f.Fuzz(func(t *testing.T, header, body string) {
		resp := tooMany(header, body)
		defer func() { _ = resp.Body.Close() }()
		if wait := retryAfter(resp); wait < 0 || wait > 5*time.Minute {
			t.Errorf("waits for %s", wait)
		}
		if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != body {
			t.Errorf("the body became %q, %v", rest, err)
		}
	})
}

// An operator's pod may have a proxy in its environment that platforms are not behind.
func TestNoProxyIsTakenFromTheEnvironment(t *testing.T) {
	client, err := NewClient(ClientOptions{Budget: NewBudget(1, 1)})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(client.Transport.(*transport).next.(*http.Transport).Proxy).To(BeNil())
}
