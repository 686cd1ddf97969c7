// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// What the request budget of a platform is told about a request: whose it is,
// and how urgent.

// share is whose requests to a platform these are. A community takes turns with
// others, and so do its groups together: all of them wait for what it has, and
// its members are the most, which come in one by one.
func (s *subject) share() string {
	if s.group != nil {
		return s.ref.Namespace + "/" + s.group.Spec.CommunityRef.Name + "/groups"
	}
	return s.ref.Namespace + "/" + s.ref.Name
}

// urgencyOfLook is how urgent it is to see the space. What was declared since
// the last pass, or was written in this one, may be a revocation: a look for it
// does not wait behind the checks of what nobody changed.
func (p *pass) urgencyOfLook() platform.Priority {
	if p.subject.status.ObservedGeneration != p.subject.object.GetGeneration() || len(p.changed) > 0 {
		return platform.PriorityGrant
	}
	return platform.PriorityDrift
}

// priority is how urgent an operation is.
func priority(op plan.Operation) platform.Priority {
	if op.Removes() {
		return platform.PriorityRevoke
	}
	return platform.PriorityGrant
}
