// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package samples

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// What the samples have in the place of a real homeserver.
const (
	sampleURL        = "https://matrix.example.com"
	sampleServerName = "example.com"
	sampleToken      = "put-the-token-here"
)

// Platform is the sample platform with its credentials, for this homeserver
// instead of the invented one. The URL is where the manager reaches it.
func Platform(folder string, homeserver *devenv.Homeserver, url string) (string, error) {
	rendered := strings.NewReplacer(
		sampleURL, url,
		"serverName: "+sampleServerName, "serverName: "+homeserver.ServerName,
		sampleToken, homeserver.ASToken,
	)
	var manifests strings.Builder
	for _, name := range []string{"platform-secret.yaml", "platform.yaml"} {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return "", fmt.Errorf("reading the samples: %w", err)
		}
		manifests.WriteString(rendered.Replace(string(content)))
		manifests.WriteString("\n---\n")
	}
	return manifests.String(), nil
}
