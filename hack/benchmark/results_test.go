// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
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
		restart: &stack.Restart{
			Written: stack.Written{Requests: stack.Requests{"GET /sync": {Count: 10}}},
			Looked:  554, Ready: 556, All: 556,
		},
	}
}

func missed(r results) []string {
	var out []string
	for _, f := range r.figures() {
		if f.limit != "" && !f.ok {
			out = append(out, f.what)
		}
	}
	return out
}

func TestLimitsHoldAtTheirEdge(t *testing.T) {
	g := NewWithT(t)
	g.Expect(missed(good())).To(BeEmpty())
}

func TestEachLimitCanBeMissed(t *testing.T) {
	for what, breakIt := range map[string]func(*results){
		"cold over bare loop":                             func(r *results) { r.cold += time.Second },
		"restart: groups looked at":                       func(r *results) { r.restart.Looked-- },
		"restart: resources Ready after it":               func(r *results) { r.restart.Ready-- },
		"restart: requests to the homeserver":             func(r *results) { r.restart.Requests["GET /whoami"] = stack.Exchange{Count: 1} },
		"restart: writes to the homeserver":               func(r *results) { r.restart.Requests = stack.Requests{"PUT /x": {Count: 1}} },
		"restart: writes to the API server, leases apart": func(r *results) { r.restart.Server = map[string]int{"PATCH groups/status": 1} },
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
	r.restart.Events = []string{"Group golang: SpaceUpdated"}
	NewWithT(t).Expect(missed(r)).To(ConsistOf("restart: writes to the API server, leases apart"))
}

func TestThePageKeepsWhatIsAroundTheFigures(t *testing.T) {
	g := NewWithT(t)
	page := filepath.Join(t.TempDir(), "page.md")
	g.Expect(os.WriteFile(page, []byte("before\n"+beginFigures+"old\n"+endFigures+"after\n"), 0o600)).To(Succeed())
	g.Expect(renew(page, "new\n")).To(Succeed())
	g.Expect(os.ReadFile(page)).To(BeEquivalentTo("before\n" + beginFigures + "\nnew\n\n" + endFigures + "after\n"))

	g.Expect(os.WriteFile(page, []byte("a page without the lines\n"), 0o600)).To(Succeed())
	g.Expect(renew(page, "new\n")).NotTo(Succeed())
	g.Expect(os.ReadFile(page)).To(BeEquivalentTo("a page without the lines\n"))
}

func TestThePageOfThisProjectHasAPlaceForTheFigures(t *testing.T) {
	g := NewWithT(t)
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "benchmarks.md"))
	g.Expect(err).NotTo(HaveOccurred())
	copied := filepath.Join(t.TempDir(), "benchmarks.md")
	g.Expect(os.WriteFile(copied, content, 0o600)).To(Succeed())
	g.Expect(renew(copied, "figures\n")).To(Succeed())
}
