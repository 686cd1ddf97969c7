// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

const us = "@us:example.com"

var eventSerial int

// state is a state event with an ID of its own.
func state(kind, sender string, content any, key ...string) event {
	raw, err := json.Marshal(content)
	if err != nil {
		panic(err)
	}
	eventSerial++
	e := event{Type: kind, Sender: sender, Content: raw, ID: fmt.Sprintf("$%d", eventSerial), Timestamp: int64(eventSerial), StateKey: new(string)}
	if len(key) > 0 {
		*e.StateKey = key[0]
	}
	return e
}

func newTestView() *view {
	v := newView("prod")
	v.us = us
	return v
}

// answer is an answer of /sync about one room.
func joined(id string, room syncedRoom) *syncAnswer {
	a := &syncAnswer{}
	a.Rooms.Join = map[string]syncedRoom{id: room}
	return a
}

func leftRoom(id string) *syncAnswer {
	a := &syncAnswer{}
	a.Rooms.Leave = map[string]syncedRoom{id: {}}
	return a
}

func withState(list ...event) syncedRoom { return syncedRoom{State: events{list}} }

var ref = model.Ref{Kind: model.KindGroup, Namespace: "n", Name: "g"}

// ours are the events of a room that we made and marked.
func ours(version string) []event {
	return []event{
		state(typeCreate, us, map[string]any{"room_version": version, createKey: keyOf("prod", ref)}),
		state(typeMember, us, map[string]any{"membership": "join"}, us),
		state(typePowers, us, newPowers(builtIn).content()),
		state(typeOwner, us, contentOf(model.Mark{OwnerID: "prod", Ref: ref}, nil)),
		state(typeName, us, map[string]any{"name": "first"}),
	}
}

// nameOf is what the room of these tests is called.
func nameOf(v *view) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.rooms["!r"].name
}

func TestTheTimelineComesAfterTheState(t *testing.T) {
	g := NewWithT(t)
	v := newTestView()
	taken(v, joined("!r", withState(ours("12")...)), true, time.Now())
	taken(v, joined("!r", syncedRoom{
		State:    events{[]event{state(typeName, us, map[string]any{"name": "in the gap"})}},
		Timeline: timeline{Events: []event{state(typeName, us, map[string]any{"name": "last"})}},
	}), false, time.Now())
	g.Expect(nameOf(v)).To(Equal("last"))
}

func TestTheStateOfAGapIsTakenIn(t *testing.T) {
	g := NewWithT(t)
	v := newTestView()
	taken(v, joined("!r", withState(ours("12")...)), true, time.Now())
	taken(v, joined("!r", syncedRoom{
		State:    events{[]event{state(typeName, us, map[string]any{"name": "in the gap"})}},
		Timeline: timeline{Events: []event{state(typeTopic, us, map[string]any{"topic": "after"})}},
	}), false, time.Now())
	g.Expect(nameOf(v)).To(Equal("in the gap"))
}

func TestWhereTheStateAfterIsToldTheTimelineChangesNothing(t *testing.T) {
	g := NewWithT(t)
	v := newTestView()
	taken(v, joined("!r", withState(ours("12")...)), true, time.Now())
	for _, room := range []syncedRoom{
		{StateAfter: &events{}}, {StateAfterUnstable: &events{}},
	} {
		room.Timeline = timeline{Events: []event{state(typeName, us, map[string]any{"name": "lost a conflict"})}}
		taken(v, joined("!r", room), false, time.Now())
		g.Expect(nameOf(v)).To(Equal("first"))
	}
	taken(v, joined("!r", syncedRoom{StateAfter: &events{[]event{state(typeName, us, map[string]any{"name": "won"})}}}), false, time.Now())
	g.Expect(nameOf(v)).To(Equal("won"))
}

func TestChangedRoomsAreTold(t *testing.T) {
	g := NewWithT(t)
	v := newTestView()
	initial := ours("12")
	g.Expect(taken(v, joined("!r", withState(initial...)), true, time.Now())).To(BeEmpty())
	g.Expect(taken(v, joined("!r", withState(initial...)), false, time.Now())).To(BeEmpty())
	g.Expect(taken(v, joined("!r", withState(initial...)), true, time.Now())).To(BeEmpty())
	joins := state(typeMember, "@a:example.com", map[string]any{"membership": "join"}, "@a:example.com")
	g.Expect(taken(v, joined("!r", withState(joins)), false, time.Now())).To(ConsistOf(ref))
	renames := state(typeMember, "@a:example.com", map[string]any{"membership": "join", "displayname": "A"}, "@a:example.com")
	g.Expect(taken(v, joined("!r", withState(renames)), false, time.Now())).To(BeEmpty())
	g.Expect(taken(v, leftRoom("!r"), false, time.Now())).To(ConsistOf(ref))
	g.Expect(v.rooms).To(BeEmpty())
	g.Expect(v.ours).To(BeEmpty())
}

func TestAWholeSyncTellsWhatAnEarlierOneMissed(t *testing.T) {
	g := NewWithT(t)
	v := newTestView()
	first := ours("12")
	taken(v, joined("!r", withState(first...)), true, time.Now())
	missed := slices.Clone(first)
	missed[len(missed)-1] = state(typeName, us, map[string]any{"name": "missed"})
	g.Expect(taken(v, joined("!r", withState(missed...)), true, time.Now())).To(ConsistOf(ref))
	g.Expect(taken(v, &syncAnswer{}, true, time.Now())).To(ConsistOf(ref))
}

func TestARoomIsNotJudgedBeforeItsMakingIsKnown(t *testing.T) {
	g := NewWithT(t)
	v := newTestView()
	all := ours("12")
	taken(v, joined("!r", withState(all[1:]...)), false, time.Now())
	g.Expect(v.room("!r")).To(BeNil())
	g.Expect(v.of(ref)).To(BeEmpty())
	g.Expect(taken(v, joined("!r", withState(all...)), false, time.Now())).To(ConsistOf(ref))
	g.Expect(v.of(ref)).To(HaveLen(1))
}

func TestASpacesChildIsToldWhenTheSpaceDropsIt(t *testing.T) {
	g := NewWithT(t)
	v := newTestView()
	taken(v, joined("!r", withState(ours("12")...)), true, time.Now())
	taken(v, joined("!parent", withState(
		state(typeCreate, us, map[string]any{"room_version": "12"}),
		state(typeChild, us, linkContent{Via: []string{"example.com"}}, "!r"),
	)), false, time.Now())
	g.Expect(taken(v, joined("!parent", withState(state(typeChild, us, linkContent{}, "!r"))), false, time.Now())).To(ConsistOf(ref))
}

// Promise 2.
func TestWhoseARoomIs(t *testing.T) {
	const them = "@them:example.com"
	mark := func(owner string) ownerContent { return contentOf(model.Mark{OwnerID: owner, Ref: ref}, nil) }
	made := func(by, version string) event { return state(typeCreate, by, map[string]any{"room_version": version}) }
	powers := func(owner int, users map[string]int) event {
		p := newPowers(builtIn)
		p.users, p.events[typeOwner] = users, owner
		return state(typePowers, us, p.content())
	}
	for name, row := range map[string]struct {
		events []event
		ours   bool
		mark   *model.Mark
	}{
		"made and marked by us": {events: ours("12"), ours: true, mark: &model.Mark{OwnerID: "prod", Ref: ref}},
		"made by us, before the mark was written": {
			events: ours("12")[:3], ours: true, mark: &model.Mark{OwnerID: "prod", Ref: ref},
		},
		"made by us, with the mark overwritten by somebody": {
			events: append(ours("11"), state(typeOwner, them, mark("elsewhere"))), ours: true, mark: &model.Mark{OwnerID: "prod", Ref: ref},
		},
		"our key in a room of somebody else": {events: []event{
			state(typeCreate, them, map[string]any{"room_version": "12", createKey: keyOf("prod", ref)}),
		}},
		"our mark, sent by somebody else": {events: []event{made(them, "11"), state(typeOwner, them, mark("prod"))}},
		"our mark, in a room where others could write it": {events: []event{
			made(them, "11"), powers(50, map[string]int{us: 100, them: 50}), state(typeOwner, us, mark("prod")),
		}},
		"our mark, in a room that we took over": {
			events: []event{made(them, "11"), powers(100, map[string]int{us: 100, them: 75}), state(typeOwner, us, mark("prod"))},
			ours:   true, mark: &model.Mark{OwnerID: "prod", Ref: ref},
		},
		"our mark, in a version 12 room that somebody else made": {events: []event{
			made(them, "12"), powers(100, map[string]int{us: 100}), state(typeOwner, us, mark("prod")),
		}},
		"another installation's, by the room's maker": {
			events: []event{made(them, "12"), state(typeOwner, them, mark("elsewhere"))},
			mark:   &model.Mark{OwnerID: "elsewhere", Ref: ref},
		},
		"another installation's, from our own account": {
			events: []event{made(us, "12"), state(typeOwner, us, mark("elsewhere"))},
			mark:   &model.Mark{OwnerID: "elsewhere", Ref: ref},
		},
		"nobody's": {events: []event{made(them, "12")}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			v := newTestView()
			taken(v, joined("!r", withState(row.events...)), true, time.Now())
			v.mu.Lock()
			defer v.mu.Unlock()
			g.Expect(v.of(ref)).To(HaveLen(map[bool]int{true: 1, false: 0}[row.ours]))
			g.Expect(v.markOf(v.rooms["!r"])).To(Equal(row.mark))
		})
	}
}

// Promise 7.
func TestWhyARoomCantBeGoverned(t *testing.T) {
	const a, b = "@a:example.com", "@b:example.com"
	room := func(version string, users map[string]int, more ...event) []event {
		p := newPowers(builtIn)
		p.users = users
		return append([]event{
			state(typeCreate, us, map[string]any{"room_version": version}),
			state(typeMember, us, map[string]any{"membership": "join"}, us),
			state(typePowers, us, p.content()),
		}, more...)
	}
	for name, row := range map[string]struct {
		events []event
		says   []string
	}{
		"version 12, made by us":     {events: room("12", map[string]int{a: 100})},
		"version 11, nobody as high": {events: room("11", map[string]int{us: 100, a: 75})},
		"version 11, an equal":       {events: room("11", map[string]int{us: 100, a: 100}), says: []string{a, "lower"}},
		"version 10, five equals": {
			events: room("10", map[string]int{us: 100, a: 100, b: 100, "@c:x": 100, "@d:x": 100, "@e:x": 100}),
			says:   []string{a, b, "2 more"},
		},
		"version 11, too little power": {events: room("11", map[string]int{us: 75}), says: []string{"75", "100"}},
		"version 12, with another maker": {
			events: append(room("12", nil), state(typeCreate, us, map[string]any{"room_version": "12", "additional_creators": []string{b}})),
			says:   []string{b, "version 12"},
		},
		"replaced":                {events: room("12", nil, state(typeTombstone, us, map[string]any{"replacement_room": "!new"})), says: []string{"!new"}},
		"a version of the future": {events: room("13", nil), says: []string{`"13"`}},
		"out of reach": {
			events: append(room("11", map[string]int{us: 100}), state(typePowers, us, map[string]any{
				"users": map[string]int{us: 100}, "events": map[string]int{typePowers: 101},
			})),
			says: []string{"101", typePowers},
		},
		"no power levels at all": {
			events: []event{state(typeCreate, us, map[string]any{"room_version": "10"}), state(typeMember, us, map[string]any{"membership": "join"}, us)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			r := newRoom("!r")
			for _, e := range row.events {
				r.fold(e, us, isNew)
			}
			why := r.control(us)
			if len(row.says) == 0 {
				g.Expect(why).To(BeEmpty())
			}
			for _, word := range row.says {
				g.Expect(why).To(ContainSubstring(word))
			}
		})
	}
}

func TestRedactionsTakeAwayWhatTheyTakeAway(t *testing.T) {
	g := NewWithT(t)
	v := newTestView()
	all := ours("11")
	taken(v, joined("!r", withState(all...)), true, time.Now())
	for _, gone := range all {
		raw, _ := json.Marshal(map[string]string{"redacts": gone.ID})
		taken(v, joined("!r", syncedRoom{Timeline: timeline{Events: []event{{Type: typeRedaction, ID: "$redaction" + gone.ID, Content: raw}}}}), false, time.Now())
	}
	g.Expect(nameOf(v)).To(BeEmpty())
	r := v.rooms["!r"]
	g.Expect(r.creator).To(Equal(us))
	g.Expect(r.levels().forState(typeName)).To(Equal(powerOperator))
	g.Expect(r.mark).To(BeNil())
	g.Expect(v.of(ref)).To(HaveLen(1)) // by its key
}

func TestNonsenseInARoomIsNoEvent(t *testing.T) {
	g := NewWithT(t)
	v := newTestView()
	nonsense := ours("12")
	for _, kind := range append([]string{"m.something"}, readTypes...) {
		for _, content := range []string{`null`, `[]`, `"x"`, `{"name":1,"membership":{},"via":"x","allow":{},"users":[]}`, ``, `{`} {
			e := state(kind, "@a:example.com", nil, "@a:example.com")
			e.Content = json.RawMessage(content)
			nonsense = append(nonsense, e)
			e.StateKey = nil
			nonsense = append(nonsense, e)
		}
	}
	taken(v, joined("!r", withState(nonsense...)), true, time.Now())
	g.Expect(v.observed(v.rooms["!r"], "", "example.com").Settings.DisplayName).To(Equal("first"))
}

// Promise 1.
func TestAViewThatLostItsConnectionIsNotWhole(t *testing.T) {
	g := NewWithT(t)
	v := newTestView()
	now := time.Now()
	down := platform.Refuse(platform.Unavailable, "reading", "it is down")
	health := func(at time.Time) (string, error) {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.health(at)
	}
	_, err := health(now)
	g.Expect(platform.IsKind(err, platform.Unavailable)).To(BeTrue())
	v.fail(down, time.Now())
	_, err = health(now)
	g.Expect(err).To(MatchError(down))
	taken(v, &syncAnswer{}, true, now)
	why, err := health(now)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(why).To(BeEmpty())
	v.fail(down, time.Now())
	why, err = health(now.Add(30 * time.Second))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(why).To(ContainSubstring("it is down"))
	_, err = health(now.Add(2 * time.Minute))
	g.Expect(err).To(MatchError(down))
	v.fail(platform.Refuse(platform.Unauthorized, "reading", "no"), time.Now())
	_, err = health(now)
	g.Expect(platform.IsKind(err, platform.Unauthorized)).To(BeTrue())
}

func TestAnObservationWaitsForWhatWasWritten(t *testing.T) {
	g := NewWithT(t)
	v := newTestView()
	taken(v, joined("!r", withState(ours("12")...)), true, time.Now())
	written := state(typeName, us, map[string]any{"name": "second"})
	v.expectEvent("!r", typeName, "", written.ID)
	short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	g.Expect(platform.IsKind(v.settle(short, scope{ref: ref}, false), platform.Unavailable)).To(BeTrue())
	g.Expect(v.settle(context.Background(), scope{room: "!other"}, false)).To(Succeed())

	done := make(chan error, 1)
	go func() { done <- v.settle(context.Background(), scope{ref: ref}, false) }()
	taken(v, joined("!r", syncedRoom{Timeline: timeline{Events: []event{written, state(typeName, us, map[string]any{"name": "third"})}}}), false, time.Now())
	g.Eventually(done).Should(Receive(BeNil()))
	g.Expect(v.pending).To(BeEmpty())
	v.expectEvent("!r", typeName, "", written.ID) // its echo came before its answer
	g.Expect(v.pending).To(BeEmpty())
}

func TestAnObservationNeedNotWait(t *testing.T) {
	g := NewWithT(t)
	v := newTestView()
	taken(v, joined("!r", withState(ours("12")...)), true, time.Now())
	written := state(typeName, us, map[string]any{"name": "second"})
	v.expectEvent("!r", typeName, "", written.ID)
	g.Expect(v.unsettled(scope{ref: ref})).To(BeTrue())
	g.Expect(v.unsettled(scope{room: "!other"})).To(BeFalse())
	v.fail(platform.Refuse(platform.Unavailable, "reading", "the connection was lost"), time.Now())
	g.Expect(v.unsettled(scope{ref: ref})).To(BeFalse(), "nothing comes, and whoever looks is told why")
	hints := taken(v, joined("!r", syncedRoom{Timeline: timeline{Events: []event{written}}}), false, time.Now())
	g.Expect(hints).To(ConsistOf(ref), "who did not wait is woken")
	g.Expect(v.unsettled(scope{ref: ref})).To(BeFalse())

	v.expectEvent("!r", typeName, "", "$never")
	for e := range v.pending["!r"] {
		e.since = time.Now().Add(-seeWithin - time.Second)
	}
	g.Expect(v.unsettled(scope{ref: ref})).To(BeFalse(), "it has been waited for long enough, and whoever looks is told so")
}

func TestWhatNeverCameBackIsForgottenInTheEnd(t *testing.T) {
	g := NewWithT(t)
	v := newTestView()
	taken(v, joined("!r", withState(ours("12")...)), true, time.Now())
	v.expectEvent("!r", typeName, "", "$never")
	taken(v, &syncAnswer{}, false, time.Now().Add(2*forgetAfter))
	g.Expect(v.settle(context.Background(), scope{room: "!r"}, false)).To(Succeed())
}

func TestANewRoomIsExpectedUntilEverythingWasReadWithoutIt(t *testing.T) {
	g := NewWithT(t)
	v := newTestView()
	now := time.Now()
	taken(v, &syncAnswer{}, true, now)
	v.expect("!new", expectation{what: "the new room", ref: ref, met: func(r *room) bool { return r != nil }})
	settled := func() bool {
		short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		return v.settle(short, scope{ref: ref}, false) == nil
	}
	taken(v, &syncAnswer{}, false, now.Add(2*forgetAfter))
	g.Expect(settled()).To(BeFalse())
	taken(v, &syncAnswer{}, true, now.Add(forgetAfter/2))
	g.Expect(settled()).To(BeFalse())
	taken(v, &syncAnswer{}, true, now.Add(2*forgetAfter))
	g.Expect(settled()).To(BeTrue())
}

func TestTheLastEventsAreRemembered(t *testing.T) {
	g := NewWithT(t)
	var r recentEvents
	for i := range 10000 {
		r.add(fmt.Sprintf("$%d", i))
		r.add("$0")
	}
	g.Expect(len(r.ids)).To(BeNumerically("<=", len(r.ring)))
	g.Expect(r.has("$9999")).To(BeTrue())
	g.Expect(r.has("$100")).To(BeFalse())
}

// Servers refuse power levels with a version 12 maker in them. A room that is
// being made may be seen before its power levels are.
func TestAMakerAboveAllLevelsIsInNoList(t *testing.T) {
	for version, listed := range map[string]bool{"11": true, "12": false} {
		g := NewWithT(t)
		r := newRoom("!r")
		r.fold(state(typeCreate, us, map[string]any{"room_version": version}), us, isNew)
		g.Expect(r.power(us)).To(BeNumerically(">=", powerOperator))
		if listed {
			g.Expect(r.levels().users).To(HaveKey(us), version)
		} else {
			g.Expect(r.levels().users).NotTo(HaveKey(us), version)
		}
	}
}

// taken is what the follower does with an answer that leaves no doubt.
func taken(v *view, answer *syncAnswer, first bool, at time.Time) []model.Ref {
	touched := v.fold(answer, first, at)
	v.arrived(first, at)
	return touched
}
