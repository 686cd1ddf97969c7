// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package model is the platform-neutral vocabulary: spaces, members, roles,
// settings and ownership. It knows neither Kubernetes nor any platform, and
// holds values only; what differs is computed in package plan.
package model

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Kind is the kind of resource that claims a space.
type Kind string

// The kinds that claim spaces.
const (
	KindCommunity Kind = "Community"
	KindGroup     Kind = "Group"
)

// Ref names the resource that claims a space.
type Ref struct {
	Kind      Kind
	Namespace string
	Name      string
}

// String is Kind namespace/name.
func (r Ref) String() string { return string(r.Kind) + " " + r.Namespace + "/" + r.Name }

// Mark says whose a space is. It is kept in the space itself, where only the
// operator can write it; a name is never a mark.
type Mark struct {
	// OwnerID is the installation.
	OwnerID string
	// Ref is the resource of that installation.
	Ref Ref
	// Released says that the resource was deleted and the space left as it was.
	Released bool
	// Official says that the platform team lets the space speak for the organisation.
	Official bool
}

// Space is how a space should be.
type Space struct {
	Mark Mark
	// Parent is the community of a group; nil for a community.
	Parent *Ref
	// Address is the name in the platform's addresses, without sigil and server.
	Address  string
	Settings Settings
	// Members are the declared accounts, each once, sorted by account.
	Members []Member
	// Joins says that the platform joins members on their behalf, so that an invitation alone is half done.
	// A platform's normal form sets it.
	Joins bool
	// RolesOfPresent says that only who is in the space can have a role there. A platform's normal form sets it.
	RolesOfPresent bool
}

// Settings are what a space can be set to. Every field has a normal form, so
// that a wanted and a seen value can be compared as they are.
type Settings struct {
	DisplayName string
	Topic       string
	// Avatar is the platform's URI of a picture; empty for none.
	Avatar string
	// Icon is a picture as a data: URI; empty for none.
	Icon string
	Join JoinRule
	// Listed says whether the space is in the server's public directory.
	Listed  bool
	History History
	Guests  Guests
	Servers Servers
	// Permissions say which role each action needs at the least.
	Permissions map[Action]Role
	// Guidelines is the text to pin; empty for none.
	Guidelines string
}

// JoinRule says how people come in.
type JoinRule string

// The join rules.
const (
	JoinAnybody JoinRule = "Anybody"
	// JoinParentMembers lets in who is in the parent space.
	JoinParentMembers JoinRule = "ParentMembers"
	JoinRequest       JoinRule = "Request"
	JoinInvite        JoinRule = "Invite"
	// JoinOther is a rule that this vocabulary has no word for. It is only ever seen, never wanted.
	JoinOther JoinRule = "Other"
)

// History says what a newcomer can read of what was said before.
type History string

// The values of History.
const (
	HistoryEverything   History = "Everything"
	HistorySinceJoining History = "SinceJoining"
	// HistoryOther is only ever seen, never wanted.
	HistoryOther History = "Other"
)

// Guests says whether people without an account may come in.
type Guests string

// The values of Guests.
const (
	GuestsAllowed   Guests = "Allowed"
	GuestsForbidden Guests = "Forbidden"
)

// Servers says which servers' people may take part, on a platform that federates.
type Servers struct {
	// OwnOnly keeps every other server out.
	OwnOnly bool
	// Blocked are globs of server names, sorted.
	Blocked []string
	// Other is set when the space has rules that this vocabulary has no word for. It is only ever seen, never wanted.
	Other bool
}

// Member is a declared account with its role.
type Member struct {
	// Account is the platform's own identifier of the account.
	Account string
	Role    Role
	// Readd says to add them again though they left by their own choice.
	Readd bool
}

// Delegation says that something else on the platform decides who is in a space.
type Delegation struct {
	// By is what decides, in words that a condition's sentence can begin with, such as "the access policy of the channel".
	By string
	// Alone says that it decides who is what there as well, and that the platform lets nobody else take people out.
	// Without it, people can be taken out, and roles are given to those whom it lets in.
	Alone bool
}

// Observed is how a space is.
type Observed struct {
	// ID is the platform's own identifier.
	ID string
	// Version is the kind of space as the platform numbers it; empty where it doesn't.
	Version   string
	CreatedAt time.Time
	// Mark is nil when no installation owns the space, or the mark is not to be trusted.
	Mark *Mark
	// Unmarked says that whose the space is was found out without its mark, which has to be written.
	Unmarked bool
	// Predecessor is the space of the same resource that was upgraded to this one; empty where there is none.
	Predecessor string
	Archived    bool
	// Address is the address that leads here; empty when there is none.
	Address string
	// Linked says that parent and space know each other.
	Linked   bool
	Settings Settings
	// GuidelinesDigest is the Digest of the guidelines that are pinned; empty when there are none.
	GuidelinesDigest string
	// IconDigest is the Digest of the icon that was set; empty when there is none, or it is not one of ours.
	IconDigest string
	// Members are the accounts that are or were in the space, by account. The operator's own account is not among them.
	// nil says that nobody looked.
	Members map[string]Membership
	// InvitedSince is when the accounts were invited that are Invited, as far as the platform tells.
	InvitedSince map[string]time.Time
	// Roles are the accounts with a role above Member, in the space or not yet. The operator's own account is not among them.
	// nil says that nobody looked.
	Roles map[string]Role
	// Delegated is what else decides who is in the space; nil when nothing does.
	Delegated *Delegation
	// Control says why the operator can't govern the space; empty when it can.
	Control string
}

// Membership is how an account stands to a space.
type Membership string

// The values of Membership.
const (
	Present Membership = "Present"
	Invited Membership = "Invited"
	// Asking has asked to come in.
	Asking Membership = "Asking"
	// Left went or declined by their own choice.
	Left Membership = "Left"
	// Removed was removed by somebody else.
	Removed Membership = "Removed"
	// Banned can't come back until somebody unbans them.
	Banned Membership = "Banned"
)

// Digest identifies a text without holding it; the digest of no text is empty.
func Digest(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
