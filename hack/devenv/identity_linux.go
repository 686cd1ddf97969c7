// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// startTime gives the boot and the clock tick at which the process started.
func startTime(pid int) (string, error) {
	fields, err := procStat(pid)
	if err != nil {
		return "", err
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

// cpuTime is how long the processors have worked for the process so far.
func cpuTime(pid int) (time.Duration, error) {
	fields, err := procStat(pid)
	if err != nil {
		return 0, err
	}
	user, userErr := strconv.ParseInt(string(fields[11]), 10, 64)
	system, systemErr := strconv.ParseInt(string(fields[12]), 10, 64)
	// Ticks are hundredths of a second for every program (USER_HZ).
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(userErr, systemErr)
}

// familyTime is how long the processors have worked for a process and its
// children, those that have ended too.
func familyTime(pid int) (sum time.Duration, err error) {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, err
	}
	for _, one := range append(strings.Fields(string(children)), strconv.Itoa(pid)) {
		child, err := strconv.Atoi(one)
		if err != nil {
			return 0, err
		}
		fields, err := procStat(child)
		if errors.Is(err, os.ErrNotExist) { // it has ended since, and is its parent's
			continue
		}
		if err != nil {
			return 0, err
		}
		for _, field := range fields[11:15] { // user and system, and the same of children that ended and were waited for
			ticks, err := strconv.ParseInt(string(field), 10, 64)
			if err != nil {
				return 0, err
			}
			sum += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return sum, nil
}

// residentMemory is how much of the process is in memory, in bytes.
func residentMemory(pid int) (int64, error) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(statm) // the second is the resident pages (proc(5))
	if len(fields) < 2 {
		return 0, errors.New("unexpected format of /proc/PID/statm")
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// procStat reads the fields of /proc/PID/stat from the third one on, which is
// the state; the start time is field 22, and the times are 14 and 15 (proc(5)).
func procStat(pid int) ([][]byte, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	// The second field is the command in parentheses and may hold anything, so
	// the count starts after the last parenthesis.
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return nil, errors.New("unexpected format of /proc/PID/stat")
	}
	fields := bytes.Fields(stat[end+1:])
	if len(fields) < 20 {
		return nil, errors.New("unexpected format of /proc/PID/stat")
	}
	return fields, nil
}

func realm() string {
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return namespace
}

// childAttributes keeps a terminal's Ctrl-C away from the servers, so that
// they stop in order, and has the kernel send them a signal when we die.
func childAttributes(quit syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: quit}
}
