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

var making = section("Making a space",
	ofBoth("makes a space with everything that is declared, and then has nothing left to do", func(ctx context.Context, s *stage, kind model.Kind) {
		manager, member := s.somebody(ctx), s.somebody(ctx)
		want := everything(s, s.space(ctx, kind), manager, member)
		made := s.make(ctx, want)
		Expect(made.Mark).To(HaveValue(Equal(want.Mark)))
		Expect(made.Address).To(Equal(want.Address))
		Expect(made.Archived).To(BeFalse())
		Expect(made.Control).To(BeEmpty())
		Expect(made.CreatedAt).NotTo(BeZero())
		s.accept(ctx, want, manager, member)

		shown, err := s.administrator().read(ctx, made.ID)
		Expect(err).NotTo(HaveOccurred())
		Expect(shown.name).To(Equal(want.Settings.DisplayName))
		Expect(shown.members).To(And(HaveKey(manager.account()), HaveKeyWithValue(member.account(), model.RoleMember)))
	}),

	feature("puts a group into its community, and says where that is", func(ctx context.Context, s *stage) {
		town := s.inTown(ctx)
		want := s.group(ctx)
		made := s.make(ctx, want)
		Expect(made.Linked).To(BeTrue())
		Expect(s.sees(ctx, want).ParentID).To(Equal(s.seesSpace(ctx, town).ID))
	}),

	feature("knows that a group's community is not there yet", func(ctx context.Context, s *stage) {
		o := s.sees(ctx, groupOf(community()))
		Expect(o.ParentID).To(BeEmpty())
		Expect(o.Space).To(BeNil())
	}),

	feature("sees each thing that it wrote in the next look", func(ctx context.Context, s *stage) {
		p := s.somebody(ctx)
		want := s.group(ctx)
		s.in(ctx, want, p)
		id, err := s.create(ctx, want)
		Expect(err).NotTo(HaveOccurred())
		Expect(s.seesSpace(ctx, want).ID).To(Equal(id))
		s.make(ctx, want)
		for range 3 {
			want.Settings.DisplayName = "Another name " + unique("n")
			Expect(s.set(ctx, plan.FieldDisplayName, want)).To(Succeed())
			Expect(s.seesSpace(ctx, want).Settings.DisplayName).To(Equal(want.Settings.DisplayName))
			Expect(s.add(ctx, want, id, p)).To(Succeed())
			Expect(s.seesSpace(ctx, want).Members).To(HaveKey(p.account()))
			Expect(s.apply(ctx, plan.RemoveMember, want, id, model.Member{Account: p.account()})).To(Succeed())
			Expect(s.seesSpace(ctx, want).Members).NotTo(HaveKeyWithValue(p.account(), BeElementOf(model.Present, model.Invited)))
		}
	}),

	ofBoth("has one space when it is made twice", func(ctx context.Context, s *stage, kind model.Kind) {
		want := s.space(ctx, kind)
		first, err := s.create(ctx, want)
		Expect(err).NotTo(HaveOccurred())
		again, err := s.create(ctx, want)
		Expect(err).NotTo(HaveOccurred())
		Expect(again).To(Equal(first))
		s.make(ctx, want)
		s.isOne(ctx, want, first)
	}),

	feature("has one space when the answer to its making was lost", Label("promise 3"), func(ctx context.Context, s *stage) {
		s.losesEach(ctx, func(want model.Space) {
			id, err := s.create(ctx, want)
			Expect(err).NotTo(HaveOccurred())
			s.make(ctx, want)
			s.isOne(ctx, want, id)
		})
	}),

	feature("has one space when it was lost and the process ended", Label("promise 3"), func(ctx context.Context, s *stage) {
		s.losesEach(ctx, func(want model.Space) {
			again := s.restarted(ctx)
			s.isOne(ctx, want, again.make(ctx, want).ID)
		})
	}),

	feature("has one space when two processes make it at once", Label("promise 3"), func(ctx context.Context, s *stage) {
		want := s.group(ctx)
		actors := []*actor{s.restarted(ctx), s.restarted(ctx)}
		op := actors[0].creation(ctx, want)
		for _, a := range actors {
			a.sees(ctx, want)
		}
		// One of them may be told that the other was faster.
		together(
			func() { _, _ = actors[0].Apply(ctx, op) },
			func() { _, _ = actors[1].Apply(ctx, op) },
		)
		// The one that both see stays, and what else there may be is closed.
		agreed := func() []string {
			seen := make([]string, len(actors))
			for i, a := range actors {
				if o, err := a.Observe(ctx, a.query(want)); err == nil && o.Complete && o.Space != nil {
					seen[i] = o.Space.ID
				}
			}
			return seen
		}
		Eventually(agreed).Should(And(HaveEach(Not(BeEmpty())), HaveLen(2), WithTransform(func(ids []string) bool { return ids[0] == ids[1] }, BeTrue())))
		keeper := actors[0]
		o := keeper.sees(ctx, want)
		for _, id := range o.Duplicates {
			Expect(keeper.apply(ctx, plan.Archive, want, id)).To(Succeed())
		}
		Expect(keeper.sees(ctx, want).Duplicates).To(BeEmpty())
		Expect(keeper.make(ctx, want).ID).To(Equal(o.Space.ID))
		s.isOne(ctx, want, o.Space.ID)
	}),

	feature("makes many at once", func(ctx context.Context, s *stage) {
		s.makesAll(ctx, s.group(ctx), s.group(ctx), s.group(ctx), s.group(ctx), s.group(ctx), s.group(ctx))
	}),

	feature("finds everything again after a restart, and writes nothing", Label("promise 9"), func(ctx context.Context, s *stage) {
		p, q := s.somebody(ctx), s.somebody(ctx)
		all := []model.Space{everything(s, community(), p, q)}
		s.make(ctx, all[0])
		for range 2 {
			g := everything(s, groupOf(all[0]), p, q)
			s.make(ctx, g)
			all = append(all, g)
		}
		again := s.kept(ctx, all...)
		Expect(again.wire.writes()).To(BeZero())
	}),
)

// everything is a wanted space with a value in every setting, as far as the platform can hold it.
func everything(s *stage, want model.Space, manager, member person) model.Space {
	want.Settings.Avatar = s.picture()
	want.Settings.Guidelines = "# Guidelines\n\nBe **kind**.\n\n1. Listen\n2. Speak"
	want.Settings.Listed = want.Parent == nil
	want.Settings.History, want.Settings.Guests = model.HistorySinceJoining, model.GuestsAllowed
	want.Settings.Servers = model.Servers{OwnOnly: true, Blocked: []string{"*.evil.example"}}
	want.Settings.Permissions = map[model.Action]model.Role{
		model.ActionPost: model.RoleModerator, model.ActionReact: model.RoleMember, model.ActionMentionAll: model.RoleManager,
		model.ActionInvite: model.RoleModerator, model.ActionRemove: model.RoleManager, model.ActionPin: model.RoleModerator,
		model.ActionDelete: model.RoleManager, model.ActionGovern: model.RoleOperator,
	}
	want.Members = append(names(model.RoleManager, manager), names(model.RoleMember, member)...)
	return want
}

// makesAll makes spaces at the same time.
func (s *stage) makesAll(ctx context.Context, wanted ...model.Space) {
	GinkgoHelper()
	makes := make([]func(), 0, len(wanted))
	for _, want := range wanted {
		makes = append(makes, func() { s.make(ctx, want) })
	}
	together(makes...)
}

// isOne sees, past the adapter and with one that knows nothing, that there is one open space.
func (s *stage) isOne(ctx context.Context, want model.Space, id string) {
	GinkgoHelper()
	Expect(s.administrator().count(ctx, want.Settings.DisplayName)).To(Equal(1))
	o := s.restarted(ctx).sees(ctx, want)
	Expect(o.Space).To(HaveValue(HaveField("ID", id)))
	Expect(o.Duplicates).To(BeEmpty())
}

// losesEach makes a space again and again, and loses the answer to the first
// write of the first one, to the second of the second, and so on, as many as making a space takes.
func (s *stage) losesEach(ctx context.Context, then func(want model.Space)) {
	GinkgoHelper()
	const most = 20
	for n := range most {
		want := s.group(ctx)
		op := s.creation(ctx, want)
		s.wire.lose(n + 1)
		_, err := s.Apply(ctx, op)
		lost := s.wire.lost()
		s.wire.mend()
		if !lost {
			Expect(err).NotTo(HaveOccurred())
			Expect(n).To(BeNumerically(">", 0), "making a space writes at least once")
			return
		}
		Expect(err).To(Or(Not(HaveOccurred()), beKind(platform.Ambiguous)))
		then(want)
	}
	fail("making a space takes more writes than this spec looks at")
}
