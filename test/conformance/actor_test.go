// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// actor is an adapter, with what a manager remembers beside it.
type actor struct {
	platform.Adapter
	wire  wire
	owner string
	info  platform.Info

	mu sync.Mutex // guards what follows
	// known are the IDs that a manager would have in status.
	known map[model.Ref]string
	// created are the spaces that it made, each as the operation that deletes it.
	created []plan.Operation
}

func opened(ctx context.Context, at server, as opening) *actor {
	GinkgoHelper()
	adapter, wire, err := at.open(context.WithoutCancel(ctx), as)
	Expect(err).NotTo(HaveOccurred())
	return &actor{Adapter: adapter, wire: wire, owner: as.ownerID, known: map[model.Ref]string{}}
}

func (a *actor) probe(ctx context.Context) {
	GinkgoHelper()
	var err error
	a.info, err = a.Probe(ctx)
	Expect(err).NotTo(HaveOccurred())
}

// query asks for a wanted space as a manager does.
func (a *actor) query(want model.Space) platform.Query {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := platform.Query{
		OwnerID: a.owner, Ref: want.Mark.Ref, Parent: want.Parent, Address: want.Address,
		KnownID: a.known[want.Mark.Ref], Members: true,
	}
	for _, m := range want.Members {
		q.Declared = append(q.Declared, m.Account)
	}
	return q
}

// forget is what a manager does whose resource is gone.
func (a *actor) forget(want model.Space) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.known, want.Mark.Ref)
}

// sees observes and expects a whole answer.
func (a *actor) sees(ctx context.Context, want model.Space) platform.Observation {
	GinkgoHelper()
	return a.observes(ctx, a.query(want))
}

// verifies sees also what was done by hand where the view doesn't tell of it.
func (a *actor) verifies(ctx context.Context, want model.Space) platform.Observation {
	GinkgoHelper()
	q := a.query(want)
	q.Verify = true
	return a.observes(ctx, q)
}

func (a *actor) observes(ctx context.Context, q platform.Query) platform.Observation {
	GinkgoHelper()
	o, err := a.Observe(ctx, q)
	Expect(err).NotTo(HaveOccurred())
	Expect(o.Complete).To(BeTrue(), o.Why)
	return o
}

// seesSpace is the wanted space as it is seen, which has to be there.
func (a *actor) seesSpace(ctx context.Context, want model.Space) *model.Observed {
	GinkgoHelper()
	o := a.sees(ctx, want)
	Expect(o.Space).NotTo(BeNil(), "the space is not seen")
	return o.Space
}

// normal is the wanted space in the platform's normal form, which it has to be able to make.
func (a *actor) normal(want model.Space) model.Space {
	GinkgoHelper()
	normal, losses := a.Normalize(want)
	Expect(losses).NotTo(ContainElement(HaveField("Fatal", true)))
	return normal
}

// plans is what has still to be done to a space, which may have to be taken over.
func (a *actor) plans(ctx context.Context, want model.Space) ([]plan.Operation, platform.Observation) {
	GinkgoHelper()
	o := a.sees(ctx, want)
	if o.Space == nil && o.Holder != nil {
		o.Space = o.Holder.Space
	}
	return plan.Diff(a.normal(want), o.Space, o.ParentID), o
}

// differs is what has still to be done to a space, in words.
func (a *actor) differs(ctx context.Context, want model.Space) []string {
	GinkgoHelper()
	ops, _ := a.plans(ctx, want)
	return said(ops)
}

func said(ops []plan.Operation) []string {
	words := make([]string, 0, len(ops))
	for _, op := range ops {
		words = append(words, op.String())
	}
	return words
}

// rounds is how often a manager looks again after it has written.
const rounds = 3

// make brings a space to what is wanted, as a manager does, and sees that
// nothing is left to do then.
func (a *actor) make(ctx context.Context, want model.Space) *model.Observed {
	GinkgoHelper()
	a.nest(ctx, want, want.Members...)
	for range rounds {
		ops, o := a.plans(ctx, want)
		if len(ops) == 0 {
			return o.Space
		}
		for _, op := range ops {
			id, err := a.Apply(ctx, op)
			if why := refusalOf(err); why != "" && op.Verb == plan.Set { // a server whose administrator does not allow it
				leave(platform.Unsupported, strings.ReplaceAll(why, op.SpaceID, "…"))
			}
			Expect(err).NotTo(HaveOccurred(), op.String())
			a.made(op, id)
		}
	}
	Expect(a.differs(ctx, want)).To(BeEmpty())
	return a.seesSpace(ctx, want)
}

// nest puts accounts into the community of a group, where the platform wants
// that of who is to be in the group. A manager has them in what it declares.
func (a *actor) nest(ctx context.Context, want model.Space, members ...model.Member) {
	GinkgoHelper()
	if want.Parent == nil || !a.info.Nested {
		return
	}
	parent := model.Space{Mark: model.Mark{OwnerID: want.Mark.OwnerID, Ref: *want.Parent}}
	id := a.sees(ctx, want).ParentID
	for _, m := range members {
		_, err := a.Apply(ctx, plan.Operation{Verb: plan.AddMember, Space: parent, SpaceID: id, Members: []model.Member{{Account: m.Account}}})
		Expect(err).NotTo(HaveOccurred())
	}
}

// made notes a space that is there now.
func (a *actor) made(op plan.Operation, id string) {
	GinkgoHelper()
	Expect(id).NotTo(BeEmpty(), "Apply returns the ID of the space")
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known[op.Space.Mark.Ref] = id
	if op.Verb == plan.Create {
		a.created = append(a.created, plan.Operation{Verb: plan.Delete, Space: op.Space, SpaceID: id})
	}
}

// apply does one operation on a space.
func (a *actor) apply(ctx context.Context, verb plan.Verb, want model.Space, id string, members ...model.Member) error {
	GinkgoHelper()
	got, err := a.Apply(ctx, plan.Operation{Verb: verb, Space: a.normal(want), SpaceID: id, Members: members})
	if err == nil {
		Expect(got).NotTo(BeEmpty(), "Apply returns the ID of the space")
	}
	return err
}

// create makes a space, and nothing more.
func (a *actor) create(ctx context.Context, want model.Space) (string, error) {
	GinkgoHelper()
	id, err := a.Apply(ctx, a.creation(ctx, want))
	if err == nil {
		a.made(plan.Operation{Verb: plan.Create, Space: want}, id)
	}
	return id, err
}

// creation is the operation that makes a space, as far as it is known now where its parent is.
func (a *actor) creation(ctx context.Context, want model.Space) plan.Operation {
	GinkgoHelper()
	return plan.Operation{Verb: plan.Create, Space: a.normal(want), ParentID: a.sees(ctx, want).ParentID}
}

// set writes one setting.
func (a *actor) set(ctx context.Context, field plan.Field, want model.Space) error {
	GinkgoHelper()
	o := a.sees(ctx, want)
	_, err := a.Apply(ctx, plan.Operation{
		Verb: plan.Set, Field: field, Space: a.normal(want), SpaceID: o.Space.ID, ParentID: o.ParentID,
	})
	return err
}

func (a *actor) add(ctx context.Context, want model.Space, id string, p person) error {
	GinkgoHelper()
	return a.apply(ctx, plan.AddMember, want, id, model.Member{Account: p.account()})
}

// beKind says that an error is the contract's, of one of these kinds.
func beKind(kinds ...platform.ErrorKind) types.GomegaMatcher {
	return WithTransform(func(err error) platform.ErrorKind {
		var typed *platform.Error
		if errors.As(err, &typed) {
			return typed.Kind
		}
		return platform.ErrorKind(fmt.Sprintf("%T", err))
	}, BeElementOf(kinds))
}

// clear deletes what was made, on a server that goes on without us. What can't
// be deleted is left.
func (a *actor) clear(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, op := range slices.Backward(a.created) {
		if _, err := a.Apply(ctx, op); err != nil {
			GinkgoWriter.Println("left behind:", err)
		}
	}
}
