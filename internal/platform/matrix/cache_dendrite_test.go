// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// cache answers a /sync that it was asked before as it was answered then. Synapse does that for two minutes.
type cache struct {
	mu      sync.Mutex // guards what follows
	answers map[string][]byte
}

func (c *cache) RoundTrip(req *http.Request) (*http.Response, error) {
	if platform.Route(req.Context()) != platform.LongPoll {
		return http.DefaultTransport.RoundTrip(req)
	}
	c.mu.Lock()
	before, there := c.answers[req.URL.RawQuery]
	c.mu.Unlock()
	if there {
		return &http.Response{
			Request: req, StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(before)), ContentLength: int64(len(before)),
		}, nil
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[req.URL.RawQuery] = answer
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	return resp, nil
}

// behind has requests go through a cache.
func behind(c *cache) option {
	return func(cfg *platform.Config) { cfg.Client.Transport.(*wire).next = c }
}

var _ = Describe("a homeserver that answers a repeated sync as before", func() {
	var between *cache
	BeforeEach(func() { between = &cache{answers: map[string][]byte{}} })

	It("is not taken at its word after a restart", Label("promise 3"), func(ctx context.Context) {
		a := open(ctx, behind(between))
		town := a.want()
		space := a.make(ctx, town)
		a.Close()
		again := open(ctx, behind(between))
		Expect(again.differs(ctx, town)).To(BeEmpty())
		Expect(again.sees(ctx, town).Space.ID).To(Equal(space.ID))
		Expect(again.sees(ctx, town).Duplicates).To(BeEmpty())
		Expect(again.make(ctx, group(town)).Linked).To(BeTrue(), "and its polls have news")
	})

	It("is asked anew whenever everything is read again", func(ctx context.Context) {
		a := open(ctx, behind(between), every(100*time.Millisecond))
		town := a.want()
		space := a.make(ctx, town)
		Expect(server.PurgeRoom(ctx, space.ID)).To(Succeed())
		Eventually(func() bool {
			o, err := a.Observe(ctx, platform.Query{Ref: town.Mark.Ref, KnownID: space.ID, Address: town.Address})
			return err == nil && o.Complete && o.Lost
		}).Should(BeTrue(), "which no poll tells of")
	})
})
