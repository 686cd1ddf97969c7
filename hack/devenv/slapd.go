// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// SlapdOptions says what is special about an LDAP server.
type SlapdOptions struct {
	// LDIF is what the directory holds, below SlapdSuffix. Each start begins with it.
	LDIF string
	// SizeLimit is how many entries an account that is not the administrator gets at most; 0 for any number.
	SizeLimit int
}

// What is in every LDAP server of the dev environment.
const (
	SlapdSuffix = "dc=example,dc=com"
	// SlapdAdministrator may read everything, however much it is.
	SlapdAdministrator = "cn=admin," + SlapdSuffix
)

// A Slapd is an LDAP server that runs on this machine. Stop and Start take it
// down and up again on the same ports; Close ends it for good.
type Slapd struct {
	// URL is ldap://, with StartTLS; SecureURL is ldaps://.
	URL, SecureURL string
	// CABundle is the authority of its certificate, which is for 127.0.0.1 and localhost.
	CABundle string
	// Password is the administrator's.
	Password string

	options SlapdOptions
	session *session
	program string
	dir     string
	as      *syscall.Credential // whom it runs as; nil for ourselves
	leases  []*portLease

	mu      sync.Mutex // guards what follows
	process *process   // nil while it is down
}

// StartSlapd starts an LDAP server and returns when it answers. The context
// bounds the start alone; Close ends it.
func StartSlapd(ctx context.Context, options SlapdOptions) (_ *Slapd, err error) {
	program, err := SlapdProgram()
	if err != nil {
		return nil, err
	}
	s, err := newSession()
	if err != nil {
		return nil, err
	}
	d := &Slapd{options: options, session: s, program: program, dir: s.path("ldap"), Password: newSecret()}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	for range 2 {
		lease, err := leasePort()
		if err != nil {
			return nil, err
		}
		d.leases = append(d.leases, lease)
	}
	d.URL, d.SecureURL = "ldap://"+d.leases[0].address(), "ldaps://"+d.leases[1].address()
	if err := d.configure(); err != nil {
		return nil, err
	}
	if err := d.Load(ctx, options.LDIF); err != nil {
		return nil, err
	}
	if err := d.Start(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// configure makes its folder, whose owner is the account that it runs as.
func (d *Slapd) configure() error {
	if os.Getuid() == 0 {
		uid, gid := nobody()
		d.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		dir, err := d.session.makeOutside("slapd", uid, gid)
		if err != nil {
			return err
		}
		d.dir = dir
	} else if err := os.Mkdir(d.dir, 0o700); err != nil {
		return fmt.Errorf("making a folder for slapd: %w", err)
	}
	ca, err := newAuthority()
	if err != nil {
		return err
	}
	certificate, key, err := ca.server("localhost")
	if err != nil {
		return err
	}
	d.CABundle = string(ca.pem)
	conf, err := d.conf()
	if err != nil {
		return err
	}
	files := map[string][]byte{d.path("slapd.conf"): []byte(conf), d.path("tls.crt"): certificate, d.path("tls.key"): key}
	if err := writeFiles(files); err != nil {
		return err
	}
	for path := range files {
		if err := d.give(path); err != nil {
			return err
		}
	}
	return nil
}

func (d *Slapd) path(name string) string { return filepath.Join(d.dir, name) }

// give makes a file that of the account that it runs as.
func (d *Slapd) give(path string) error {
	if d.as == nil {
		return nil
	}
	if err := os.Chown(path, int(d.as.Uid), int(d.as.Gid)); err != nil {
		return fmt.Errorf("making a file for slapd: %w", err)
	}
	return nil
}

func (d *Slapd) conf() (string, error) {
	schemas := slapdFile("inetorgperson.schema", "/etc/ldap/schema", "/etc/openldap/schema", "/usr/local/etc/openldap/schema")
	if schemas == "" {
		return "", errors.New("slapd has no schema inetorgperson in /etc/ldap/schema or /etc/openldap/schema: install it with its schemas")
	}
	var b strings.Builder
	for _, schema := range []string{"core", "cosine", "inetorgperson", "nis"} {
		fmt.Fprintf(&b, "include %s/%s.schema\n", schemas, schema)
	}
	if modules := slapdFile("back_mdb.so", "/usr/lib/ldap", "/usr/lib64/openldap", "/usr/lib/openldap"); modules != "" {
		fmt.Fprintf(&b, "modulepath %s\nmoduleload back_mdb\n", modules)
	}
	limit := "unlimited"
	if d.options.SizeLimit > 0 {
		limit = fmt.Sprintf("%d size.prtotal=%d", d.options.SizeLimit, d.options.SizeLimit)
	}
	fmt.Fprintf(&b, `
pidfile %[1]s/slapd.pid
TLSCertificateFile %[1]s/tls.crt
TLSCertificateKeyFile %[1]s/tls.key
sizelimit size=%[2]s
database mdb
suffix "%[3]s"
rootdn "%[4]s"
rootpw %[5]s
directory %[1]s/data
maxsize 268435456
index objectClass eq
dbnosync
access to attrs=userPassword by anonymous auth by * none
access to * by * read
`, d.dir, limit, SlapdSuffix, SlapdAdministrator, d.Password)
	return b.String(), nil
}

// Load replaces what the directory holds. The server must be down.
func (d *Slapd) Load(ctx context.Context, ldif string) error {
	data, file := d.path("data"), d.path("load.ldif")
	if err := errors.Join(os.RemoveAll(data), os.Mkdir(data, 0o700), os.WriteFile(file, []byte(ldif), 0o600)); err != nil {
		return fmt.Errorf("loading the directory: %w", err)
	}
	if err := errors.Join(d.give(data), d.give(file)); err != nil {
		return err
	}
	load := exec.CommandContext(ctx, d.program, "-Tadd", "-q", "-f", d.path("slapd.conf"), "-l", file)
	load.Dir = d.dir
	load.SysProcAttr = childAttributes(syscall.SIGKILL)
	load.SysProcAttr.Credential = d.as
	if out, err := load.CombinedOutput(); err != nil {
		return fmt.Errorf("loading the directory: %w\n%s", err, out)
	}
	return nil
}

// Start brings the server up again, on the same ports. Starting what runs does nothing.
func (d *Slapd) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errors.New("not ready in time"))
	defer cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.process != nil {
		return nil
	}
	p, err := d.session.start(command{
		binary: "slapd", path: d.program, dir: d.dir, as: d.as,
		args: []string{"-d", "0", "-f", d.path("slapd.conf"), "-h", d.URL + " " + d.SecureURL},
	})
	if err != nil {
		return err
	}
	if err := p.waitReady(ctx, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.leases[1].address())
		if err != nil {
			return err
		}
		return conn.Close()
	}); err != nil {
		p.stop(0)
		return err
	}
	d.process = p
	return nil
}

// Stop takes the server down and keeps its ports. Stopping what is down does nothing.
func (d *Slapd) Stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.process != nil {
		d.process.stop(slapdGrace)
		d.process = nil
	}
}

// slapdGrace is more than it takes to end.
const slapdGrace = 3 * time.Second

// Close ends the server for good and removes its data. Closing twice is harmless.
func (d *Slapd) Close() error {
	d.Stop()
	for _, lease := range d.leases {
		lease.release()
	}
	d.leases = nil
	return d.session.remove()
}
