// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// A server may limit what is written into rooms, and not what is written into its directory.
func TestAnAddressThatWasTakenIsNotTakenAgainWhenTheRestOfItWasRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const taking, writing = "PUT /directory/room/{alias}", "PUT /rooms/{room}/state/{type}"
		g := NewWithT(t)
		s := newStandIn()
		s.takes("!r", ours("12"))
		writes := s.answers[writing]
		s.on(writing, always(429, object{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 5000}))
		s.on(taking, always(200, object{}))
		a := s.opened(t)
		op := plan.Operation{
			Verb: plan.SetAddress, SpaceID: "!r", Space: model.Space{Mark: model.Mark{OwnerID: "prod", Ref: ref}, Address: "name"},
		}
		for range 2 {
			_, err := a.Apply(t.Context(), op)
			g.Expect(platform.IsKind(err, platform.RateLimited)).To(BeTrue(), "%v", err)
		}
		s.on(writing, writes)
		g.Expect(a.Apply(t.Context(), op)).To(Equal("!r"))
		g.Expect(s.of(taking)).To(HaveLen(1))
		g.Expect(sees(t, a, platform.Query{Ref: ref, Address: "name"}).Space.Address).To(Equal("name"))

		s.on(askingAlias, always(200, object{"room_id": "!other"}))
		time.Sleep(time.Second)
		g.Expect(sees(t, a, platform.Query{Ref: ref, Address: "name", Verify: true}).Space.Address).To(BeEmpty())
		_, err := a.Apply(t.Context(), op)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(s.of(taking)).To(HaveLen(2), "somebody took it away in the meantime")
	})
}
