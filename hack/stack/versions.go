// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"strings"

	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// Versions name the servers and their versions, as their binaries were built.
func (s *Stack) Versions(ctx context.Context) (string, error) {
	kubernetes, err := versionOf("kube-apiserver")
	if err != nil {
		return "", err
	}
	text := "Kubernetes " + kubernetes
	if s.Homeserver != nil {
		homeserver, err := s.On.Version()
		if err != nil {
			return "", err
		}
		text += "; " + homeserver
	}
	if s.Mattermost != nil {
		// Its module has no version of its own: the server tells its release.
		_, answer, err := s.Mattermost.Admin().GetPing(ctx)
		if err != nil {
			return "", fmt.Errorf("asking mattermost for its version: %w", err)
		}
		release := strings.SplitN(answer.ServerVersion, ".", 4)
		text += fmt.Sprintf("; Mattermost %s with PostgreSQL", strings.Join(release[:min(len(release), 3)], "."))
	}
	return text, nil
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
