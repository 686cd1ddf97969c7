// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

var access = section("Coming in",
	ofBoth("lets anybody into a space that is open to all", func(ctx context.Context, s *stage, kind model.Kind) {
		stranger := s.somebody(ctx)
		want, made := s.joined(ctx, kind, model.JoinAnybody)
		s.in(ctx, want, stranger)
		Expect(stranger.join(ctx, made.ID)).To(Succeed())
		s.comesToBe(ctx, want, stranger, model.Present)
	}),

	ofBoth("lets nobody into a space who is not invited, where that is the rule", func(ctx context.Context, s *stage, kind model.Kind) {
		stranger := s.somebody(ctx)
		want, made := s.joined(ctx, kind, model.JoinInvite)
		s.in(ctx, want, stranger)
		Expect(stranger.join(ctx, made.ID)).NotTo(Succeed())
		Expect(s.seesSpace(ctx, want).Members).NotTo(HaveKeyWithValue(stranger.account(), model.Present))
	}),

	feature("lets the members of the community into a group, and nobody else", func(ctx context.Context, s *stage) {
		s.needs(platform.CanJoinFromParent)
		member, stranger := s.somebody(ctx), s.somebody(ctx)
		town := community(withMembers(names(model.RoleMember, member)))
		s.make(ctx, town)
		Expect(member.join(ctx, s.seesSpace(ctx, town).ID)).To(Or(Succeed(), HaveOccurred()), "where members are only invited")
		want := groupOf(town, func(w *model.Space) { w.Settings.Join = model.JoinParentMembers })
		s.holds(want, joining(model.JoinParentMembers))
		made := s.make(ctx, want)
		Expect(stranger.join(ctx, made.ID)).NotTo(Succeed())
		Expect(member.join(ctx, made.ID)).To(Succeed())
		s.comesToBe(ctx, want, member, model.Present)
		Expect(s.seesSpace(ctx, want).Members).NotTo(HaveKey(stranger.account()))
	}),

	ofBoth("lets people ask to come into a space, and in when they are added", func(ctx context.Context, s *stage, kind model.Kind) {
		s.needs(platform.CanJoinByRequest)
		asks := s.somebody(ctx)
		want, made := s.joined(ctx, kind, model.JoinRequest)
		s.in(ctx, want, asks)
		Expect(asks.join(ctx, made.ID)).NotTo(Succeed())
		Expect(asks.ask(ctx, made.ID)).To(Succeed())
		s.comesToBe(ctx, want, asks, model.Asking)
		want.Members = names(model.RoleMember, asks)
		s.make(ctx, want)
		Expect(s.seesSpace(ctx, want).Members).To(HaveKeyWithValue(asks.account(), BeElementOf(model.Present, model.Invited)))
	}),

	ofBoth("closes a space that was open, and who is in it stays", func(ctx context.Context, s *stage, kind model.Kind) {
		first, late := s.somebody(ctx), s.somebody(ctx)
		want, made := s.joined(ctx, kind, model.JoinAnybody)
		s.in(ctx, want, first, late)
		Expect(first.join(ctx, made.ID)).To(Succeed())
		s.comesToBe(ctx, want, first, model.Present)

		want.Settings.Join = model.JoinInvite
		s.holds(want, joining(model.JoinInvite))
		Expect(s.set(ctx, plan.FieldJoin, want)).To(Succeed())
		seen := s.seesSpace(ctx, want)
		Expect(seen.ID).To(Equal(made.ID))
		Expect(seen.Settings.Join).To(Equal(model.JoinInvite))
		Expect(seen.Members).To(HaveKeyWithValue(first.account(), model.Present))
		Expect(late.join(ctx, made.ID)).NotTo(Succeed())
	}),

	ofBoth("opens a space that was closed", func(ctx context.Context, s *stage, kind model.Kind) {
		stranger := s.somebody(ctx)
		want, made := s.joined(ctx, kind, model.JoinInvite)
		s.in(ctx, want, stranger)
		want.Settings.Join = model.JoinAnybody
		s.holds(want, joining(model.JoinAnybody))
		Expect(s.set(ctx, plan.FieldJoin, want)).To(Succeed())
		Expect(stranger.join(ctx, made.ID)).To(Succeed())
		s.comesToBe(ctx, want, stranger, model.Present)
	}),
)

// joined is a space with a join rule, where the platform has that rule.
func (s *stage) joined(ctx context.Context, kind model.Kind, rule model.JoinRule) (model.Space, *model.Observed) {
	GinkgoHelper()
	ruled := func(w *model.Space) { w.Settings.Join = rule }
	s.holds(s.space(ctx, kind, ruled), joining(rule))
	return s.common(ctx, kind, ruled)
}

// comesToBe waits until what a person did is seen.
func (s *stage) comesToBe(ctx context.Context, want model.Space, p person, state model.Membership) {
	GinkgoHelper()
	Eventually(func() map[string]model.Membership { return s.seesSpace(ctx, want).Members }).
		Should(HaveKeyWithValue(p.account(), state))
}
