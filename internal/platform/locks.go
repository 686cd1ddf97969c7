// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import "sync"

// Locks are mutexes by name. The zero value is ready.
//
// Two queues wait for each: of what is done to the thing itself, and of what
// others do to it by the way. They take turns, so that a long queue of others
// keeps what is done to the thing itself waiting for one of them at the most.
type Locks struct {
	mu   sync.Mutex
	held map[string]*lock
}

// lock is a mutex that is held.
type lock struct {
	own, others []chan struct{} // who waits, in the order in which they came
	aside       bool            // the turn is one of the others'
}

// Lock waits for a name and returns what gives it free.
func (l *Locks) Lock(name string) (unlock func()) { return l.lock(name, false) }

// LockAside is Lock for what is done to a thing by the way.
func (l *Locks) LockAside(name string) (unlock func()) { return l.lock(name, true) }

func (l *Locks) lock(name string, aside bool) (unlock func()) {
	l.mu.Lock()
	if l.held == nil {
		l.held = map[string]*lock{}
	}
	one := l.held[name]
	if one == nil {
		l.held[name] = &lock{aside: aside}
		l.mu.Unlock()
		return func() { l.unlock(name) }
	}
	turn := make(chan struct{})
	if aside {
		one.others = append(one.others, turn)
	} else {
		one.own = append(one.own, turn)
	}
	l.mu.Unlock()
	<-turn
	return func() { l.unlock(name) }
}

// unlock passes the lock on: to the queue whose turn it was not, unless nobody waits there.
func (l *Locks) unlock(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.held[name]
	switch {
	case len(one.own)+len(one.others) == 0:
		delete(l.held, name)
		return
	case len(one.others) > 0 && (!one.aside || len(one.own) == 0):
		one.aside = true
		close(one.others[0])
		one.others = one.others[1:]
	default:
		one.aside = false
		close(one.own[0])
		one.own = one.own[1:]
	}
}
