// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"maps"
	"slices"
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

// There are a space that is as declared, and the declaration.
func asDeclared() (model.Space, *model.Observed) {
	settings := func() model.Settings {
		return model.Settings{
			DisplayName: "Market", Topic: "We meet here", Avatar: "mxc://x/a", Join: model.JoinParentMembers, Listed: true,
			History: model.HistoryEverything, Guests: model.GuestsForbidden, Servers: model.Servers{Blocked: []string{"a.x", "b.x"}},
			Permissions: map[model.Action]model.Role{model.ActionPost: model.RoleMember}, Guidelines: "Be kind",
		}
	}
	mark := model.Mark{OwnerID: "here", Ref: ours}
	want := model.Space{
		Mark: mark, Parent: &community, Address: "square-market", Settings: settings(),
		Members: []model.Member{{Account: "ana", Role: model.RoleManager}, {Account: "ben"}, {Account: "cai", Role: model.RoleModerator}},
	}
	seen := &model.Observed{
		ID: "space", Mark: &mark, Address: want.Address, Linked: true,
		Settings: settings(), GuidelinesDigest: model.Digest("Be kind"),
		Members: map[string]model.Membership{"ana": model.Present, "ben": model.Present, "cai": model.Present},
		Roles:   map[string]model.Role{"ana": model.RoleManager, "cai": model.RoleModerator},
	}
	return want, seen
}

func TestASpaceAsDeclaredNeedsNothing(t *testing.T) {
	want, seen := asDeclared()
	NewWithT(t).Expect(plan.Diff(want, seen, "parent")).To(BeEmpty())
}

func TestASpaceThatIsNotThereIsMadeAndNothingElse(t *testing.T) {
	g := NewWithT(t)
	want, _ := asDeclared()
	g.Expect(plan.Diff(want, nil, "parent")).To(ConsistOf(plan.Operation{Verb: plan.Create, Space: want, ParentID: "parent"}))
}

// Each row changes one thing, and says what the plan is then, in its order.
func TestWhatDiffersIsPutRight(t *testing.T) {
	type change = func(want *model.Space, seen *model.Observed)
	state := func(account string, m model.Membership) change {
		return func(_ *model.Space, seen *model.Observed) { seen.Members[account] = m }
	}
	role := func(account string, r model.Role) change {
		return func(_ *model.Space, seen *model.Observed) { seen.Roles[account] = r }
	}
	set := func(edit func(*model.Settings)) change {
		return func(_ *model.Space, seen *model.Observed) { edit(&seen.Settings) }
	}
	for name, tc := range map[string]struct {
		change change
		plan   []string
	}{
		"a space without a mark is marked":           {func(_ *model.Space, s *model.Observed) { s.Mark = nil }, []string{"mark"}},
		"a released space is taken up again":         {func(_ *model.Space, s *model.Observed) { s.Mark.Released = true }, []string{"mark"}},
		"a space that becomes official is marked so": {func(w *model.Space, _ *model.Observed) { w.Mark.Official = true }, []string{"mark"}},
		"an archived space is opened again":          {func(_ *model.Space, s *model.Observed) { s.Archived = true }, []string{"restore"}},
		"an address that leads elsewhere is set": {func(_ *model.Space, s *model.Observed) { s.Address = "old" },
			[]string{"set address square-market"}},
		"a group that lost its community is linked": {func(_ *model.Space, s *model.Observed) { s.Linked = false }, []string{"link"}},
		"a community is linked to nothing": {func(w *model.Space, s *model.Observed) { w.Parent, s.Linked = nil, false },
			nil},

		"a changed name":         {set(func(s *model.Settings) { s.DisplayName = "Fair" }), []string{"set DisplayName"}},
		"a changed topic":        {set(func(s *model.Settings) { s.Topic = "" }), []string{"set Topic"}},
		"a changed picture":      {set(func(s *model.Settings) { s.Avatar = "" }), []string{"set Avatar"}},
		"a declared icon":        {func(w *model.Space, _ *model.Observed) { w.Settings.Icon = "data:image/png;base64,aaaa" }, []string{"set Icon"}},
		"another icon is seen":   {func(_ *model.Space, s *model.Observed) { s.IconDigest = "another" }, []string{"set Icon"}},
		"a changed join rule":    {set(func(s *model.Settings) { s.Join = model.JoinOther }), []string{"set Join"}},
		"a changed listing":      {set(func(s *model.Settings) { s.Listed = false }), []string{"set Listed"}},
		"a changed history":      {set(func(s *model.Settings) { s.History = model.HistoryOther }), []string{"set History"}},
		"guests who can come in": {set(func(s *model.Settings) { s.Guests = model.GuestsAllowed }), []string{"set Guests"}},
		"an unblocked server":    {set(func(s *model.Settings) { s.Servers.Blocked = []string{"a.x"} }), []string{"set Servers"}},
		"servers kept out":       {set(func(s *model.Settings) { s.Servers.OwnOnly = true }), []string{"set Servers"}},
		"rules about servers that have no word here": {set(func(s *model.Settings) { s.Servers.Other = true }),
			[]string{"set Servers"}},
		"a changed permission": {set(func(s *model.Settings) { s.Permissions[model.ActionPost] = model.RoleManager }),
			[]string{"set Permissions"}},
		"guidelines that were unpinned": {func(_ *model.Space, s *model.Observed) { s.GuidelinesDigest = "" }, []string{"set Guidelines"}},
		"guidelines that were taken out of the declaration": {func(w *model.Space, _ *model.Observed) { w.Settings.Guidelines = "" },
			[]string{"set Guidelines"}},

		"who is not in the space is added": {func(_ *model.Space, s *model.Observed) { delete(s.Members, "ben") }, []string{"add ben"}},
		"who asks to come in is let in":    {state("ben", model.Asking), []string{"add ben"}},
		"who somebody removed is added":    {state("ben", model.Removed), []string{"add ben"}},
		"who is invited is waited for":     {state("ben", model.Invited), nil},
		"who is invited is added where the platform joins people": {func(w *model.Space, s *model.Observed) {
			w.Joins, s.Members["ben"] = true, model.Invited
		}, []string{"add ben"}},
		"who left by their own choice is not added": {state("ben", model.Left), nil},
		"who left is added where the declaration says so": {func(w *model.Space, s *model.Observed) {
			w.Members[1].Readd, s.Members["ben"] = true, model.Left
		}, []string{"add ben"}},
		"who is banned is not added, whatever the declaration says": {func(w *model.Space, s *model.Observed) {
			w.Members[1].Readd, s.Members["ben"] = true, model.Banned
		}, nil},
		"who is not declared is removed":                 {state("dee", model.Present), []string{"remove dee"}},
		"an invitation of an undeclared is taken back":   {state("dee", model.Invited), []string{"remove dee"}},
		"who only asked is left to the moderators":       {state("dee", model.Asking), nil},
		"who is gone and undeclared is left as they are": {state("dee", model.Left), nil},

		"a role too few is given":               {func(_ *model.Space, s *model.Observed) { delete(s.Roles, "ana") }, []string{"set roles: ana Manager"}},
		"a role too low is raised":              {role("ana", model.RoleModerator), []string{"set roles: ana Manager"}},
		"a role too high is lowered":            {role("cai", model.RoleManager), []string{"set roles: cai Moderator"}},
		"a role too many is taken":              {role("ben", model.RoleModerator), []string{"set roles: ben Member"}},
		"a role of a stranger is taken":         {role("dee", model.RoleModerator), []string{"set roles: dee Member"}},
		"the operator's power is nobody else's": {role("dee", model.RoleOperator), []string{"set roles: dee Member"}},
		"a power that no role has is made one":  {role("ana", model.RoleUnknown), []string{"set roles: ana Manager"}},
	} {
		t.Run(name, func(t *testing.T) {
			want, seen := asDeclared()
			mark := *seen.Mark
			seen.Mark = &mark
			tc.change(&want, seen)
			var texts []string
			for _, op := range plan.Diff(want, seen, "parent") {
				texts = append(texts, op.String())
				NewWithT(t).Expect(op.SpaceID).To(Equal("space"))
			}
			NewWithT(t).Expect(texts).To(Equal(tc.plan))
		})
	}
}

// Power that nobody can tell counts as too much: taking it is urgent, and needs a whole view.
func TestPowerThatIsTakenIsToldFromPowerThatIsGiven(t *testing.T) {
	g := NewWithT(t)
	want, seen := asDeclared()
	delete(seen.Roles, "ana")
	seen.Roles["cai"] = model.RoleManager
	seen.Roles["ben"] = model.RoleUnknown
	ops := plan.Diff(want, seen, "parent")
	g.Expect(ops).To(HaveLen(2))
	g.Expect(ops[0].Lowers).To(BeTrue())
	g.Expect(ops[0].Takes()).To(Equal(plan.Baseline{Roles: 2}), "a manager who becomes a moderator loses a role")
	g.Expect(ops[1].Lowers).To(BeFalse())
	g.Expect(ops[1].Members).To(ConsistOf(model.Member{Account: "ana", Role: model.RoleManager}))
	g.Expect(ops[1].Removes()).To(BeFalse())
}

// on is a memory platform with one space in it, and what applies operations there.
type on struct {
	server  *memory.Server
	adapter platform.Adapter
}

func newOn(t *rapid.T) on {
	server := memory.NewServer(accounts...)
	adapter, err := server.Open(t.Context(), platform.Config{OwnerID: "here"})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return on{server, adapter}
}

func (o on) apply(t *rapid.T, ops []plan.Operation) {
	for _, op := range ops {
		_, err := o.adapter.Apply(t.Context(), op)
		NewWithT(t).Expect(err).NotTo(HaveOccurred(), op.String())
	}
}

func (o on) observe(t *rapid.T, want model.Space) *model.Observed {
	seen, err := o.adapter.Observe(t.Context(), platform.Query{OwnerID: "here", Ref: want.Mark.Ref, Address: want.Address})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return seen.Space
}

// withoutOperator is a wanted space as its platform's normal form has it: our own account is not a member of it.
func withoutOperator(want model.Space) model.Space {
	want.Members = slices.DeleteFunc(slices.Clone(want.Members), func(m model.Member) bool { return m.Account == memory.Operator })
	return want
}

// Promise 9.
func TestAnAppliedPlanLeavesNothingToDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, is, there := withoutOperator(wanted.Draw(t, "want")), seen.Draw(t, "seen"), newOn(t)
		is.ID = there.server.Add(is)
		there.apply(t, plan.Diff(want, &is, "parent"))
		NewWithT(t).Expect(plan.Diff(want, there.observe(t, want), "parent")).To(BeEmpty())
	})
}

func TestASpaceIsMadeInOneRoundAndFilledInTheNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, there := withoutOperator(wanted.Draw(t, "want")), newOn(t)
		there.apply(t, plan.Diff(want, nil, "parent"))
		second := plan.Diff(want, there.observe(t, want), "parent")
		for _, op := range second {
			NewWithT(t).Expect(op.Verb).To(Equal(plan.AddMember), "Create makes everything but members")
		}
		there.apply(t, second)
		NewWithT(t).Expect(plan.Diff(want, there.observe(t, want), "parent")).To(BeEmpty())
	})
}

// What is taken away goes before what is set, and that before what is given.
func TestWhatIsTakenAwayGoesFirst(t *testing.T) {
	turn := func(op plan.Operation) int {
		switch op.Verb {
		case plan.Mark, plan.Restore:
			return 0
		case plan.Set, plan.SetAddress, plan.Link:
			return 2
		default:
			if op.Removes() {
				return 1
			}
			return 3
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		is := seen.Draw(t, "seen")
		ops := plan.Diff(wanted.Draw(t, "want"), &is, "parent")
		NewWithT(t).Expect(slices.IsSortedFunc(ops, func(a, b plan.Operation) int { return turn(a) - turn(b) })).To(BeTrue(), "%v", ops)
	})
}

// A space that is to be closed is closed before anything in it can be seen.
func TestWhatClosesASpaceIsSetFirst(t *testing.T) {
	want, seen := asDeclared()
	seen.Settings, seen.GuidelinesDigest = model.Settings{}, ""
	var fields []plan.Field
	for _, op := range plan.Diff(want, seen, "parent") {
		fields = append(fields, op.Field)
	}
	NewWithT(t).Expect(fields).To(Equal([]plan.Field{
		plan.FieldPermissions, plan.FieldJoin, plan.FieldGuests, plan.FieldServers, plan.FieldHistory, plan.FieldListed,
		plan.FieldDisplayName, plan.FieldTopic, plan.FieldAvatar, plan.FieldGuidelines,
	}))
}

// Promise 7.
func TestEverybodyHasExactlyTheDeclaredRole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, is := wanted.Draw(t, "want"), seen.Draw(t, "seen")
		roles := maps.Clone(is.Roles)
		for _, op := range plan.Diff(want, &is, "parent") {
			if op.Verb != plan.SetRoles {
				continue
			}
			for _, m := range op.Members {
				had := roles[m.Account]
				NewWithT(t).Expect(op.Lowers).To(Equal(had == model.RoleUnknown || m.Role < had), m.Account)
				roles[m.Account] = m.Role
			}
		}
		for _, m := range want.Members {
			NewWithT(t).Expect(roles[m.Account]).To(Equal(m.Role), m.Account)
			delete(roles, m.Account)
		}
		for account, role := range roles {
			NewWithT(t).Expect(role).To(Equal(model.RoleMember), account)
		}
	})
}

func TestWhoIsBannedOrLeftIsNeverAdded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		is := seen.Draw(t, "seen")
		for _, op := range plan.Diff(wanted.Draw(t, "want"), &is, "parent") {
			if op.Verb != plan.AddMember {
				continue
			}
			m := op.Members[0]
			NewWithT(t).Expect(is.Members[m.Account]).NotTo(Equal(model.Banned), m.Account)
			if is.Members[m.Account] == model.Left {
				NewWithT(t).Expect(m.Readd).To(BeTrue(), m.Account)
			}
		}
	})
}

func TestDiffLeavesWhatItIsGivenAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want, is := wanted.Draw(t, "want"), seen.Draw(t, "seen")
		members, roles, states := slices.Clone(want.Members), maps.Clone(is.Roles), maps.Clone(is.Members)
		plan.Diff(want, &is, "parent")
		NewWithT(t).Expect(want.Members).To(Equal(members))
		NewWithT(t).Expect(is.Roles).To(Equal(roles))
		NewWithT(t).Expect(is.Members).To(Equal(states))
	})
}
