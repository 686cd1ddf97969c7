// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

// These laws hold for every plan, and for what no plan has, under every limit.

// Promise 1.
func TestNothingIsTakenAwayOnAnIncompleteView(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		safety := someSafety.Draw(t, "safety")
		safety.Complete = false
		apply, _ := plan.Filter(someOperations.Draw(t, "operations"), safety)
		for _, op := range apply {
			NewWithT(t).Expect(op.Removes()).To(BeFalse(), "%s %v", op.Verb, op.Members)
		}
	})
}

func TestWhoHasLeftLosesAccessWhateverElseIsOpen(t *testing.T) {
	gone := plan.Operation{Verb: plan.RemoveMember, Members: []model.Member{{Account: "@gone:x"}}}
	other := plan.Operation{Verb: plan.RemoveMember, Members: []model.Member{{Account: "@other:x"}}}
	yes := func(string) bool { return true }
	for name, tc := range map[string]struct {
		edit func(*plan.Safety)
		// keeps says that the leaver stays.
		keeps bool
	}{
		"beyond the budget":              {func(*plan.Safety) {}, false},
		"while a source can't be read":   {func(s *plan.Safety) { s.Complete = false }, false},
		"though it waits for a decision": {func(s *plan.Safety) { s.Waiting = yes }, false},
		"but not whom we did not add":    {func(s *plan.Safety) { s.Granted = nil }, true},
		"but never ourselves":            {func(s *plan.Safety) { s.Operator = "@gone:x" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			safety := plan.Safety{Complete: true, Granted: yes, Left: func(account string) bool { return account == "@gone:x" }}
			tc.edit(&safety)
			apply, _ := plan.Filter([]plan.Operation{gone, other}, safety)
			if tc.keeps {
				NewWithT(t).Expect(apply).To(BeEmpty())
				return
			}
			NewWithT(t).Expect(apply).To(Equal([]plan.Operation{gone}), "and nobody else")
		})
	}
}

// Promise 7.
func TestTheOperatorsAccountIsNeverTouched(t *testing.T) {
	us := func(m model.Member) bool { return m.Account == memory.Operator }
	rapid.Check(t, func(t *rapid.T) {
		safety := someSafety.Draw(t, "safety")
		safety.Operator = memory.Operator
		apply, _ := plan.Filter(someOperations.Draw(t, "operations"), safety)
		for _, op := range apply {
			NewWithT(t).Expect(slices.ContainsFunc(op.Members, us)).To(BeFalse(), "%s %v", op.Verb, op.Members)
			if op.Verb == plan.Create {
				NewWithT(t).Expect(slices.ContainsFunc(op.Space.Members, us)).To(BeFalse(), "made with %v", op.Space.Members)
			}
		}
	})
}

func TestADeclarationThatIsAFloorRemovesNobodyWhomWeDidNotAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		safety := someSafety.Draw(t, "safety")
		safety.Exclusive = false
		apply, _ := plan.Filter(someOperations.Draw(t, "operations"), safety)
		for _, op := range apply {
			if op.Verb == plan.RemoveMember {
				NewWithT(t).Expect(safety.Granted(op.Members[0].Account)).To(BeTrue(), "%v", op.Members)
			}
		}
	})
}

// Promise 1.
func TestWithoutTheRecordNothingIsTakenFromWhomItDoesNotKnow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		safety := someSafety.Draw(t, "safety")
		safety.RecordLost = true
		apply, _ := plan.Filter(someOperations.Draw(t, "operations"), safety)
		for _, op := range apply {
			for _, m := range op.Members {
				one := op
				one.Members = []model.Member{m}
				if one.Removes() {
					NewWithT(t).Expect(safety.Granted(m.Account)).To(BeTrue(), "%s %v", op.Verb, m)
				}
			}
		}
	})
}

// Promise 4.
func TestWhatWaitsForAPersonIsDoneOnlyWhenOneHasLetIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		safety := someSafety.Draw(t, "safety")
		safety.Waiting = func(string) bool { return true }
		apply, _ := plan.Filter(someOperations.Draw(t, "operations"), safety)
		for _, op := range apply {
			if op.Removes() && len(op.Members) < 2 {
				NewWithT(t).Expect(safety.Approved(op.String())).To(BeTrue(), op.String())
			}
		}
	})
}

// Promise 4.
func TestTheRemovalBudgetIsNeverExceeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		safety := someSafety.Draw(t, "safety")
		safety.Complete, safety.Exclusive, safety.Approved = true, true, nil
		ops := someOperations.Draw(t, "operations")
		for range rapid.IntRange(0, 6).Draw(t, "removals") {
			ops = append(ops, plan.Operation{Verb: plan.RemoveMember, Members: []model.Member{{Account: "@fay:x"}}})
		}
		apply, _ := plan.Filter(ops, safety)
		var members, roles, spaces int
		for _, op := range apply {
			members += op.Takes().Members
			roles += op.Takes().Roles
			spaces += op.Takes().Spaces
		}
		// Said anew, in the words of the design.
		allowed := func(baseline, spent int) int {
			percent := int(math.Floor(float64(baseline) * float64(safety.Budget.Percent) / 100))
			return max(0, min(safety.Budget.Count, max(safety.Budget.Floor, percent))-spent)
		}
		NewWithT(t).Expect(members).To(BeNumerically("<=", allowed(safety.Baseline.Members, safety.Spent.Members)), "members")
		NewWithT(t).Expect(roles).To(BeNumerically("<=", allowed(safety.Baseline.Roles, safety.Spent.Roles)), "roles")
		NewWithT(t).Expect(spaces).To(BeNumerically("<=", max(0, safety.SpacesLeft)), "spaces")
	})
}

func TestEveryStepIsAppliedOrHeldAndTheOrderKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops := someOperations.Draw(t, "operations")
		apply, held := plan.Filter(ops, someSafety.Draw(t, "safety"))
		before, after := steps(ops...), steps(apply...)

		accounted := slices.Clone(after)
		for _, h := range held {
			NewWithT(t).Expect(h.Why).NotTo(BeEmpty())
			accounted = append(accounted, steps(h.Operation)...)
		}
		NewWithT(t).Expect(accounted).To(ConsistOf(before))

		for _, s := range before {
			if len(after) > 0 && after[0] == s {
				after = after[1:]
			}
		}
		NewWithT(t).Expect(after).To(BeEmpty(), "out of order")
	})
}

func TestWhatTakesNothingFromAnybodyElseIsApplied(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops := slices.DeleteFunc(someOperations.Draw(t, "operations"), plan.Operation.Removes)
		safety := someSafety.Draw(t, "safety")
		safety.Operator = ""
		apply, held := plan.Filter(ops, safety)
		NewWithT(t).Expect(held).To(BeEmpty())
		NewWithT(t).Expect(steps(apply...)).To(Equal(steps(ops...)))
	})
}

// What was held back stays held back until the window ends or somebody acts;
// what was let through is done. So the second pass is quiet.
// Promise 4.
func TestASecondPassInTheSameWindowAppliesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, is, there := wanted.Draw(t, "want"), seen.Draw(t, "seen"), newOn(t)
		is.ID = there.server.Add(is)
		safety := someSafety.Draw(t, "safety")
		safety.Operator, safety.Approved = memory.Operator, nil // who approves does so once
		safety.Baseline = plan.BaselineOf(&is)

		apply, _ := plan.Filter(plan.Diff(want, &is, "parent"), safety)
		there.apply(t, apply)
		for _, op := range apply {
			safety.Spent.Members += op.Takes().Members
			safety.Spent.Roles += op.Takes().Roles
			safety.SpacesLeft -= op.Takes().Spaces
		}
		again, _ := plan.Filter(plan.Diff(want, there.observe(t, want), "parent"), safety)
		NewWithT(t).Expect(again).To(BeEmpty())
	})
}

func TestTheFilterLeavesWhatItIsGivenAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ops := someOperations.Draw(t, "operations")
		before := steps(ops...)
		plan.Filter(ops, someSafety.Draw(t, "safety"))
		NewWithT(t).Expect(steps(ops...)).To(Equal(before))
	})
}

func TestARemovalBudgetAllowsTheLeastOfCountAndPercentButTheFloor(t *testing.T) {
	for _, tc := range []struct {
		why      string
		budget   plan.Budget
		baseline int
		allowed  int
	}{
		{"a quarter of a hundred, but at most twenty", plan.Budget{Percent: 25, Count: 20, Floor: 1}, 100, 20},
		{"a quarter of forty", plan.Budget{Percent: 25, Count: 20, Floor: 1}, 40, 10},
		{"parts of a person are rounded down", plan.Budget{Percent: 25, Count: 20, Floor: 1}, 11, 2},
		{"a small space is not stuck", plan.Budget{Percent: 25, Count: 20, Floor: 1}, 3, 1},
		{"a count of nothing is a count of nothing", plan.Budget{Percent: 100, Count: 0, Floor: 1}, 100, 0},
		{"all that is there", plan.Budget{Percent: 100, Count: 1000, Floor: 1}, 7, 7},
		{"an unset budget allows nothing", plan.Budget{}, 100, 0},
	} {
		t.Run(tc.why, func(t *testing.T) {
			NewWithT(t).Expect(tc.budget.Allowed(tc.baseline)).To(Equal(tc.allowed))
		})
	}
}

func TestWhoIsInASpaceOrHasARoleInItIsItsBaseline(t *testing.T) {
	g := NewWithT(t)
	g.Expect(plan.BaselineOf(nil)).To(BeZero())
	g.Expect(plan.BaselineOf(&model.Observed{
		Members: map[string]model.Membership{
			"ana": model.Present, "ben": model.Invited, "cai": model.Left, "dee": model.Removed, "eve": model.Banned, "fay": model.Asking,
		},
		Roles: map[string]model.Role{"ana": model.RoleManager},
	})).To(Equal(plan.Baseline{Members: 2, Roles: 1}))
}

func TestEachReasonToHoldBack(t *testing.T) {
	remove := func(account string) plan.Operation {
		return plan.Operation{Verb: plan.RemoveMember, Members: []model.Member{{Account: account}}}
	}
	roles := func(lowers bool, members ...model.Member) plan.Operation {
		return plan.Operation{Verb: plan.SetRoles, Lowers: lowers, Members: members}
	}
	manager := model.Member{Account: "ana", Role: model.RoleManager}
	moderator := model.Member{Account: "ben", Role: model.RoleModerator}
	member := model.Member{Account: "cai", Role: model.RoleMember}
	free := plan.Safety{
		Complete: true, Exclusive: true, Operator: "us",
		Budget: plan.Budget{Percent: 100, Count: 1, Floor: 1}, Baseline: plan.Baseline{Members: 10, Roles: 10},
	}
	with := func(change func(*plan.Safety)) plan.Safety {
		s := free
		change(&s)
		return s
	}
	add := func(account string) plan.Operation {
		return plan.Operation{Verb: plan.AddMember, Members: []model.Member{{Account: account}}}
	}
	policy, groups := &model.Delegation{By: "a policy"}, &model.Delegation{By: "groups", Alone: true}
	incomplete := with(func(s *plan.Safety) { s.Complete = false })
	for name, tc := range map[string]struct {
		op      plan.Operation
		safety  plan.Safety
		applied []model.Member
		held    map[string]plan.Why
	}{
		"within the budget, the undeclared are removed": {remove("dee"), free, []model.Member{{Account: "dee"}}, nil},
		"in a floor, nobody is": {remove("dee"), with(func(s *plan.Safety) { s.Exclusive = false }), nil,
			map[string]plan.Why{"dee": plan.Undeclared}},
		"without a whole view, nobody is": {remove("dee"), incomplete, nil, map[string]plan.Why{"dee": plan.Incomplete}},
		"nobody is when the window's budget is spent": {remove("dee"), with(func(s *plan.Safety) { s.Spent.Members = 1 }), nil,
			map[string]plan.Why{"dee": plan.OverBudget}},
		"in a floor, whom we added is": {remove("dee"), with(func(s *plan.Safety) {
			s.Exclusive, s.Granted = false, func(account string) bool { return account == "dee" }
		}), []model.Member{{Account: "dee"}}, nil},
		"with a lost record, nobody is": {remove("dee"), with(func(s *plan.Safety) { s.RecordLost = true }), nil,
			map[string]plan.Why{"dee": plan.RecordLost}},
		"with a lost record, whom the new one knows is": {remove("dee"), with(func(s *plan.Safety) {
			s.RecordLost, s.Granted = true, func(string) bool { return true }
		}), []model.Member{{Account: "dee"}}, nil},
		"with a lost record, no role goes": {roles(true, moderator), with(func(s *plan.Safety) { s.RecordLost = true }), nil,
			map[string]plan.Why{"ben": plan.RecordLost}},
		"what a person let happen is done beyond the budget": {remove("dee"), with(func(s *plan.Safety) {
			s.Spent.Members, s.Approved = 1, func(op string) bool { return op == "remove dee" }
		}), []model.Member{{Account: "dee"}}, nil},
		"what a person let happen is done on a whole view alone": {remove("dee"), with(func(s *plan.Safety) {
			s.Complete, s.Approved = false, func(string) bool { return true }
		}), nil, map[string]plan.Why{"dee": plan.Incomplete}},
		"what waits for a person waits on, though the budget would do": {remove("dee"), with(func(s *plan.Safety) {
			s.Waiting = func(op string) bool { return op == "remove dee" }
		}), nil, map[string]plan.Why{"dee": plan.OverBudget}},
		"one role of several can be let go": {roles(true, moderator, member), with(func(s *plan.Safety) {
			s.Spent.Roles, s.Approved = 1, func(op string) bool { return op == "set roles: cai Member" }
		}), []model.Member{member}, map[string]plan.Why{"ben": plan.OverBudget}},
		"a budget below nothing is nothing": {remove("dee"), with(func(s *plan.Safety) { s.Budget = plan.Budget{Count: -1} }), nil,
			map[string]plan.Why{"dee": plan.OverBudget}},
		"where something else decides, nobody is removed": {remove("dee"), with(func(s *plan.Safety) { s.Delegated = policy }), nil,
			map[string]plan.Why{"dee": plan.Delegated}},
		"where something else decides, nobody is added": {add("dee"), with(func(s *plan.Safety) { s.Delegated = policy }), nil,
			map[string]plan.Why{"dee": plan.Delegated}},
		"where something else decides, who has left is removed": {remove("dee"), with(func(s *plan.Safety) {
			s.Delegated, s.Left = policy, func(string) bool { return true }
		}), []model.Member{{Account: "dee"}}, nil},
		"where something else decides alone, not even who has left": {remove("dee"), with(func(s *plan.Safety) {
			s.Delegated, s.Left = groups, func(string) bool { return true }
		}), nil, map[string]plan.Why{"dee": plan.Delegated}},
		"where something else decides who is in, roles are ours": {roles(false, manager), with(func(s *plan.Safety) { s.Delegated = policy }),
			[]model.Member{manager}, nil},
		"where something else decides alone, roles are not": {roles(false, manager), with(func(s *plan.Safety) { s.Delegated = groups }), nil,
			map[string]plan.Why{"ana": plan.Delegated}},

		"the operator is not removed": {remove("us"), free, nil, map[string]plan.Why{"us": plan.OurselvesKept}},

		"what is over the budget waits, the rest goes on": {roles(true, moderator, member), free, []model.Member{moderator},
			map[string]plan.Why{"cai": plan.OverBudget}},
		"spent roles count": {roles(true, member), with(func(s *plan.Safety) { s.Spent.Roles = 1 }), nil,
			map[string]plan.Why{"cai": plan.OverBudget}},
		"without a whole view no manager becomes a moderator": {roles(true, moderator), incomplete, nil,
			map[string]plan.Why{"ben": plan.Incomplete}},
		"roles are given without a whole view": {roles(false, manager, moderator), incomplete, []model.Member{manager, moderator}, nil},
		"the operator's role stays": {roles(true, model.Member{Account: "us"}, member), free, []model.Member{member},
			map[string]plan.Why{"us": plan.OurselvesKept}},
		"the operator's role stays, however often it is named": {roles(false, model.Member{Account: "us"}, manager, model.Member{Account: "us"}), free,
			[]model.Member{manager}, map[string]plan.Why{"us": plan.OurselvesKept}},
	} {
		t.Run(name, func(t *testing.T) {
			apply, held := plan.Filter([]plan.Operation{tc.op}, tc.safety)
			var applied []model.Member
			for _, op := range apply {
				applied = append(applied, op.Members...)
			}
			why := map[string]plan.Why{}
			for _, h := range held {
				for _, m := range h.Operation.Members {
					why[m.Account] = h.Why
				}
			}
			g := NewWithT(t)
			g.Expect(applied).To(Equal(tc.applied))
			if tc.held == nil {
				g.Expect(why).To(BeEmpty())
			} else {
				g.Expect(why).To(Equal(tc.held))
			}
		})
	}
}

func TestWhoIsNotLetInGetsNoRole(t *testing.T) {
	g := NewWithT(t)
	manager := func(account string) model.Member { return model.Member{Account: account, Role: model.RoleManager} }
	apply, held := plan.Filter([]plan.Operation{
		{Verb: plan.AddMember, Members: []model.Member{manager("ana")}},
		{Verb: plan.SetRoles, Members: []model.Member{manager("ana"), manager("ben")}},
	}, plan.Safety{Complete: true, Delegated: &model.Delegation{By: "a policy"}})
	g.Expect(held).To(HaveLen(2))
	g.Expect(apply).To(HaveLen(1))
	g.Expect(apply[0].Members).To(Equal([]model.Member{manager("ben")}), "who is in already")
}

// Promise 1.
func TestSpacesAreNotClosedOnAnIncompleteView(t *testing.T) {
	g := NewWithT(t)
	ops := []plan.Operation{{Verb: plan.Archive, SpaceID: "one"}, {Verb: plan.Delete, SpaceID: "two"}, {Verb: plan.Release, SpaceID: "three"}}
	apply, held := plan.Filter(ops, plan.Safety{Complete: false})
	g.Expect(apply).To(Equal(ops[2:]))
	g.Expect(plan.Describe(held, plan.Incomplete)).To(Equal("2 spaces"))
	apply, held = plan.Filter(ops, plan.Safety{Complete: true, SpacesLeft: 2})
	g.Expect(apply).To(Equal(ops))
	g.Expect(held).To(BeEmpty())
	apply, held = plan.Filter(ops, plan.Safety{Complete: true, SpacesLeft: 1})
	g.Expect(apply).To(Equal([]plan.Operation{ops[0], ops[2]}))
	g.Expect(plan.Describe(held, plan.OverBudget)).To(Equal("1 space"))
}

func TestWhatIsHeldBackIsCountedInWords(t *testing.T) {
	hold := func(why plan.Why, verb plan.Verb, accounts ...string) plan.Held {
		op := plan.Operation{Verb: verb}
		for _, a := range accounts {
			op.Members = append(op.Members, model.Member{Account: a})
		}
		return plan.Held{Operation: op, Why: why}
	}
	member, role := hold(plan.OverBudget, plan.RemoveMember, "ana"), hold(plan.OverBudget, plan.SetRoles, "ben")
	for _, tc := range []struct {
		held []plan.Held
		says string
	}{
		{nil, ""},
		{[]plan.Held{member}, "1 member"},
		{[]plan.Held{role}, "1 role"},
		{[]plan.Held{member, member}, "2 members"},
		{[]plan.Held{member, role, role}, "1 member and 2 roles"},
		{[]plan.Held{hold(plan.OverBudget, plan.SetRoles, "ana", "ben", "cai")}, "3 roles"},
		{[]plan.Held{hold(plan.Incomplete, plan.RemoveMember, "ana"), role}, "1 role"},
		{[]plan.Held{hold(plan.OverBudget, plan.Archive)}, "1 space"},
	} {
		says := plan.Describe(tc.held, plan.OverBudget)
		NewWithT(t).Expect(says).To(Equal(tc.says))
		NewWithT(t).Expect(strings.Contains(says, "ana")).To(BeFalse(), "people are counted, not named")
	}
}
