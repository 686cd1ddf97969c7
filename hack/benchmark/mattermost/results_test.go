// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

// good are results that keep all limits, each at its edge where it has one.
func good() *results {
	byHand := make([]time.Duration, changes)
	for i := range byHand {
		byHand[i] = time.Second
	}
	byHand[changes-1] = time.Minute // one in twenty
	r := &results{
		groups: 554, imported: cold{took: 130 * time.Second}, bare: 100 * time.Second,
		shape: stack.Shape{Groups: 1000, Members: 50, People: 149}, byHand: byHand,
		restart: &stack.Restart{
			Written: stack.Written{Requests: stack.Requests{"GET /teams": {Count: 115}}},
			Looked:  1000, Ready: 1002, All: 1002,
		},
		rest: stack.Written{Requests: stack.Requests{"GET /teams": {Count: 5}, "GET /users/me": {Count: 45}}},
	}
	r.generated.requests = stack.Requests{"POST /channels": {Count: 6875}}
	return r
}

func TestLimitsHoldAtTheirEdge(t *testing.T) {
	r := good()
	g := NewWithT(t)
	g.Expect(r.shape.Least()).To(Equal(6250))
	g.Expect(r.section().Missed()).To(BeEmpty())
}

func TestEachLimitCanBeMissed(t *testing.T) {
	one := stack.Exchange{Count: 1}
	for what, breakIt := range map[string]func(*results){
		"cold over bare loop":                                func(r *results) { r.imported.took += time.Second },
		"requests over the fewest":                           func(r *results) { r.generated.requests["GET /teams"] = stack.Exchange{Count: 10} },
		"restart: groups looked at":                          func(r *results) { r.restart.Looked-- },
		"restart: resources Ready after it":                  func(r *results) { r.restart.Ready-- },
		"restart: requests to Mattermost":                    func(r *results) { r.restart.Requests["GET /users/me"] = one },
		"restart: writes to Mattermost":                      func(r *results) { r.restart.Requests = stack.Requests{"PUT /x": one} },
		"restart: writes to the API server, leases apart":    func(r *results) { r.restart.Events = []string{"Group a: SpaceUpdated"} },
		"hints: requests to Mattermost in a resync interval": func(r *results) { r.rest.Requests["GET /config"] = one },
		"hints: writes to Mattermost": func(r *results) {
			r.rest.Requests = stack.Requests{"GET /teams": {Count: 5}, "PUT /x": one}
		},
		"hints: writes to the API server, leases apart": func(r *results) { r.rest.Server = map[string]int{"PATCH groups/status": 1} },
		"by hand: the same, 95th percentile":            func(r *results) { r.byHand[changes-2] = 5 * time.Second },
	} {
		t.Run(what, func(t *testing.T) {
			r := good()
			breakIt(r)
			NewWithT(t).Expect(r.section().Missed()).To(Equal([]string{what}))
		})
	}
}
