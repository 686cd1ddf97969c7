// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"errors"
	"fmt"
	"time"
)

// CPUTime is how long the processors have worked for the homeserver since it
// was started.
func (d *LocalHomeserver) CPUTime() (time.Duration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.process == nil {
		return 0, errors.New("measuring dendrite: it is down")
	}
	return d.process.cpuTime()
}

// CPUTime is how long the processors have worked for the server and its
// database since they were started.
func (m *Mattermost) CPUTime() (time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process == nil || m.database.process == nil {
		return 0, errors.New("measuring mattermost: it is down")
	}
	server, err := m.process.cpuTime()
	if err != nil {
		return 0, err
	}
	database, err := familyTime(m.database.process.cmd.Process.Pid)
	if err != nil {
		return 0, fmt.Errorf("measuring PostgreSQL: %w", err)
	}
	return server + database, nil
}

// Memory is how much of the manager is in memory, in bytes.
func (m *Manager) Memory() (int64, error) {
	bytes, err := residentMemory(m.process.cmd.Process.Pid)
	if err != nil {
		return 0, fmt.Errorf("measuring %s: %w", m.process.name, err)
	}
	return bytes, nil
}

// CPUTime is how long the processors have worked for the manager.
func (m *Manager) CPUTime() (time.Duration, error) { return m.process.cpuTime() }

// CPUTime is how long the processors have worked for the servers of the
// control plane together.
func (cp *ControlPlane) CPUTime() (time.Duration, error) {
	var sum time.Duration
	for _, p := range cp.processes {
		one, err := p.cpuTime()
		if err != nil {
			return 0, err
		}
		sum += one
	}
	return sum, nil
}

func (p *process) cpuTime() (time.Duration, error) {
	used, err := cpuTime(p.cmd.Process.Pid)
	if err != nil {
		return 0, fmt.Errorf("measuring %s: %w", p.name, err)
	}
	return used, nil
}
