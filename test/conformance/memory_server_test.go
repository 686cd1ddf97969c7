// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

// inMemory is the platform for tests. It keeps no messages and holds nobody
// back, so what people may do there is played by memoryPerson.
type inMemory struct {
	*memory.Server

	mu sync.Mutex // guards what follows
	// said are the messages by space.
	said map[string][]string
	// pinned are the guidelines by their digest: the platform keeps nothing else of them.
	pinned map[string]string
}

func newInMemory() *inMemory {
	m := &inMemory{Server: memory.NewServer(), said: map[string][]string{}, pinned: map[string]string{}}
	m.RequireToken(memoryToken)
	return m
}

const memoryToken = "the token of the memory platform"

func (m *inMemory) software() string {
	return "a map in memory, for tests; what people may do there is played by the suite"
}
func (m *inMemory) nobody() string  { return "@nobody:memory" }
func (m *inMemory) picture() string { return "memory:picture" }
func (m *inMemory) stop()           {}

func (m *inMemory) open(ctx context.Context, as opening) (platform.Adapter, wire, error) {
	cfg := platform.Config{OwnerID: as.ownerID, Token: memoryToken}
	if as.token != "" {
		cfg.Token = as.token
	}
	adapter, err := m.Open(ctx, cfg)
	w := &memoryWire{server: m.Server}
	w.readBefore, w.wroteBefore = w.reads(), w.writes()
	return adapter, w, err
}

func (m *inMemory) person(context.Context, int) (person, error) {
	p := memoryPerson{at: m, name: "@" + unique("person") + ":memory"}
	m.AddPerson(p.name)
	return p, nil
}

func (m *inMemory) administrator() administrator { return memoryAdministrator{m} }

// memoryWire is the faults of the memory platform. They are the whole
// server's, and a spec has them to itself.
type memoryWire struct {
	server *memory.Server
	// what was counted when the adapter was opened
	readBefore, wroteBefore int
	// before is how often each write was asked for when one was to be lost.
	before map[plan.Verb]int
	losing bool
}

var memoryVerbs = []plan.Verb{
	plan.Create, plan.Mark, plan.Release, plan.Archive, plan.Restore, plan.Delete, plan.Set, plan.SetAddress,
	plan.Link, plan.AddMember, plan.RemoveMember, plan.SetRoles,
}

var memoryReads = []memory.Call{memory.CallProbe, memory.CallObserve, memory.CallMissing}

func (w *memoryWire) reads() int {
	n := 0
	for _, call := range memoryReads {
		n += w.server.Calls(call)
	}
	return n - w.readBefore
}

func (w *memoryWire) writes() int { return w.server.Writes() - w.wroteBefore }

// lose knows the first write only: each operation is one.
func (w *memoryWire) lose(n int) {
	w.before, w.losing = map[plan.Verb]int{}, n == 1
	for _, verb := range memoryVerbs {
		w.before[verb] = w.server.Calls(memory.Call(verb))
		if n == 1 {
			w.server.Fail(memory.Call(verb), memory.Fault{
				Err: &platform.Error{Kind: platform.Ambiguous, Doing: "writing"}, AfterWrite: true, Once: true,
			})
		}
	}
}

func (w *memoryWire) lost() bool {
	return w.losing && slices.ContainsFunc(memoryVerbs, func(v plan.Verb) bool { return w.server.Calls(memory.Call(v)) > w.before[v] })
}

func (w *memoryWire) fail(n int) {
	if n != 1 {
		return
	}
	for _, call := range memoryReads {
		w.server.Fail(call, memory.Fault{Err: &platform.Error{Kind: platform.Unavailable, Doing: "reading"}, Once: true})
	}
}

func (w *memoryWire) slow(d time.Duration) {
	for _, verb := range memoryVerbs {
		w.server.Delay(memory.Call(verb), d)
	}
}

func (w *memoryWire) cut() {
	down := memory.Fault{Err: &platform.Error{Kind: platform.Unavailable, Doing: "reaching the server"}}
	for _, verb := range memoryVerbs {
		w.server.Fail(memory.Call(verb), down)
	}
	for _, call := range memoryReads {
		w.server.Fail(call, down)
	}
}

func (w *memoryWire) mend() {
	w.losing = false
	for _, verb := range memoryVerbs {
		w.server.Fail(memory.Call(verb), memory.Fault{})
		w.server.Delay(memory.Call(verb), 0)
	}
	for _, call := range memoryReads {
		w.server.Fail(call, memory.Fault{})
	}
}
