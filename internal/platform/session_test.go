// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform_test

import (
	"context"
	"testing"
	"testing/synctest"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// open is an adapter that counts how often it is closed.
type open struct {
	platform.Adapter
	hints  chan platform.Hint
	closed int
}

func (o *open) Hints() <-chan platform.Hint { return o.hints }

func (o *open) Close() {
	o.closed++
	if o.closed == 1 {
		close(o.hints)
	}
}

func newSession(name string, waiting ...platform.Hint) (*open, *platform.Session) {
	o := &open{hints: make(chan platform.Hint, 16)}
	for _, hint := range waiting {
		o.hints <- hint
	}
	return o, &platform.Session{Name: name, Adapter: o}
}

func about(name string) platform.Hint { return platform.Hint{Ref: model.Ref{Name: name}} }

func TestAPlatformHasOneSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		sessions := platform.NewSessions()
		g.Expect(sessions.Get("chat")).To(BeNil())

		first, one := newSession("chat")
		other, another := newSession("town")
		sessions.Put(one)
		sessions.Put(another)
		g.Expect(sessions.Get("chat")).To(BeIdenticalTo(one))

		second, two := newSession("chat")
		sessions.Put(two)
		g.Expect(sessions.Get("chat")).To(BeIdenticalTo(two))
		g.Expect(first.closed).To(Equal(1), "the session before is closed")
		g.Expect(second.closed+other.closed).To(BeZero(), "and no other")

		sessions.Drop("chat")
		g.Expect(sessions.Get("chat")).To(BeNil())
		g.Expect(second.closed).To(Equal(1))
		sessions.Drop("chat")
		g.Expect(second.closed).To(Equal(1), "what is gone can be dropped")
		sessions.Drop("town")
	})
}

func TestHintsOfAllSessionsComeTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		sessions := platform.NewSessions()
		chat, one := newSession("chat", about("a"), about("b"))
		_, two := newSession("town", about("c"))
		sessions.Put(one)
		sessions.Put(two)
		got := map[string]string{}
		for range 3 {
			hint := <-sessions.Hints()
			got[hint.Hint.Ref.Name] = hint.Platform
		}
		g.Expect(got).To(Equal(map[string]string{"a": "chat", "b": "chat", "c": "town"}))

		_, three := newSession("chat")
		sessions.Put(three)
		g.Expect(chat.closed).To(Equal(1))
		three.Adapter.(*open).hints <- about("d")
		g.Expect((<-sessions.Hints()).Hint).To(Equal(about("d")), "the new session's hints come, too")
		sessions.Drop("chat")
		sessions.Drop("town")
	})
}

func TestAtTheEndEverySessionIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		sessions := platform.NewSessions()
		chat, one := newSession("chat")
		town, two := newSession("town")
		sessions.Put(one)
		sessions.Put(two)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- sessions.Start(ctx) }()
		synctest.Wait()
		g.Expect(chat.closed+town.closed).To(BeZero(), "not before the end")

		stop()
		g.Expect(<-ended).To(Succeed())
		g.Expect(chat.closed).To(Equal(1))
		g.Expect(town.closed).To(Equal(1))
		g.Expect(sessions.Get("chat")).To(BeNil())

		late, three := newSession("chat")
		sessions.Put(three)
		g.Expect(late.closed).To(Equal(1), "what is opened during the end is closed at once")
		g.Expect(sessions.Get("chat")).To(BeNil())
	})
}

// A bubble ends only when everything in it has: hints that nobody reads any
// more must not keep a session's end waiting.
func TestHintsThatNobodyReadsHoldNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sessions := platform.NewSessions()
		busy, session := newSession("chat")
		sessions.Put(session)
		ctx, stop := context.WithCancel(t.Context())
		for range 2000 {
			select {
			case busy.hints <- about("a"):
				synctest.Wait()
			default:
			}
		}
		stop()
		NewWithT(t).Expect(sessions.Start(ctx)).To(Succeed())
	})
}
