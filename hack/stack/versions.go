// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"debug/buildinfo"
	"fmt"

	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// Versions name the servers and their versions, as their binaries were built.
func Versions() (string, error) {
	kubernetes, err := versionOf("kube-apiserver")
	if err != nil {
		return "", err
	}
	dendrite, err := versionOf("dendrite")
	return fmt.Sprintf("Kubernetes %s; Dendrite %s with SQLite", kubernetes, dendrite), err
}

func versionOf(binary string) (string, error) {
	path, err := devenv.Binary(binary)
	if err != nil {
		return "", err
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading how %s was built: %w", binary, err)
	}
	return info.Main.Version, nil
}
