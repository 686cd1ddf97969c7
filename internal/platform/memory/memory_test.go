// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package memory_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

var (
	square = model.Ref{Kind: model.KindCommunity, Namespace: "town", Name: "square"}
	market = model.Ref{Kind: model.KindGroup, Namespace: "town", Name: "market"}
)

// town is a server, and what one installation does there.
type town struct {
	*WithT
	t       *testing.T
	server  *memory.Server
	adapter platform.Adapter
}

func newTown(t *testing.T, accounts ...string) *town {
	t.Helper()
	to := &town{WithT: NewWithT(t), t: t, server: memory.NewServer(accounts...)}
	to.adapter = to.open("here")
	return to
}

func (to *town) open(owner string) platform.Adapter {
	adapter, err := to.server.Open(to.t.Context(), platform.Config{OwnerID: owner})
	to.Expect(err).NotTo(HaveOccurred())
	to.t.Cleanup(adapter.Close)
	return adapter
}

func want(ref model.Ref, address string) model.Space {
	return model.Space{
		Mark: model.Mark{OwnerID: "here", Ref: ref}, Address: address,
		Settings: model.Settings{DisplayName: "The " + address, Permissions: map[model.Action]model.Role{model.ActionPost: model.RoleMember}},
		Members:  []model.Member{{Account: "ana", Role: model.RoleManager}, {Account: "ben"}},
	}
}

func (to *town) create(ref model.Ref, address string) string {
	to.t.Helper()
	id, err := to.adapter.Apply(to.t.Context(), plan.Operation{Verb: plan.Create, Space: want(ref, address)})
	to.Expect(err).NotTo(HaveOccurred())
	return id
}

func (to *town) observe(ref model.Ref, address string) platform.Observation {
	to.t.Helper()
	o, err := to.adapter.Observe(to.t.Context(), platform.Query{OwnerID: "here", Ref: ref, Address: address})
	to.Expect(err).NotTo(HaveOccurred())
	return o
}

// beKind says that an error is the platform's, of a kind.
func beKind(kind platform.ErrorKind) types.GomegaMatcher {
	return Satisfy(func(err error) bool {
		var typed *platform.Error
		return errors.As(err, &typed) && typed.Kind == kind
	})
}

func TestASpaceIsSeenAsItWasMade(t *testing.T) {
	to := newTown(t)
	to.Expect(to.observe(square, "square")).To(Equal(platform.Observation{Complete: true}))
	id := to.create(square, "square")
	seen := to.observe(square, "square")
	to.Expect(seen.Space.ID).To(Equal(id))
	to.Expect(seen.Space.Settings.DisplayName).To(Equal("The square"))
	to.Expect(seen.Space.Roles).To(Equal(map[string]model.Role{"ana": model.RoleManager}))
	to.Expect(seen.Space.Members).To(BeEmpty(), "nobody is in it yet")
	to.Expect(seen.Holder).To(BeNil())

	_, err := to.adapter.Apply(t.Context(), plan.Operation{Verb: plan.Create, Space: want(market, "square")})
	to.Expect(err).To(beKind(platform.AlreadyExists))
	to.Expect(to.server.Spaces()).To(Equal(1))
}

// What somebody does with what they saw is not done to the server.
func TestWhatIsSeenIsACopy(t *testing.T) {
	to := newTown(t)
	space := want(square, "square")
	_, err := to.adapter.Apply(t.Context(), plan.Operation{Verb: plan.Create, Space: space})
	to.Expect(err).NotTo(HaveOccurred())
	space.Settings.Permissions[model.ActionPost] = model.RoleManager

	seen := to.observe(square, "square").Space
	seen.Mark.Released = true
	seen.Members["ana"] = model.Banned
	seen.Roles["ben"] = model.RoleManager
	seen.Settings.Permissions[model.ActionPost] = model.RoleManager

	again := to.observe(square, "square").Space
	to.Expect(again.Mark.Released).To(BeFalse())
	to.Expect(again.Members).To(BeEmpty())
	to.Expect(again.Roles).NotTo(HaveKey("ben"))
	to.Expect(again.Settings.Permissions).To(HaveKeyWithValue(model.ActionPost, model.RoleMember))
}

func TestWhoseASpaceIs(t *testing.T) {
	to := newTown(t)
	id := to.create(square, "square")
	other := to.open("there")
	o, err := other.Observe(t.Context(), platform.Query{OwnerID: "there", Ref: square, Address: "square"})
	to.Expect(err).NotTo(HaveOccurred())
	to.Expect(o.Space).To(BeNil(), "another installation's is not ours")
	to.Expect(o.Holder.ID).To(Equal(id))
	to.Expect(o.Holder.Mark.OwnerID).To(Equal("here"))

	to.Expect(to.observe(market, "square").Holder.Mark.Ref).To(Equal(square))
	to.Expect(to.observe(market, "square").Space).To(BeNil(), "a name is no mark")

	unowned := to.server.Add(model.Observed{Address: "fair"})
	to.Expect(to.observe(market, "fair").Holder).To(HaveValue(HaveField("ID", unowned)))
	to.Expect(to.observe(market, "fair").Holder.Mark).To(BeNil())

	to.server.Add(model.Observed{})
	to.Expect(to.observe(square, "").Holder).To(BeNil(), "no name leads nowhere")
}

func TestAGroupKnowsItsCommunityAndALostSpaceIsLost(t *testing.T) {
	to := newTown(t)
	query := platform.Query{OwnerID: "here", Ref: market, Parent: &square, Address: "square-market", KnownID: "space-9"}
	o, err := to.adapter.Observe(t.Context(), query)
	to.Expect(err).NotTo(HaveOccurred())
	to.Expect(o.ParentID).To(BeEmpty())
	to.Expect(o.Lost).To(BeTrue())

	id := to.create(square, "square")
	query.KnownID = id
	o, err = to.adapter.Observe(t.Context(), query)
	to.Expect(err).NotTo(HaveOccurred())
	to.Expect(o.ParentID).To(Equal(id))
	to.Expect(o.Lost).To(BeFalse())

	to.server.Remove(id)
	o, err = to.adapter.Observe(t.Context(), query)
	to.Expect(err).NotTo(HaveOccurred())
	to.Expect(o.Lost).To(BeTrue())
}

func TestOfSeveralSpacesTheOldestOpenOneCounts(t *testing.T) {
	to := newTown(t)
	mark := model.Mark{OwnerID: "here", Ref: square}
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	to.server.Add(model.Observed{Address: "a", Mark: &mark, CreatedAt: year(2020), Archived: true})
	young := to.server.Add(model.Observed{Address: "c", Mark: &mark, CreatedAt: year(2022)})
	old := to.server.Add(model.Observed{Address: "b", Mark: &mark, CreatedAt: year(2021)})
	seen := to.observe(square, "square")
	to.Expect(seen.Space.ID).To(Equal(old))
	to.Expect(seen.Duplicates).To(Equal([]string{young}))

	to.server.Edit("b", func(o *model.Observed) { o.Archived = true })
	to.server.Edit("c", func(o *model.Observed) { o.Archived = true })
	seen = to.observe(square, "square")
	to.Expect(seen.Space.Address).To(Equal("a"))
	to.Expect(seen.Duplicates).To(BeEmpty())
}

// Each operation does its own thing, and twice is once.
func TestOperationsAreDoneAndAreIdempotent(t *testing.T) {
	member := func(account string, role model.Role) []model.Member {
		return []model.Member{{Account: account, Role: role}}
	}
	for name, tc := range map[string]struct {
		op   plan.Operation
		sees func(*model.Observed) any
		want any
	}{
		"release":    {plan.Operation{Verb: plan.Release}, func(o *model.Observed) any { return o.Mark.Released }, true},
		"archive":    {plan.Operation{Verb: plan.Archive}, func(o *model.Observed) any { return o.Archived }, true},
		"link":       {plan.Operation{Verb: plan.Link, ParentID: "space-9"}, func(o *model.Observed) any { return o.Linked }, true},
		"add":        {plan.Operation{Verb: plan.AddMember, Members: member("cai", 0)}, func(o *model.Observed) any { return o.Members["cai"] }, model.Present},
		"remove":     {plan.Operation{Verb: plan.RemoveMember, Members: member("dan", 0)}, func(o *model.Observed) any { return o.Members["dan"] }, model.Removed},
		"give roles": {plan.Operation{Verb: plan.SetRoles, Members: member("ben", model.RoleModerator)}, func(o *model.Observed) any { return o.Roles["ben"] }, model.RoleModerator},
		"take roles": {plan.Operation{Verb: plan.SetRoles, Members: member("ana", model.RoleMember)}, func(o *model.Observed) any { return len(o.Roles) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			to := newTown(t, "ana", "ben", "cai")
			tc.op.Space, tc.op.SpaceID = want(square, "square"), to.create(square, "square")
			to.server.Edit("square", func(o *model.Observed) { o.Members["dan"] = model.Present })
			for range 2 {
				id, err := to.adapter.Apply(t.Context(), tc.op)
				to.Expect(err).NotTo(HaveOccurred())
				to.Expect(id).To(Equal(tc.op.SpaceID))
				to.Expect(tc.sees(to.server.Space("square"))).To(Equal(tc.want))
			}
		})
	}
}

func TestWhatCantBeDoneIsRefused(t *testing.T) {
	to := newTown(t, "eve")
	id := to.create(square, "square")
	to.create(market, "square-market")
	to.server.Edit("square", func(o *model.Observed) { o.Members["eve"] = model.Banned })
	for name, tc := range map[string]struct {
		op   plan.Operation
		kind platform.ErrorKind
	}{
		"a space that is not there":  {plan.Operation{Verb: plan.Archive, SpaceID: "space-9"}, platform.NotFound},
		"an address that is taken":   {plan.Operation{Verb: plan.SetAddress, SpaceID: id, Space: want(square, "square-market")}, platform.AlreadyExists},
		"a parent that is not there": {plan.Operation{Verb: plan.Link, SpaceID: id}, platform.Invalid},
		"who is banned":              {plan.Operation{Verb: plan.AddMember, SpaceID: id, Members: []model.Member{{Account: "eve"}}}, platform.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := to.adapter.Apply(t.Context(), tc.op)
			NewWithT(t).Expect(err).To(beKind(tc.kind))
		})
	}
	_, err := to.adapter.Apply(t.Context(), plan.Operation{Verb: plan.Delete, SpaceID: id})
	to.Expect(err).NotTo(HaveOccurred())
	to.Expect(to.server.Spaces()).To(Equal(1))
}

func TestFaults(t *testing.T) {
	to := newTown(t)
	fault := &platform.Error{Kind: platform.Unavailable, Doing: "testing"}
	create := plan.Operation{Verb: plan.Create, Space: want(square, "square")}

	to.server.Fail(memory.Call(plan.Create), memory.Fault{Err: fault, Once: true})
	_, err := to.adapter.Apply(t.Context(), create)
	to.Expect(err).To(MatchError(fault))
	to.Expect(to.server.Spaces()).To(BeZero(), "it failed before the write")

	lost := &platform.Error{Kind: platform.Ambiguous, Doing: "testing"}
	to.server.Fail(memory.Call(plan.Create), memory.Fault{Err: lost, AfterWrite: true, Once: true})
	_, err = to.adapter.Apply(t.Context(), create)
	to.Expect(err).To(MatchError(lost))
	to.Expect(to.server.Spaces()).To(Equal(1), "it was written, and the answer lost")
	to.Expect(to.server.Calls(memory.Call(plan.Create))).To(Equal(2))

	for call, read := range map[memory.Call]func() error{
		memory.CallProbe:   func() error { _, err := to.adapter.Probe(t.Context()); return err },
		memory.CallObserve: func() error { _, err := to.adapter.Observe(t.Context(), platform.Query{Ref: square}); return err },
		memory.CallMissing: func() error { _, err := to.adapter.Missing(t.Context(), nil); return err },
	} {
		to.server.Fail(call, memory.Fault{Err: fault})
		to.Expect(read()).To(MatchError(fault), string(call))
		to.Expect(read()).To(MatchError(fault), "until it is cleared")
		to.server.Fail(call, memory.Fault{})
		to.Expect(read()).To(Succeed(), string(call))
		to.Expect(to.server.Calls(call)).To(Equal(3))
	}
	to.Expect(to.server.Writes()).To(Equal(2), "reads are no writes")

	to.server.SetIncomplete("a page is missing")
	seen := to.observe(square, "square")
	to.Expect(seen.Complete).To(BeFalse())
	to.Expect(seen.Why).To(Equal("a page is missing"))
	to.server.SetIncomplete("")
	to.Expect(to.observe(square, "square").Complete).To(BeTrue())
}

func TestAFaultThatComesOnce(t *testing.T) {
	to := newTown(t)
	to.server.Fail(memory.CallProbe, memory.Fault{Err: errors.New("down"), Once: true})
	_, err := to.adapter.Probe(t.Context())
	to.Expect(err).To(HaveOccurred())
	_, err = to.adapter.Probe(t.Context())
	to.Expect(err).NotTo(HaveOccurred())
}

func TestASlowCallThatIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := newTown(t)
		to.server.Delay(memory.CallObserve, time.Minute)
		to.server.Delay(memory.Call(plan.Create), time.Minute)
		start := time.Now()
		to.observe(square, "square")
		to.Expect(time.Since(start)).To(Equal(time.Minute))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := to.adapter.Observe(ctx, platform.Query{Ref: square})
		to.Expect(err).To(beKind(platform.Unavailable))
		_, err = to.adapter.Apply(ctx, plan.Operation{Verb: plan.Create, Space: want(square, "square")})
		to.Expect(err).To(beKind(platform.Ambiguous))
		to.Expect(to.server.Spaces()).To(Equal(1), "nobody can tell from here that it was written")
	})
}

func TestChangesByHandAreHintedAt(t *testing.T) {
	to := newTown(t)
	id := to.create(square, "square")
	to.Expect(to.adapter.Hints()).NotTo(Receive(), "what we do ourselves is no news")
	other := to.open("there")

	to.server.Edit("square", func(o *model.Observed) { o.Settings.Topic = "by hand" })
	to.Expect(to.adapter.Hints()).To(Receive(Equal(platform.Hint{Ref: square})))
	to.Expect(other.Hints()).To(Receive(), "everybody who listens")
	to.Expect(to.server.Space("square").Settings.Topic).To(Equal("by hand"))
	to.server.SetIncomplete("")
	to.Expect(to.adapter.Hints()).To(Receive(Equal(platform.Hint{})), "about all of them")

	to.adapter.Close()
	to.adapter.Close()
	to.Expect(to.adapter.Hints()).To(BeClosed())
	to.server.Remove(id)
	to.Expect(to.server.Space("square")).To(BeNil())
}

func TestWhoHasNoAccount(t *testing.T) {
	to := newTown(t, "ana")
	to.server.AddPerson("ben")
	missing, err := to.adapter.Missing(t.Context(), []string{"ana", "nobody", "ben"})
	to.Expect(err).NotTo(HaveOccurred())
	to.Expect(missing).To(Equal([]string{"nobody"}))
}

func TestTheNormalForm(t *testing.T) {
	to := newTown(t)
	info, err := to.adapter.Probe(t.Context())
	to.Expect(err).NotTo(HaveOccurred())
	to.Expect(info.Account).To(Equal(memory.Operator))
	to.Expect(info.Capabilities).To(HaveEach(HaveField("State", platform.Supported)))
	to.Expect(to.adapter.Display("square")).To(Equal("square"))

	once, losses := to.adapter.Normalize(want(square, strings.Repeat("x", memory.MaxAddress)))
	to.Expect(losses).To(BeEmpty())
	twice, _ := to.adapter.Normalize(once)
	to.Expect(twice).To(Equal(once))
	_, losses = to.adapter.Normalize(want(square, strings.Repeat("x", memory.MaxAddress+1)))
	to.Expect(losses).To(HaveLen(1))
	to.Expect(losses[0].Fatal).To(BeTrue())
}

// Run with -race.
func TestEverythingAtOnce(t *testing.T) {
	to := newTown(t, "ana")
	id := to.create(square, "square")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			space := want(square, "square")
			for _, op := range []plan.Operation{
				{Verb: plan.Set, Field: plan.FieldPermissions}, {Verb: plan.SetRoles, Members: space.Members},
				{Verb: plan.AddMember, Members: space.Members[:1]},
			} {
				op.Space, op.SpaceID = space, id
				if _, err := to.adapter.Apply(t.Context(), op); err != nil {
					t.Error(err)
				}
			}
			o, err := to.adapter.Observe(t.Context(), platform.Query{OwnerID: "here", Ref: square, Address: "square"})
			if err != nil || len(o.Space.Members) != 1 {
				t.Error(o.Space, err)
			}
			to.server.Edit("square", func(o *model.Observed) { o.Settings.Topic += "." })
		})
	}
	all.Wait()
	to.Expect(to.server.Space("square").Settings.Topic).To(HaveLen(8))
}

func TestARenamedAccountIsTheSameOne(t *testing.T) {
	to := NewWithT(t)
	server := memory.NewServer("@ana:memory", "@ben:memory")
	server.AddAddress("ana@example.com", "@ana:memory")
	server.Add(model.Observed{Address: "eng", Members: map[string]model.Membership{"@ana:memory": model.Present}, Roles: map[string]model.Role{"@ana:memory": model.RoleManager}})
	open := func() platform.Adapter {
		a, err := server.Open(t.Context(), platform.Config{})
		to.Expect(err).NotTo(HaveOccurred())
		return a
	}
	a := open()
	to.Expect(a.Stable("@ana:memory")).To(Equal("@ana:memory"), "nobody was met yet")
	to.Expect(a.Missing(t.Context(), []string{"@ana:memory", "@ben:memory"})).To(BeEmpty())
	is := a.Stable("@ana:memory")
	to.Expect(is).NotTo(BeElementOf("@ana:memory", a.Stable("@ben:memory")))

	server.RenamePerson("@ana:memory", "@anna:memory")
	server.RenamePerson("@ben:memory", "@ana:memory")
	a = open()
	to.Expect(a.AccountsByEmail(t.Context(), []string{"ana@example.com"})).To(HaveKeyWithValue("ana@example.com", "@anna:memory"))
	to.Expect(a.Missing(t.Context(), []string{"@ana:memory", "@ben:memory"})).To(Equal([]string{"@ben:memory"}))
	to.Expect(a.Stable("@anna:memory")).To(Equal(is))
	to.Expect(a.Stable("@ana:memory")).NotTo(Equal(is), "that is ben")
	to.Expect(server.Space("eng").Members).To(HaveLen(1))
	to.Expect(server.Space("eng").Roles).To(HaveKeyWithValue("@anna:memory", model.RoleManager))
}
