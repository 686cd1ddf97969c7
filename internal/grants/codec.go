// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package grants

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// MaxShard is how many accounts one shard holds: with 22 bytes each, less than
// half of what a Secret may hold, 1 MiB.
const MaxShard = 20_000

// MaxShards bounds a record to two million accounts.
const MaxShards = 100

// entry is the length of one account in bytes: its name, state and role, and when.
const entry = 16 + 1 + 1 + 4

// Encoded is a record as it is kept: a head that anybody may read, and shards.
// A shard is named after what is in it, so that a new record can be written
// beside the old one and be in force with its head, all at once.
type Encoded struct {
	Head   []byte
	Shards map[string][]byte
}

// header is what can be read of a record: nothing about a person.
type header struct {
	ID      string   `json:"id"`
	Key     string   `json:"key"`
	Shards  []string `json:"shards,omitempty"`
	Partial bool     `json:"partial,omitempty"`
	Window  Window   `json:"window,omitzero"`
	Space   string   `json:"space,omitempty"`
	Instead string   `json:"replaces,omitempty"`
	Counted []string `json:"counted,omitempty"`
}

// ErrOtherKey says that a record was made with another key, so that nobody in it can be recognised.
var ErrOtherKey = errors.New("the record was made with another key")

// id names a key without telling it.
func (k Key) id() string { return digest(append([]byte("id of the key "), k...)) }

// digest names a piece of bytes.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// Encode returns the record as it is to be kept. Equal records have equal encodings.
func (r *Record) Encode() (Encoded, error) {
	names := slices.SortedFunc(maps.Keys(r.accounts), func(a, b account) int { return bytes.Compare(a[:], b[:]) })
	if len(names) > MaxShard*MaxShards {
		return Encoded{}, fmt.Errorf("the record has %d accounts, and at most %d can be kept", len(names), MaxShard*MaxShards)
	}
	h := header{ID: r.ID, Key: r.key.id(), Partial: r.Partial, Window: r.Window, Space: r.Space, Instead: r.Replaces}
	for name := range r.counted {
		h.Counted = append(h.Counted, hex.EncodeToString(name[:]))
	}
	slices.Sort(h.Counted)
	e := Encoded{Shards: map[string][]byte{}}
	for chunk := range slices.Chunk(names, MaxShard) {
		shard := make([]byte, 0, len(chunk)*entry)
		for _, name := range chunk {
			g := r.accounts[name]
			shard = append(shard, name[:]...)
			shard = append(shard, byte(g.state), byte(g.role))
			shard = binary.BigEndian.AppendUint32(shard, g.at)
		}
		h.Shards = append(h.Shards, digest(shard))
		e.Shards[digest(shard)] = shard
	}
	var err error
	e.Head, err = json.Marshal(h)
	return e, err
}

// Shards are the names of the shards that a head needs.
func Shards(head []byte) ([]string, error) {
	h, err := readHead(head)
	return h.Shards, err
}

func readHead(head []byte) (header, error) {
	var h header
	if err := json.Unmarshal(head, &h); err != nil {
		return h, fmt.Errorf("reading the head of a record: %w", err)
	}
	if h.ID == "" || len(h.Shards) > MaxShards {
		return h, errors.New("the head of a record has no ID, or more shards than can be")
	}
	return h, nil
}

// Decode reads what Encode returned. A record of another key is ErrOtherKey;
// one that is cut off or was changed is an error too. Either way it is lost.
func Decode(key Key, e Encoded) (*Record, error) {
	h, err := readHead(e.Head)
	if err != nil {
		return nil, err
	}
	if h.Key != key.id() {
		return nil, ErrOtherKey
	}
	r := New(key, h.ID)
	r.Partial, r.Window, r.Space, r.Replaces = h.Partial, h.Window, h.Space, h.Instead
	for _, text := range h.Counted {
		name, err := hex.DecodeString(text)
		if err != nil || len(name) != len(account{}) {
			return nil, errors.New("what the record counted is not as it was written")
		}
		r.counted[account(name)] = struct{}{}
	}
	for _, name := range h.Shards {
		shard, there := e.Shards[name]
		if !there || digest(shard) != name || len(shard)%entry != 0 {
			return nil, fmt.Errorf("shard %s of the record is not there, or not as it was written", name)
		}
		for one := range slices.Chunk(shard, entry) {
			r.accounts[account(one[:16])] = grant{
				state: state(one[16]), role: model.Role(one[17]), //nolint:gosec // a role is a small number
				at: binary.BigEndian.Uint32(one[18:]),
			}
		}
	}
	return r, nil
}
