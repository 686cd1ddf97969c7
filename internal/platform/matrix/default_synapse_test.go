// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// limits counts how often a server said that it limits requests.
type limits struct{ said atomic.Int32 }

func (l *limits) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		l.said.Add(1)
	}
	return resp, err
}

// withBudget has requests keep to a budget, as those of a session do.
func withBudget(c *platform.Config) {
	client, err := platform.NewClient(platform.ClientOptions{Platform: "test", Budget: platform.NewBudget(1000, 8)})
	Expect(err).NotTo(HaveOccurred())
	c.Client.Transport.(*wire).next = client.Transport
}

// As Synapse is when nobody has configured it: with limits, and with nobody who may publish rooms. Of the limits, the
// one for all that is sent (one in 5 s) is lifted, because ordinary accounts would wait for it all the time.
var _ = Describe("on a Synapse with default limits and rules", Ordered, ContinueOnFailure, func() {
	var synapse *devenv.LocalHomeserver

	BeforeAll(func(ctx context.Context) {
		var err error
		synapse, err = devenv.StartSynapse(ctx, devenv.SynapseOptions{
			DefaultLimits: true, Config: map[string]any{"rc_message": map[string]any{"per_second": 1000, "burst_count": 1000}},
		})
		if devenv.WithoutSynapse(err) {
			Skip(err.Error())
		}
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() error { return synapse.Close() })
	})

	It("makes what it can't publish, and tries that no more", Label("promise 8"), func(ctx context.Context) {
		a := openOn(ctx, synapse)
		town, _ := a.Normalize(a.want())
		id, err := a.Apply(ctx, op(plan.Create, town, ""))
		Expect(err).NotTo(HaveOccurred())
		Expect(a.sees(ctx, town).Space.Settings.Listed).To(BeFalse())
		for _, by := range []*actor{a, a, openOn(ctx, synapse)} {
			_, err = by.Apply(ctx, set(plan.FieldListed, town, id))
			Expect(kindOf(err)).To(Equal(platform.NotSupported))
			Expect(err).To(MatchError(ContainSubstring("room_list_publication_rules")))
			Expect(by.sees(ctx, town).Space.Settings.Listed).To(BeFalse())
		}
		Expect(a.wire.of("PUT /directory/list/room/{room}")).To(Equal(1))
		again := openOn(ctx, synapse)
		before := again.wire.requests()
		_, err = again.Apply(ctx, set(plan.FieldListed, town, id))
		Expect(kindOf(err)).To(Equal(platform.NotSupported))
		Expect(again.wire.requests()).To(Equal(before), "after a restart it is known")
	})

	It("is not limited with an application service's token", func(ctx context.Context) {
		l := &limits{}
		a := openOn(ctx, synapse, func(c *platform.Config) { c.Client.Transport.(*wire).next = l })
		var members []model.Member
		for range 2 {
			members = append(members, model.Member{Account: somebodyAt(ctx, synapse, "p").id})
		}
		town := a.want()
		town.Settings.Listed, town.Members = false, members
		a.make(ctx, town)
		for range 29 {
			g := group(town)
			g.Members = members
			a.make(ctx, g)
		}
		Expect(l.said.Load()).To(BeZero())
	})

	It("keeps nobody else waiting for an invitation that is limited, with an ordinary account's token", func(ctx context.Context) {
		bot, often, once := somebodyAt(ctx, synapse, "bot"), somebodyAt(ctx, synapse, "often"), somebodyAt(ctx, synapse, "once")
		a := openOn(ctx, synapse, as(bot), withBudget)
		var wants []model.Space
		var rooms []string
		for range 7 { // as many as an account may be invited to at once, and more
			want := a.want()
			want.Settings.Listed = false
			want, _ = a.Normalize(want)
			id, err := a.Apply(ctx, op(plan.Create, want, ""))
			Expect(err).NotTo(HaveOccurred())
			wants, rooms = append(wants, want), append(rooms, id)
		}
		invites := func(i int, who person) error {
			_, err := a.Apply(ctx, op(plan.AddMember, wants[i], rooms[i], model.Member{Account: who.id}))
			return err
		}
		var refused *platform.Error
		at := 0
		for refused == nil {
			Expect(at).To(BeNumerically("<", len(rooms)), "no invitation was limited")
			if err := invites(at, often); err != nil {
				Expect(errors.As(err, &refused)).To(BeTrue())
			}
			at++
		}
		Expect(refused.Kind).To(Equal(platform.RateLimited))
		Expect(refused.Limited).To(BeTrue())
		Expect(refused.RetryAfter).To(BeNumerically(">", 30*time.Second))
		Expect(invites(at-1, often)).To(MatchError(ContainSubstring("the platform asked to wait")), "it is not asked again")

		start := time.Now()
		Expect(invites(0, once)).To(Succeed(), "others are invited")
		_, err := a.Apply(ctx, op(plan.RemoveMember, wants[1], rooms[1], model.Member{Account: often.id}))
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() model.Membership { return a.sees(ctx, wants[1]).Space.Members[often.id] }).Should(Equal(model.Removed), "and the sync goes on")
		Expect(time.Since(start)).To(BeNumerically("<", 10*time.Second))
	})
})
