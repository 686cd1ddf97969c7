// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	mm "github.com/mattermost/mattermost/server/public/model"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
)

var _ = Describe("the WebSocket", func() {
	It("is closed while many spaces are made, and open again afterwards", func(ctx SpecContext) {
		a := open(ctx)
		town := a.community()
		a.make(ctx, town)
		Eventually(a.connected, "5s").Should(BeTrue())
		var last model.Space
		for range 30 {
			last = a.group(town)
			a.make(ctx, last)
		}
		Eventually(a.connected, "5s").Should(BeFalse())
		Eventually(a.connected, "15s").Should(BeTrue())

		By("telling what somebody does then")
		_, _, err := server.Admin().PatchChannel(ctx, a.see(ctx, last).Space.ID, &mm.ChannelPatch{DisplayName: mm.NewPointer("Renamed by hand")})
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() string { return a.see(ctx, last).Space.Settings.DisplayName }, "5s").Should(Equal("Renamed by hand"))
	})
})
