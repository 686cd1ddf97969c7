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

var roles = section("Roles",
	gives(model.RoleManager),
	gives(model.RoleModerator),

	ofBoth("raises a moderator of a space, and lowers a manager", func(ctx context.Context, s *stage, kind model.Kind) {
		up, down := s.somebody(ctx), s.somebody(ctx)
		begin := withMembers(names(model.RoleModerator, up), names(model.RoleManager, down))
		s.holds(s.space(ctx, kind, begin), rolesOf)
		want, _ := s.common(ctx, kind, begin)
		want.Members = append(names(model.RoleManager, up), names(model.RoleModerator, down)...)
		seen := s.make(ctx, want)
		Expect(seen.Roles).To(Equal(map[string]model.Role{up.account(): model.RoleManager, down.account(): model.RoleModerator}))
	}),

	ofBoth("takes back a role in a space that somebody gave by hand", func(ctx context.Context, s *stage, kind model.Kind) {
		p := s.somebody(ctx)
		want, made := s.common(ctx, kind, withMembers(names(model.RoleMember, p)))
		Expect(s.administrator().promote(ctx, made.ID, p.account(), model.RoleManager)).To(Succeed())
		Eventually(func() map[string]model.Role { return s.verifies(ctx, want).Space.Roles }).
			Should(Equal(map[string]model.Role{p.account(): model.RoleManager}))
		ops, _ := s.plans(ctx, want)
		Expect(ops).To(HaveLen(1))
		Expect(ops[0].Lowers).To(BeTrue())
		seen := s.make(ctx, want)
		Expect(seen.Roles).To(BeEmpty())
		Expect(seen.Members).To(HaveKeyWithValue(p.account(), there), "the role goes, the person stays")
	}),

	feature("takes the role of who is taken out", func(ctx context.Context, s *stage) {
		p := s.somebody(ctx)
		want, _ := s.common(ctx, model.KindGroup, withMembers(names(model.RoleManager, p)))
		want.Members = nil
		seen := s.make(ctx, want)
		Expect(seen.Roles).To(BeEmpty())
		Expect(seen.Members).NotTo(HaveKeyWithValue(p.account(), there))
		want.Members = names(model.RoleMember, p)
		Expect(s.make(ctx, want).Roles).To(BeEmpty(), "it does not come back by itself")
	}),

	feature("gives nobody the operator's role", Label("promise 7"), func(ctx context.Context, s *stage) {
		p := s.somebody(ctx)
		want, made := s.common(ctx, model.KindGroup, withMembers(names(model.RoleMember, p)))
		for _, role := range []model.Role{model.RoleOperator, model.RoleUnknown} {
			Expect(s.apply(ctx, plan.SetRoles, want, made.ID, model.Member{Account: p.account(), Role: role})).To(beKind(platform.Invalid))
		}
		Expect(s.seesSpace(ctx, want).Roles).To(BeEmpty())
	}),
)

// gives is a role that is given, seen by people, and taken away.
func gives(role model.Role) []row {
	return ofBoth("makes a person a "+role.String()+" of a space, and a member again", func(ctx context.Context, s *stage, kind model.Kind) {
		p, q := s.somebody(ctx), s.somebody(ctx)
		begin := withMembers(names(role, p), names(model.RoleMember, q))
		s.holds(s.space(ctx, kind, begin), rolesOf)
		want, made := s.common(ctx, kind, begin)
		Expect(made.Roles).To(Equal(map[string]model.Role{p.account(): role}))
		shown, err := s.administrator().read(ctx, made.ID)
		Expect(err).NotTo(HaveOccurred())
		if made.Members[p.account()] == model.Present {
			Expect(shown.members).To(HaveKeyWithValue(p.account(), role))
		}

		want.Members[0].Role = model.RoleMember
		Expect(s.make(ctx, want).Roles).To(BeEmpty())
		shown, err = s.administrator().read(ctx, made.ID)
		Expect(err).NotTo(HaveOccurred())
		Expect(shown.members).NotTo(HaveKeyWithValue(p.account(), role))
	})
}
