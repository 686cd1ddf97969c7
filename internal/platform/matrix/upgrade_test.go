// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

func tombstone(by, next string) event {
	return state(typeTombstone, by, object{"replacement_room": next})
}

// madeAfter is a room that says it is another one's successor, with more events in it.
func madeAfter(by, before string, more ...event) []event {
	return append([]event{
		state(typeCreate, by, object{"room_version": "12", "predecessor": object{"room_id": before}}),
		state(typeMember, us, object{"membership": "join"}, us),
	}, more...)
}

// upgraded is our room, upgraded to !next by somebody.
func upgraded(by string) []event { return append(ours("12"), tombstone(by, "!next")) }

// Promise 2.
func TestARoomGoesOnInASuccessorOnlyWhereWeMadeItAndBothNameEachOther(t *testing.T) {
	const them = "@them:example.com"
	marked := contentOf(model.Mark{OwnerID: "prod", Ref: ref}, nil)
	finished := marked
	finished.Succeeds = "!r"
	for name, row := range map[string]struct {
		old, next []event
		sees      string
		unmarked  bool
		by        string
	}{
		"made by us": {old: upgraded(us), next: madeAfter(us, "!r"), sees: "!next", unmarked: true},
		"made by us, in a room that somebody else said is replaced": {
			old: upgraded(them), next: madeAfter(us, "!r"), sees: "!next", unmarked: true,
		},
		"made by us, with a copy of the old mark": {
			old: upgraded(us), next: madeAfter(us, "!r", state(typeOwner, us, marked)), sees: "!next", unmarked: true,
		},
		"made by us, and taken over": {
			old: upgraded(us), next: madeAfter(us, "!r", state(typeOwner, us, finished)), sees: "!next",
		},
		"made by somebody else":                {old: upgraded(them), next: madeAfter(them, "!r"), by: them},
		"made by us for another room":          {old: upgraded(them), next: madeAfter(us, "!other"), by: them},
		"made by us, and not named by the old": {old: ours("12"), next: madeAfter(us, "!r"), sees: "!r"},
		"made by somebody else, and not named": {old: ours("12"), next: madeAfter(them, "!r"), sees: "!r"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				s := newStandIn()
				s.has(map[string]any{"!r": inState(row.old...), "!next": inState(row.next...)})
				a := s.opened(t)
				o := sees(t, a, platform.Query{Ref: ref})
				g.Expect(o.Complete).To(BeTrue())
				if row.sees != "!next" {
					g.Expect(a.view.markOf(a.view.rooms["!next"])).To(BeNil())
				}
				g.Expect(o.Duplicates).To(BeEmpty())
				if row.by != "" {
					g.Expect(o.Space).To(BeNil())
					g.Expect(o.Replaced).To(Equal(&platform.Replacement{Old: "!r", New: "!next", By: row.by}))
					return
				}
				g.Expect(o.Replaced).To(BeNil())
				g.Expect(o.Space.ID).To(Equal(row.sees))
				g.Expect(o.Space.Unmarked).To(Equal(row.unmarked))
				if row.sees == "!next" {
					g.Expect(o.Space.Predecessor).To(Equal("!r"))
					g.Expect(*o.Space.Mark).To(Equal(model.Mark{OwnerID: "prod", Ref: ref}))
				}
			})
		})
	}
}

// Promise 1.
func TestASuccessorThatHasNotShownUpIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		replaced := upgraded(us)
		replaced[len(replaced)-1].Timestamp = time.Now().UnixMilli()
		s.has(map[string]any{"!r": inState(replaced...)})
		a := s.opened(t)
		o := sees(t, a, platform.Query{Ref: ref})
		g.Expect(o.Complete).To(BeFalse())
		g.Expect(o.Why).To(ContainSubstring("successor"))
		g.Expect(o.Replaced).To(BeNil())
		time.Sleep(successorFor + time.Second)
		o = sees(t, a, platform.Query{Ref: ref})
		g.Expect(o.Complete).To(BeTrue())
		g.Expect(o.Replaced).To(Equal(&platform.Replacement{Old: "!r", New: "!next", By: us}), "it will not come")

		hints(a)
		s.news <- changed(map[string]any{"!next": inState(madeAfter(us, "!r")...)})
		time.Sleep(time.Second)
		g.Expect(sees(t, a, platform.Query{Ref: ref}).Space.ID).To(Equal("!next"))
		g.Expect(hints(a)).To(ContainElement(ref), "it has come all the same")
	})
}

func TestUpgradesAreFollowedOneAfterTheOtherAndNotInACircle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		s.has(map[string]any{
			"!r": inState(upgraded(us)...), "!next": inState(madeAfter(us, "!r", tombstone(us, "!last"))...), "!last": inState(madeAfter(us, "!next")...),
		})
		g.Expect(sees(t, s.opened(t), platform.Query{Ref: ref}).Space.ID).To(Equal("!last"))

		first := slices.Clone(ours("12"))
		first[0] = state(typeCreate, us, object{"room_version": "12", createKey: keyOf("prod", ref), "predecessor": object{"room_id": "!next"}})
		s.has(map[string]any{
			"!r": inState(append(first, tombstone(us, "!next"))...), "!next": inState(madeAfter(us, "!r", tombstone(us, "!r"))...),
		})
		g.Expect(sees(t, s.opened(t), platform.Query{Ref: ref}).Space).To(BeNil())
	})
}

// What an upgrade left undone is done again until it was done whole.
func TestATakeoverThatWasCutOffIsDoneAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const banning = "POST /rooms/{room}/ban"
		g := NewWithT(t)
		s := newStandIn()
		s.takes("!r", append(upgraded(us), state(typeMember, us, object{"membership": "ban"}, "@banned:example.com")))
		s.takes("!next", madeAfter(us, "!r"))
		a := s.opened(t)
		s.on("GET /rooms/{room}/state/{type}", refusal(404, "M_NOT_FOUND"))
		s.on(banning, refusal(503, "M_UNKNOWN"))
		mark := plan.Operation{Verb: plan.Mark, SpaceID: "!next", Space: model.Space{Mark: model.Mark{OwnerID: "prod", Ref: ref}}}
		_, err := a.Apply(t.Context(), mark)
		g.Expect(err).To(MatchError(ContainSubstring("banning")))
		g.Expect(sees(t, a, platform.Query{Ref: ref}).Space.Unmarked).To(BeTrue())
		s.on(banning, func(*http.Request) (int, any) {
			bans := state(typeMember, us, object{"membership": "ban"}, "@banned:example.com")
			s.news <- changed(map[string]any{"!next": object{"timeline": object{"events": []event{bans}}}})
			return 200, object{}
		})
		g.Expect(a.Apply(t.Context(), mark)).To(Equal("!next"))
		seen := sees(t, a, platform.Query{Ref: ref}).Space
		g.Expect(seen.Unmarked).To(BeFalse())
		g.Expect(seen.Members).To(HaveKeyWithValue("@banned:example.com", model.Banned))
	})
}
