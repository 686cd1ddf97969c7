// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import "encoding/json"

// The types of state that we read. Everything else is left out by the filter of /sync.
const (
	typeCreate     = "m.room.create"
	typeMember     = "m.room.member"
	typePowers     = "m.room.power_levels"
	typeName       = "m.room.name"
	typeTopic      = "m.room.topic"
	typeAvatar     = "m.room.avatar"
	typeJoinRules  = "m.room.join_rules"
	typeHistory    = "m.room.history_visibility"
	typeGuests     = "m.room.guest_access"
	typeServerACL  = "m.room.server_acl"
	typeAlias      = "m.room.canonical_alias"
	typePins       = "m.room.pinned_events"
	typeTombstone  = "m.room.tombstone"
	typeChild      = "m.space.child"
	typeParent     = "m.space.parent"
	typeOwner      = "dev.cabildo.owner"
	typeGuidelines = "dev.cabildo.guidelines"
	typeArchived   = "dev.cabildo.archived"

	typeMessage    = "m.room.message"
	typeRedaction  = "m.room.redaction"
	typeEncryption = "m.room.encryption"
)

// createKey is our field of m.room.create's content, which nobody can change later.
const createKey = "dev.cabildo.key"

// readTypes are the state events that the filter of /sync lets through.
var readTypes = []string{
	typeCreate, typeMember, typePowers, typeName, typeTopic, typeAvatar, typeJoinRules, typeHistory,
	typeGuests, typeServerACL, typeAlias, typePins, typeTombstone, typeChild, typeParent,
	typeOwner, typeGuidelines, typeArchived,
}

// event is what we read of an event.
type event struct {
	Type      string          `json:"type"`
	StateKey  *string         `json:"state_key"`
	ID        string          `json:"event_id"`
	Sender    string          `json:"sender"`
	Timestamp int64           `json:"origin_server_ts"`
	Content   json.RawMessage `json:"content"`
	// Redacts is where rooms before version 11 say what a redaction takes away.
	Redacts string `json:"redacts"`
}

type events struct {
	Events []event `json:"events"`
}

// syncedRoom is one room in the answer of /sync.
type syncedRoom struct {
	State    events `json:"state"`
	Timeline events `json:"timeline"`
	// StateAfter is there when the server knows the state after the timeline
	// for sure; then State is left out and the timeline changes nothing.
	StateAfter         *events `json:"state_after"`
	StateAfterUnstable *events `json:"org.matrix.msc4222.state_after"`
}

// syncAnswer is what we read of the answer of /sync.
type syncAnswer struct {
	NextBatch string `json:"next_batch"`
	Rooms     struct {
		Join  map[string]syncedRoom `json:"join"`
		Leave map[string]syncedRoom `json:"leave"`
	} `json:"rooms"`
}

type filterPart struct {
	Types    []string `json:"types,omitempty"`
	NotTypes []string `json:"not_types,omitempty"`
	Limit    int      `json:"limit,omitempty"`
	Lazy     bool     `json:"lazy_load_members"`
}

// syncFilter is the inline filter: state alone, and in the timeline what
// changes state. A later sync also tells of rooms that we had to leave; in the
// first one they would be every room that we ever left, and say nothing.
func syncFilter(first bool) string {
	nothing := filterPart{NotTypes: []string{"*"}}
	limit := 100 // more than this between two polls comes as state
	if first {
		limit = 1
	}
	raw, _ := json.Marshal(map[string]any{
		"presence":     nothing,
		"account_data": nothing,
		"room": map[string]any{
			"account_data":  nothing,
			"ephemeral":     nothing,
			"include_leave": !first,
			"state":         filterPart{Types: readTypes},
			"timeline":      filterPart{Types: append([]string{typeRedaction}, readTypes...), Limit: limit},
		},
	})
	return string(raw)
}

// decode reads an event's content. A content that doesn't fit its type reads
// as an empty one: anybody may write nonsense into a room.
func decode[T any](raw json.RawMessage) T {
	var out T
	if len(raw) == 0 || json.Unmarshal(raw, &out) != nil {
		var none T
		return none
	}
	return out
}
