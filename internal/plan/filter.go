// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"

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
	members := max(s.Budget.Allowed(s.Baseline.Members)-s.Spent.Members, 0)
	roles := max(s.Budget.Allowed(s.Baseline.Roles)-s.Spent.Roles, 0)
	for _, op := range ops {
		op, ourselves := withoutOurselves(op, s.Operator)
		held = append(held, ourselves...)
		switch {
		case op.Verb == "":
		case op.Verb == RemoveMember && !s.Exclusive:
			held = append(held, Held{op, Undeclared})
		case op.Verb == RemoveMember && !s.Complete:
			held = append(held, Held{op, Incomplete})
		case op.Verb == RemoveMember && members == 0:
			held = append(held, Held{op, OverBudget})
		case op.Verb == RemoveMember:
			members--
			apply = append(apply, op)
		case op.Verb == SetRoles:
			kept, back := budgetRoles(op, s.Complete, &roles)
			if len(kept.Members) > 0 {
				apply = append(apply, kept)
			}
			held = append(held, back...)
		default:
			apply = append(apply, op)
		}
	}
	return apply, held
}

// withoutOurselves takes the operator's account out of an operation. What is
// left of it may be nothing: an operation without a verb.
func withoutOurselves(op Operation, operator string) (Operation, []Held) {
	i := slices.IndexFunc(op.Members, func(m model.Member) bool { return m.Account == operator })
	if operator == "" || i < 0 {
		return op, nil
	}
	about := op
	about.Members = op.Members[i : i+1]
	op.Members = slices.Delete(slices.Clone(op.Members), i, i+1)
	if len(op.Members) == 0 {
		op = Operation{}
	}
	return op, []Held{{about, OurselvesKept}}
}

// budgetRoles holds back the roles that would be taken away without a whole
// view or beyond the budget; a raised role is no removal.
func budgetRoles(op Operation, complete bool, allowed *int) (Operation, []Held) {
	var held []Held
	kept := op
	kept.Members = nil
	for _, m := range op.Members {
		why := Why("")
		if m.Role == model.RoleMember {
			switch {
			case !complete:
				why = Incomplete
			case *allowed == 0:
				why = OverBudget
			default:
				*allowed--
			}
		}
		if why == "" {
			kept.Members = append(kept.Members, m)
			continue
		}
		back := op
		back.Members = []model.Member{m}
		held = append(held, Held{back, why})
	}
	return kept, held
}

// Describe says what is held back for a reason, in words for a condition. It
// counts people and does not name them.
func Describe(held []Held, why Why) string {
	var members, roles int
	for _, h := range held {
		if h.Why != why {
			continue
		}
		if h.Operation.Verb == RemoveMember {
			members++
		} else {
			roles += len(h.Operation.Members)
		}
	}
	switch {
	case members > 0 && roles > 0:
		return fmt.Sprintf("%d members and %d roles", members, roles)
	case roles > 0:
		return fmt.Sprintf("%d roles", roles)
	case members > 0:
		return fmt.Sprintf("%d members", members)
	default:
		return ""
	}
}
