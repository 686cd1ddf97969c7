// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// A postgres is the database of one Mattermost. It listens on a socket in its
// own folder, which nobody else can come to, so it asks for no password. The
// data goes with the session, so it spares itself whatever would make the data
// outlive a power cut.
type postgres struct {
	session *session
	bin     string              // the folder with its programs
	dir     string              // the folder with its data and its socket
	as      *syscall.Credential // whom it runs as; nil for ourselves
	process *process            // nil while it is down
}

// newPostgres finds PostgreSQL, and makes a folder for its data.
func (s *session) newPostgres() (*postgres, error) {
	bin, err := Postgres()
	if err != nil {
		return nil, err
	}
	d := &postgres{session: s, bin: bin, dir: s.path("pg")}
	if os.Getuid() != 0 {
		if err := os.Mkdir(d.dir, 0o700); err != nil {
			return nil, fmt.Errorf("making a folder for postgres: %w", err)
		}
		return d, nil
	}
	// It refuses to run as root.
	uid, gid := nobody()
	d.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	d.dir, err = s.makeOutside("postgres", uid, gid)
	return d, err
}

func (d *postgres) data() string { return filepath.Join(d.dir, "data") }

// create makes an empty database.
func (d *postgres) create(ctx context.Context) error {
	command := exec.CommandContext(ctx, filepath.Join(d.bin, "initdb"),
		"--pgdata="+d.data(), "--username=postgres", "--auth=trust", "--no-sync",
		"--encoding=UTF8", "--locale=C", "--text-search-config=english",
		"--wal-segsize=1", // in MiB: keeps the folder small, which is copied for each start
	)
	command.Dir = d.dir
	command.SysProcAttr = childAttributes(syscall.SIGKILL)
	command.SysProcAttr.Credential = d.as
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("making a database: %w\n%s", err, out)
	}
	return nil
}

// copyOf takes over the data of another one that was stopped in order.
func (d *postgres) copyOf(data string) error {
	err := os.CopyFS(d.data(), os.DirFS(data))
	if err == nil {
		err = os.Chmod(d.data(), 0o700) // it insists
	}
	if err == nil && d.as != nil {
		err = filepath.WalkDir(d.data(), func(path string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(path, int(d.as.Uid), int(d.as.Gid)))
		})
	}
	if err != nil {
		return fmt.Errorf("copying a database: %w", err)
	}
	return nil
}

// start returns when the database answers.
func (d *postgres) start(ctx context.Context) error {
	args := []string{"-D", d.data(), "-p", strconv.Itoa(socketNumber)}
	for _, setting := range []string{
		"listen_addresses=",
		"unix_socket_directories=" + d.dir,
		"max_connections=100",
		"fsync=off", "synchronous_commit=off", "full_page_writes=off",
		"max_wal_size=256MB",
		"jit=off",
		// What is left of shared memory by a crash goes with the data.
		"dynamic_shared_memory_type=mmap",
	} {
		args = append(args, "-c", setting)
	}
	p, err := d.session.start(command{
		binary: "postgres",
		path:   filepath.Join(d.bin, "postgres"),
		args:   args,
		env:    []string{"LC_ALL=C"},
		dir:    d.dir,
		as:     d.as,
		// Killed, it would leave shared memory and its own children behind.
		quit: syscall.SIGQUIT,
	})
	if err != nil {
		return err
	}
	if err := p.waitReady(ctx, d.ready); err != nil {
		p.end(syscall.SIGQUIT, databaseGrace)
		return err
	}
	d.process = p
	return nil
}

// ready asks as pg_ctl does: the eighth line of the file says how far it is.
func (d *postgres) ready(context.Context) error {
	content, err := os.ReadFile(filepath.Join(d.data(), "postmaster.pid"))
	if err != nil {
		return err
	}
	lines := bytes.Split(content, []byte("\n"))
	if len(lines) < 8 || string(bytes.TrimSpace(lines[7])) != "ready" {
		return errors.New("it is starting")
	}
	return nil
}

// socketNumber is in the name of the socket, and short, as the whole path has to
// be. No port is taken.
const socketNumber = 1

// source is how a client connects.
func (d *postgres) source() string {
	return "postgres://postgres@/postgres?" + url.Values{
		"host":            {d.dir},
		"port":            {strconv.Itoa(socketNumber)},
		"sslmode":         {"disable"},
		"connect_timeout": {"10"},
	}.Encode()
}

// databaseGrace is more than the database takes to end.
const databaseGrace = 10 * time.Second

// stop takes the database down so that its files are whole.
func (d *postgres) stop() { d.end(syscall.SIGINT) }

// close takes it down without finishing anything.
func (d *postgres) close() { d.end(syscall.SIGQUIT) }

func (d *postgres) end(ask syscall.Signal) {
	if d.process != nil {
		d.process.end(ask, databaseGrace)
		d.process = nil
	}
}
