// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

var normal = section("What a platform can hold",
	feature("brings a wanted space to a form that stays as it is", func(ctx context.Context, s *stage) {
		for _, parent := range []*model.Space{nil, {}} {
			for i := range 400 {
				want := varied(i, parent)
				once, _ := s.Normalize(want)
				twice, _ := s.Normalize(once)
				Expect(twice).To(Equal(once))
				Expect(want).To(Equal(varied(i, parent)), "what is wanted is left alone")
			}
		}
		Expect(ctx.Err()).NotTo(HaveOccurred())
	}),

	feature("says of everything that it takes away that it does", Label("promise 8"), func(ctx context.Context, s *stage) {
		parts := []aspect{listing, ownServer, blocked, history, guests, joining(model.JoinAnybody)}
		for _, action := range model.Actions() {
			if action != model.ActionGovern {
				parts = append(parts, permitting(action))
			}
		}
		for _, parent := range []*model.Space{nil, {}} {
			for i := range 400 {
				want := varied(i, parent)
				got, losses := s.Normalize(want)
				for _, part := range parts {
					if part.of(got) != part.of(want) && s.lossOf(losses, part, false) == nil {
						fail(s.silent(part, want, got, losses))
					}
				}
				for _, loss := range losses {
					Expect(loss.Setting).NotTo(BeEmpty())
					Expect(loss.Message).NotTo(BeEmpty())
				}
			}
		}
		Expect(ctx.Err()).NotTo(HaveOccurred())
	}),

	feature("holds nothing that its probe denies", func(ctx context.Context, s *stage) {
		for _, part := range []struct {
			aspect
			change change
		}{
			{joining(model.JoinRequest), func(w *model.Space) { w.Settings.Join = model.JoinRequest }},
			{joining(model.JoinParentMembers), func(w *model.Space) { w.Settings.Join = model.JoinParentMembers }},
			{blocked, func(w *model.Space) { w.Settings.Servers.Blocked = []string{"*.evil.example"} }},
			{permitting(model.ActionPost), func(w *model.Space) {
				w.Settings.Permissions = map[model.Action]model.Role{model.ActionPost: model.RoleManager}
			}},
		} {
			if s.info.Capabilities[part.needs].State == platform.Supported {
				continue
			}
			want := groupOf(community(), part.change)
			got, _ := s.Normalize(want)
			Expect(part.of(got)).NotTo(Equal(part.of(want)), "%s is denied, and %s is held", part.needs, part.setting)
		}
		Expect(ctx.Err()).NotTo(HaveOccurred())
	}),

	feature("refuses a name that can't be, without asking the server", func(ctx context.Context, s *stage) {
		before := s.wire.reads() + s.wire.writes()
		_, losses := s.Normalize(community(func(w *model.Space) { w.Address = strings.Repeat("long", 100) }))
		Expect(losses).To(ContainElement(And(HaveField("Setting", "spaceName"), HaveField("Fatal", true))))
		Expect(s.wire.reads() + s.wire.writes()).To(Equal(before))
		Expect(ctx.Err()).NotTo(HaveOccurred())
	}),

	feature("takes nobody for the operator, and the operator for nobody", Label("promise 7"), func(ctx context.Context, s *stage) {
		p := s.somebody(ctx)
		want := community(withMembers([]model.Member{
			{Account: p.account(), Role: model.RoleOperator}, {Account: s.info.Account, Role: model.RoleManager},
		}))
		got, _ := s.Normalize(want)
		for _, m := range got.Members {
			Expect(m.Account).NotTo(Equal(s.info.Account))
			Expect(m.Role).To(BeNumerically("<", model.RoleOperator))
		}
	}),

	ofBoth("reads back all kinds of space as they were written", func(ctx context.Context, s *stage, kind model.Kind) {
		var parent *model.Space
		if kind == model.KindGroup {
			town := s.inTown(ctx)
			parent = &town
		}
		for i := 0; i < len(variedTexts); i += 4 {
			s.makesAll(ctx, varied(i, parent), varied(i+1, parent), varied(i+2, parent), varied(i+3, parent))
		}
	}),
)

// The values that varied goes through. Each list has a length that has nothing
// in common with the others, so that all pairs come up.
var (
	variedNames = []string{
		"Plain", "Ünïcödé and 日本語 🎉", "<b>&amp;\"quotes\"</b>", "  space around  ", "*stars* and `ticks`", "@all #tags ~names /slash",
		strings.Repeat("long ", 200),
	}
	variedTexts = []string{
		"", "What it is for", "Two\nlines", "Trailing newline\n", "\"Quotes\" & <tags>", "  indented\n\n\n- a\n- b  ",
		"Windows\r\nlines", "日本語 🎉 " + strings.Repeat("é", 300), "https://example.org/?a=b&c=d#e", strings.Repeat("many words ", 500),
		"a\ttab",
	}
	variedJoins = []model.JoinRule{model.JoinAnybody, model.JoinRequest, model.JoinInvite}
	variedRoles = []model.Role{model.RoleMember, model.RoleModerator, model.RoleManager, model.RoleMember, model.RoleModerator}
)

// varied is the ith of many different wanted spaces; parent is a group's
// community. The same is always the same, but for its name.
func varied(i int, parent *model.Space) model.Space {
	name := "varied-" + strings.Repeat("x", i%7) + "-" + run
	want := model.Space{
		Mark:    model.Mark{OwnerID: owner, Ref: model.Ref{Kind: model.KindCommunity, Namespace: "conformance", Name: ordinal(name, i)}},
		Address: ordinal(name, i),
		Settings: model.Settings{
			DisplayName: variedNames[i%len(variedNames)], Topic: oneLine(variedTexts[i%len(variedTexts)]),
			Join: variedJoins[i%len(variedJoins)], Listed: i%2 == 0, History: model.HistoryEverything, Guests: model.GuestsForbidden,
			Guidelines: variedTexts[(i+3)%len(variedTexts)], Permissions: map[model.Action]model.Role{model.ActionGovern: model.RoleOperator},
		},
	}
	for n, action := range model.Actions() {
		if action != model.ActionGovern {
			want.Settings.Permissions[action] = variedRoles[(i+n)%len(variedRoles)]
		}
	}
	if i%4 == 1 {
		want.Settings.History = model.HistorySinceJoining
	}
	if i%8 == 3 {
		want.Settings.Guests = model.GuestsAllowed
	}
	if i%3 == 0 {
		want.Settings.Servers.OwnOnly = true
	}
	if i%5 == 0 {
		want.Settings.Servers.Blocked = []string{"*.evil.example", "worse.example"}
	}
	if parent != nil {
		want.Parent = &parent.Mark.Ref
		want.Mark.Ref.Kind = model.KindGroup
		want.Address = "group-" + want.Address
		want.Settings.Listed = false
		if i%4 == 2 {
			want.Settings.Join = model.JoinParentMembers
		}
	}
	return want
}

func ordinal(name string, i int) string {
	return strings.Join([]string{name, string(rune('a' + i/26%26)), string(rune('a' + i%26))}, "-")
}

// oneLine is what desired makes of a purpose.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
