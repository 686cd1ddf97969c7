// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package limits

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

func good() results {
	return results{shape: shape, restart: &stack.Restart{
		Written: stack.Written{Requests: stack.Requests{"GET /sync": {Count: mostRequests}}}, Ready: 302, All: 302,
	}}
}

func TestTheCommunityHasFiveHundredMemberships(t *testing.T) {
	NewWithT(t).Expect(shape.Memberships()).To(Equal(500))
}

func TestLimitsHoldAtTheirEdge(t *testing.T) {
	r := good()
	NewWithT(t).Expect(r.section().Missed()).To(BeEmpty())
}

func TestEachLimitCanBeMissed(t *testing.T) {
	for what, breakIt := range map[string]func(*results){
		"answers that asked to wait (429)":                func(r *results) { r.refused++ },
		"restart: resources Ready after it":               func(r *results) { r.restart.Ready-- },
		"restart: requests to the homeserver":             func(r *results) { r.restart.Requests["GET /whoami"] = stack.Exchange{Count: 1} },
		"restart: writes to the homeserver":               func(r *results) { r.restart.Requests = stack.Requests{"PUT /x": {Count: 1}} },
		"restart: writes to the API server, leases apart": func(r *results) { r.restart.Server = map[string]int{"PATCH groups/status": 1} },
	} {
		t.Run(what, func(t *testing.T) {
			r := good()
			breakIt(&r)
			NewWithT(t).Expect(r.section().Missed()).To(Equal([]string{what}))
		})
	}
}
