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

	corev1 "k8s.io/api/core/v1"
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
	looked, err := a.waitQuiet(ctx, len(a.manifests.groups))
	if err != nil {
		return err
	}
	a.results.second = time.Since(began) - quiet

	m, err := a.managerMetrics(ctx)
	if err != nil {
		return err
	}
	a.results.secondPass = m.platformRequests()
	failed := m.sum("controller_runtime_reconcile_errors_total", all)
	a.results.expect("groups that the new manager looked at, at least", len(a.manifests.groups), min(looked, len(a.manifests.groups)))
	a.results.expect("reconciles of the new manager that failed", 0, total(failed))
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
	events, err := a.events(ctx, began)
	if err != nil {
		return err
	}
	for _, event := range events {
		a.results.complain("event: %s", event)
	}
	a.results.expect("events, those of the leader's lease apart", 0, len(events))

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

// events since then, without those of the lease: who leads is worth an event.
func (a *acceptance) events(ctx context.Context, since time.Time) ([]string, error) {
	var list corev1.EventList
	if err := a.cluster.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("reading the events: %w", err)
	}
	var events []string
	for i := range list.Items {
		e := &list.Items[i]
		last := e.CreationTimestamp.Time
		for _, at := range []time.Time{e.LastTimestamp.Time, e.EventTime.Time} {
			if at.After(last) {
				last = at
			}
		}
		// Timestamps are whole seconds.
		if last.After(since.Add(-time.Second)) && e.InvolvedObject.Kind != "Lease" {
			events = append(events, fmt.Sprintf("%s %s: %s: %s", e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Reason, e.Message))
		}
	}
	return events, nil
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
