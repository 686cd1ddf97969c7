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

var guidelines = section("Guidelines",
	ofBoth("pins the guidelines of a space, where people read them", func(ctx context.Context, s *stage, kind model.Kind) {
		want, made := s.guided(ctx, kind)
		Expect(made.GuidelinesDigest).To(Equal(model.Digest(want.Settings.Guidelines)))
		Expect(s.pinned(ctx, made.ID)).To(Equal([]string{want.Settings.Guidelines}))
	}),

	ofBoth("changes the guidelines of a space in place", func(ctx context.Context, s *stage, kind model.Kind) {
		want, made := s.guided(ctx, kind)
		for _, text := range []string{"Be **very** kind.", "Be kind.", "Be **very** kind."} {
			want.Settings.Guidelines = text
			Expect(s.differs(ctx, want)).To(Equal([]string{"set Guidelines"}))
			s.make(ctx, want)
			Expect(s.pinned(ctx, made.ID)).To(Equal([]string{text}), "one pin")
		}
	}),

	ofBoth("takes the guidelines of a space away when none are declared", func(ctx context.Context, s *stage, kind model.Kind) {
		want, made := s.guided(ctx, kind)
		want.Settings.Guidelines = ""
		Expect(s.make(ctx, want).GuidelinesDigest).To(BeEmpty())
		Expect(s.pinned(ctx, made.ID)).To(BeEmpty())
	}),

	ofBoth("pins the guidelines of a space again when somebody took them down", func(ctx context.Context, s *stage, kind model.Kind) {
		want, made := s.guided(ctx, kind)
		Expect(s.administrator().unpin(ctx, made.ID)).To(Succeed())
		Eventually(func() []string { return s.lacks(ctx, want) }).Should(Equal([]string{"set Guidelines"}))
		s.make(ctx, want)
		Expect(s.pinned(ctx, made.ID)).To(Equal([]string{want.Settings.Guidelines}))
	}),

	feature("says the guidelines once when the answer was lost", Label("promise 3"), func(ctx context.Context, s *stage) {
		want, made := s.common(ctx, model.KindGroup)
		want.Settings.Guidelines = "Be kind, " + unique("somebody")
		s.holds(want, pinnedText)
		s.wire.lose(1)
		Expect(s.set(ctx, plan.FieldGuidelines, want)).To(beKind(platform.Ambiguous))
		s.wire.mend()
		s.make(ctx, want)
		shown, err := s.administrator().read(ctx, made.ID)
		Expect(err).NotTo(HaveOccurred())
		Expect(shown.pinned).To(Equal([]string{want.Settings.Guidelines}))
		once := 0
		for _, text := range shown.said {
			if text == want.Settings.Guidelines {
				once++
			}
		}
		Expect(once).To(BeNumerically("<=", 1), "said %v", shown.said)
	}),
)

// guided is a space with guidelines, where the platform has a place for them.
func (s *stage) guided(ctx context.Context, kind model.Kind) (model.Space, *model.Observed) {
	GinkgoHelper()
	guides := func(w *model.Space) { w.Settings.Guidelines = "# How we talk\n\nBe *kind*." }
	s.holds(s.space(ctx, kind, guides), pinnedText)
	return s.common(ctx, kind, guides)
}

func (s *stage) pinned(ctx context.Context, space string) []string {
	GinkgoHelper()
	shown, err := s.administrator().read(ctx, space)
	Expect(err).NotTo(HaveOccurred())
	return shown.pinned
}

// lacks is what differs when the adapter asks for everything that its view doesn't carry.
func (a *actor) lacks(ctx context.Context, want model.Space) []string {
	GinkgoHelper()
	o := a.verifies(ctx, want)
	return said(plan.Diff(a.normal(want), o.Space, o.ParentID))
}
