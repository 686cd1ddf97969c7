// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package platform is the contract between Cabildo and a chat platform: what
// an adapter does, what it may say went wrong, and the session that every
// resource on one platform shares. It decides nothing about spaces; that is
// package plan's.
package platform

import (
	"context"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
)

// Adapter observes, normalises and applies on one platform with one account.
// All methods are safe for concurrent use, and return the error types of this
// package, wrapped or not.
type Adapter interface {
	// Probe asks the server who it is, who we are, and what it can do. Nothing is assumed.
	Probe(ctx context.Context) (Info, error)
	// Observe says how the space of a resource is. It is read-only, and it sees
	// everything that Apply has written before on this adapter.
	Observe(ctx context.Context, q Query) (Observation, error)
	// Missing returns those of the accounts that don't exist. What can't be told is an error, not an answer.
	Missing(ctx context.Context, accounts []string) ([]string, error)
	// AccountsByEmail returns accounts by e-mail address, in lower case. Who has no account with this address, or has
	// not shown the server that it is theirs, is not among them. What can't be told is an error, as where CanFindByEmail is not Supported.
	AccountsByEmail(ctx context.Context, addresses []string) (map[string]string, error)
	// Stable is what stays of an account when it is renamed: the server's own ID for it, in a form that no account's
	// name has. It is the account itself where accounts keep their names, and where the ID is not known. Of everybody
	// whom this adapter has observed or found it is known, also for a name that they have just given up. It is pure.
	Stable(account string) string
	// Normalize returns what this platform can hold of the wanted space, and what is lost. It is pure, and
	// normalising twice is the same as once.
	Normalize(want model.Space) (model.Space, []Loss)
	// Display is what people type to find an address, such as #eng:example.com for eng. It is pure.
	Display(address string) string
	// Apply does one operation and returns the ID of its space. A write whose answer was lost is Ambiguous.
	Apply(ctx context.Context, op plan.Operation) (spaceID string, err error)
	// Hints tells of spaces that changed on the platform. A hint is a reason to observe, never the truth.
	// The channel is closed by Close.
	Hints() <-chan Hint
	// Close ends everything that the adapter does in the background.
	Close()
}

// Query asks for the space of one resource.
type Query struct {
	OwnerID string
	Ref     model.Ref
	// Parent is the community of a group; nil for a community.
	Parent *model.Ref
	// Address is the address that the space should have.
	Address string
	// KnownID is the ID that was recorded for the space; empty when there is none.
	KnownID string
	// Members says that who is in the space, and who is what there, has to be known. Without it an adapter for
	// which that costs a request leaves Members and Roles of the observation nil.
	Members bool
	// Declared are the accounts that are added when they are not in the space: of these it has to be known
	// whether they left.
	Declared []string
	// Verify asks the platform for what the shared view doesn't carry, such as where the address leads and
	// what the pinned guidelines say, even when it was asked not long ago.
	Verify bool
	// NoWait has the answer come at once where the platform has not shown yet what was written to the space
	// before: the observation is Pending then. A hint comes when it has.
	NoWait bool
}

// Observation is the answer to a Query.
type Observation struct {
	// Pending says that there is nothing to see before what was written has come back. Only who asks for NoWait is told so.
	Pending bool
	// Complete says that the view is whole: what is not in it is not there.
	Complete bool
	// Why says what is missing from the view when it is not complete.
	Why string
	// Space is the space that carries the resource's mark, or nil. Of several it is the oldest that is open,
	// or the oldest of all when every one is archived.
	Space *model.Observed
	// Duplicates are the IDs of further open spaces with the same mark.
	Duplicates []string
	// Holder is the space that the wanted address leads to when that is not Space, or nil.
	Holder *Holder
	// Lost says that KnownID is no longer among the spaces that the operator is in.
	Lost bool
	// Replaced says that the resource's space was upgraded by somebody else, to one that is not ours; nil when it was not.
	Replaced *Replacement
	// ParentID is the parent's space; empty when it is not there yet.
	ParentID string
}

// Holder is a space that holds an address which is wanted for another.
type Holder struct {
	ID string
	// Mark is nil when no installation owns the space.
	Mark *model.Mark
	// Space is what could be seen of it; nil when the operator is not in it.
	Space *model.Observed
}

// Replacement is a space that took the place of another one.
type Replacement struct {
	// Old is the space that was ours, and New the one that it names as its successor.
	Old, New string
	// By is the account that did it.
	By string
}

// Loss is something wanted that a platform can't hold.
type Loss struct {
	// Setting that is lost or changed, in the words of the API, such as moderation.reactions.
	Setting string
	// State is Unsupported, which is also meant by an empty one, Unlicensed, Delegated or Partial.
	State SupportState
	// Message says what is done instead.
	Message string
	// Fatal says that the space can't be made like this: a name that the platform refuses.
	Fatal bool
}

// Hint says that a space of this resource may have changed. An empty Ref is
// about all of them.
type Hint struct {
	Ref model.Ref
}

// Info is what Probe found out.
type Info struct {
	// Server is the software and version, where the server tells; else what it speaks.
	Server string
	// Account is the account that the operator acts as.
	Account string
	// Nested says that who is in a group has to be in its community as well.
	Nested       bool
	Capabilities map[Capability]Support
}

// Capability is a thing that a platform may be able to do.
type Capability string

// The capabilities.
const (
	// CanJoinOnBehalf: declared members are joined, not only invited.
	CanJoinOnBehalf Capability = "JoinOnBehalf"
	// CanJoinByRequest: people can ask to come in.
	CanJoinByRequest Capability = "JoinByRequest"
	// CanJoinFromParent: the members of the community can come into its groups.
	CanJoinFromParent Capability = "JoinFromParent"
	// CanModerate: who may do what can be set for each space.
	CanModerate Capability = "ModerationPerSpace"
	// CanArchive: a space can be closed and opened again.
	CanArchive Capability = "Archive"
	// CanDelete: a space can be removed for good.
	CanDelete Capability = "Delete"
	// CanFederate: people of other servers can take part, and be kept out.
	CanFederate Capability = "Federation"
	// CanBan: moderators can put somebody out who can't come back by themselves.
	CanBan Capability = "Ban"
	// CanFindByEmail: accounts are found by e-mail addresses that the server has verified.
	CanFindByEmail Capability = "FindByEmail"
	// CanRename: an account can be renamed, and is still the same one.
	CanRename Capability = "RenameAccounts"
)

// Capabilities are all capabilities, in a fixed order.
func Capabilities() []Capability {
	return []Capability{
		CanJoinOnBehalf, CanJoinByRequest, CanJoinFromParent, CanModerate, CanArchive, CanDelete, CanFederate, CanBan, CanFindByEmail,
		CanRename,
	}
}

// Support says whether a capability is there.
type Support struct {
	State SupportState
	// Reason says why it is not.
	Reason string
}

// SupportState is Supported, Unsupported, Unlicensed or Delegated.
type SupportState string

// The values of SupportState.
const (
	Supported   SupportState = "Supported"
	Unsupported SupportState = "Unsupported"
	Unlicensed  SupportState = "Unlicensed"
	Delegated   SupportState = "Delegated"
	// Partial is said of a setting of which the platform holds a part.
	Partial SupportState = "Partial"
)
