// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Written is what happened while nothing was to be written, counted three
// times: by the manager itself, by the API server, and by what changed.
type Written struct {
	// Requests are those to the platform.
	Requests Requests
	// Server are the writes to the API server, by what they wrote; leases are left out.
	Server map[string]int
	// Changed are the resources that changed.
	Changed []string
	// Events are those that were made, without those of the leader's lease.
	Events []string
}

// Watch does something, and returns what was written in the meantime. What
// the manager asked the platform is counted from the manager's start.
func (s *Stack) Watch(ctx context.Context, do func(context.Context) error) (*Written, error) {
	before, err := s.versions(ctx)
	if err != nil {
		return nil, err
	}
	serverBefore, err := s.serverMetrics(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := do(ctx); err != nil {
		return nil, err
	}
	m, err := s.ManagerMetrics(ctx)
	if err != nil {
		return nil, err
	}
	after, err := s.versions(ctx)
	if err != nil {
		return nil, err
	}
	serverAfter, err := s.serverMetrics(ctx)
	if err != nil {
		return nil, err
	}
	w := &Written{Requests: m.Requests(), Server: difference(serverAfter.serverWrites(), serverBefore.serverWrites())}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if before[name] != after[name] {
			w.Changed = append(w.Changed, name)
		}
	}
	w.Events, err = s.events(ctx, began)
	return w, err
}

// A Restart is the first look of a new manager at what is there.
type Restart struct {
	Written
	Took time.Duration
	// Looked is how many groups were reconciled, and Failed how many reconciles of everything failed.
	Looked, Failed int
	// Ready of All resources are Ready after it; Example is one that isn't.
	Ready, All int
	Example    string
}

// ServerWrites is how often something was written to the API server, events included.
func (w *Written) ServerWrites() int { return total(w.Server) + len(w.Events) }

// Complaints say what exactly was written when nothing should have been, and what is not Ready.
func (r *Restart) Complaints() []string {
	all := r.Written.Complaints()
	if r.Example != "" {
		all = append(all, "not Ready: "+r.Example)
	}
	return all
}

// Complaints say what exactly was written when nothing should have been.
func (w *Written) Complaints() []string {
	var all []string
	for _, what := range slices.Sorted(maps.Keys(w.Server)) {
		all = append(all, fmt.Sprintf("written to the API server: %d × %s", w.Server[what], what))
	}
	for _, event := range w.Events {
		all = append(all, "event: "+event)
	}
	return all
}

// Restart starts the manager anew, which knows nothing then, and waits until
// it has looked at everything.
func (s *Stack) Restart(ctx context.Context, groups int) (*Restart, error) {
	r := &Restart{}
	w, err := s.Watch(ctx, func(ctx context.Context) (err error) {
		s.Manager.Stop()
		began := time.Now()
		if err := s.startManager(ctx); err != nil {
			return err
		}
		r.Looked, err = s.WaitQuiet(ctx, groups)
		r.Took = time.Since(began) - quiet
		return err
	})
	if err != nil {
		return nil, err
	}
	r.Written = *w
	m, err := s.ManagerMetrics(ctx)
	if err != nil {
		return nil, err
	}
	r.Failed = total(m.sum("controller_runtime_reconcile_errors_total", all))
	o, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	r.Ready, r.All, _, r.Example = o.ready()
	return r, nil
}

// versions are the resourceVersions of everything of ours.
func (s *Stack) versions(ctx context.Context) (map[string]string, error) {
	o, err := s.read(ctx)
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
func (s *Stack) events(ctx context.Context, since time.Time) ([]string, error) {
	var list corev1.EventList
	if err := s.Cluster.List(ctx, &list); err != nil {
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
