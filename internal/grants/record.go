// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package grants is the record of what Cabildo granted in a space: whom it
// added, so that "we added this person" can be told from "joined alone" and
// "left by their own choice", and how much was taken away in the window of the
// space's removal budget. It is pure; package controllers keeps the records.
//
// Accounts are given by what stays of them when they are renamed.
//
// Nothing in a record is readable about a person: an account is an HMAC of its
// name, and a record can only be asked about accounts that are known from
// elsewhere.
package grants

import (
	"crypto/hmac"
	"crypto/sha256"
	"maps"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// Key is the secret under which accounts are hidden in every record of an installation.
type Key []byte

// KeySize is the length of a key in bytes.
const KeySize = 32

// account is how an account is named in a record: the first half of its HMAC.
type account [16]byte

// state is how far a grant is.
type state uint8

const (
	// given: we were about to add them. A crash may have kept it from happening.
	given state = iota + 1
	// taken: they were seen in the space afterwards, or invited to it.
	taken
	// declined: they were in the space, and left it by their own choice.
	declined
)

// grant is what is known about one account.
type grant struct {
	state state
	role  model.Role
	// at is when it was given, in seconds since 1970.
	at uint32
}

// Record is what was granted in one space.
type Record struct {
	// ID tells this record from another one that was put in its place.
	ID string
	// Partial says that an earlier record of the space was lost: who was added before is not known to be ours, and
	// nothing is taken away but what this record knows.
	Partial bool
	// Window is what was taken away under the removal budget.
	Window Window
	// Space is the platform's ID of the space that the record is about; empty while there is none.
	Space string
	// Replaces is the ID of the record that was given up for this one, on purpose.
	Replaces string

	key      Key
	accounts map[account]grant
	// counted are the operations that were counted in the window and may not have been done: a crash can come in between.
	counted map[account]struct{}
}

// Window is the spend of a removal budget since it began.
type Window struct {
	// Began is zero when nothing was taken away yet.
	Began time.Time `json:"began,omitzero"`
	// BaselineMembers and BaselineRoles are what was there when it began.
	BaselineMembers int `json:"baselineMembers,omitempty"`
	BaselineRoles   int `json:"baselineRoles,omitempty"`
	// Members and Roles are what was taken away since.
	Members int `json:"members,omitempty"`
	Roles   int `json:"roles,omitempty"`
}

// New is an empty record with this ID.
func New(key Key, id string) *Record {
	return &Record{ID: id, key: key, accounts: map[account]grant{}, counted: map[account]struct{}{}}
}

// Size is the number of accounts in the record.
func (r *Record) Size() int { return len(r.accounts) }

// hide is the account's name in this record. The record's ID is in it, so that
// one person can't be followed from space to space.
func (r *Record) hide(name string) account {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(r.ID))
	mac.Write([]byte{0})
	mac.Write([]byte(name))
	return account(mac.Sum(nil)[:16])
}

// Give notes that a member is about to be added or given a role. It is to be
// kept before that is done, so that a crash in between loses no grant.
func (r *Record) Give(m model.Member, now time.Time) (changed bool) {
	name := r.hide(m.Account)
	before, known := r.accounts[name]
	if known && before.state != declined && before.role == m.Role {
		return false
	}
	// The number of seconds fits until 2106.
	g := grant{state: given, role: m.Role, at: uint32(now.Unix())} //nolint:gosec // see above
	if known && before.state == taken {
		g.state, g.at = taken, before.at
	}
	r.accounts[name] = g
	return true
}

// Bind notes which space the record is about. In the successor of the space that
// it was about, who took a grant may not be yet, and has not declined it.
func (r *Record) Bind(space string) {
	if r.Space != "" && r.Space != space {
		for name, g := range r.accounts {
			if g.state == taken {
				g.state = given
				r.accounts[name] = g
			}
		}
	}
	r.Space = space
}

// Rename keeps what is known of an account under another name from now on, unless something is known under that already.
func (r *Record) Rename(from, to string) {
	if from == to {
		return
	}
	before, after := r.hide(from), r.hide(to)
	g, known := r.accounts[before]
	if !known {
		return
	}
	delete(r.accounts, before)
	if _, there := r.accounts[after]; !there {
		r.accounts[after] = g
	}
}

// Granted says whether an account is in the space because we added it.
func (r *Record) Granted(name string) bool {
	g, known := r.accounts[r.hide(name)]
	return known && g.state != declined
}

// Declined says whether an account that we added left by its own choice.
func (r *Record) Declined(name string) bool { return r.accounts[r.hide(name)].state == declined }

// Count notes that an operation is counted in the window, before it is done. It
// returns false for one that was counted already: stopped in between, it is
// done now and costs nothing more.
func (r *Record) Count(operation string) bool {
	name := r.hide(operation)
	if _, already := r.counted[name]; already {
		return false
	}
	r.counted[name] = struct{}{}
	return true
}

// Uncount takes back that an operation was counted; false when it was not.
func (r *Record) Uncount(operation string) bool {
	name := r.hide(operation)
	_, was := r.counted[name]
	delete(r.counted, name)
	return was
}

// Counted says whether an operation was counted and may still have to be done.
func (r *Record) Counted(operation string) bool {
	_, was := r.counted[r.hide(operation)]
	return was
}

// Settle notes that everything that was counted is done.
func (r *Record) Settle() { clear(r.counted) }

// Meet brings the record in line with the members that a whole view shows and
// the accounts that are declared. Who was added and is there has taken the
// grant; who took it and is gone without having been removed has declined it.
// Who is neither declared nor there is forgotten, which bounds the record.
func (r *Record) Meet(seen map[string]model.Membership, declared []model.Member) (changed bool) {
	if len(r.accounts) == 0 {
		return false
	}
	kept := make(map[account]grant, len(r.accounts))
	keep := func(name string, next func(grant) (grant, bool)) {
		hidden := r.hide(name)
		if g, known := r.accounts[hidden]; known {
			if g, stays := next(g); stays {
				kept[hidden] = g
			}
		}
	}
	wanted := make(map[string]bool, len(declared))
	for _, m := range declared {
		wanted[m.Account] = true
		if _, there := seen[m.Account]; there {
			continue
		}
		keep(m.Account, func(g grant) (grant, bool) {
			if g.state == taken {
				g.state = declined
			}
			return g, true
		})
	}
	for name, membership := range seen {
		keep(name, func(g grant) (grant, bool) {
			switch membership {
			case model.Present, model.Invited:
				came := g.state == declined // back, by themselves
				g.state = taken
				return g, !came
			case model.Left:
				g.state = declined
				return g, wanted[name]
			default: // removed or banned: what we gave is gone
				return g, false
			}
		})
	}
	changed = !maps.Equal(kept, r.accounts)
	r.accounts = kept
	return changed
}
