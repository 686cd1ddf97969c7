// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
)

func TestADigestTellsTextsApartAndNoTextFromAll(t *testing.T) {
	g := NewWithT(t)
	g.Expect(model.Digest("")).To(BeEmpty(), "what is not there is equal to what nobody wants")
	g.Expect(model.Digest("Be kind")).To(Equal("3470ac9226324807f169ba825c26806b9d4952f79d180c61ec048f7100736d69"))
	g.Expect(model.Digest("Be kind")).NotTo(Equal(model.Digest("Be kind ")))
}

func TestARefNamesAResource(t *testing.T) {
	ref := model.Ref{Kind: model.KindGroup, Namespace: "town", Name: "market"}
	NewWithT(t).Expect(ref.String()).To(Equal("Group town/market"))
}

// Plans compare roles by their order.
func TestEachRoleHasMorePowerThanTheOneBefore(t *testing.T) {
	g := NewWithT(t)
	roles := []model.Role{model.RoleUnknown, model.RoleMember, model.RoleModerator, model.RoleManager, model.RoleOperator}
	names := []string{"Unknown", "Member", "Moderator", "Manager", "Operator"}
	for i, role := range roles {
		g.Expect(role.String()).To(Equal(names[i]))
		if i > 0 {
			g.Expect(role).To(BeNumerically(">", roles[i-1]))
		}
	}
	var nobody model.Role
	g.Expect(nobody).To(Equal(model.RoleMember), "who has no role said is a member")
	g.Expect(model.Role(99).String()).To(Equal("Unknown"))
}

func TestTheListOfActionsHasEachOnce(t *testing.T) {
	NewWithT(t).Expect(model.Actions()).To(ConsistOf(
		model.ActionPost, model.ActionReact, model.ActionMentionAll, model.ActionInvite,
		model.ActionRemove, model.ActionPin, model.ActionDelete, model.ActionGovern,
	))
}
