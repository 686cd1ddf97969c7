// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// modulePath is the first line of the go.mod beside which bin/ lies.
const modulePath = "module github.com/cabildo-dev/cabildo"

// ErrNotBuilt says that a server's or tool's binary is missing. Suites match it
// with errors.Is to skip what they can't run.
var ErrNotBuilt = errors.New("not built")

// Binary returns the path of a server or tool that make has built, such as
// "kube-apiserver" or "helm". It looks into the folder named by CABILDO_BIN,
// and without that into bin/ at the top of the source tree around the working
// directory. A missing binary gives ErrNotBuilt.
func Binary(name string) (string, error) {
	dir, err := binDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s is %w: run `make bin/%s`", name, ErrNotBuilt, name)
	case err != nil:
		return "", fmt.Errorf("looking for %s: %w", name, err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a file", path)
	}
	return path, nil
}

func binDir() (string, error) {
	if dir := os.Getenv("CABILDO_BIN"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the source tree: %w", err)
	}
	for {
		if content, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
			first, _, _ := strings.Cut(string(content), "\n")
			if strings.TrimSpace(first) == modulePath {
				return filepath.Join(dir, "bin"), nil
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no source tree around the working directory: set CABILDO_BIN to the folder with the built servers")
		}
		dir = parent
	}
}
