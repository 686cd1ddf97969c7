// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// secondPass starts the manager anew, which knows nothing then, and waits until
// it has looked at everything. What it wrote in the meantime is counted three
// times: by the manager itself, by the API server, and by what changed.
func (a *acceptance) secondPass(ctx context.Context) (err error) {
	before, err := a.versions(ctx)
	if err != nil {
		return err
	}
	serverBefore, err := a.serverMetrics(ctx)
	if err != nil {
		return err
	}

	a.manager.Stop()
	began := time.Now()
	if a.manager, err = a.plane.StartManager(ctx); err != nil {
		return err
	}
	if err := a.waitQuiet(ctx, len(a.manifests.groups)); err != nil {
		return err
	}
	a.results.second = time.Since(began) - quiet

	m, err := a.managerMetrics(ctx)
	if err != nil {
		return err
	}
	a.results.secondPass = m.platformRequests()
	reconciled := m.sum("controller_runtime_reconcile_total", func(l map[string]string) string {
		if l["controller"] == "group" && l["result"] == "success" || l["result"] == "requeue_after" && l["controller"] == "group" {
			return "good"
		}
		if l["result"] == "error" {
			return "error"
		}
		return ""
	})
	a.results.expect("groups that the new manager reconciled, at least", len(a.manifests.groups), min(reconciled["good"], len(a.manifests.groups)))
	a.results.expect("reconciles of the new manager that failed", 0, reconciled["error"])
	a.results.expect("writes to the homeserver in the second pass", 0, a.results.secondPass.writes())

	after, err := a.versions(ctx)
	if err != nil {
		return err
	}
	var changed []string
	for name, version := range after {
		if before[name] != version {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	if len(changed) > 0 {
		a.results.complain("changed: %s", strings.Join(changed, ", "))
	}
	a.results.expect("Platforms, Communities and Groups that changed", 0, len(changed))
	serverAfter, err := a.serverMetrics(ctx)
	if err != nil {
		return err
	}
	writes := difference(serverAfter.serverWrites(), serverBefore.serverWrites())
	for _, what := range slices.Sorted(maps.Keys(writes)) {
		a.results.complain("written to the API server: %d × %s", writes[what], what)
	}
	a.results.expect("writes to the API server, leases apart", 0, total(writes))

	o, err := a.read(ctx)
	if err != nil {
		return err
	}
	ready, all, _, example := o.ready()
	if ready != all {
		a.results.complain("not Ready, for example: %s. %s", example, a.lastLog())
	}
	a.results.expect("Ready after the second pass", 2+len(a.manifests.groups), ready)
	return nil
}

// versions are the resourceVersions of everything of ours.
func (a *acceptance) versions(ctx context.Context) (map[string]string, error) {
	o, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	versions := map[string]string{}
	note := func(kind string, object client.Object) {
		versions[fmt.Sprintf("%s %s", kind, object.GetName())] = object.GetResourceVersion()
	}
	for i := range o.platforms.Items {
		note("Platform", &o.platforms.Items[i])
	}
	for i := range o.communities.Items {
		note("Community", &o.communities.Items[i])
	}
	for i := range o.groups.Items {
		note("Group", &o.groups.Items[i])
	}
	return versions, nil
}

func difference(after, before map[string]int) map[string]int {
	more := map[string]int{}
	for what, count := range after {
		if count > before[what] {
			more[what] = count - before[what]
		}
	}
	return more
}
