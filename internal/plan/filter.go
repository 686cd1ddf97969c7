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
	// Undeclared: somebody is in the space who is not declared, the declaration is a floor, and it was not us who added them.
	Undeclared Why = "Undeclared"
	// Incomplete: not everything could be read, so nothing is taken away.
	Incomplete Why = "Incomplete"
	// RecordLost: it is not known any more what was granted, so nothing else is taken away.
	RecordLost Why = "RecordLost"
	// OverBudget: more would be taken away than the budget allows without a person's word, or it waits for that already.
	OverBudget Why = "OverBudget"
	// Delegated: something else on the platform decides who is in the space.
	Delegated Why = "Delegated"
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
	// Granted says whether an account is in the space because we added it; nil says so of nobody.
	Granted func(account string) bool
	// Left says that an account is of somebody who has left the organisation. It is known whatever else is not, and
	// who was let go loses access now: no budget and no open question keeps them in. nil says so of nobody.
	Left func(account string) bool
	// RecordLost says that earlier grants are not known any more.
	RecordLost bool
	// Delegated is what else decides who is in the space; nil when nothing does.
	Delegated *model.Delegation
	Budget    Budget
	// Baseline is the number of people in the space, and of roles above Member, when the budget's window began.
	Baseline Baseline
	// Spent is what was taken away in the window already.
	Spent Baseline
	// SpacesLeft is how many spaces may still be archived or deleted on the platform.
	SpacesLeft int
	// Approved and Waiting say of an operation on one account, by its String, that a person let it happen, and
	// that it waits for a person's word: then no budget lets it through. nil says so of none.
	Approved, Waiting func(operation string) bool
}

// Baseline is what a removal budget is a percentage of.
type Baseline struct {
	Members int
	Roles   int
	Spaces  int
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
	f := filter{Safety: s, out: map[string]bool{}, left: Baseline{
		Members: max(s.Budget.Allowed(s.Baseline.Members)-s.Spent.Members, 0),
		Roles:   max(s.Budget.Allowed(s.Baseline.Roles)-s.Spent.Roles, 0),
		Spaces:  max(s.SpacesLeft, 0),
	}}
	for _, op := range ops {
		op, ourselves, others := withoutOurselves(op, s.Operator)
		held = append(held, ourselves...)
		if !others {
			continue
		}
		kept, back := f.judge(op)
		held = append(held, back...)
		if kept != nil {
			apply = append(apply, *kept)
		}
	}
	return apply, held
}

type filter struct {
	Safety
	left Baseline
	// out are the accounts whose addition is held back.
	out map[string]bool
}

// judge splits an operation into what may be applied of it and what is held
// back: one that concerns several accounts is judged account by account.
func (f *filter) judge(op Operation) (kept *Operation, held []Held) {
	rest := op
	rest.Members = nil
	for _, one := range op.Each() {
		if why := f.holds(one); why != "" {
			held = append(held, Held{one, why})
			continue
		}
		rest.Members = append(rest.Members, one.Members...)
		kept = &rest
	}
	return kept, held
}

// holds says why an operation on at most one account is held back, or counts
// it against what is left of the budget.
func (f *filter) holds(op Operation) Why {
	takes := op.Takes()
	granted := len(op.Members) == 1 && f.Granted != nil && f.Granted(op.Members[0].Account)
	switch {
	case op.Verb == RemoveMember && !f.Exclusive && !granted:
		return Undeclared
	case f.isDelegated(op):
		return Delegated
	case takes == Baseline{}:
		return ""
	case op.Verb == RemoveMember && f.Left != nil && f.Left(op.Members[0].Account):
		return ""
	case !f.Complete:
		return Incomplete
	case f.RecordLost && takes.Spaces == 0 && !granted:
		return RecordLost
	case f.Approved != nil && f.Approved(op.String()):
		return ""
	case f.Waiting != nil && f.Waiting(op.String()):
		return OverBudget
	case takes.Members > f.left.Members, takes.Roles > f.left.Roles, takes.Spaces > f.left.Spaces:
		return OverBudget
	}
	f.left.Members -= takes.Members
	f.left.Roles -= takes.Roles
	f.left.Spaces -= takes.Spaces
	return ""
}

// isDelegated says that an operation is not ours to do: something else decides
// who comes in and who stays. Who has left the organisation is taken out all the
// same where the platform allows it. Nobody gets a role who was not let in.
func (f *filter) isDelegated(op Operation) bool {
	if f.Delegated == nil || len(op.Members) != 1 {
		return false
	}
	account := op.Members[0].Account
	switch op.Verb {
	case AddMember:
		f.out[account] = true
		return true
	case RemoveMember:
		return f.Delegated.Alone || f.Left == nil || !f.Left(account)
	case SetRoles:
		return f.Delegated.Alone || f.out[account]
	default:
		return false
	}
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
