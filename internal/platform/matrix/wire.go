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

// timeline are the latest events of a room.
type timeline struct {
	Events []event `json:"events"`
	// Limited says that there are earlier ones, which are not among them.
	Limited bool `json:"limited"`
}

// syncedRoom is one room in the answer of /sync.
type syncedRoom struct {
	State    events   `json:"state"`
	Timeline timeline `json:"timeline"`
	// StateAfter is there when the server knows the state after the timeline
	// for sure; then State is left out and the timeline changes nothing.
	StateAfter         *events `json:"state_after"`
	StateAfterUnstable *events `json:"org.matrix.msc4222.state_after"`
}

// syncAnswer is what we read of the answer of /sync.
type syncAnswer struct {
	NextBatch string `json:"next_batch"`
	Rooms     struct {
		Join   map[string]syncedRoom `json:"join"`
		Invite map[string]struct {
			State events `json:"invite_state"`
		} `json:"invite"`
		Leave map[string]syncedRoom `json:"leave"`
	} `json:"rooms"`
}

type filterPart struct {
	Types    []string `json:"types,omitempty"`
	NotTypes []string `json:"not_types,omitempty"`
	Limit    int      `json:"limit,omitempty"`
	Lazy     bool     `json:"lazy_load_members"`
}

const (
	// laterTimeline is how many events of a room come between two polls before a server leaves some out.
	laterTimeline = 100
	// firstTimeline is how many come with the first answer. Where events have the same
	// predecessor, a server may have only one of them in the state (Synapse, whose state is
	// that before the timeline): with one event, the last one's sibling was in neither.
	firstTimeline = 10
)

// syncFilter is the inline filter: state alone, and in the timeline what
// changes state. A later sync also tells of rooms that we had to leave; in the
// first one they would be every room that we ever left, and say nothing.
//
// Synapse answers the same request from a cache for two minutes
// (caches.sync_response_cache_duration), also a first sync, and also after we
// were restarted. The nonce makes each first sync, and the polls that follow it,
// requests that were never made before. It is in not_rooms, which excludes nothing then.
func syncFilter(first bool, nonce string) string {
	nothing := filterPart{NotTypes: []string{"*"}}
	limit := laterTimeline
	if first {
		limit = firstTimeline
	}
	raw, _ := json.Marshal(map[string]any{
		"presence":     nothing,
		"account_data": nothing,
		"room": map[string]any{
			"not_rooms":     []string{"!" + nonce + ":nonce.invalid"},
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
