// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// Why says why an operation is held back.
type Why string

// The reasons.
const (
	// Undeclared: somebody is in the space who is not declared, and the declaration is a floor.
	Undeclared Why = "Undeclared"
	// Incomplete: not everything could be read, so nothing is taken away.
	Incomplete Why = "Incomplete"
	// OverBudget: more would be taken away than the budget allows.
	OverBudget Why = "OverBudget"
	// OurselvesKept: the operation concerns the operator's own account.
	OurselvesKept Why = "OurselvesKept"
)

// Held is an operation that is not applied now.
type Held struct {
	Operation Operation
	Why       Why
}

// Budget is how much may be taken away in one plan.
type Budget struct {
	Percent int
	Count   int
	Floor   int
}

// Allowed is min(count, max(floor, percent of the baseline)).
func (b Budget) Allowed(baseline int) int {
	return min(b.Count, max(b.Floor, baseline*b.Percent/100))
}

// Safety is what the filters need to know.
type Safety struct {
	// Complete says that the space and everything that its members come from could be read.
	Complete bool
	// Exclusive says that the declared members are the exact list.
	Exclusive bool
	// Operator is our own account.
	Operator string
	Budget   Budget
	// Baseline is the number of people in the space, and of roles above Member, when the budget's window began.
	Baseline Baseline
	// Spent is what was taken away in the window already.
	Spent Baseline
}

// Baseline is what a removal budget is a percentage of.
type Baseline struct {
	Members int
	Roles   int
}

// BaselineOf counts who is in the space and who has a role in it.
func BaselineOf(seen *model.Observed) Baseline {
	if seen == nil {
		return Baseline{}
	}
	b := Baseline{Roles: len(seen.Roles)}
	for _, state := range seen.Members {
		if state == model.Present || state == model.Invited {
			b.Members++
		}
	}
	return b
}

// Filter holds back what is not safe to apply. It keeps the order, and never
// adds anything.
func Filter(ops []Operation, s Safety) (apply []Operation, held []Held) {
	left := Baseline{
		Members: max(s.Budget.Allowed(s.Baseline.Members)-s.Spent.Members, 0),
		Roles:   max(s.Budget.Allowed(s.Baseline.Roles)-s.Spent.Roles, 0),
	}
	for _, op := range ops {
		op, ourselves, others := withoutOurselves(op, s.Operator)
		held = append(held, ourselves...)
		switch {
		case !others:
		case op.Verb == SetRoles:
			kept, back := budgetRoles(op, s.Complete, &left.Roles)
			if len(kept.Members) > 0 {
				apply = append(apply, kept)
			}
			held = append(held, back...)
		case op.Verb == RemoveMember && !s.Exclusive:
			held = append(held, Held{op, Undeclared})
		case op.Removes() && !s.Complete:
			held = append(held, Held{op, Incomplete})
		case op.Takes().Members > left.Members:
			held = append(held, Held{op, OverBudget})
		default:
			left.Members -= op.Takes().Members
			apply = append(apply, op)
		}
	}
	return apply, held
}

// withoutOurselves takes the operator's account out of an operation; others
// says whether anything is left of it. A space is made without a word about
// ourselves; that we were declared shows in the next plan, which holds us back.
func withoutOurselves(op Operation, operator string) (rest Operation, ourselves []Held, others bool) {
	if operator == "" {
		return op, nil, true
	}
	us := func(m model.Member) bool { return m.Account == operator }
	if op.Verb == Create && slices.ContainsFunc(op.Space.Members, us) {
		op.Space.Members = slices.DeleteFunc(slices.Clone(op.Space.Members), us)
	}
	if !slices.ContainsFunc(op.Members, us) {
		return op, nil, true
	}
	rest, about := op, op
	rest.Members = slices.DeleteFunc(slices.Clone(op.Members), us)
	about.Members = slices.DeleteFunc(slices.Clone(op.Members), func(m model.Member) bool { return !us(m) })
	return rest, []Held{{about, OurselvesKept}}, len(rest.Members) > 0
}

// budgetRoles holds back the roles that would be taken away without a whole
// view or beyond the budget; a raised role is no removal.
func budgetRoles(op Operation, complete bool, left *int) (kept Operation, held []Held) {
	kept = op
	kept.Members = nil
	for _, m := range op.Members {
		one := op
		one.Members = []model.Member{m}
		switch taken := one.Takes().Roles; {
		case taken > 0 && !complete:
			held = append(held, Held{one, Incomplete})
		case taken > *left:
			held = append(held, Held{one, OverBudget})
		default:
			*left -= taken
			kept.Members = append(kept.Members, m)
		}
	}
	return kept, held
}

// Describe says what is held back for a reason, in words for a condition. It
// counts people and does not name them.
func Describe(held []Held, why Why) string {
	var members, roles, spaces int
	for _, h := range held {
		switch {
		case h.Why != why:
		case h.Operation.Verb == RemoveMember:
			members += len(h.Operation.Members)
		case h.Operation.Verb == SetRoles:
			roles += len(h.Operation.Members)
		case h.Operation.Removes():
			spaces++
		}
	}
	var parts []string
	for _, part := range []struct {
		count     int
		one, many string
	}{{members, "member", "members"}, {roles, "role", "roles"}, {spaces, "space", "spaces"}} {
		switch part.count {
		case 0:
		case 1:
			parts = append(parts, "1 "+part.one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", part.count, part.many))
		}
	}
	return strings.Join(parts, " and ")
}
