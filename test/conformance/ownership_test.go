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

// neighbour is another installation.
var neighbour = "neighbour-" + run

// of makes a wanted space another installation's.
func of(owner string) change { return func(w *model.Space) { w.Mark.OwnerID = owner } }

var ownership = section("Whose a space is",
	feature("does not take a space for its own because of its name", Label("promise 2"), func(ctx context.Context, s *stage) {
		want := s.group(ctx)
		id, err := s.administrator().take(ctx, model.KindGroup, want.Address, s.parentOf(ctx, want))
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() *platform.Holder { return s.verifies(ctx, want).Holder }).Should(HaveValue(HaveField("Space", Not(BeNil()))))
		o := s.verifies(ctx, want)
		Expect(o.Space).To(BeNil())
		Expect(o.Holder).To(HaveValue(And(HaveField("ID", id), HaveField("Mark", BeNil()))))
		Expect(s.apply(ctx, plan.Archive, want, id)).To(beKind(platform.Conflict))
		Expect(s.apply(ctx, plan.Delete, want, id)).To(beKind(platform.Conflict))
	}),

	ofBoth("takes over a space that nobody owns, when it is told to", func(ctx context.Context, s *stage, kind model.Kind) {
		want := s.space(ctx, kind, withMembers(names(model.RoleMember, s.somebody(ctx))))
		id, err := s.administrator().take(ctx, kind, want.Address, s.parentOf(ctx, want))
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() *platform.Holder { return s.verifies(ctx, want).Holder }).Should(HaveValue(HaveField("Space", Not(BeNil()))))
		Expect(s.differs(ctx, want)).To(ContainElement("mark"))
		taken := s.make(ctx, want)
		Expect(taken.ID).To(Equal(id))
		Expect(taken.Mark).To(HaveValue(Equal(want.Mark)))
		Expect(s.restarted(ctx).differs(ctx, want)).To(BeEmpty())
	}),

	ofBoth("sees whose a space of another installation is, and leaves it alone", Label("promise 2"), func(ctx context.Context, s *stage, kind model.Kind) {
		theirs := s.open(ctx, opening{ownerID: neighbour})
		want := s.space(ctx, kind, of(neighbour))
		_, err := theirs.Apply(ctx, plan.Operation{Verb: plan.Create, Space: theirs.normal(want), ParentID: s.parentOf(ctx, want)})
		Expect(err).NotTo(HaveOccurred())
		made := theirs.seesSpace(ctx, want)
		if made.Address == "" { // where it is set apart
			Expect(theirs.apply(ctx, plan.SetAddress, want, made.ID)).To(Succeed())
			made = theirs.seesSpace(ctx, want)
		}
		id := made.ID

		ours := s.space(ctx, kind)
		ours.Address = want.Address
		Eventually(func() *platform.Holder { return s.verifies(ctx, ours).Holder }).
			Should(HaveValue(And(HaveField("ID", id), HaveField("Mark", HaveValue(Equal(want.Mark))))))
		Expect(s.sees(ctx, ours).Space).To(BeNil())
		for _, verb := range []plan.Verb{plan.Mark, plan.Release, plan.Archive, plan.Delete, plan.SetAddress} {
			Expect(s.apply(ctx, verb, ours, id)).To(beKind(platform.Conflict), string(verb))
		}
		Expect(theirs.seesSpace(ctx, want)).To(Equal(made))
	}),

	feature("keeps two installations with one account apart", Label("promise 2"), func(ctx context.Context, s *stage) {
		s.apart(ctx, s.open(ctx, opening{ownerID: neighbour}))
	}),

	feature("keeps two installations with accounts of their own apart", Label("promise 2"), func(ctx context.Context, s *stage) {
		s.apart(ctx, s.open(ctx, opening{ownerID: neighbour, elsewhere: true}))
	}),

	ofBoth("believes no mark on a space that a person copied", Label("promise 2"), func(ctx context.Context, s *stage, kind model.Kind) {
		forger := s.somebody(ctx)
		want := s.space(ctx, kind)
		s.in(ctx, want, forger)
		made := s.make(ctx, want)
		other := s.space(ctx, kind)
		forged, err := forger.forge(ctx, kind, other.Address, s.parentOf(ctx, other), made.ID)
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() *platform.Holder { return s.verifies(ctx, other).Holder }).Should(HaveValue(And(
			HaveField("ID", forged), HaveField("Mark", BeNil()), HaveField("Space", Not(BeNil())))))
		Consistently(func(g Gomega) {
			for _, a := range []*actor{s.actor, s.restarted(ctx)} {
				o := a.sees(ctx, want)
				g.Expect(o.Space).To(HaveValue(HaveField("ID", made.ID)))
				g.Expect(o.Duplicates).To(BeEmpty())
			}
		}, "300ms", "150ms").Should(Succeed())
		Expect(s.apply(ctx, plan.Delete, want, forged)).To(beKind(platform.Conflict))
	}),

	ofBoth("lets go of a space, and takes it up again for the same resource", Label("promise 5"), func(ctx context.Context, s *stage, kind model.Kind) {
		want := s.space(ctx, kind)
		made := s.make(ctx, want)
		for range 2 {
			Expect(s.apply(ctx, plan.Release, want, made.ID)).To(Succeed())
		}
		s.forget(want)
		again := s.restarted(ctx)
		seen := again.seesSpace(ctx, want)
		Expect(seen.Mark).To(HaveValue(HaveField("Released", true)))
		Expect(seen.Settings).To(Equal(made.Settings), "nothing else was touched")
		Expect(again.differs(ctx, want)).To(Equal([]string{"mark"}))
		Expect(again.make(ctx, want).ID).To(Equal(made.ID))
		Expect(s.restarted(ctx).seesSpace(ctx, want).Mark).To(HaveValue(Equal(want.Mark)))
	}),

	ofBoth("carries the word that a space is official", func(ctx context.Context, s *stage, kind model.Kind) {
		want, _ := s.common(ctx, kind)
		for _, official := range []bool{true, false} {
			want.Mark.Official = official
			Expect(s.differs(ctx, want)).To(Equal([]string{"mark"}))
			Expect(s.make(ctx, want).Mark.Official).To(Equal(official))
		}
	}),

	feature("says that a space is lost which is gone", func(ctx context.Context, s *stage) {
		want := s.group(ctx)
		made := s.make(ctx, want)
		Expect(s.sees(ctx, want).Lost).To(BeFalse())
		Expect(s.administrator().lose(ctx, made.ID)).To(Succeed())
		Eventually(func() platform.Observation { return s.verifies(ctx, want) }).Should(And(HaveField("Lost", true), HaveField("Space", BeNil())))
	}),
)

// apart has two installations with resources of the same names at work on one server.
func (s *stage) apart(ctx context.Context, theirs *actor) {
	GinkgoHelper()
	town := community(of(neighbour))
	for _, want := range []model.Space{town, groupOf(town)} {
		made := theirs.make(ctx, want)
		ours := want
		ours.Mark.OwnerID, ours.Address = owner, unique("mine")
		Expect(s.sees(ctx, ours).Space).To(BeNil())
		Expect(s.make(ctx, ours).ID).NotTo(Equal(made.ID))
		Expect(theirs.differs(ctx, want)).To(BeEmpty())
		Expect(theirs.seesSpace(ctx, want).ID).To(Equal(made.ID))
	}
}
