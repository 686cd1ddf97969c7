// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Mattermost Team Edition, as its own main is without what needs a licence.
package main

import (
	"os"

	"github.com/mattermost/mattermost/server/v8/cmd/mattermost/commands"

	_ "github.com/mattermost/mattermost/server/v8/channels/app/slashcommands" // register themselves
)

func main() {
	if commands.Run(os.Args[1:]) != nil {
		os.Exit(1) // it has said why
	}
}
