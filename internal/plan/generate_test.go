// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"cmp"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

// What is drawn here has few values, so that what is wanted and what is seen
// meet often.

var (
	ours      = model.Ref{Kind: model.KindGroup, Namespace: "town", Name: "market"}
	community = model.Ref{Kind: model.KindCommunity, Namespace: "town", Name: "square"}
	accounts  = []string{"@ana:x", "@ben:x", "@cai:x", "@dee:x", "@eve:x", memory.Operator}
)

func oneOf[T any](values ...T) *rapid.Generator[T] { return rapid.SampledFrom(values) }

// someSettings are settings that can be wanted.
var someSettings = rapid.Custom(func(t *rapid.T) model.Settings {
	s := model.Settings{
		DisplayName: oneOf("Market", "Square").Draw(t, "displayName"),
		Topic:       oneOf("", "We meet here").Draw(t, "topic"),
		Avatar:      oneOf("", "mxc://x/a").Draw(t, "avatar"),
		Join: oneOf(model.JoinAnybody, model.JoinParentMembers, model.JoinRequest, model.JoinInvite).
			Draw(t, "join"),
		Listed:  rapid.Bool().Draw(t, "listed"),
		History: oneOf(model.HistoryEverything, model.HistorySinceJoining).Draw(t, "history"),
		Guests:  oneOf(model.GuestsAllowed, model.GuestsForbidden).Draw(t, "guests"),
		Servers: model.Servers{
			OwnOnly: rapid.Bool().Draw(t, "ownOnly"),
			Blocked: oneOf(nil, []string{"a.x"}, []string{"a.x", "b.x"}).Draw(t, "blocked"),
		},
		Permissions: map[model.Action]model.Role{},
		Guidelines:  oneOf("", "Be kind", "Be brief").Draw(t, "guidelines"),
	}
	for _, action := range model.Actions() {
		s.Permissions[action] = oneOf(model.RoleMember, model.RoleManager).Draw(t, string(action))
	}
	return s
})

// wanted is a space as it can be declared.
var wanted = rapid.Custom(func(t *rapid.T) model.Space {
	want := model.Space{
		Mark:     model.Mark{OwnerID: "here", Ref: ours, Official: rapid.Bool().Draw(t, "official")},
		Parent:   oneOf(nil, &community).Draw(t, "parent"),
		Address:  oneOf("square-market", "square-fair").Draw(t, "address"),
		Settings: someSettings.Draw(t, "settings"),
		Joins:    rapid.Bool().Draw(t, "joins"),
	}
	for _, account := range accounts {
		if rapid.Bool().Draw(t, account) {
			want.Members = append(want.Members, model.Member{
				Account: account,
				Role:    oneOf(model.RoleMember, model.RoleModerator, model.RoleManager).Draw(t, "role"),
				Readd:   rapid.Bool().Draw(t, "readd"),
			})
		}
	}
	slices.SortFunc(want.Members, func(a, b model.Member) int { return cmp.Compare(a.Account, b.Account) })
	return want
})

// seen is a space as people can have left it: also with what can't be wanted.
var seen = rapid.Custom(func(t *rapid.T) model.Observed {
	s := model.Observed{
		ID: "space", Archived: rapid.Bool().Draw(t, "archived"),
		Address: oneOf("", "square-market", "square-old").Draw(t, "address"),
		Linked:  rapid.Bool().Draw(t, "linked"), Settings: someSettings.Draw(t, "settings"),
		Members: map[string]model.Membership{}, Roles: map[string]model.Role{},
		Mark: oneOf(nil, &model.Mark{OwnerID: "here", Ref: ours}, &model.Mark{OwnerID: "here", Ref: ours, Released: true}).
			Draw(t, "mark"),
	}
	if rapid.Bool().Draw(t, "foreign") {
		s.Settings.Join, s.Settings.History, s.Settings.Servers.Other = model.JoinOther, model.HistoryOther, true
		delete(s.Settings.Permissions, model.ActionPin)
	}
	s.GuidelinesDigest = model.Digest(s.Settings.Guidelines)
	for _, account := range append(slices.Clone(accounts[:len(accounts)-1]), "@fay:x", "@gus:x") {
		if state := someMembership.Draw(t, account); state != "" {
			s.Members[account] = state
		}
		role := oneOf(model.RoleUnknown, model.RoleMember, model.RoleModerator, model.RoleManager, model.RoleOperator)
		if r := role.Draw(t, account+" is"); r != model.RoleMember {
			s.Roles[account] = r
		}
	}
	return s
})

var someMembership = oneOf("", model.Present, model.Invited, model.Asking, model.Left, model.Removed, model.Banned)

// someSafety has every limit, also ones that the API refuses.
var someSafety = rapid.Custom(func(t *rapid.T) plan.Safety {
	number := func(name string) int { return rapid.IntRange(-2, 6).Draw(t, name) }
	// Accounts and operations have few texts, so a few letters pick some of them.
	some := func(name string) func(string) bool {
		letters := rapid.StringMatching(`[abcdefg]{0,3}`).Draw(t, name)
		return func(text string) bool { return letters != "" && strings.ContainsAny(text, letters) }
	}
	return plan.Safety{
		Granted: some("granted"), Approved: some("approved"), Waiting: some("waiting"),
		RecordLost: rapid.Bool().Draw(t, "recordLost"), SpacesLeft: number("spacesLeft"),
		Complete:  rapid.Bool().Draw(t, "complete"),
		Exclusive: rapid.Bool().Draw(t, "exclusive"),
		Operator:  oneOf("", memory.Operator).Draw(t, "operator"),
		Budget: plan.Budget{
			Percent: rapid.IntRange(-10, 100).Draw(t, "percent"), Count: number("count"), Floor: number("floor"),
		},
		Baseline: plan.Baseline{Members: rapid.IntRange(0, 20).Draw(t, "members"), Roles: rapid.IntRange(0, 20).Draw(t, "roles")},
		Spent:    plan.Baseline{Members: rapid.IntRange(0, 3).Draw(t, "spent members"), Roles: rapid.IntRange(0, 3).Draw(t, "spent roles")},
	}
})

// someOperations are a plan, or what no plan has: any operations in any order.
var someOperations = rapid.Custom(func(t *rapid.T) []plan.Operation {
	want := wanted.Draw(t, "want")
	if rapid.Bool().Draw(t, "planned") {
		is := seen.Draw(t, "seen")
		return plan.Diff(want, oneOf(nil, &is).Draw(t, "there"), "parent")
	}
	var ops []plan.Operation
	for range rapid.IntRange(0, 8).Draw(t, "operations") {
		op := plan.Operation{SpaceID: "space", Space: want, Verb: oneOf(
			plan.Create, plan.Mark, plan.Release, plan.Archive, plan.Restore, plan.Delete, plan.Set, plan.SetAddress,
			plan.Link, plan.AddMember, plan.RemoveMember, plan.SetRoles).Draw(t, "verb")}
		many := 1
		switch op.Verb {
		case plan.Set:
			op.Field = oneOf(plan.FieldJoin, plan.FieldTopic).Draw(t, "field")
			many = 0
		case plan.AddMember, plan.RemoveMember:
		case plan.SetRoles:
			many = 4
			op.Lowers = rapid.Bool().Draw(t, "lowers")
		default:
			many = 0
		}
		for range rapid.IntRange(min(many, 1), many).Draw(t, "members") {
			op.Members = append(op.Members, model.Member{
				Account: oneOf(accounts...).Draw(t, "account"),
				Role:    oneOf(model.RoleMember, model.RoleModerator, model.RoleManager).Draw(t, "role"),
			})
		}
		ops = append(ops, op)
	}
	return ops
})

// step is what one operation does to one account, or to the space.
type step struct {
	verb    plan.Verb
	field   plan.Field
	account string
	role    model.Role
}

// steps takes operations apart, so that they can be compared when a filter has split one.
func steps(ops ...plan.Operation) []step {
	var all []step
	for _, op := range ops {
		if len(op.Members) == 0 {
			all = append(all, step{op.Verb, op.Field, "", 0})
		}
		for _, m := range op.Members {
			all = append(all, step{op.Verb, op.Field, m.Account, m.Role})
		}
	}
	return all
}
