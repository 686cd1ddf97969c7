// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// Synapse lets nobody publish rooms unless an administrator allows it. The refusal is all that tells.
// Promise 8.
func TestAServerThatLetsNobodyPublishIsAskedOnceForEachRoomAndThenNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const publishing = "PUT /directory/list/room/{room}"
		g := NewWithT(t)
		s := newStandIn()
		s.takes("!r", ours("12"))
		s.takes("!s", []event{
			state(typeCreate, us, object{"room_version": "12", createKey: keyOf("prod", second)}),
			state(typeMember, us, object{"membership": "join"}, us),
			state(typeOwner, us, contentOf(model.Mark{OwnerID: "prod", Ref: second}, nil)),
		})
		s.on(publishing, refusal(403, "M_FORBIDDEN"))
		a := s.opened(t)
		publish := func(room string, of model.Ref) error {
			_, err := a.Apply(t.Context(), plan.Operation{
				Verb: plan.Set, Field: plan.FieldListed, SpaceID: room,
				Space: model.Space{Mark: model.Mark{OwnerID: "prod", Ref: of}, Settings: model.Settings{Listed: true}},
			})
			return err
		}
		refused := func(room string, of model.Ref, asked int) {
			t.Helper()
			err := publish(room, of)
			g.Expect(platform.IsKind(err, platform.NotSupported)).To(BeTrue(), "%v", err)
			g.Expect(err).To(MatchError(ContainSubstring("room_list_publication_rules")))
			g.Expect(sees(t, a, platform.Query{Ref: of}).Space.Settings.Listed).To(BeFalse())
			g.Expect(s.of(publishing)).To(HaveLen(asked))
		}
		refused("!r", ref, 1)
		refused("!r", ref, 1)
		refused("!s", second, 2) // the rules can be about single rooms

		a.Close()
		a = s.opened(t)
		refused("!r", ref, 2)
		refused("!s", second, 2)
		time.Sleep(61 * time.Minute)
		refused("!s", second, 3) // one room tries for all of them
		refused("!r", ref, 3)

		s.on(publishing, always(200, object{}))
		time.Sleep(61 * time.Minute)
		hints(a)
		g.Expect(publish("!r", ref)).To(Succeed())
		time.Sleep(time.Second)
		g.Expect(hints(a)).To(ContainElement(model.Ref{}), "the others are tried again")
		g.Expect(publish("!s", second)).To(Succeed())
		g.Expect(s.of(publishing)).To(HaveLen(5))
		for _, of := range []model.Ref{ref, second} {
			g.Expect(sees(t, a, platform.Query{Ref: of}).Space.Settings.Listed).To(BeTrue())
		}

		a.Close()
		a = s.opened(t)
		s.on(publishing, refusal(403, "M_FORBIDDEN"))
		refused("!s", second, 6) // it was not refused before
	})
}

// second is another resource beside ref.
var second = model.Ref{Kind: model.KindGroup, Namespace: "n", Name: "second"}
