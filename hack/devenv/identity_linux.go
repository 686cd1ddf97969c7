// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// startTime gives the boot and the clock tick at which the process started.
func startTime(pid int) (string, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	// The second field is the command in parentheses and may hold anything, so
	// the count starts after the last parenthesis: state is field 3, the start
	// time field 22 (proc(5)).
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return "", errors.New("unexpected format of /proc/PID/stat")
	}
	fields := bytes.Fields(stat[end+1:])
	if len(fields) < 20 {
		return "", errors.New("unexpected format of /proc/PID/stat")
	}
	if state := string(fields[0]); state == "Z" || state == "X" {
		return "", errors.New("has exited")
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(boot)) + "/" + string(fields[19]), nil
}

func realm() string {
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return namespace
}

// childAttributes keeps a terminal's Ctrl-C away from the servers, so that
// they stop in order, and has the kernel end them when we die.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
