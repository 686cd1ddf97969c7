// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	mm "github.com/mattermost/mattermost/server/public/model"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("a channel's display name", func() {
	It("keeps its category, where the server sorts by it", Serial, func(ctx SpecContext) {
		before, _, err := server.Admin().GetConfig(ctx)
		Expect(err).NotTo(HaveOccurred())
		if before.ExperimentalSettings.ExperimentalChannelCategorySorting == nil {
			Skip("this version has no categories by name")
		}
		sorting := func(ctx SpecContext, on bool) {
			_, _, err := server.Admin().PatchConfig(ctx, &mm.Config{ExperimentalSettings: mm.ExperimentalSettings{ExperimentalChannelCategorySorting: &on}})
			Expect(err).NotTo(HaveOccurred())
		}
		sorting(ctx, true)
		DeferCleanup(func(ctx SpecContext) { sorting(ctx, false) })
		a := open(ctx)
		town := a.community()
		a.make(ctx, town)
		market := a.group(town)
		for _, name := range []string{"Trade / Market", "Bazaar", "Trade/Food/Fish", "/Fair", "Trade/", "/"} {
			market.Settings.DisplayName = name
			id := a.make(ctx, market)
			recorded(ctx, market)
			channel, _, err := server.Admin().GetChannel(ctx, id)
			Expect(err).NotTo(HaveOccurred())
			Expect([]string{channel.DefaultCategoryName, channel.DisplayName}).To(Equal(map[string][]string{
				"Trade / Market": {"Trade", "Market"}, "Bazaar": {"", "Bazaar"}, "Trade/Food/Fish": {"Trade", "Food/Fish"},
				"/Fair": {"", "Fair"}, "Trade/": {"", "Trade"}, "/": {"", market.Address},
			}[name]), name)
		}
	})
})
