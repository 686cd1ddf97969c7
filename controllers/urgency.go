// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// What the request budget of a platform is told about a request: whose it is,
// and how urgent.

// share is whose requests to a platform these are: a community and its groups take turns with others.
func (s *subject) share() string {
	name := s.ref.Name
	if s.group != nil {
		name = s.group.Spec.CommunityRef.Name
	}
	return s.ref.Namespace + "/" + name
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
