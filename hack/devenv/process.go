// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// A process is one running server. It dies with us and writes to a log file.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when the process has ended
}

// command says how a server is started.
type command struct {
	binary string // a name that Binary knows, or that of the path
	path   string // of a server that we didn't build; otherwise empty
	args   []string
	env    []string // added to our own environment
	dir    string   // where it runs; empty for the session's folder
	// as is whom it runs as; nil for ourselves.
	as *syscall.Credential
	// quit is what it gets when we die; zero for a signal that nothing survives.
	quit syscall.Signal
}

func (s *session) start(c command) (*process, error) {
	path, err := c.path, error(nil)
	if path == "" {
		path, err = Binary(c.binary)
	}
	if err != nil {
		return nil, err
	}
	logs := s.path("logs")
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.binary, err)
	}
	p := &process{name: c.binary, log: filepath.Join(logs, c.binary+".log"), done: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.binary, err)
	}

	p.cmd = exec.Command(path, c.args...)
	p.cmd.Dir = cmp.Or(c.dir, s.dir)
	p.cmd.Env = append(os.Environ(), c.env...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = childAttributes(cmp.Or(c.quit, syscall.SIGKILL))
	p.cmd.SysProcAttr.Credential = c.as

	started := make(chan error)
	forget := make(chan func(), 1)
	go func() {
		// The kernel ties the child's life to the thread that made it, not to
		// the process, so this thread stays until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		defer func() { _ = out.Close() }()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = p.cmd.Wait() // how it ended is in ProcessState
		(<-forget)()
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.binary, err)
	}
	undo, err := s.record(p.cmd.Process.Pid)
	if err != nil {
		forget <- func() {}
		p.stop(0)
		return nil, fmt.Errorf("starting %s: %w\n%s", c.binary, err, p.tail())
	}
	forget <- undo
	return p, nil
}

// waitReady asks until the probe has no complaint. It fails when the process
// ends or the context does, with the end of the log.
func (p *process) waitReady(ctx context.Context, probe func(context.Context) error) error {
	for {
		err := probe(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended while starting (%s); its last lines:\n%s", p.name, p.cmd.ProcessState, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w (%w); its last lines:\n%s", p.name, context.Cause(ctx), err, p.tail())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop asks the process to end, waits for the grace period, and ends it. It
// returns when the process is gone. Stopping what has ended does nothing.
func (p *process) stop(grace time.Duration) { p.end(syscall.SIGTERM, grace) }

// end is stop for a server that has its own signal for it.
func (p *process) end(ask syscall.Signal, grace time.Duration) {
	if grace > 0 {
		if err := p.cmd.Process.Signal(ask); !errors.Is(err, os.ErrProcessDone) {
			select {
			case <-p.done:
			case <-time.After(grace):
			}
		}
	}
	_ = p.cmd.Process.Kill()
	<-p.done
}

// tail returns the end of the log, for errors.
func (p *process) tail() string {
	const lines = 15
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
