// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

var trouble = section("Trouble",
	feature("says who it is, what the server is, and what it can do", func(ctx context.Context, s *stage) {
		Expect(s.info.Server).NotTo(BeEmpty())
		Expect(s.info.Account).NotTo(BeEmpty())
		for _, can := range platform.Capabilities() {
			support := s.info.Capabilities[can]
			Expect(support.State).To(BeElementOf(platform.Supported, platform.Unsupported, platform.Unlicensed, platform.Delegated), string(can))
			if support.State != platform.Supported {
				Expect(support.Reason).NotTo(BeEmpty(), string(can))
			}
		}
		Expect(s.restarted(ctx).info).To(Equal(s.info))
	}),

	feature("says that a token is refused, and never shows it", Label("promise 11"), func(ctx context.Context, s *stage) {
		const token = "averysecrettoken0123456789"
		a := s.opens(ctx, opening{token: token})
		want := community()
		_, probed := a.Probe(ctx)
		o, observed := a.Observe(ctx, a.query(want))
		_, applied := a.Apply(ctx, plan.Operation{Verb: plan.Create, Space: want})
		Expect(o.Complete).To(BeFalse())
		for _, err := range []error{probed, observed, applied} {
			Expect(err).To(beKind(platform.Unauthorized))
			Expect(err.Error() + o.Why).NotTo(ContainSubstring(token))
		}
	}),

	feature("says that the server can't be reached, and invents nothing", Label("promise 1"), func(ctx context.Context, s *stage) {
		a := s.restarted(ctx)
		p := s.somebody(ctx)
		want := s.group(ctx, withMembers(names(model.RoleMember, p)))
		made := a.make(ctx, want)

		a.wire.cut()
		_, err := a.Probe(ctx)
		Expect(err).To(beKind(platform.Unavailable))
		_, err = a.Apply(ctx, plan.Operation{Verb: plan.Set, Field: plan.FieldTopic, Space: a.normal(want), SpaceID: made.ID})
		Expect(err).To(beKind(platform.Unavailable))
		_, err = a.Missing(ctx, []string{s.nobody()})
		Expect(err).To(beKind(platform.Unavailable))
		Eventually(func() bool { return a.partial(ctx, want, made) }).Should(BeTrue())

		unknown := s.opens(ctx, opening{})
		unknown.wire.cut()
		o, err := unknown.Observe(ctx, unknown.query(want))
		Expect(err).To(beKind(platform.Unavailable))
		Expect(o.Complete).To(BeFalse())

		a.wire.mend()
		Eventually(func() error {
			_, err := a.Probe(ctx)
			return err
		}).Should(Succeed())
		Eventually(func() bool {
			o, err := a.Observe(ctx, a.query(want))
			return err == nil && o.Complete
		}).Should(BeTrue())
		Expect(a.differs(ctx, want)).To(BeEmpty())
	}),

	feature("sees all or says that it doesn't, whichever read fails", Label("promise 1"), func(ctx context.Context, s *stage) {
		p, q := s.somebody(ctx), s.somebody(ctx)
		want := everything(s, s.group(ctx), p, q)
		made := s.make(ctx, want)
		s.kept(ctx, want)
		const most = 60
		for n := 1; ; n++ {
			Expect(n).To(BeNumerically("<", most), "a look takes more reads than this spec looks at")
			a := s.opens(ctx, opening{})
			a.known[want.Mark.Ref] = made.ID
			a.wire.fail(n)
			// What can't be probed is not looked at either.
			if _, err := a.Probe(ctx); err != nil {
				Expect(err).To(beKind(platform.Unavailable))
			} else {
				a.partial(ctx, want, made)
			}
			done := a.wire.reads() < n
			a.Close()
			if done {
				break
			}
		}
	}),

	feature("says that a write may have happened when time is up, or does it", Label("promise 3"), func(ctx context.Context, s *stage) {
		want := s.group(ctx)
		op := s.creation(ctx, want)
		s.wire.slow(500 * time.Millisecond)
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		id, err := s.Apply(short, op)
		s.wire.mend()
		if err != nil {
			Expect(err).To(beKind(platform.Ambiguous))
		}
		made := s.make(ctx, want)
		if err == nil {
			Expect(made.ID).To(Equal(id))
		}
		s.isOne(ctx, want, made.ID)

		want.Settings.Topic = "Another purpose"
		s.wire.slow(500 * time.Millisecond)
		short, cancel = context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		_, err = s.Apply(short, plan.Operation{Verb: plan.Set, Field: plan.FieldTopic, Space: s.normal(want), SpaceID: made.ID})
		s.wire.mend()
		if err != nil {
			Expect(err).To(beKind(platform.Ambiguous))
		}
		s.make(ctx, want)
	}),

	feature("refuses to change what is not there", func(ctx context.Context, s *stage) {
		want := s.group(ctx)
		made := s.make(ctx, want)
		Expect(s.administrator().lose(ctx, made.ID)).To(Succeed())
		Eventually(func() bool { return s.verifies(ctx, want).Lost }).Should(BeTrue())
		Expect(s.apply(ctx, plan.Archive, want, made.ID)).To(beKind(platform.NotFound))
	}),

	feature("lets one account that can't be added block only itself", Label("promise 6"), func(ctx context.Context, s *stage) {
		p := s.somebody(ctx)
		want, made := s.common(ctx, model.KindGroup)
		s.in(ctx, want, p)
		err := s.apply(ctx, plan.AddMember, want, made.ID, model.Member{Account: "no account of any platform"})
		Expect(err).To(beKind(platform.Invalid, platform.NotFound, platform.Conflict, platform.Forbidden))
		Expect(s.add(ctx, want, made.ID, p)).To(Succeed())
		Expect(s.seesSpace(ctx, want).Members).To(HaveKeyWithValue(p.account(), there))
	}),

	feature("ends its hints when it is closed", func(ctx context.Context, s *stage) {
		a := s.restarted(ctx)
		a.Close()
		Eventually(a.Hints()).Should(BeClosed())
	}),
)

// partial looks at a space while something is wrong, and says whether it was
// told so. What it is told is the truth, or a part of it that says that it is one.
func (a *actor) partial(ctx context.Context, want model.Space, made *model.Observed) bool {
	GinkgoHelper()
	q := a.query(want)
	q.Verify = true
	o, err := a.Observe(ctx, q)
	if err != nil {
		var typed *platform.Error
		Expect(errors.As(err, &typed)).To(BeTrue(), "%v", err)
		Expect(o.Complete).To(BeFalse())
		return true
	}
	if !o.Complete {
		Expect(o.Why).NotTo(BeEmpty())
		Expect(o.Lost).To(BeFalse(), "what was not seen is not lost")
		return true
	}
	Expect(o.Space).NotTo(BeNil(), "a look that is whole lacks the space")
	Expect(o.Space.Members).To(Equal(made.Members))
	Expect(o.Space.Roles).To(Equal(made.Roles))
	Expect(o.Space.Settings).To(Equal(made.Settings))
	Expect(o.Space.GuidelinesDigest).To(Equal(made.GuidelinesDigest))
	return false
}
