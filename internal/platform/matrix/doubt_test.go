// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// sentAt is an event with a time of its own.
func sentAt(milliseconds int64, e event) event {
	e.Timestamp = milliseconds
	return e
}

func named(name string) event { return state(typeName, us, object{"name": name}) }

// inTimeline is a room in an answer of /sync in which these events came.
func inTimeline(list ...event) syncedRoom { return syncedRoom{Timeline: timeline{Events: list}} }

// doubted are the rooms that are to be read.
func doubted(v *view) []string { return v.doubtful(time.Now()) }

// seenWith is a view of one room of ours, of long ago, with more events in it.
func seenWith(more ...event) *view {
	v := newTestView()
	initial := ours("12")
	for i := range initial {
		initial[i].Timestamp = 1
	}
	taken(v, joined("!r", withState(append(initial, more...)...)), true, time.Now())
	return v
}

func memberOf(v *view, account string) membership { return v.rooms["!r"].members[account].state }

func TestWhatIsOlderThanWhatIsKnownChangesNothingAndIsAReasonToRead(t *testing.T) {
	const a = "@a:example.com"
	g := NewWithT(t)
	older, invites := named("older"), state(typeMember, us, object{"membership": "invite"}, a)
	newer, joins := named("newer"), state(typeMember, a, object{"membership": "join"}, a)
	v := seenWith(newer, joins)
	g.Expect(doubted(v)).To(BeEmpty())
	for what, event := range map[string]event{"a name": older, "a membership": invites} {
		v.doubts = newDoubts()
		taken(v, joined("!r", inTimeline(event)), false, time.Now())
		g.Expect(doubted(v)).To(Equal([]string{"!r"}), what)
	}
	g.Expect(nameOf(v)).To(Equal("newer"))
	g.Expect(memberOf(v, a)).To(Equal(present))
}

func TestWhatCameBeforeIsNotTakenAgain(t *testing.T) {
	g := NewWithT(t)
	first, second := named("second"), named("third")
	second.Timestamp = first.Timestamp // as two writes in one millisecond have it
	v := seenWith()
	taken(v, joined("!r", inTimeline(first, second)), false, time.Now())
	g.Expect(nameOf(v)).To(Equal("third"), "of the same time, and new")
	g.Expect(doubted(v)).To(BeEmpty())
	taken(v, joined("!r", inTimeline(second)), false, time.Now())
	g.Expect(doubted(v)).To(BeEmpty(), "it is what is known")
	taken(v, joined("!r", inTimeline(first)), false, time.Now())
	g.Expect(nameOf(v)).To(Equal("third"))
	g.Expect(doubted(v)).To(Equal([]string{"!r"}))
}

// With state_after the server has decided, whatever the clocks say.
func TestTheStateAfterMayGoBack(t *testing.T) {
	g := NewWithT(t)
	older, newer := named("older"), named("newer")
	v := seenWith(newer)
	taken(v, joined("!r", syncedRoom{StateAfter: &events{[]event{older}}}), false, time.Now())
	g.Expect(nameOf(v)).To(Equal("older"))
	g.Expect(doubted(v)).To(BeEmpty())
}

func TestAnotherServersClockHidesNothing(t *testing.T) {
	const early, foreign = int64(1), "@a:elsewhere.example"
	g := NewWithT(t)
	future := time.Now().Add(time.Hour).UnixMilli()
	ahead := sentAt(future, state(typeName, foreign, object{"name": "ahead"}))
	joins := sentAt(future, state(typeMember, foreign, object{"membership": "join"}, foreign))
	v := seenWith(ahead, joins)
	now := named("now")
	taken(v, joined("!r", inTimeline(now)), false, time.Now())
	g.Expect(nameOf(v)).To(Equal("ahead"), "which is the newest is not known")
	g.Expect(doubted(v)).To(Equal([]string{"!r"}))
	is := slices.Concat(ours("12")[:4], []event{now, joins})
	g.Expect(v.replace("!r", is, time.Now())).To(ConsistOf(ref))
	g.Expect(nameOf(v)).To(Equal("now"))
	g.Expect(doubted(v)).To(BeEmpty())

	v.doubts = newDoubts()
	taken(v, joined("!r", inTimeline(sentAt(early, named("before the reading")))), false, time.Now())
	g.Expect(nameOf(v)).To(Equal("now"))
	g.Expect(doubted(v)).To(BeEmpty(), "that the room was read has decided it")
	taken(v, joined("!r", inTimeline(sentAt(early, state(typeName, foreign, object{"name": "behind"})))), false, time.Now())
	g.Expect(nameOf(v)).To(Equal("now"))
	g.Expect(doubted(v)).To(Equal([]string{"!r"}), "a clock that is behind says nothing about when it was sent")

	// What another server's clock said of a state that was read says nothing of what our own sent since then.
	v.doubts = newDoubts()
	again := sentAt(future, state(typeName, foreign, object{"name": "ahead again"}))
	taken(v, joined("!r", inTimeline(again, sentAt(now.Timestamp+1000, named("later")))), false, time.Now())
	g.Expect(doubted(v)).To(Equal([]string{"!r"}))
}

func TestAFirstAnswerThatLacksAChildIsAReasonToRead(t *testing.T) {
	parentRef := model.Ref{Kind: model.KindCommunity, Namespace: "n", Name: "c"}
	child := append(ours("12"), state(typeParent, us, linkContent{Via: []string{"example.com"}}, "!space"))
	space := []event{
		state(typeCreate, us, object{"room_version": "12", createKey: keyOf("prod", parentRef)}),
		state(typeOwner, us, contentOf(model.Mark{OwnerID: "prod", Ref: parentRef}, nil)),
	}
	names := state(typeChild, us, linkContent{Via: []string{"example.com"}}, "!r")
	for name, row := range map[string]struct {
		space, child []event
		doubted      []string
	}{
		"they name each other":       {space: append(space, names), child: child},
		"the space lacks the child":  {space: space, child: child, doubted: []string{"!space"}},
		"neither names the other":    {space: space, child: ours("12")},
		"the space is somebody's":    {space: []event{state(typeCreate, "@a:example.com", object{"room_version": "12"})}, child: child},
		"the room is somebody's own": {space: space, child: append(child[5:], state(typeCreate, "@a:example.com", object{"room_version": "12"}))},
	} {
		t.Run(name, func(t *testing.T) {
			v := newTestView()
			answer := joined("!r", withState(row.child...))
			answer.Rooms.Join["!space"] = withState(row.space...)
			taken(v, answer, true, time.Now())
			NewWithT(t).Expect(doubted(v)).To(Equal(row.doubted))
		})
	}
}

func TestAWholeSyncThatGoesBackKeepsWhatIsKnownAndIsAReasonToRead(t *testing.T) {
	const a = "@a:example.com"
	g := NewWithT(t)
	initial := ours("12")
	older, newer := named("older"), named("newer")
	joins := state(typeMember, a, object{"membership": "join"}, a)
	all := slices.Concat(initial, []event{newer, joins})
	for name, row := range map[string]struct {
		again   []event
		doubted []string
	}{
		"as it was":           {again: all},
		"with more":           {again: append(all, state(typeTopic, us, object{"topic": "more"}))},
		"with an older name":  {again: append(initial, older, joins), doubted: []string{"!r"}},
		"without its name":    {again: append(initial[:4:4], joins), doubted: []string{"!r"}},
		"without its members": {again: append(initial[:4:4], newer), doubted: []string{"!r"}},
	} {
		v := newTestView()
		taken(v, joined("!r", withState(all...)), true, time.Now())
		taken(v, joined("!r", withState(row.again...)), true, time.Now())
		g.Expect(nameOf(v)).To(Equal("newer"), name)
		g.Expect(memberOf(v, a)).To(Equal(present), name)
		g.Expect(v.of(ref)).To(HaveLen(1), name)
		g.Expect(doubted(v)).To(Equal(row.doubted), name)
	}
}

func TestAWriteThatNoSyncShowsIsAReasonToRead(t *testing.T) {
	g := NewWithT(t)
	v := seenWith()
	v.expectEvent("!r", typeName, "", "$written")
	taken(v, &syncAnswer{}, false, time.Now().Add(overdueAfter/2))
	g.Expect(doubted(v)).To(BeEmpty(), "it may still come")
	taken(v, &syncAnswer{}, false, time.Now().Add(2*overdueAfter))
	g.Expect(doubted(v)).To(Equal([]string{"!r"}))

	written := named("written")
	written.ID = "$written"
	g.Expect(v.replace("!r", append(ours("12")[:4], written), time.Now())).To(ConsistOf(ref))
	g.Expect(v.settle(context.Background(), scope{ref: ref}, false)).To(Succeed())
	g.Expect(nameOf(v)).To(Equal("written"))
}

func TestAReadingIsTakenForWhatIsSo(t *testing.T) {
	g := NewWithT(t)
	is := ours("12")
	v := newTestView()
	taken(v, joined("!r", withState(is...)), true, time.Now())
	v.lost("!r", "$redacted")
	g.Expect(v.replace("!r", is, time.Now())).To(BeEmpty(), "nothing is new")

	before := time.Now()
	v.expectEvent("!r", typeName, "", "$overwritten")
	v.replace("!r", is, before)
	g.Expect(v.unsettled(scope{ref: ref})).To(BeTrue(), "it was asked for before the write")
	v.replace("!r", is, time.Now().Add(time.Millisecond))
	g.Expect(v.unsettled(scope{ref: ref})).To(BeFalse(), "the write was overwritten")

	written := named("written")
	v.replace("!r", append(is, written), time.Now())
	taken(v, joined("!r", inTimeline(named("overwritten"))), false, time.Now())
	v.expectEvent("!r", typeName, "", written.ID)
	g.Expect(v.unsettled(scope{ref: ref})).To(BeFalse(), "the reading came before the answer to the write")

	g.Expect(v.replace("!r", is[:4], time.Now())).To(ConsistOf(ref))
	g.Expect(nameOf(v)).To(BeEmpty(), "what is not in it is not there")
	g.Expect(v.rooms["!r"].isGone("$redacted")).To(BeTrue(), "what a state doesn't tell stays")
	g.Expect(v.of(ref)).To(HaveLen(1))
	g.Expect(v.replace("!r", is[:3], time.Now())).To(ConsistOf(ref))
	g.Expect(v.rooms["!r"].mark).To(BeNil())
	g.Expect(v.ours).To(BeEmpty())
	g.Expect(v.replace("!other", is, time.Now())).To(BeEmpty())
	g.Expect(v.room("!other")).To(BeNil(), "whether we are in a room, a sync says")
}

// synced is an adapter that has taken in a first answer with one room of ours.
func synced(t *testing.T, s *standIn, room []event, options ...func(*platform.Config)) *Adapter {
	t.Helper()
	s.has(map[string]any{"!r": inState(room...)})
	a := s.opened(t, options...)
	NewWithT(t).Expect(sees(t, a, platform.Query{Ref: ref}).Space).NotTo(BeNil())
	return a
}

const readingState = "GET /rooms/{room}/state"

func TestARoomIsReadOnlyWhereThereIsADoubtAndNotAllTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		is, older, newer := ours("12"), named("older"), named("newer")
		s.on(readingState, always(200, append(is[:4:4], older)))
		a := synced(t, s, is)
		s.news <- changed(map[string]any{"!r": object{"timeline": object{"events": []event{newer}}}})
		s.has(map[string]any{"!r": inState(append(is, newer)...)})
		time.Sleep(time.Hour)
		g.Expect(s.of(readingState)).To(BeEmpty())
		hints(a)
		s.news <- changed(map[string]any{"!r": object{"timeline": object{"events": []event{older}}}})
		time.Sleep(time.Second)
		g.Expect(s.of(readingState)).To(HaveLen(1))
		g.Expect(hints(a)).To(ContainElement(ref))
		g.Expect(sees(t, a, platform.Query{Ref: ref}).Space.Settings.DisplayName).To(Equal("older"), "so the server says")
		for range 5 {
			s.news <- changed(map[string]any{"!r": object{"timeline": object{"events": []event{newer}}}})
			time.Sleep(time.Second)
		}
		g.Expect(s.of(readingState)).To(HaveLen(1), "it was read just now")
		time.Sleep(2 * rereadAfter)
		g.Expect(s.of(readingState)).To(HaveLen(2))
	})
}

// A first answer begins in the midst of a room's history: a fork there hides what the other branch has.
func TestARoomOfWhichAFirstAnswerHadAPartIsReadOnceInTheIntervalThatFollows(t *testing.T) {
	for name, row := range map[string]struct {
		limited bool
		key     string
		reads   int
	}{
		"a part":                 {limited: true, key: "state", reads: 1},
		"all of it":              {key: "state"},
		"the state after it all": {limited: true, key: "state_after"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				s := newStandIn()
				is, hidden := ours("12"), named("hidden")
				s.on(readingState, func(*http.Request) (int, any) {
					s.has(map[string]any{"!r": object{"state": object{"events": append(is, hidden)}, "timeline": object{"events": []event{}, "limited": true}}})
					return 200, append(is, hidden)
				})
				s.has(map[string]any{"!r": object{row.key: object{"events": is}, "timeline": object{"events": []event{}, "limited": row.limited}}})
				a := s.opened(t)
				sees(t, a, platform.Query{Ref: ref})
				time.Sleep(11 * time.Minute)
				g.Expect(s.of(readingState)).To(HaveLen(row.reads))
				seen := map[int]string{0: "first", 1: "hidden"}
				g.Expect(sees(t, a, platform.Query{Ref: ref}).Space.Settings.DisplayName).To(Equal(seen[row.reads]))
				time.Sleep(time.Hour)
				g.Expect(s.of(readingState)).To(HaveLen(row.reads), "later answers are compared with what is known")
			})
		})
	}
}

func TestAServerThatGoesBackIsAskedWhatIsSoAndBelievedThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		is, newer := ours("12"), named("newer")
		a := synced(t, s, append(is, newer))
		state := slices.Concat(is, []event{newer})
		s.on(readingState, func(*http.Request) (int, any) { return 200, state })
		goesBack := func() string {
			s.has(map[string]any{"!r": inState(is...)})
			time.Sleep(11 * time.Minute) // the next sync reads everything
			return sees(t, a, platform.Query{Ref: ref}).Space.Settings.DisplayName
		}
		g.Expect(goesBack()).To(Equal("newer"), "it was one branch of the room's history")
		g.Expect(s.of(readingState)).To(HaveLen(1))
		state = is
		g.Expect(goesBack()).To(Equal("first"), "the server came back from a backup")
	})
}

// Promise 1.
func TestARoomThatCantBeReadAgainIsNotSeenWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		parent := model.Ref{Kind: model.KindCommunity, Namespace: "n", Name: "c"}
		other := model.Ref{Kind: model.KindGroup, Namespace: "n", Name: "other"}
		made := func(ref model.Ref, more ...event) []event {
			return append([]event{
				state(typeCreate, us, object{"room_version": "12", createKey: keyOf("prod", ref)}),
				state(typeOwner, us, contentOf(model.Mark{OwnerID: "prod", Ref: ref}, nil)),
			}, more...)
		}
		s.on(readingState, refusal(500, "M_UNKNOWN"))
		space, room := made(parent), made(ref, state(typeParent, us, linkContent{Via: []string{"example.com"}}, "!space"))
		s.has(map[string]any{"!space": inState(space...), "!r": inState(room...), "!other": inState(made(other)...)})
		a := s.opened(t)
		for what, q := range map[string]platform.Query{"the space": {Ref: parent}, "its group": {Ref: ref, Parent: &parent}} {
			o := sees(t, a, q)
			g.Expect(o.Complete).To(BeFalse(), what)
			g.Expect(o.Why).To(ContainSubstring("!space"), what)
		}
		g.Expect(sees(t, a, platform.Query{Ref: other}).Complete).To(BeTrue(), "it keeps no other room waiting")
		time.Sleep(5 * time.Minute)
		g.Expect(len(s.of(readingState))).To(BeNumerically("<=", 5*60/10), "and is not asked for all the time")

		g.Expect(hints(a)).To(BeEmpty())
		s.on(readingState, always(200, space))
		time.Sleep(2 * rereadAfter)
		g.Expect(sees(t, a, platform.Query{Ref: parent}).Complete).To(BeTrue())
		g.Expect(hints(a)).To(ContainElement(parent))
	})
}
