// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// run tells the names of this run from those of another on the same server.
var run = fmt.Sprintf("%05x", rand.N(1<<20)) //nolint:gosec // not a secret

// serial makes names that no other spec has.
var serial atomic.Int64

func unique(prefix string) string { return fmt.Sprintf("%s%d-%s", prefix, serial.Add(1), run) }

// owner is the installation that the specs are.
var owner = "conformance-" + run

// stage is what one spec works with: a server, and the adapter that all specs
// on it share, as all resources share one in a manager.
type stage struct {
	*column
	*actor
	// ends are what is done after the spec, the last first.
	ends []func()
}

// exit ends what the spec began.
func (s *stage) exit() {
	for _, end := range slices.Backward(s.ends) {
		end()
	}
}

// column is one server, for the whole run.
type column struct {
	server
	title string
	// begin starts the server, or takes one that runs.
	begin func(context.Context) (server, error)
	// tidy says that what a spec made is deleted after it: the server goes on without us.
	tidy bool

	main *actor
	lock sync.Mutex // guards what follows
	// people are all accounts so far, taken is how many people the spec has.
	people []string
	taken  int
	shared map[model.Kind]model.Space
	town   *model.Space
}

// start starts the server, and the adapter that is shared.
func (c *column) start(ctx context.Context) {
	s, err := c.begin(ctx)
	Expect(err).NotTo(HaveOccurred(), c.title)
	c.server, c.shared = s, map[model.Kind]model.Space{}
	c.main = opened(ctx, s, opening{ownerID: owner})
	c.main.probe(ctx)
}

// close ends the adapter that is shared, and what was started.
func (c *column) close(ctx context.Context) {
	if c.main != nil {
		c.main.wire.mend()
		if c.tidy {
			c.main.clear(ctx)
		}
		c.main.Close()
	}
	if c.server != nil {
		c.stop()
	}
}

// enter prepares a spec.
func (c *column) enter() *stage {
	c.main.wire.mend()
	c.taken = 0
	return &stage{column: c, actor: c.main}
}

// renew has the specs that follow begin with new spaces.
func (c *column) renew() {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.town = nil
	clear(c.shared)
}

// open opens another adapter, which ends with the spec, and probes it.
func (s *stage) open(ctx context.Context, as opening) *actor {
	GinkgoHelper()
	a := s.opens(ctx, as)
	a.probe(ctx)
	return a
}

// opens opens another adapter, which has not talked to the server yet.
func (s *stage) opens(ctx context.Context, as opening) *actor {
	GinkgoHelper()
	if as.ownerID == "" {
		as.ownerID = owner
	}
	a := opened(ctx, s.server, as)
	s.ends = append(s.ends, func() {
		a.wire.mend()
		if s.tidy {
			a.clear(context.WithoutCancel(ctx))
		}
		a.Close()
	})
	return a
}

// restarted is an adapter of our installation that knows nothing yet.
func (s *stage) restarted(ctx context.Context) *actor {
	GinkgoHelper()
	return s.open(ctx, opening{})
}

// kept waits until one that knows nothing sees a space as it was made: an
// adapter may keep for a moment to itself what it can find out again.
func (s *stage) kept(ctx context.Context, wanted ...model.Space) *actor {
	GinkgoHelper()
	var again *actor
	Eventually(func() []string {
		again = s.restarted(ctx)
		var differs []string
		for _, want := range wanted {
			differs = append(differs, again.differs(ctx, want)...)
		}
		return differs
	}).WithPolling(300 * time.Millisecond).Should(BeEmpty())
	return again
}

// somebody is a person with an account.
func (s *stage) somebody(ctx context.Context) person {
	GinkgoHelper()
	s.lock.Lock()
	defer s.lock.Unlock()
	p, err := s.person(ctx, s.taken)
	Expect(err).NotTo(HaveOccurred())
	s.taken++
	s.people = append(s.people, p.account())
	return p
}

// accounts are all that were made so far.
func (s *stage) accounts() []string {
	s.lock.Lock()
	defer s.lock.Unlock()
	return append([]string{s.nobody(), s.info.Account}, s.people...)
}

// change makes a wanted space a little different.
type change func(*model.Space)

// community is a wanted community with a name of its own, and group a wanted
// group in the town. Every platform can hold what they have.
func community(changes ...change) model.Space {
	name := unique("town")
	return changed(model.Space{
		Mark:    model.Mark{OwnerID: owner, Ref: model.Ref{Kind: model.KindCommunity, Namespace: "conformance", Name: name}},
		Address: name,
		Settings: model.Settings{
			DisplayName: "The town of " + name, Topic: "What " + name + " is for", Join: model.JoinInvite,
			History: model.HistoryEverything, Guests: model.GuestsForbidden,
		},
	}, changes)
}

func changed(want model.Space, changes []change) model.Space {
	for _, c := range changes {
		c(&want)
	}
	return want
}

func groupOf(parent model.Space, changes ...change) model.Space {
	name := unique("square")
	want := community()
	want.Mark.Ref = model.Ref{Kind: model.KindGroup, Namespace: "conformance", Name: name}
	want.Mark.OwnerID = parent.Mark.OwnerID
	want.Parent = &parent.Mark.Ref
	want.Address = name
	want.Settings.DisplayName, want.Settings.Topic = "The square "+name, "What "+name+" is for"
	return changed(want, changes)
}

// group is a wanted group in a community that the specs share.
func (s *stage) group(ctx context.Context, changes ...change) model.Space {
	GinkgoHelper()
	return groupOf(s.inTown(ctx), changes...)
}

// inTown is the community that the specs' groups are in.
func (s *stage) inTown(ctx context.Context) model.Space {
	GinkgoHelper()
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.town == nil {
		town := community()
		s.make(ctx, town)
		s.town = &town
	}
	return *s.town
}

// space is a wanted space of a kind.
func (s *stage) space(ctx context.Context, kind model.Kind, changes ...change) model.Space {
	GinkgoHelper()
	if kind == model.KindGroup {
		return s.group(ctx, changes...)
	}
	return community(changes...)
}

// common is a space that specs have one after the other, so that there are not
// many. It is as wanted, with the changes, when they get it; who was in it
// before is out. With people who come again and again each spec has its own.
func (s *stage) common(ctx context.Context, kind model.Kind, changes ...change) (model.Space, *model.Observed) {
	GinkgoHelper()
	s.lock.Lock()
	want, there := s.shared[kind]
	s.lock.Unlock()
	if !there || s.tidy {
		want = s.space(ctx, kind)
		s.lock.Lock()
		s.shared[kind] = want
		s.lock.Unlock()
	}
	want = changed(want, changes)
	return want, s.make(ctx, want)
}

// accept has people accept the invitations to a space, where the connection invites them and can't join them.
func (s *stage) accept(ctx context.Context, want model.Space, people ...person) {
	GinkgoHelper()
	if s.info.Capabilities[platform.CanJoinOnBehalf].State == platform.Supported {
		return
	}
	space := s.seesSpace(ctx, want)
	for _, p := range people {
		if space.Members[p.account()] == model.Invited {
			Expect(p.join(ctx, space.ID)).To(Succeed())
		}
		Eventually(func() model.Membership { return s.seesSpace(ctx, want).Members[p.account()] }).Should(Equal(model.Present))
	}
}

// in puts people into the community of a group, where they could not come into the group otherwise.
func (s *stage) in(ctx context.Context, want model.Space, people ...person) {
	GinkgoHelper()
	s.nest(ctx, want, names(model.RoleMember, people...)...)
}

// names is a list of accounts as members with a role.
func names(role model.Role, people ...person) []model.Member {
	list := make([]model.Member, 0, len(people))
	for _, p := range people {
		list = append(list, model.Member{Account: p.account(), Role: role})
	}
	return list
}

func withMembers(list ...[]model.Member) change {
	return func(s *model.Space) {
		for _, l := range list {
			s.Members = append(s.Members, l...)
		}
	}
}
