// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// held has every address lead to !theirs until it is freed.
func (s *standIn) held() (free func()) {
	s.on("GET /directory/room/{alias}", always(200, object{"room_id": "!theirs"}))
	return func() { s.on("GET /directory/room/{alias}", refusal(404, "M_NOT_FOUND")) }
}

const askingAlias = "GET /directory/room/{alias}"

func TestAnAddressThatIsGivenUpIsHintedToWhoWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		free := s.held()
		a := s.opened(t)
		q := platform.Query{Ref: ref, Address: "name"}
		g.Expect(sees(t, a, q).Holder.ID).To(Equal("!theirs"))
		time.Sleep(30500 * time.Millisecond)
		g.Expect(hints(a)).To(BeEmpty())
		free()
		time.Sleep(6 * time.Second)
		g.Expect(hints(a)).To(ContainElement(ref))
		g.Expect(sees(t, a, q).Holder).To(BeNil())

		asked := len(s.of(askingAlias))
		time.Sleep(5 * time.Minute)
		g.Expect(s.of(askingAlias)).To(HaveLen(asked), "nobody waits for it any more")
	})
}

func TestAnAddressThatIsHeldForLongIsAskedForLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		s.held()
		a := s.opened(t)
		look := func() { sees(t, a, platform.Query{Ref: ref, Address: "name"}) }
		look()
		for range 12 {
			time.Sleep(5 * time.Minute)
			look()
		}
		during := len(s.of(askingAlias))
		g.Expect(during).To(And(BeNumerically(">", 85), BeNumerically("<", 110)), "in an hour")
		time.Sleep(31 * time.Minute)
		given := len(s.of(askingAlias))
		time.Sleep(time.Hour)
		g.Expect(s.of(askingAlias)).To(HaveLen(given), "who has not asked for three times the resync interval has given up")
	})
}

func TestWhoAsksNowAndThenHasNotGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		free := s.held()
		a := s.opened(t)
		for range 2 {
			sees(t, a, platform.Query{Ref: ref, Address: "name"})
			time.Sleep(20 * time.Minute)
		}
		hints(a)
		free()
		time.Sleep(time.Minute + time.Second)
		g.Expect(hints(a)).To(ContainElement(ref))
	})
}

func TestManyAddressesAreAskedForAFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		s.held()
		a := s.opened(t)
		for i := range 20 {
			name := strings.Repeat("n", i+1)
			sees(t, a, platform.Query{Ref: model.Ref{Kind: model.KindGroup, Namespace: "n", Name: name}, Address: name})
		}
		before := len(s.of(askingAlias))
		time.Sleep(4500 * time.Millisecond) // then all of them are due
		for range 10 {
			time.Sleep(time.Second)
			after := len(s.of(askingAlias))
			g.Expect(after - before).To(BeNumerically("<=", askedAtOnce))
			before = after
		}
		asked := map[string]bool{}
		for _, r := range s.of(askingAlias)[20:] {
			asked[r.URL.Path] = true
		}
		g.Expect(asked).To(HaveLen(20), "every one has its turn")
	})
}

// Somebody lets our account into the room that holds the address, and gives it the power there.
func TestARoomThatCanBeAdoptedByNowIsHintedToWhoWaitsForItsAddress(t *testing.T) {
	const maker = "@maker:example.com"
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		s.held()
		a := s.opened(t)
		q := platform.Query{Ref: ref, Address: "name"}
		g.Expect(sees(t, a, q).Holder.Space).To(BeNil())
		hints(a)
		users := func(users map[string]int) event {
			p := newPowers(builtIn)
			p.users = users
			return state(typePowers, maker, p.content())
		}
		s.news <- changed(map[string]any{"!theirs": inState(
			state(typeCreate, maker, object{"room_version": "11"}),
			users(map[string]int{maker: 100}),
			state(typeMember, us, object{"membership": "join"}, us),
		)})
		time.Sleep(time.Second)
		g.Expect(hints(a)).To(ContainElement(ref), "it is in the room")
		g.Expect(sees(t, a, q).Holder.Space.Control).NotTo(BeEmpty())
		s.news <- changed(map[string]any{"!theirs": object{"timeline": object{"events": []event{users(map[string]int{maker: 75, us: 100})}}}})
		time.Sleep(time.Second)
		g.Expect(hints(a)).To(ContainElement(ref), "it has the power")
		g.Expect(sees(t, a, q).Holder.Space.Control).To(BeEmpty())
	})
}

// adds is the operation that adds an account to the room of these tests.
func adds(account string) plan.Operation {
	return plan.Operation{
		Verb: plan.AddMember, SpaceID: "!r", Members: []model.Member{{Account: account}},
		Space: model.Space{Mark: model.Mark{OwnerID: "prod", Ref: ref}},
	}
}

func TestWhatTheServerSaysOfSomebodysAccountIsAboutThem(t *testing.T) {
	const them = "@them:example.com"
	for code, says := range map[string]string{
		"M_USER_DEACTIVATED": "the account is deactivated", "M_USER_LOCKED": "the account is locked", "M_USER_SUSPENDED": "the account is suspended",
	} {
		t.Run(code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				s := newStandIn()
				status := http.StatusForbidden
				if code == "M_USER_LOCKED" {
					status = http.StatusUnauthorized
				}
				s.on("POST /rooms/{room}/invite", always(200, object{}))
				s.on("POST /rooms/{room}/join", refusal(status, code))
				a := synced(t, s, ours("12"), asService)
				_, err := a.Apply(t.Context(), adds(them))
				g.Expect(platform.IsKind(err, platform.Conflict)).To(BeTrue(), "%v", err)
				g.Expect(err).To(MatchError(ContainSubstring(says)))
				g.Expect(sees(t, a, platform.Query{Ref: ref}).Complete).To(BeTrue())
			})
		})
	}
}
