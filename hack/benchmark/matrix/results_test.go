// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

// good are results that keep all limits, each at its edge where it has one.
func good() results {
	changes := make([]time.Duration, 60)
	for i := range changes {
		changes[i] = time.Second
	}
	for i := 57; i < 60; i++ { // three of sixty are one in twenty
		changes[i] = 10 * time.Second
	}
	return results{
		groups: 554, cold: 130 * time.Second, bare: 100 * time.Second, changes: changes,
		restarts: []restart{{"restart", calmRestart()}, {"second restart", calmRestart()}},
	}
}

func calmRestart() *stack.Restart {
	return &stack.Restart{
		Written: stack.Written{Requests: stack.Requests{"GET /sync": {Count: 10}}},
		Looked:  554, Ready: 556, All: 556,
	}
}

func missed(r results) []string { return r.section().Missed() }

func TestLimitsHoldAtTheirEdge(t *testing.T) {
	g := NewWithT(t)
	g.Expect(missed(good())).To(BeEmpty())
}

func TestEachLimitCanBeMissed(t *testing.T) {
	for what, breakIt := range map[string]func(*results){
		"cold over bare loop":                             func(r *results) { r.cold += time.Second },
		"restart: groups looked at":                       func(r *results) { r.restarts[0].Looked-- },
		"restart: resources Ready after it":               func(r *results) { r.restarts[0].Ready-- },
		"restart: requests to the homeserver":             func(r *results) { r.restarts[0].Requests["GET /whoami"] = stack.Exchange{Count: 1} },
		"restart: writes to the homeserver":               func(r *results) { r.restarts[0].Requests = stack.Requests{"PUT /x": {Count: 1}} },
		"restart: writes to the API server, leases apart": func(r *results) { r.restarts[0].Server = map[string]int{"PATCH groups/status": 1} },
		"second restart: writes to the homeserver":        func(r *results) { r.restarts[1].Requests = stack.Requests{"PUT /x": {Count: 1}} },
		"change: the same, 95th percentile":               func(r *results) { r.changes[56] = 2 * time.Second },
		"resync: writes to the homeserver":                func(r *results) { r.resync = stack.Requests{"PUT /x": {Count: 1}} },
	} {
		t.Run(what, func(t *testing.T) {
			r := good()
			breakIt(&r)
			NewWithT(t).Expect(missed(r)).To(Equal([]string{what}))
		})
	}
}

func TestAnEventIsAWriteToTheAPIServer(t *testing.T) {
	r := good()
	r.restarts[0].Events = []string{"Group golang: SpaceUpdated"}
	NewWithT(t).Expect(missed(r)).To(ConsistOf("restart: writes to the API server, leases apart"))
}
