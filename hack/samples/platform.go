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

// The names of the sample platforms.
const (
	MatrixPlatform     = "chat"
	MattermostPlatform = "mattermost"
)

// What the samples have in the place of real servers.
const (
	sampleURL           = "https://matrix.example.com"
	sampleServerName    = "example.com"
	sampleMattermostURL = "https://mattermost.example.com"
	sampleToken         = "put-the-token-here"
)

// Platform is the sample platform with its credentials, for this homeserver
// instead of the invented one. The URL is where the manager reaches it.
func Platform(folder string, homeserver *devenv.Homeserver, url string) (string, error) {
	return render(folder,
		sampleURL, url,
		"serverName: "+sampleServerName, "serverName: "+homeserver.ServerName,
		sampleToken, homeserver.ASToken,
	)
}

// MattermostFolder has the second platform, beside the folder of the samples.
func MattermostFolder(folder string) string { return filepath.Clean(folder) + "-mattermost" }

// OnMattermost is the sample platform for this Mattermost server, with the token
// of the operator's account.
func OnMattermost(folder string, server *devenv.Mattermost, token string) (string, error) {
	return render(MattermostFolder(folder), sampleMattermostURL, server.URL, sampleToken, token)
}

// render reads a platform with its credentials, and puts something new for each old one.
func render(folder string, oldNew ...string) (string, error) {
	rendered := strings.NewReplacer(oldNew...)
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
