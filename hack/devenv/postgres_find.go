// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
)

// Postgres returns the folder with PostgreSQL's programs, which is the one part
// of the dev environment that comes from the machine: the one that
// CABILDO_POSTGRES names, the one in PATH, or the newest of those that Debian
// keeps out of PATH. Without any, the error matches ErrNotBuilt.
func Postgres() (string, error) {
	if dir := os.Getenv("CABILDO_POSTGRES"); dir != "" {
		if !hasPostgres(dir) {
			return "", fmt.Errorf("CABILDO_POSTGRES names %s, where there is no initdb or no postgres", dir)
		}
		return dir, nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		if dir := filepath.Dir(path); hasPostgres(dir) {
			return dir, nil
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is fine
	slices.SortFunc(found, func(a, b string) int { return cmp.Compare(debianVersion(b), debianVersion(a)) })
	for _, dir := range found {
		if hasPostgres(dir) {
			return dir, nil
		}
	}
	return "", notInstalled("PostgreSQL is not installed: install it (Debian: apt-get install postgresql), " +
		"or let CABILDO_POSTGRES name the folder with initdb and postgres")
}

// notInstalled is to a suite what ErrNotBuilt is: it has to do without.
type notInstalled string

func (e notInstalled) Error() string        { return string(e) }
func (e notInstalled) Is(target error) bool { return target == ErrNotBuilt }

func hasPostgres(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// debianVersion is the number in /usr/lib/postgresql/15/bin.
func debianVersion(bin string) int {
	version, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin))) // zero for anything else
	return version
}

// nobody is the account for what must not run as root.
func nobody() (uid, gid int) {
	const usual = 65534
	account, err := user.Lookup("nobody")
	if err != nil {
		return usual, usual
	}
	uid, uidErr := strconv.Atoi(account.Uid)
	gid, gidErr := strconv.Atoi(account.Gid)
	if uidErr != nil || gidErr != nil || uid <= 0 {
		return usual, usual
	}
	return uid, gid
}
