// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	mm "github.com/mattermost/mattermost/server/public/model"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/mattermost"
	"github.com/cabildo-dev/cabildo/internal/platform/platformtest"
)

// server is the one of all specs, and bot the token of the operator's account on it.
var (
	server *devenv.Mattermost
	bot    string
)

func TestMattermost(t *testing.T) {
	_, err := devenv.Binary(devenv.MattermostBinary(""))
	switch {
	case errors.Is(err, devenv.ErrNotBuilt) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(10 * time.Second)
	SetDefaultEventuallyPollingInterval(20 * time.Millisecond)
	RunSpecs(t, "the Mattermost adapter on a real server")
}

var _ = BeforeSuite(func() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var err error
	server, err = devenv.StartMattermost(ctx, devenv.MattermostOptions{})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(server.Close)
	_, bot, err = server.CreateBot(ctx, "cabildo")
	Expect(err).NotTo(HaveOccurred())
})

// serial makes names that no other spec has.
var serial atomic.Int64

func unique(prefix string) string { return fmt.Sprintf("%s%d", prefix, serial.Add(1)) }

// person is somebody with an account, who does things by hand.
type person struct {
	devenv.MattermostAccount
	*mm.Client4
}

func somebody(ctx context.Context, prefix string) person {
	GinkgoHelper()
	account, err := server.CreatePerson(ctx, unique(prefix), "a long password", "")
	Expect(err).NotTo(HaveOccurred())
	return person{account, server.Client(account.Token)}
}

// actor is an adapter with what a spec wants to know of it.
type actor struct {
	platform.Adapter
	wire  *platformtest.Wire
	owner string
}

type option func(*platform.Config)

func owned(owner string) option { return func(c *platform.Config) { c.OwnerID = owner } }

func as(token string) option { return func(c *platform.Config) { c.Token = token } }

// open opens an adapter that ends with the spec.
func open(ctx context.Context, options ...option) *actor {
	GinkgoHelper()
	wire := &platformtest.Wire{}
	cfg := platform.Config{
		Name: "mm", OwnerID: "here", URL: server.URL, Token: bot, Client: &http.Client{Transport: wire},
		ResyncInterval: time.Hour, Log: logr.Discard(),
	}
	for _, set := range options {
		set(&cfg)
	}
	a, err := mattermost.New(ctx, cfg)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(a.Close)
	_, err = a.Probe(ctx)
	Expect(err).NotTo(HaveOccurred())
	return &actor{a, wire, cfg.OwnerID}
}

// connected says whether the WebSocket is.
func (a *actor) connected() bool { return mattermost.Connected(a.Adapter) }

// community and group are wanted spaces with names of their own.
func (a *actor) community(change ...func(*model.Space)) model.Space {
	name := unique("town")
	s := model.Space{
		Mark:    model.Mark{OwnerID: a.owner, Ref: model.Ref{Kind: model.KindCommunity, Namespace: "ns", Name: name}},
		Address: name,
		Settings: model.Settings{
			DisplayName: "Town", Topic: "All of us", Join: model.JoinAnybody, History: model.HistoryEverything, Guests: model.GuestsForbidden,
		},
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

func (a *actor) group(of model.Space, change ...func(*model.Space)) model.Space {
	s := a.community()
	s.Mark.Ref.Kind = model.KindGroup
	s.Parent = &of.Mark.Ref
	s.Settings.Join = model.JoinParentMembers
	s.Settings.DisplayName, s.Settings.Topic = "Market", "Buying and selling"
	for _, c := range change {
		c(&s)
	}
	return s
}

func with(members ...model.Member) func(*model.Space) {
	return func(s *model.Space) { s.Members = append(s.Members, members...) }
}

func query(want model.Space) platform.Query {
	q := platform.Query{OwnerID: want.Mark.OwnerID, Ref: want.Mark.Ref, Parent: want.Parent, Address: want.Address, Members: true}
	for _, m := range want.Members {
		q.Declared = append(q.Declared, m.Account)
	}
	return q
}

func (a *actor) see(ctx context.Context, want model.Space) platform.Observation {
	GinkgoHelper()
	o, err := a.Observe(ctx, query(want))
	Expect(err).NotTo(HaveOccurred())
	Expect(o.Complete).To(BeTrue(), o.Why)
	return o
}

// plan is what is left to do.
func (a *actor) plan(ctx context.Context, want model.Space) []plan.Operation {
	GinkgoHelper()
	want, losses := a.Normalize(want)
	for _, l := range losses {
		Expect(l.Fatal).To(BeFalse(), l.Message)
	}
	o := a.see(ctx, want)
	Expect(o.Holder).To(BeNil())
	return slicesWithoutUs(plan.Diff(want, o.Space, o.ParentID))
}

func slicesWithoutUs(ops []plan.Operation) []plan.Operation {
	kept, _ := plan.Filter(ops, plan.Safety{Complete: true, Exclusive: true, Operator: "cabildo", Budget: plan.Budget{Percent: 100, Count: 100, Floor: 100}})
	return kept
}

// make brings a space to what is wanted, and says that nothing is left then.
func (a *actor) make(ctx context.Context, want model.Space) string {
	GinkgoHelper()
	var id string
	for range 4 {
		for _, op := range a.plan(ctx, want) {
			made, err := a.Apply(ctx, op)
			if platform.IsKind(err, platform.Conflict) { // another process of the spec's wrote a moment ago: look again
				break
			}
			Expect(err).NotTo(HaveOccurred(), op.String())
			id = made
		}
	}
	Expect(a.plan(ctx, want)).To(BeEmpty(), "nothing is left to do")
	if id == "" {
		id = a.see(ctx, want).Space.ID
	}
	return id
}

var schemeAdmin = &mm.SchemeRoles{SchemeAdmin: true, SchemeUser: true}

func teamOf(name, company string) *mm.Team {
	return &mm.Team{Name: name, DisplayName: name, Type: mm.TeamOpen, CompanyName: company}
}

func withVerify(q platform.Query) platform.Query {
	q.Verify = true
	return q
}
