// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// SlapdProgram returns OpenLDAP's server, which comes from the machine: the
// one that CABILDO_SLAPD names, the one in PATH, or the one that Debian keeps
// out of PATH. Without any, and where CABILDO_SLAPD is none, the error matches ErrNotBuilt.
func SlapdProgram() (string, error) {
	switch path := os.Getenv("CABILDO_SLAPD"); {
	case path == "none":
		return "", notInstalled("what needs OpenLDAP's slapd is left out, as CABILDO_SLAPD is none")
	case path != "" && !isProgram(path):
		return "", fmt.Errorf("CABILDO_SLAPD names %s, which is no program", path)
	case path != "":
		return path, nil
	}
	if path, err := exec.LookPath("slapd"); err == nil {
		return filepath.Abs(path)
	}
	if path := "/usr/sbin/slapd"; isProgram(path) {
		return path, nil
	}
	return "", notInstalled("OpenLDAP's slapd is not installed: install it (Debian: apt-get install slapd), " +
		"or let CABILDO_SLAPD name the program")
}

// WithoutSlapd says that an error of StartSlapd is no failure of a test: there
// is no slapd, and it was left out on purpose or this is not CI.
func WithoutSlapd(err error) bool {
	return errors.Is(err, ErrNotBuilt) && (os.Getenv("CI") != "true" || os.Getenv("CABILDO_SLAPD") == "none")
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// slapdFile returns the first folder of those where distributions keep a file of slapd's; empty where none has it.
func slapdFile(name string, folders ...string) string {
	for _, dir := range folders {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return dir
		}
	}
	return ""
}
