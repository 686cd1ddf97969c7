// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform/matrix"
)

// goesBy is the state by which a server goes in a room: the event of each piece of it, and memberships.
func (p person) goesBy(ctx context.Context, room string) (state, members map[string]string) {
	GinkgoHelper()
	var all []struct {
		Type    string
		Key     string `json:"state_key"`
		ID      string `json:"event_id"`
		Content struct{ Membership string }
	}
	p.does(ctx, http.MethodGet, inRoom(room, "state"), nil, &all)
	state, members = map[string]string{}, map[string]string{}
	for _, event := range all {
		switch {
		case event.Type == "m.room.member":
			members[event.Key] = event.Content.Membership
		case matrix.Reads(event.Type):
			state[event.Type+" "+event.Key] = event.ID
		}
	}
	return state, members
}

// different is what of the state a view has not, or otherwise, or too much.
func different(view, state map[string]string) (keys []string) {
	for key, event := range state {
		if view[key] != event {
			keys = append(keys, key)
		}
	}
	for key := range view {
		if _, there := state[key]; !there {
			keys = append(keys, "no "+key)
		}
	}
	return keys
}

var _ = Describe("a room into which many write at the same time", func() {
	It("is seen as the server has it, also after a restart", Label("promise 1"), func(ctx context.Context) {
		synapse := theSynapse()
		a := openOn(ctx, synapse)
		bot, equal := operatorAt(synapse), somebodyAt(ctx, synapse, "equal")
		people := make([]person, 4)
		for i := range people {
			people[i] = somebodyAt(ctx, synapse, "p")
		}
		town := a.want()
		town.Members = []model.Member{{Account: equal.id, Role: model.RoleManager}}
		space := a.make(ctx, town)
		levels := bot.reads(ctx, space.ID, "m.room.power_levels")
		levels["events"].(map[string]any)["m.space.child"] = 75
		bot.sets(ctx, space.ID, "m.room.power_levels", levels)
		g := group(town)
		room := a.make(ctx, g)

		same := func(a *actor) {
			GinkgoHelper()
			for _, id := range []string{space.ID, room.ID} {
				state, members := bot.goesBy(ctx, id)
				in := map[string]string{"join": string(model.Present), "invite": string(model.Invited)}
				Eventually(func() []string { return different(matrix.StateOf(a.Adapter, id), state) }).Should(BeEmpty())
				Eventually(func(g Gomega) {
					seen := matrix.MembersOf(a.Adapter, id)
					g.Expect(seen).To(HaveLen(len(members)))
					for account, is := range members {
						g.Expect(seen[account]).To(Equal(in[is]), account)
					}
				}).Should(Succeed())
			}
		}
		for round := range 2 {
			var all sync.WaitGroup
			for i := range 20 {
				for _, writer := range []person{bot, equal} {
					all.Go(func() {
						defer GinkgoRecover()
						child := fmt.Sprintf("!%d.%d.%d:%s", round, i, len(writer.id), synapse.ServerName)
						writer.does(ctx, http.MethodPut, inRoom(space.ID, "state", "m.space.child", child), map[string]any{"via": []string{synapse.ServerName}}, nil)
					})
				}
			}
			for _, p := range people[2*round : 2*round+2] {
				all.Go(func() {
					defer GinkgoRecover()
					p.does(ctx, http.MethodPost, inRoom(space.ID, "join"), nil, nil)
					p.does(ctx, http.MethodPost, inRoom(room.ID, "join"), nil, nil)
				})
			}
			all.Go(func() {
				defer GinkgoRecover()
				changed := g
				changed.Settings.Topic = fmt.Sprintf("round %d", round)
				_, err := a.Apply(ctx, set(plan.FieldTopic, changed, room.ID))
				Expect(err).NotTo(HaveOccurred())
			})
			middle := openOn(ctx, synapse, every(time.Second)) // a restart in the midst of it
			all.Wait()
			same(a)
			same(middle)
			again := openOn(ctx, synapse, every(time.Second))
			same(again)
			again.Close()
			middle.Close()
		}
	})
})
