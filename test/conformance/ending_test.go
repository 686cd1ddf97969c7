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

var ending = section("The end of a space",
	ofBoth("archives a space: what was said stays, and nobody says more", Label("promise 5"), func(ctx context.Context, s *stage, kind model.Kind) {
		s.needs(platform.CanArchive)
		p := s.somebody(ctx)
		want, made := s.talked(ctx, kind, p)
		for range 2 {
			Expect(s.apply(ctx, plan.Archive, want, made.ID)).To(Succeed())
		}
		archived := s.seesSpace(ctx, want)
		Expect(archived.Archived).To(BeTrue())
		Expect(archived.Members).To(Equal(made.Members))
		if kind == model.KindGroup {
			shown, err := p.read(ctx, made.ID)
			Expect(err).NotTo(HaveOccurred())
			Expect(shown.said).To(ContainElement("hello"))
			Expect(p.try(ctx, model.ActionPost, made.ID, "one more thing")).NotTo(Succeed())
		}
	}),

	ofBoth("opens an archived space again, with all that was in it", Label("promise 5"), func(ctx context.Context, s *stage, kind model.Kind) {
		s.needs(platform.CanArchive)
		p := s.somebody(ctx)
		want, made := s.talked(ctx, kind, p)
		Expect(s.apply(ctx, plan.Archive, want, made.ID)).To(Succeed())
		Expect(s.differs(ctx, want)).To(ContainElement("restore"))
		again := s.make(ctx, want)
		Expect(again.ID).To(Equal(made.ID))
		Expect(again.Archived).To(BeFalse())
		Expect(again.Members).To(Equal(made.Members))
		Expect(again.Roles).To(Equal(made.Roles))
		if kind == model.KindGroup {
			shown, err := p.read(ctx, made.ID)
			Expect(err).NotTo(HaveOccurred())
			Expect(shown.said).To(ContainElement("hello"))
			Expect(p.try(ctx, model.ActionPost, made.ID, "hello again")).To(Succeed())
		}
	}),

	ofBoth("still finds an archived space, and whose its address is", func(ctx context.Context, s *stage, kind model.Kind) {
		s.needs(platform.CanArchive)
		want := s.space(ctx, kind)
		made := s.make(ctx, want)
		s.kept(ctx, want)
		Expect(s.apply(ctx, plan.Archive, want, made.ID)).To(Succeed())
		other := s.space(ctx, kind)
		other.Address = want.Address
		for _, a := range []*actor{s.actor, s.restarted(ctx)} {
			seen := a.seesSpace(ctx, want)
			Expect(seen.ID).To(Equal(made.ID))
			Expect(seen.Archived).To(BeTrue())
			Expect(a.sees(ctx, want).Duplicates).To(BeEmpty())
			o := a.sees(ctx, other)
			Expect(o.Space).To(BeNil())
			Expect(o.Holder).To(HaveValue(And(HaveField("ID", made.ID), HaveField("Mark", HaveValue(Equal(want.Mark))))))
		}
	}),

	ofBoth("removes a space for good", func(ctx context.Context, s *stage, kind model.Kind) {
		s.needs(platform.CanDelete)
		want := s.space(ctx, kind)
		made := s.make(ctx, want)
		s.deletes(ctx, want, made.ID)
		_, err := s.administrator().read(ctx, made.ID)
		Expect(err).To(HaveOccurred(), "nobody can open it any more")
		o := s.sees(ctx, want)
		Expect(o.Space).To(BeNil())
		Expect(o.Holder).To(BeNil())
		s.forget(want)
		Expect(s.make(ctx, want).ID).NotTo(Equal(made.ID), "the address is free")
	}),

	ofBoth("closes a deleted space to everybody, as far as the platform can", func(ctx context.Context, s *stage, kind model.Kind) {
		p := s.somebody(ctx)
		want, made := s.talked(ctx, kind, p)
		s.deletes(ctx, want, made.ID)
		Expect(p.try(ctx, model.ActionPost, made.ID, "one more thing")).NotTo(Succeed())
		Expect(p.join(ctx, made.ID)).NotTo(Succeed())
		o := s.sees(ctx, want)
		if o.Space != nil {
			Expect(o.Space.Archived).To(BeTrue())
		}
	}),
)

// talked is a new space in which somebody said something, where people can.
func (s *stage) talked(ctx context.Context, kind model.Kind, p person) (model.Space, *model.Observed) {
	GinkgoHelper()
	want := s.space(ctx, kind, withMembers(names(model.RoleManager, p)))
	made := s.make(ctx, want)
	if made.Members[p.account()] != model.Present {
		Expect(p.join(ctx, made.ID)).To(Succeed())
		s.comesToBe(ctx, want, p, model.Present)
		made = s.seesSpace(ctx, want)
	}
	if kind == model.KindGroup {
		Expect(p.try(ctx, model.ActionPost, made.ID, "hello")).To(Succeed())
	}
	return want, made
}

// deletes deletes a space, twice: the second time there is nothing left to do.
func (s *stage) deletes(ctx context.Context, want model.Space, id string) {
	GinkgoHelper()
	for range 2 {
		Expect(s.apply(ctx, plan.Delete, want, id)).To(Succeed())
	}
}
