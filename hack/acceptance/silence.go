// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// secondPass starts the manager anew, and expects that its look at everything
// wrote nothing.
func (a *acceptance) secondPass(ctx context.Context) error {
	groups := len(a.manifests.Groups)
	second, err := a.Restart(ctx, groups)
	if err != nil {
		return err
	}
	a.results.second, a.results.secondPass = second.Took, second.Requests
	a.results.expect("groups that the new manager looked at, at least", groups, min(second.Looked, groups))
	a.results.expect("reconciles of the new manager that failed", 0, second.Failed)
	a.results.expect("writes to the homeserver in the second pass", 0, second.Requests.Writes())
	if len(second.Changed) > 0 {
		a.results.complain("changed: %s", strings.Join(second.Changed, ", "))
	}
	a.results.expect("Platforms, Communities and Groups that changed", 0, len(second.Changed))
	writes := 0
	for _, what := range slices.Sorted(maps.Keys(second.Server)) {
		a.results.complain("written to the API server: %d × %s", second.Server[what], what)
		writes += second.Server[what]
	}
	a.results.expect("writes to the API server, leases apart", 0, writes)
	for _, event := range second.Events {
		a.results.complain("event: %s", event)
	}
	a.results.expect("events, those of the leader's lease apart", 0, len(second.Events))
	if second.Ready != second.All {
		a.results.complain("not Ready, for example: %s. %s", second.Example, a.LastLog())
	}
	a.results.expect("Ready after the second pass", 2+groups, second.Ready)
	return nil
}
