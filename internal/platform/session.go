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
}

// SessionHint is a hint and where it came from.
type SessionHint struct {
	Platform string
	Hint     Hint
}

// NewSessions returns an empty set.
func NewSessions() *Sessions {
	return &Sessions{open: map[string]*Session{}, hints: make(chan SessionHint, 1024)}
}

// Get returns the open session of a platform, or nil.
func (s *Sessions) Get(name string) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[name]
}

// Put makes a session the one of its platform, and closes the one before it.
func (s *Sessions) Put(session *Session) {
	s.mu.Lock()
	old := s.open[session.Name]
	s.open[session.Name] = session
	s.mu.Unlock()
	if old != nil {
		old.Close()
	}
	go func() {
		for hint := range session.Hints() {
			s.hints <- SessionHint{Platform: session.Name, Hint: hint}
		}
	}()
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

// Start waits for the context to end and closes every session. It is a runnable of the manager.
func (s *Sessions) Start(ctx context.Context) error {
	<-ctx.Done()
	s.mu.Lock()
	names := slices.Collect(maps.Keys(s.open))
	s.mu.Unlock()
	for _, name := range names {
		s.Drop(name)
	}
	return nil
}
