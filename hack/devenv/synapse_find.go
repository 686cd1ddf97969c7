// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// synapseProgram is the command that runs a Python which has Synapse: the Python
// that CABILDO_SYNAPSE names, or the one that `make bin/synapse` has unpacked
// with its own C library. Without any, and where CABILDO_SYNAPSE is none, the
// error matches ErrNotBuilt.
func synapseProgram() ([]string, error) {
	switch named := os.Getenv("CABILDO_SYNAPSE"); named {
	case "none":
		return nil, notInstalled("what needs Synapse is left out, as CABILDO_SYNAPSE is none")
	case "":
		return unpackedSynapse()
	default:
		path, err := exec.LookPath(named)
		if err != nil {
			return nil, fmt.Errorf("CABILDO_SYNAPSE names %s, which is no program: %w", named, err)
		}
		return []string{path}, nil
	}
}

// unpackedSynapse runs the interpreter through the loader that was unpacked with
// it, so that it takes its libraries and not those of this machine.
func unpackedSynapse() ([]string, error) {
	dir, err := binDir()
	if err != nil {
		return nil, err
	}
	root := filepath.Join(dir, "synapse")
	if _, err := os.Stat(filepath.Join(root, synapseVersionFile)); err != nil {
		return nil, fmt.Errorf("synapse is %w: run `make synapse`, or let CABILDO_SYNAPSE name a Python that has Synapse", ErrNotBuilt)
	}
	loader, err := only(filepath.Join(root, "usr", "lib*", "ld-linux*.so.*"), filepath.Join(root, "usr", "lib", "*", "ld-linux*.so.*"))
	if err != nil {
		return nil, err
	}
	libraries, err := only(filepath.Join(root, "usr", "lib", "*-linux-gnu*"))
	if err != nil {
		return nil, err
	}
	python := filepath.Join(root, "usr", "bin", "python3")
	return []string{loader, "--library-path", libraries, "--argv0", python, python}, nil
}

const synapseVersionFile = "VERSION"

// only is the first file that a pattern finds.
func only(patterns ...string) (string, error) {
	for _, pattern := range patterns {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("there is no %s: remove bin/synapse and run `make synapse`", strings.Join(patterns, " or "))
}

// HasSynapse says whether StartSynapse has a Synapse to start; the error says why it has none.
func HasSynapse() error {
	_, err := synapseProgram()
	return err
}

// WithoutSynapse says that an error of StartSynapse is no failure of a test:
// there is no Synapse, and it was left out on purpose or this is not CI.
func WithoutSynapse(err error) bool {
	return errors.Is(err, ErrNotBuilt) && (os.Getenv("CI") != "true" || os.Getenv("CABILDO_SYNAPSE") == "none")
}

// SynapseVersion is the version of the Synapse that was unpacked, which is what Debian had on that
// day; "of this machine" where CABILDO_SYNAPSE names another.
func SynapseVersion() string {
	dir, err := binDir()
	if err != nil || os.Getenv("CABILDO_SYNAPSE") != "" {
		return "of this machine"
	}
	version, err := os.ReadFile(filepath.Join(dir, "synapse", synapseVersionFile))
	if err != nil {
		return "of this machine"
	}
	upstream, _, _ := strings.Cut(strings.TrimSpace(string(version)), "-")
	return upstream
}
