// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform_test

import (
	"context"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

func TestHintsAreToldOnceHoweverOftenTheyWereAdded(t *testing.T) {
	g := NewWithT(t)
	ref := model.Ref{Kind: model.KindGroup, Namespace: "town", Name: "market"}
	h := platform.NewHintQueue()
	for range 1000 { // nobody listens, and nobody waits
		h.Add(ref, model.Ref{Name: "other"})
	}
	ctx, cancel := context.WithCancel(context.Background())
	go h.Deliver(ctx)
	g.Eventually(h.Out()).Should(Receive(Equal(platform.Hint{Ref: ref})))
	g.Eventually(h.Out()).Should(Receive(Equal(platform.Hint{Ref: model.Ref{Name: "other"}})))
	g.Consistently(h.Out(), "50ms").ShouldNot(Receive())
	h.Add(ref)
	g.Eventually(h.Out()).Should(Receive(Equal(platform.Hint{Ref: ref})))
	cancel()
	g.Eventually(h.Out()).Should(BeClosed())
}
