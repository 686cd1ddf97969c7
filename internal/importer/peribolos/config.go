// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package peribolos imports the configuration of a GitHub organisation in the
// format of Peribolos, a part of Prow: its people, and its teams with their
// people, in org.yaml and in more files of its folder, each of which adds teams.
//
// ReadDir reads one organisation strictly; Convert turns it into a Community
// with a Group for each team, and a finding for whatever they can't say.
package peribolos

import "github.com/cabildo-dev/cabildo/internal/importer"

// Org is one organisation.
type Org struct {
	// The name of its folder, and the place of org.yaml.
	importer.Name

	Title, Description string
	Admins, Members    []importer.Name
	// Settings and Repos have no counterpart.
	Settings, Repos []importer.Name
	// Teams at the top, in the order of the files.
	Teams []Team
	// Others are organisations in the folder that were not picked, Unread
	// files that look like YAML and are not part of the organisation.
	Others, Unread []string
}

// Team is a team of the organisation, with the teams below it.
type Team struct {
	importer.Name

	Description          string
	Privacy              importer.Name
	Maintainers, Members []importer.Name
	// Previously are names that the team had.
	Previously []importer.Name
	// Repos are what the team may do in which repository.
	Repos []importer.Name
	Teams []Team
}
