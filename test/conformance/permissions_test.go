// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"slices"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
)

var permissions = section("Who may do what",
	permits("post", model.ActionPost),
	permits("react", model.ActionReact),
	permits("invite others", model.ActionInvite),
	permits("remove others", model.ActionRemove),
	permits("pin", model.ActionPin),
	permits("delete what others said", model.ActionDelete),
	ofBoth("lets managers of a space alone mention everybody", func(ctx context.Context, s *stage, kind model.Kind) {
		s.permits(ctx, kind, model.ActionMentionAll, func(string, bool) {})
	}),
	feature("keeps the permissions when roles change, and the roles when permissions change", func(ctx context.Context, s *stage) {
		p := s.somebody(ctx)
		changes := []change{withMembers(names(model.RoleManager, p)), func(w *model.Space) {
			w.Settings.Permissions = map[model.Action]model.Role{model.ActionPost: model.RoleManager}
		}}
		s.holds(community(changes...), permitting(model.ActionPost), rolesOf)
		want, made := s.common(ctx, model.KindGroup, changes...)
		was := made.Settings.Permissions
		want.Members[0].Role = model.RoleMember
		made = s.make(ctx, want)
		Expect(made.Settings.Permissions).To(Equal(was))
		want.Members[0].Role = model.RoleManager
		s.make(ctx, want)
		want.Settings.Permissions = map[model.Action]model.Role{model.ActionPost: model.RoleMember}
		made = s.make(ctx, want)
		Expect(made.Roles).To(Equal(map[string]model.Role{p.account(): model.RoleManager}))
	}),
)

// permits is an action that is given to managers alone, of a community and of a group.
func permits(what string, action model.Action) []row {
	return ofBoth("lets managers of a space alone "+what, func(ctx context.Context, s *stage, kind model.Kind) {
		manager, member, other := s.somebody(ctx), s.somebody(ctx), s.somebody(ctx)
		about := map[model.Action]string{
			model.ActionPost: "hello", model.ActionInvite: s.somebody(ctx).account(), model.ActionRemove: other.account(),
		}[action]
		s.permits(ctx, kind, action, func(space string, everybody bool) {
			switch {
			case !everybody:
				Expect(member.try(ctx, action, space, about)).NotTo(Succeed())
				Expect(manager.try(ctx, action, space, about)).To(Succeed())
			case action != model.ActionRemove: // who is no stronger may be out of reach all the same
				Expect(member.try(ctx, action, space, about)).To(Succeed())
			}
			if action == model.ActionPin {
				Expect(s.administrator().unpin(ctx, space)).To(Succeed())
			}
		}, manager, member, other)
	})
}

// permits gives an action to managers alone and then to everybody, and has a
// look each time. The first of the people is a manager, the others are members.
func (s *stage) permits(ctx context.Context, kind model.Kind, action model.Action, look func(space string, everybody bool), people ...person) {
	want, _ := s.common(ctx, kind)
	for _, role := range []model.Role{model.RoleManager, model.RoleMember} {
		want.Settings.Permissions = map[model.Action]model.Role{action: role}
		s.holds(want, permitting(action))
		if len(people) > 0 {
			want.Members = append(names(model.RoleManager, people[0]), names(model.RoleMember, people[1:]...)...)
		}
		if slices.Contains(s.differs(ctx, want), "set Permissions") { // or it is so by itself
			s.took(s.set(ctx, plan.FieldPermissions, want), s.seesSpace(ctx, want).ID)
		}
		seen := s.make(ctx, want)
		s.accept(ctx, want, people...)
		Expect(seen.Settings.Permissions).To(HaveKeyWithValue(action, role))
		look(seen.ID, role == model.RoleMember)
	}
}
