// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

var drift = section("What people do by hand",
	hints("a space was renamed", func(ctx context.Context, s *stage, _ model.Space, id string, _ person) []string {
		Expect(s.administrator().rename(ctx, id, "Renamed by hand")).To(Succeed())
		return []string{"set DisplayName"}
	}),

	hints("a space was archived", func(ctx context.Context, s *stage, _ model.Space, id string, _ person) []string {
		Expect(s.administrator().archive(ctx, id)).To(Succeed())
		return []string{"restore"}
	}),

	hints("a space was opened", func(ctx context.Context, s *stage, want model.Space, id string, _ person) []string {
		s.holds(changed(want, []change{func(w *model.Space) { w.Settings.Join = model.JoinAnybody }}), joining(model.JoinAnybody))
		Expect(s.administrator().open(ctx, id)).To(Succeed())
		return []string{"set Join"}
	}),

	hints("somebody left a space", func(ctx context.Context, s *stage, want model.Space, id string, p person) []string {
		Expect(p.leave(ctx, id)).To(Succeed())
		s.comesToBe(ctx, want, p, model.Left)
		return nil
	}),

	ofBoth("puts right what was changed in a space, and only that", func(ctx context.Context, s *stage, kind model.Kind) {
		want, made := s.common(ctx, kind)
		Expect(s.administrator().rename(ctx, made.ID, "Renamed by hand")).To(Succeed())
		Eventually(func() []string { return s.differs(ctx, want) }).Should(Equal([]string{"set DisplayName"}))
		before := s.wire.writes()
		s.make(ctx, want)
		Expect(s.wire.writes()).To(Equal(before + 1))
		shown, err := s.administrator().read(ctx, made.ID)
		Expect(err).NotTo(HaveOccurred())
		Expect(shown.name).To(Equal(want.Settings.DisplayName))
	}),

	feature("closes a group that somebody opened by hand", func(ctx context.Context, s *stage) {
		want, made := s.common(ctx, model.KindGroup)
		Expect(s.administrator().open(ctx, made.ID)).To(Succeed())
		Eventually(func() []string { return s.differs(ctx, want) }).Should(Equal([]string{"set Join"}))
		s.make(ctx, want)
		stranger := s.somebody(ctx)
		s.in(ctx, want, stranger)
		Expect(stranger.join(ctx, made.ID)).NotTo(Succeed())
	}),

	feature("writes nothing when nothing changed", Label("promise 9"), func(ctx context.Context, s *stage) {
		p, q := s.somebody(ctx), s.somebody(ctx)
		want := everything(s, s.group(ctx), p, q)
		s.make(ctx, want)
		again := s.kept(ctx, want)
		for range 3 {
			Expect(again.differs(ctx, want)).To(BeEmpty())
			Expect(again.lacks(ctx, want)).To(BeEmpty())
		}
		Expect(again.wire.writes()).To(BeZero())
	}),
)

// hintedWithin is how soon a hint has to come.
const hintedWithin = 10 * time.Second

// hints is a change by hand that is told as a hint. What it returns differs then.
func hints(what string, do func(ctx context.Context, s *stage, want model.Space, id string, p person) []string) []row {
	return ofBoth("hints that "+what+" by hand", func(ctx context.Context, s *stage, kind model.Kind) {
		p := s.somebody(ctx)
		want, made := s.common(ctx, kind, withMembers(names(model.RoleMember, p)))
		if made.Members[p.account()] != model.Present {
			Expect(p.join(ctx, made.ID)).To(Succeed())
			s.comesToBe(ctx, want, p, model.Present)
		}
		s.quiet()
		differs := do(ctx, s, want, made.ID, p)
		s.hinted(want.Mark.Ref)
		Eventually(func() []string { return s.differs(ctx, want) }).Should(ContainElements(differs))
	})
}

// quiet takes the hints of what was done before, until no more come.
func (a *actor) quiet() {
	for {
		select {
		case <-a.Hints():
		case <-time.After(200 * time.Millisecond):
			return
		}
	}
}

// hinted waits for a hint about a resource, or about all.
func (a *actor) hinted(ref model.Ref) {
	GinkgoHelper()
	deadline := time.After(hintedWithin)
	for {
		select {
		case hint := <-a.Hints():
			if hint.Ref == ref || hint == (platform.Hint{}) {
				return
			}
		case <-deadline:
			fail("no hint about " + ref.String())
		}
	}
}
