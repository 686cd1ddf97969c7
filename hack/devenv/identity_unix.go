// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package devenv

import (
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// startTime gives the second at which the process started.
func startTime(pid int) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ps", "-o", "stat=,lstart=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return "", err
	}
	state, start, found := strings.Cut(strings.TrimSpace(string(out)), " ")
	if !found {
		return "", errors.New("unexpected output of ps")
	}
	if strings.HasPrefix(state, "Z") {
		return "", errors.New("has exited")
	}
	return strings.TrimSpace(start), nil
}

func realm() string { return "" }

// cpuTime is known on Linux alone.
func cpuTime(int) (time.Duration, error) { return 0, errors.New("not measured on this system") }

// familyTime is known on Linux alone.
func familyTime(int) (time.Duration, error) { return 0, errors.New("not measured on this system") }

// residentMemory is known on Linux alone.
func residentMemory(int) (int64, error) { return 0, errors.New("not measured on this system") }

// childAttributes keeps a terminal's Ctrl-C away from the servers, so that
// they stop in order. When we die, the next sweep ends them.
func childAttributes(syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
