// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import "time"

// pace spreads requests evenly, so that there are never more in any second than
// a platform's team has set. A few may go at once after a rest; the others come
// that much slower, because a second that begins with them has to have room.
type pace struct {
	// every is the time from one request to the next, and slack how much earlier than that one may go.
	every, slack time.Duration
	// next is when the next request goes if nobody goes early.
	next time.Time
}

func newPace(perSecond int) pace {
	atOnce := max(perSecond/10, 1)
	evenly := time.Duration(perSecond - atOnce + 1)
	every := (time.Second + evenly - 1) / evenly // rounded up: rounded down, one more would fit in
	return pace{every: every, slack: every * time.Duration(atOnce-1)}
}

// ready is how long it takes until the next request may go.
func (p *pace) ready(now time.Time) time.Duration {
	return max(p.next.Add(-p.slack).Sub(now), 0)
}

// take counts a request that goes now.
func (p *pace) take(now time.Time) {
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(p.every)
}
