// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// Session is one open platform: its adapter and what the probe found. Every
// resource on the platform shares it.
type Session struct {
	Adapter
	Name string
	Info Info
	// Fingerprint changes when anything changes that the session was opened with.
	Fingerprint string
}

// Sessions holds the open sessions by the name of their Platform, and gathers
// their hints.
type Sessions struct {
	mu    sync.Mutex
	open  map[string]*Session
	hints chan SessionHint
	// stopped is closed by Start, at its end.
	stopped chan struct{}
}

// SessionHint is a hint and where it came from.
type SessionHint struct {
	Platform string
	Hint     Hint
}

// NewSessions returns an empty set.
func NewSessions() *Sessions {
	return &Sessions{open: map[string]*Session{}, hints: make(chan SessionHint, 1024), stopped: make(chan struct{})}
}

// Get returns the open session of a platform, or nil.
func (s *Sessions) Get(name string) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[name]
}

// Put makes a session the one of its platform, and closes the one before it.
// After the end of Start there are no sessions, and it is closed at once.
func (s *Sessions) Put(session *Session) {
	s.mu.Lock()
	if s.isStopped() {
		s.mu.Unlock()
		session.Close()
		return
	}
	old := s.open[session.Name]
	s.open[session.Name] = session
	s.mu.Unlock()
	if old != nil {
		old.Close()
	}
	go s.forward(session)
}

// forward brings the hints of a session to those of all, until it is closed.
func (s *Sessions) forward(session *Session) {
	for hint := range session.Hints() {
		select {
		case s.hints <- SessionHint{Platform: session.Name, Hint: hint}:
		case <-s.stopped: // nobody listens any more
		}
	}
}

func (s *Sessions) isStopped() bool {
	select {
	case <-s.stopped:
		return true
	default:
		return false
	}
}

// Drop closes the session of a platform, if there is one.
func (s *Sessions) Drop(name string) {
	s.mu.Lock()
	session := s.open[name]
	delete(s.open, name)
	s.mu.Unlock()
	if session != nil {
		session.Close()
	}
}

// Hints are the hints of all sessions.
func (s *Sessions) Hints() <-chan SessionHint { return s.hints }

// Start waits for the context to end and closes every session. It is a
// runnable of the manager, and runs once.
func (s *Sessions) Start(ctx context.Context) error {
	<-ctx.Done()
	s.mu.Lock()
	close(s.stopped)
	open := slices.Collect(maps.Values(s.open))
	clear(s.open)
	s.mu.Unlock()
	for _, session := range open {
		session.Close()
	}
	return nil
}
