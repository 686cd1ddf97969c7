// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"fmt"
	"os"
)

// identity names one process for good. A process ID alone is used again by the
// system; together with the time at which the process started it is not.
type identity struct {
	PID int `json:"pid"`
	// Start is opaque: equal for the same process, different for every other.
	Start string `json:"start"`
	// Realm tells apart process tables in which the same ID means another
	// process (containers that share a temporary folder).
	Realm string `json:"realm,omitempty"`
}

// identify reads who has the process ID now. A process that has exited, reaped
// or not, is an error.
func identify(pid int) (identity, error) {
	start, err := startTime(pid)
	if err != nil {
		return identity{}, fmt.Errorf("identifying process %d: %w", pid, err)
	}
	return identity{PID: pid, Start: start, Realm: realm()}, nil
}

// alive reports whether exactly this process still runs. A process of another
// realm can't be seen from here, so it counts as alive.
func (id identity) alive() bool {
	if id.Realm != realm() {
		return true
	}
	now, err := identify(id.PID)
	return err == nil && now == id
}

// kill ends the process if it is still the one that was recorded.
func (id identity) kill() {
	if id.Realm != realm() || id.PID <= 1 {
		return
	}
	// The handle is taken before the identity is checked: where the system
	// has handles for processes, nobody can take over the ID in between.
	process, err := os.FindProcess(id.PID)
	if err != nil {
		return
	}
	defer func() { _ = process.Release() }()
	if id.alive() {
		_ = process.Kill()
	}
}
