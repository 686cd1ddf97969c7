// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// ownerContent is the content of dev.cabildo.owner: whose the room is, and what
// of it /sync doesn't carry.
type ownerContent struct {
	OwnerID   string `json:"ownerID,omitempty"`
	Kind      string `json:"kind,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	Released  bool   `json:"released,omitempty"`
	Official  bool   `json:"official,omitempty"`
	// Listed says whether we put the room into the server's directory; nil when we never looked.
	Listed *bool `json:"listed,omitempty"`
	// ListingRefused says that the server did not let us put the room into its directory, so
	// that this is not tried again with every start.
	ListingRefused bool `json:"listingRefused,omitempty"`
	// Succeeds is the room that was upgraded to this one and of which everything was taken over; see write.succeed.
	Succeeds string `json:"succeeds,omitempty"`
}

// carryOver keeps in another mark what of the room /sync doesn't carry.
func (o ownerContent) carryOver(mark model.Mark) ownerContent {
	content := contentOf(mark, o.Listed)
	content.ListingRefused, content.Succeeds = o.ListingRefused, o.Succeeds
	return content
}

func contentOf(mark model.Mark, listed *bool) ownerContent {
	return ownerContent{
		OwnerID: mark.OwnerID, Kind: string(mark.Ref.Kind), Namespace: mark.Ref.Namespace, Name: mark.Ref.Name,
		Released: mark.Released, Official: mark.Official, Listed: listed,
	}
}

func (o ownerContent) mark() *model.Mark {
	if o.OwnerID == "" || o.Name == "" {
		return nil
	}
	return &model.Mark{
		OwnerID:  o.OwnerID,
		Ref:      model.Ref{Kind: model.Kind(o.Kind), Namespace: o.Namespace, Name: o.Name},
		Released: o.Released, Official: o.Official,
	}
}

// keyOf is what a room that is made for a resource carries in m.room.create.
// It can't be taken away, so a room is found again even when everything after
// its making was lost.
func keyOf(ownerID string, ref model.Ref) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{ownerID, string(ref.Kind), ref.Namespace, ref.Name}, "|")))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:10]))
}

// trustedMark is whose the room is, as far as it can't have been forged:
//
//   - a mark of ours is one that we sent into a room that we made, or in which
//     nobody else could have sent one;
//   - a mark of another installation is one from the room's maker or from
//     somebody with the power to send it. It gives nobody anything, it only
//     keeps us away.
//
// A room that we made and that lost its mark is found by its key instead.
func (r *room) trustedMark(us, ownerID string) *model.Mark {
	mark := r.owner.mark()
	if mark == nil || r.creator == "" { // not known yet
		return nil
	}
	if r.ownerSender == us {
		if r.creator == us || r.onlyWeSend(us, typeOwner) {
			return mark
		}
		return nil
	}
	if mark.OwnerID == ownerID {
		return nil // forged, or from an account that we no longer are
	}
	if r.ownerSender == r.creator || r.power(r.ownerSender) >= r.levels().forState(typeOwner) {
		return mark
	}
	return nil
}

// onlyWeSend says whether nobody else has the power for a type of state.
func (r *room) onlyWeSend(us, kind string) bool {
	return r.levels().forState(kind) > r.strongest(us)
}
