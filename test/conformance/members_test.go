// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// there is what an account is that was added: in the space, or invited where that is all that can be done.
var there = BeElementOf(model.Present, model.Invited)

var members = section("Members",
	ofBoth("adds declared members to a space, takes them out, and adds them again", func(ctx context.Context, s *stage, kind model.Kind) {
		p, q := s.somebody(ctx), s.somebody(ctx)
		want, made := s.common(ctx, kind, withMembers(names(model.RoleMember, p, q)))
		Expect(made.Members).To(And(HaveKeyWithValue(p.account(), there), HaveKeyWithValue(q.account(), there)))

		want.Members = names(model.RoleMember, q)
		Expect(s.differs(ctx, want)).To(Equal([]string{"remove " + p.account()}))
		seen := s.make(ctx, want).Members
		Expect(seen).To(HaveKeyWithValue(q.account(), there))
		Expect(seen).NotTo(HaveKeyWithValue(p.account(), there))

		want.Members = names(model.RoleMember, p, q)
		Expect(s.differs(ctx, want)).To(Equal([]string{"add " + p.account()}))
		Expect(s.make(ctx, want).Members).To(HaveKeyWithValue(p.account(), there))
	}),

	ofBoth("joins declared members of a space on their behalf, whatever the join rule", func(ctx context.Context, s *stage, kind model.Kind) {
		s.needs(platform.CanJoinOnBehalf)
		for _, rule := range []model.JoinRule{model.JoinAnybody, model.JoinInvite, model.JoinRequest} {
			p := s.somebody(ctx)
			_, made := s.common(ctx, kind, withMembers(names(model.RoleMember, p)), func(w *model.Space) { w.Settings.Join = rule })
			Expect(made.Members).To(HaveKeyWithValue(p.account(), model.Present))
			shown, err := p.read(ctx, made.ID)
			Expect(err).NotTo(HaveOccurred())
			Expect(shown.members).To(HaveKey(p.account()))
		}
	}),

	feature("does nothing when somebody is added who is in, or removed who is not", func(ctx context.Context, s *stage) {
		p, stranger := s.somebody(ctx), s.somebody(ctx)
		want, made := s.common(ctx, model.KindGroup, withMembers(names(model.RoleMember, p)))
		for range 2 {
			Expect(s.add(ctx, want, made.ID, p)).To(Succeed())
			Expect(s.apply(ctx, plan.RemoveMember, want, made.ID, model.Member{Account: stranger.account()})).To(Succeed())
		}
		Expect(s.seesSpace(ctx, want).Members).To(Equal(made.Members))
	}),

	ofBoth("tells who left a space by their own choice", func(ctx context.Context, s *stage, kind model.Kind) {
		p := s.somebody(ctx)
		want, made := s.common(ctx, kind, withMembers(names(model.RoleMember, p)))
		Expect(p.leave(ctx, made.ID)).To(Succeed())
		s.comesToBe(ctx, want, p, model.Left)
		Expect(s.differs(ctx, want)).To(BeEmpty(), "who left is not brought back")

		want.Members[0].Readd = true
		Expect(s.differs(ctx, want)).To(Equal([]string{"add " + p.account()}))
		for range rounds {
			Expect(s.add(ctx, want, made.ID, p)).To(Succeed())
		}
		Expect(s.seesSpace(ctx, want).Members).To(HaveKeyWithValue(p.account(), there))
	}),

	ofBoth("brings back who was removed from a space by hand", func(ctx context.Context, s *stage, kind model.Kind) {
		p := s.somebody(ctx)
		want, made := s.common(ctx, kind, withMembers(names(model.RoleMember, p)))
		Expect(s.administrator().remove(ctx, made.ID, p.account())).To(Succeed())
		Eventually(func() []string { return s.differs(ctx, want) }).Should(Equal([]string{"add " + p.account()}))
		Expect(s.make(ctx, want).Members).To(HaveKeyWithValue(p.account(), there))
	}),

	feature("leaves out who is banned", func(ctx context.Context, s *stage) {
		s.needs(platform.CanBan)
		p := s.somebody(ctx)
		want, made := s.common(ctx, model.KindGroup, withMembers(names(model.RoleMember, p)))
		Expect(s.administrator().ban(ctx, made.ID, p.account())).To(Succeed())
		s.comesToBe(ctx, want, p, model.Banned)
		Expect(s.differs(ctx, want)).To(BeEmpty())
		Expect(s.add(ctx, want, made.ID, p)).To(beKind(platform.Conflict))
	}),

	ofBoth("sees who came into a space by hand", func(ctx context.Context, s *stage, kind model.Kind) {
		p := s.somebody(ctx)
		want, made := s.common(ctx, kind)
		s.in(ctx, want, p)
		s.letIn(ctx, made.ID, p)
		s.comesToBe(ctx, want, p, model.Present)
		Expect(s.differs(ctx, want)).To(Equal([]string{"remove " + p.account()}))
	}),

	feature("never counts the operator among the members, and never takes it out", Label("promise 7"), func(ctx context.Context, s *stage) {
		us := model.Member{Account: s.info.Account}
		for _, kind := range []model.Kind{model.KindCommunity, model.KindGroup} {
			want, made := s.common(ctx, kind)
			Expect(made.Members).NotTo(HaveKey(us.Account))
			Expect(made.Roles).NotTo(HaveKey(us.Account))
			Expect(s.apply(ctx, plan.RemoveMember, want, made.ID, us)).To(beKind(platform.Invalid))
			Expect(s.apply(ctx, plan.SetRoles, want, made.ID, us)).To(Succeed())
			seen := s.seesSpace(ctx, want)
			Expect(seen.Control).To(BeEmpty())
			want.Settings.Topic = "Still ours"
			s.make(ctx, want)
		}
	}),

	ofBoth("knows who is in a space when they were renamed, also after a restart", func(ctx context.Context, s *stage, kind model.Kind) {
		s.needs(platform.CanRename)
		p, q := s.somebody(ctx), s.somebody(ctx)
		want, made := s.common(ctx, kind, withMembers(names(model.RoleMember, p)))
		before, is := p.account(), s.Stable(p.account())
		Expect(is).NotTo(Equal(before))
		Expect(s.Missing(ctx, []string{q.account()})).To(BeEmpty())
		Expect(s.Stable(q.account())).NotTo(BeElementOf(is, q.account()))

		s.kept(ctx, want)
		after := strings.Replace(before, "person", "renamed", 1)
		Expect(s.administrator().callAccount(ctx, before, after)).To(Succeed())
		Expect(s.Stable(before)).To(Equal(is), "until somebody else has the name")
		Expect(s.administrator().callAccount(ctx, q.account(), before)).To(Succeed())
		again := s.restarted(ctx)
		want.Members = nil
		for _, a := range []*actor{s.actor, again} {
			Eventually(func() map[string]model.Membership { return a.seesSpace(ctx, want).Members }).Should(
				And(HaveKeyWithValue(after, model.Present), Not(HaveKey(before))))
			Expect(a.Stable(after)).To(Equal(is))
			Expect(a.Missing(ctx, []string{before})).To(BeEmpty())
			Expect(a.Stable(before)).NotTo(BeElementOf(is, before), "that is somebody else now")
		}
		Expect(again.differs(ctx, want)).To(Equal([]string{"remove " + after}))
		Expect(again.apply(ctx, plan.RemoveMember, want, made.ID, model.Member{Account: after})).To(Succeed())
		shown, err := s.administrator().read(ctx, made.ID)
		Expect(err).NotTo(HaveOccurred())
		Expect(shown.members).NotTo(HaveKey(after))
	}),

	feature("says which accounts there are not", func(ctx context.Context, s *stage) {
		p, q := s.somebody(ctx), s.somebody(ctx)
		for range 2 {
			missing, err := s.Missing(ctx, []string{p.account(), s.nobody(), q.account()})
			Expect(err).NotTo(HaveOccurred())
			Expect(missing).To(Equal([]string{s.nobody()}))
		}
		Expect(s.Missing(ctx, nil)).To(BeEmpty())
	}),

	feature("finds nobody by an e-mail address that is nobody's", func(ctx context.Context, s *stage) {
		s.needs(platform.CanFindByEmail)
		Expect(s.AccountsByEmail(ctx, []string{"nobody@cabildo.invalid"})).To(BeEmpty())
		Expect(s.AccountsByEmail(ctx, nil)).To(BeEmpty())
	}),

	feature("adds many at once", func(ctx context.Context, s *stage) {
		want, made := s.common(ctx, model.KindGroup)
		var adds []func()
		expected := map[string]model.Membership{}
		for range 4 {
			p := s.somebody(ctx)
			s.in(ctx, want, p)
			adds = append(adds, func() { Expect(s.add(ctx, want, made.ID, p)).To(Succeed()) })
			expected[p.account()] = model.Present
		}
		together(adds...)
		seen := s.seesSpace(ctx, want).Members
		for account := range expected {
			Expect(seen).To(HaveKeyWithValue(account, there))
		}
	}),
)

// letIn has an administrator add somebody, who accepts where that is needed.
func (s *stage) letIn(ctx context.Context, space string, p person) {
	GinkgoHelper()
	Expect(s.administrator().add(ctx, space, p.account())).To(Succeed())
	if err := p.join(ctx, space); err != nil {
		GinkgoWriter.Println("there was nothing to accept:", err)
	}
}
