// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// A portLease keeps one loopback port for us, also while the server behind it
// is down: no other dev environment takes it, and it lies below the range from
// which systems take the near ends of outgoing connections.
type portLease struct {
	port int
	lock *os.File
}

const firstPort, lastPort = 20000, 29999

func leasePort() (*portLease, error) {
	root, err := sessionRoot()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, "ports")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("finding a free port: %w", err)
	}
	for range 200 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		lease, err := tryLease(filepath.Join(dir, strconv.Itoa(port)), port)
		if err != nil {
			return nil, fmt.Errorf("finding a free port: %w", err)
		}
		if lease != nil {
			return lease, nil
		}
	}
	return nil, fmt.Errorf("no free port between %d and %d on 127.0.0.1", firstPort, lastPort)
}

// tryLease returns nil where somebody else has the port.
func tryLease(path string, port int) (*portLease, error) {
	lock, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	// The lock ends with the process that holds it.
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		_ = lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, nil
		}
		return nil, err
	}
	lease := &portLease{port: port, lock: lock}
	listener, err := net.Listen("tcp", lease.address())
	if err != nil {
		lease.release()
		return nil, nil
	}
	_ = listener.Close()
	return lease, nil
}

func (l *portLease) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(l.port)) }

func (l *portLease) release() { _ = l.lock.Close() }
