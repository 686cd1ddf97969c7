// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// Losses collects what a platform can't hold.
type Losses []Loss

// Add notes a setting that is changed or left out.
func (l *Losses) Add(setting, format string, args ...any) {
	*l = append(*l, Loss{Setting: setting, Message: fmt.Sprintf(format, args...)})
}

// Unlicensed notes a setting that the server could hold with a licence.
func (l *Losses) Unlicensed(setting, format string, args ...any) {
	*l = append(*l, Loss{Setting: setting, State: Unlicensed, Message: fmt.Sprintf(format, args...)})
}

// Partial notes a setting of which the platform holds a part.
func (l *Losses) Partial(setting, format string, args ...any) {
	*l = append(*l, Loss{Setting: setting, State: Partial, Message: fmt.Sprintf(format, args...)})
}

// Fatal notes a name that the platform refuses.
func (l *Losses) Fatal(setting, format string, args ...any) {
	*l = append(*l, Loss{Setting: setting, Message: fmt.Sprintf(format, args...), Fatal: true})
}

// Unit is what a platform counts the length of a text in.
type Unit string

// The units.
const (
	Bytes Unit = "bytes"
	Runes Unit = "characters"
)

func (u Unit) count(s string) int {
	if u == Bytes {
		return len(s)
	}
	return utf8.RuneCountInString(s)
}

// Cut is the longest beginning of a text that has at most so many units.
func (u Unit) Cut(s string, most int) string {
	n := 0
	for at, r := range s {
		if n += u.count(string(r)); n > most {
			return s[:at]
		}
	}
	return s
}

// Text is a text without control characters and space around it, cut to a number of units.
func Text(s string, most int, in Unit, lines bool, setting string, lost *Losses) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && lines, r == '\t' && lines:
			return r
		case unicode.IsSpace(r) && r != ' ' && !lines:
			return ' '
		case unicode.IsControl(r):
			return -1
		default:
			return r
		}
	}, s)
	s = strings.TrimSpace(s)
	if n := in.count(s); n > most {
		lost.Add(setting, "has %d %s and is cut to %d", n, in, most)
		s = strings.TrimSpace(in.Cut(s, most))
	}
	return s
}

// NormalMembers are each account once, with the highest of its roles, below
// the operator's, and without the operator's own account.
func NormalMembers(want []model.Member, us string, lost *Losses) []model.Member {
	members := slices.Clone(want)
	slices.SortStableFunc(members, func(a, b model.Member) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), cmp.Compare(b.Role, a.Role))
	})
	members = slices.CompactFunc(members, func(a, b model.Member) bool { return a.Account == b.Account })
	for i, m := range members {
		members[i].Role = max(m.Role, model.RoleMember)
		if m.Role >= model.RoleOperator {
			lost.Add("members", "%s can't be an operator and is a manager instead", m.Account)
			members[i].Role = model.RoleManager
		}
	}
	return slices.DeleteFunc(members, func(m model.Member) bool {
		if us != "" && m.Account == us {
			lost.Add("members", "%s is the operator's own account, which is in every space", m.Account)
			return true
		}
		return false
	})
}
