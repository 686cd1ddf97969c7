// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

var _ = Describe("probing", func() {
	It("says what the server is and what it can do", func(ctx context.Context) {
		a := open(ctx)
		Expect(a.info.Server).To(Or(HavePrefix("Dendrite 0."), HavePrefix("Matrix v1.")))
		Expect(a.info.Account).To(Equal(server.OperatorUserID))
		for _, can := range []platform.Capability{
			platform.CanJoinOnBehalf, platform.CanJoinFromParent,
			platform.CanModerate, platform.CanArchive, platform.CanFederate, platform.CanBan,
		} {
			Expect(a.info.Capabilities[can].State).To(Equal(platform.Supported), string(can))
		}
		Expect(a.info.Capabilities[platform.CanDelete].State).To(Equal(platform.Unsupported))
		Expect(a.info.Capabilities[platform.CanDelete].Reason).NotTo(BeEmpty())
	})

	It("finds out whether the server has a way to ask to join, whatever its rooms can", func(ctx context.Context) {
		a := open(ctx)
		Expect(a.info.Capabilities[platform.CanJoinByRequest]).To(Equal(platform.Support{
			State: platform.Unsupported, Reason: "the homeserver doesn't have the endpoint with which people ask to join (/knock)",
		}))
		want := a.want()
		want.Settings.Join = model.JoinRequest
		normal, losses := a.Normalize(want)
		Expect(losses).To(HaveLen(1))
		Expect(normal.Settings.Join).To(Equal(model.JoinInvite))

		a = open(ctx, asking())
		Expect(a.info.Capabilities[platform.CanJoinByRequest].State).To(Equal(platform.Supported))
		normal, losses = a.Normalize(want)
		Expect(losses).To(BeEmpty())
		Expect(normal.Settings.Join).To(Equal(model.JoinRequest))
	})

	It("refuses an account of another server than the declared one, and names both", func(ctx context.Context) {
		a := opened(server, func(c *platform.Config) { c.ServerName = "other.example" })
		_, err := a.Probe(ctx)
		Expect(kindOf(err)).To(Equal(platform.Invalid))
		Expect(err).To(MatchError(And(ContainSubstring("other.example"), ContainSubstring(server.ServerName))))
	})

	It("refuses a URL that is none", func(ctx context.Context) {
		Expect(ctx.Err()).NotTo(HaveOccurred())
		for _, url := range []string{"", "cabildo.test", "ftp://cabildo.test", "://"} {
			_, err := openAt(url)
			Expect(kindOf(err)).To(Equal(platform.Invalid), url)
		}
	})
})

var _ = Describe("a homeserver that goes away", func() {
	var own *devenv.LocalHomeserver
	BeforeEach(func() { own = start() })

	It("leaves the view incomplete, refuses writes, and is found again when it is back", Label("promise 1"), func(ctx context.Context) {
		a := opened(own)
		_, err := a.Probe(ctx)
		Expect(err).NotTo(HaveOccurred())
		town := a.want()
		space := a.make(ctx, town)
		a.quiet()

		own.Stop()
		Eventually(func() bool {
			o, err := a.Observe(ctx, query(town))
			Expect(err).NotTo(HaveOccurred()) // not yet: it was there a moment ago
			return o.Complete
		}).Should(BeFalse())
		_, err = a.Apply(ctx, op(plan.Create, a.want(), ""))
		Expect(kindOf(err)).To(Equal(platform.Unavailable))
		_, err = a.Apply(ctx, set(plan.FieldTopic, town, space.ID))
		Expect(kindOf(err)).To(Equal(platform.Unavailable))
		_, err = a.Missing(ctx, []string{"@new:" + own.ServerName})
		Expect(kindOf(err)).To(Equal(platform.Unavailable))

		stranger := opened(own)
		o, err := stranger.Observe(ctx, query(town))
		Expect(kindOf(err)).To(Equal(platform.Unavailable))
		Expect(o.Complete).To(BeFalse())
		Expect(o.Why).NotTo(BeEmpty())

		Expect(own.Start(ctx)).To(Succeed())
		_, err = a.Probe(ctx) // which also wakes the sync
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() bool {
			o, err := a.Observe(ctx, query(town))
			return err == nil && o.Complete
		}).Should(BeTrue())
		Expect(a.differs(ctx, town)).To(BeEmpty())
		a.hinted(model.Ref{})
	})

	It("that limits requests says how long to wait", func(ctx context.Context) {
		limited, err := devenv.StartDendrite(ctx, devenv.DendriteOptions{RateLimit: &devenv.RateLimit{Threshold: 3, Cooloff: 2 * time.Second}})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(limited.Close)
		a := opened(limited, as(somebodyAt(ctx, limited, "bot")))
		Eventually(func() platform.ErrorKind {
			_, err = a.Probe(ctx)
			return kindOf(err)
		}).Should(Equal(platform.RateLimited))
		var typed *platform.Error
		Expect(errors.As(err, &typed)).To(BeTrue())
		Expect(typed.RetryAfter).To(BeNumerically(">", 0))
		Eventually(func() bool { // a sync that was refused too is tried again
			o, err := a.Observe(ctx, platform.Query{Ref: community("any")})
			return err == nil && o.Complete
		}).WithTimeout(30 * time.Second).Should(BeTrue())
	})

	It("and forgets which message it had taken does not get it twice", func(ctx context.Context) {
		a := opened(own)
		_, err := a.Probe(ctx)
		Expect(err).NotTo(HaveOccurred())
		town := a.want()
		space := a.make(ctx, town)
		town.Settings.Guidelines = "Be kind."
		normal, _ := a.Normalize(town)
		a.wire.loseNext("PUT /rooms/{room}/send/{type}/{txn}")
		_, err = a.Apply(ctx, set(plan.FieldGuidelines, normal, space.ID))
		Expect(kindOf(err)).To(Equal(platform.Ambiguous))

		own.Stop() // what it knows of transactions is in its memory alone
		Expect(own.Start(ctx)).To(Succeed())
		_, err = a.Probe(ctx)
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() error {
			_, err := a.Apply(ctx, set(plan.FieldGuidelines, normal, space.ID))
			return err
		}).WithTimeout(30 * time.Second).Should(Succeed())
		Expect(a.differs(ctx, town)).To(BeEmpty())
		var messages struct {
			Chunk []struct{ Type string } `json:"chunk"`
		}
		bot := operatorAt(own)
		bot.does(ctx, http.MethodGet, inRoom(space.ID, "messages")+"?dir=b&limit=50&filter="+url.QueryEscape(`{"types":["m.room.message"]}`), nil, &messages)
		Expect(messages.Chunk).To(HaveLen(1))
	})

	It("is told anew when it forgot everything", func(ctx context.Context) {
		a := opened(own)
		_, err := a.Probe(ctx)
		Expect(err).NotTo(HaveOccurred())
		town := a.want()
		space := a.make(ctx, town)
		Expect(own.Wipe()).To(Succeed())
		Expect(own.Start(ctx)).To(Succeed())
		Eventually(func() bool {
			o, err := a.Observe(ctx, platform.Query{Ref: town.Mark.Ref, KnownID: space.ID, Address: town.Address})
			return err == nil && o.Complete && o.Lost
		}).WithTimeout(45 * time.Second).Should(BeTrue())
	})
})
