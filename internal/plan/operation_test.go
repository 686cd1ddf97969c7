// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
)

// A pass remembers by its key what failed, and goes on with the rest.
func TestNoTwoOperationsOfAPlanHaveOneKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		is := seen.Draw(t, "seen")
		keys := map[string]plan.Operation{}
		for _, op := range plan.Diff(wanted.Draw(t, "want"), &is, "parent") {
			NewWithT(t).Expect(keys).NotTo(HaveKey(op.Key()), "%s and %s", op, keys[op.Key()])
			keys[op.Key()] = op
		}
	})
}

func TestAKeyTellsSpacesRolesAndInstallationsApart(t *testing.T) {
	op := plan.Operation{
		Verb: plan.SetRoles, SpaceID: "space", Space: model.Space{Mark: model.Mark{OwnerID: "here", Ref: ours}},
		Members: []model.Member{{Account: "ana", Role: model.RoleManager}},
	}
	other := func(change func(*plan.Operation)) string {
		o := op
		o.Members = []model.Member{op.Members[0]}
		change(&o)
		return o.Key()
	}
	keys := []string{
		op.Key(),
		other(func(o *plan.Operation) { o.SpaceID = "other" }),
		other(func(o *plan.Operation) { o.Verb = plan.AddMember }),
		other(func(o *plan.Operation) { o.Space.Mark.OwnerID = "there" }),
		other(func(o *plan.Operation) { o.Space.Mark.Ref = community }),
		other(func(o *plan.Operation) { o.Members[0].Role = model.RoleModerator }),
		other(func(o *plan.Operation) { o.Members[0].Account = "ben" }),
	}
	for i, key := range keys {
		for _, before := range keys[:i] {
			NewWithT(t).Expect(key).NotTo(Equal(before))
		}
	}
	NewWithT(t).Expect(other(func(*plan.Operation) {})).To(Equal(op.Key()))
}

// What takes something away is urgent, and is what the filters hold back.
func TestWhatAnOperationTakesAway(t *testing.T) {
	manager, moderator, member := model.RoleManager, model.RoleModerator, model.RoleMember
	people := func(roles ...model.Role) (members []model.Member) {
		for _, r := range roles {
			members = append(members, model.Member{Account: "ana", Role: r})
		}
		return members
	}
	for name, tc := range map[string]struct {
		op      plan.Operation
		takes   plan.Baseline
		removes bool
	}{
		"making a space":            {plan.Operation{Verb: plan.Create}, plan.Baseline{}, false},
		"marking it":                {plan.Operation{Verb: plan.Mark}, plan.Baseline{}, false},
		"releasing it":              {plan.Operation{Verb: plan.Release}, plan.Baseline{}, false},
		"opening it again":          {plan.Operation{Verb: plan.Restore}, plan.Baseline{}, false},
		"a setting":                 {plan.Operation{Verb: plan.Set, Field: plan.FieldJoin}, plan.Baseline{}, false},
		"adding somebody":           {plan.Operation{Verb: plan.AddMember, Members: people(member)}, plan.Baseline{}, false},
		"archiving takes the space": {plan.Operation{Verb: plan.Archive}, plan.Baseline{Spaces: 1}, true},
		"deleting takes the space":  {plan.Operation{Verb: plan.Delete}, plan.Baseline{Spaces: 1}, true},
		"removing somebody":         {plan.Operation{Verb: plan.RemoveMember, Members: people(member)}, plan.Baseline{Members: 1}, true},
		"raised roles":              {plan.Operation{Verb: plan.SetRoles, Members: people(manager, moderator)}, plan.Baseline{}, false},
		"lowered roles":             {plan.Operation{Verb: plan.SetRoles, Lowers: true, Members: people(manager, moderator, member)}, plan.Baseline{Roles: 3}, true},
		"no role left is less, whoever made the operation": {plan.Operation{Verb: plan.SetRoles, Members: people(manager, member)},
			plan.Baseline{Roles: 1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(tc.op.Takes()).To(Equal(tc.takes))
			NewWithT(t).Expect(tc.op.Removes()).To(Equal(tc.removes))
		})
	}
}
