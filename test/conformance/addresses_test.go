// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

var addresses = section("Addresses",
	ofBoth("moves a space to another address", func(ctx context.Context, s *stage, kind model.Kind) {
		want, made := s.common(ctx, kind)
		want.Address = unique("moved")
		Expect(s.differs(ctx, want)).To(Equal([]string{"set address " + want.Address}))
		s.took(s.apply(ctx, plan.SetAddress, want, made.ID), made.ID)
		moved := s.make(ctx, want)
		Expect(moved.ID).To(Equal(made.ID))
		Expect(moved.Address).To(Equal(want.Address))
		Expect(s.apply(ctx, plan.SetAddress, want, made.ID)).To(Succeed(), "again, which changes nothing")
		Expect(s.restarted(ctx).sees(ctx, want).Space).To(HaveValue(HaveField("Address", want.Address)))
	}),

	ofBoth("says who has the address that a space wants, and never takes it", func(ctx context.Context, s *stage, kind model.Kind) {
		squatter := s.somebody(ctx)
		want := s.space(ctx, kind)
		s.in(ctx, want, squatter)
		theirs, err := squatter.take(ctx, kind, want.Address, s.parentOf(ctx, want))
		Expect(err).NotTo(HaveOccurred())
		o := s.verifies(ctx, want)
		Expect(o.Space).To(BeNil())
		Expect(o.Holder).To(HaveValue(And(HaveField("ID", theirs), HaveField("Mark", BeNil()))))

		other, made := s.common(ctx, kind)
		other.Address = want.Address
		// Or the platform moves no space at all.
		Expect(s.apply(ctx, plan.SetAddress, other, made.ID)).To(beKind(platform.AlreadyExists, platform.NotSupported))
		o = s.sees(ctx, other)
		Expect(o.Space).To(HaveValue(HaveField("ID", made.ID)))
		Expect(o.Holder).To(HaveValue(HaveField("ID", theirs)))
		Expect(s.differs(ctx, other)).To(Equal([]string{"set address " + other.Address}), "all else is as it was")
	}),

	ofBoth("gives the address of a space to the first of two resources that want it", func(ctx context.Context, s *stage, kind model.Kind) {
		one, other := s.space(ctx, kind), s.space(ctx, kind)
		other.Address = one.Address
		id, err := s.create(ctx, one)
		Expect(err).NotTo(HaveOccurred())
		_, err = s.create(ctx, other)
		Expect(err).To(beKind(platform.AlreadyExists))
		s.make(ctx, one)
		o := s.sees(ctx, other)
		Expect(o.Space).To(BeNil())
		Expect(o.Holder).To(HaveValue(And(HaveField("ID", id), HaveField("Mark", HaveValue(Equal(one.Mark))))))
	}),
)

// parentOf is the space in which the wanted one is; empty for a community.
func (s *stage) parentOf(ctx context.Context, want model.Space) string {
	if want.Parent == nil {
		return ""
	}
	return s.sees(ctx, want).ParentID
}
