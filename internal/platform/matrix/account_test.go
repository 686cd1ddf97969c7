// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// accounts has a stand-in know an application service whose own account is
// @service:example.com, and the accounts that it registered.
type accounts struct {
	mu    sync.Mutex // guards what follows
	there map[string]bool
}

func (s *standIn) withAccounts(there ...string) *accounts {
	known := &accounts{there: map[string]bool{}}
	for _, account := range there {
		known.there[account] = true
	}
	for route, answer := range s.answers {
		s.on(route, func(r *http.Request) (int, any) {
			if account := r.URL.Query().Get("user_id"); account != "" && !known.has(account) {
				return refusal(403, "M_FORBIDDEN")(r)
			}
			return answer(r)
		})
	}
	who := s.answers["GET /account/whoami"]
	s.on("GET /account/whoami", func(r *http.Request) (int, any) {
		if !r.URL.Query().Has("user_id") {
			return 200, object{"user_id": "@service:example.com"}
		}
		return who(r)
	})
	s.on("POST /register", func(r *http.Request) (int, any) {
		var body struct{ Type, Username string }
		if json.NewDecoder(r.Body).Decode(&body) != nil || body.Type != "m.login.application_service" || r.URL.Query().Has("user_id") {
			return refusal(400, "M_BAD_JSON")(r)
		}
		known.mu.Lock()
		defer known.mu.Unlock()
		if account := "@" + body.Username + ":example.com"; !known.there[account] {
			known.there[account] = true
			return 200, object{"user_id": account}
		}
		return refusal(400, "M_USER_IN_USE")(r)
	})
	return known
}

func (a *accounts) has(account string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.there[account]
}

func (a *accounts) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.there)
}

func TestAnApplicationServicesAccountIsRegisteredWhereItIsNotThere(t *testing.T) {
	for name, row := range map[string]struct {
		there      []string
		registered int
	}{
		"it is there":     {there: []string{us}},
		"it is not there": {registered: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				s := newStandIn()
				s.withAccounts(row.there...)
				info, err := s.opened(t, asService).Probe(t.Context())
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(info.Account).To(Equal(us))
				g.Expect(s.of("POST /register")).To(HaveLen(row.registered))
			})
		})
	}
}

func TestEveryRequestSaysAsWhomButThoseOfTheServiceItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		s.withAccounts()
		_, err := s.opened(t, asService).Probe(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		as := map[string][]string{}
		for _, r := range s.asked {
			as[platform.Route(r.Context())] = append(as[platform.Route(r.Context())], r.URL.Query().Get("user_id"))
		}
		g.Expect(as["GET /versions"]).To(HaveEach(""))
		g.Expect(as["POST /register"]).To(HaveEach(""))
		g.Expect(as["GET /account/whoami"]).To(Equal([]string{us, "", us}), "as us, as the service after that was refused, as us once registered")
		g.Expect(as["GET /federation/version"]).To(HaveEach(""))
		for _, r := range s.of("GET /federation/version") { // with a token Synapse refuses it where federation is limited
			g.Expect(r.Header).NotTo(HaveKey("Authorization"))
		}
		for _, route := range []string{"GET /capabilities", "GET /knock/{room}", platform.LongPoll} {
			g.Expect(as[route]).To(And(Not(BeEmpty()), HaveEach(us)), route)
		}
	})
}

func TestAnAccountThatTheRegistrationDoesNotCoverIsSaid(t *testing.T) {
	for name, answer := range map[string]reply{
		"it exists, and is not the service's": refusal(400, "M_USER_IN_USE"),
		"it does not exist":                   refusal(400, "M_EXCLUSIVE"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				s := newStandIn()
				s.withAccounts()
				s.on("POST /register", answer)
				_, err := s.opened(t, asService).Probe(t.Context())
				g.Expect(platform.IsKind(err, platform.Invalid)).To(BeTrue(), "%v", err)
				g.Expect(err).To(MatchError(And(ContainSubstring(us), ContainSubstring("namespaces.users"))))
			})
		})
	}
}

func TestATokenThatIsOfNoUseIsNotTakenForAnAccountThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		s.on("GET /account/whoami", refusal(401, "M_UNKNOWN_TOKEN"))
		_, err := s.opened(t, asService).Probe(t.Context())
		g.Expect(platform.IsKind(err, platform.Unauthorized)).To(BeTrue(), "%v", err)
		g.Expect(s.of("POST /register")).To(BeEmpty())
	})
}

func TestAServerThatLostOurAccountGetsItAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		known := s.withAccounts()
		a := s.opened(t, asService)
		_, err := a.Probe(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		known.forget()
		time.Sleep(2 * time.Minute)
		g.Expect(known.has(us)).To(BeTrue())
		g.Expect(s.of("POST /register")).To(HaveLen(2))
		g.Expect(sees(t, a, platform.Query{Ref: ref}).Complete).To(BeTrue())
	})
}

// Synapse has no /sync for the account of a sender_localpart.
func TestAnAccountWithoutSyncIsSaidByTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		s.on(platform.LongPoll, refusal(500, "M_UNKNOWN"))
		_, err := s.opened(t, func(c *platform.Config) { c.AppService = true }).Probe(t.Context())
		g.Expect(platform.IsKind(err, platform.Invalid)).To(BeTrue(), "%v", err)
		g.Expect(err).To(MatchError(And(ContainSubstring("give the registration another sender_localpart"), ContainSubstring(us))))

		_, err = s.opened(t).Probe(t.Context())
		g.Expect(platform.IsKind(err, platform.Unavailable)).To(BeTrue(), "an ordinary account's server is broken: %v", err)

		s.withAccounts(us)
		_, err = s.opened(t, asService).Probe(t.Context())
		g.Expect(platform.IsKind(err, platform.Unavailable)).To(BeTrue(), "it is not the sender: %v", err)
	})
}

func TestAProbeWaitsForTheFirstSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		s.on(platform.LongPoll, func(r *http.Request) (int, any) {
			if !r.URL.Query().Has("since") {
				time.Sleep(time.Minute)
			}
			return s.sync(r)
		})
		start := time.Now()
		a := s.opened(t)
		_, err := a.Probe(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(time.Since(start)).To(BeNumerically(">=", time.Minute))
		g.Expect(sees(t, a, platform.Query{Ref: ref}).Complete).To(BeTrue())
	})
}

// The session may be closed while the probe is under way.
func TestAProbeEndsWithItsAdapter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		s := newStandIn()
		a := s.opened(t)
		s.on("GET /capabilities", func(*http.Request) (int, any) {
			a.Close()
			return 200, object{}
		})
		_, err := a.Probe(t.Context())
		g.Expect(platform.IsKind(err, platform.Unavailable)).To(BeTrue(), "%v", err)
	})
}
