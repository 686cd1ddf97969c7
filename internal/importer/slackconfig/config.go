// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package slackconfig imports the format in which the Kubernetes community
// declares its Slack workspace: channels, user groups, people, a template for
// new channels, and which file may declare what, spread over the YAML files of
// a folder. It is the format of Tempelis, a part of kubernetes-sigs/slack-infra.
//
// Read reads a folder strictly; Convert turns it into a Community and its
// Groups, with a finding for whatever they can't say.
package slackconfig

import "github.com/cabildo-dev/cabildo/internal/importer"

// Config is everything in the folder, in the order of the files.
type Config struct {
	Channels     []Channel
	UserGroups   []UserGroup
	Users        []User
	Restrictions []Restriction
	// Template of new channels, or nil.
	Template *Template
	// Unread are files that look like YAML and are not part of the format.
	Unread []string
}

// Name is a name that something is referred to by, and where.
type Name = importer.Name

// Channel is a channel of the workspace.
type Channel struct {
	Name

	ID         string
	Archived   bool
	Moderators []Name
}

// UserGroup is a handle that mentions several people, who are members of its channels.
type UserGroup struct {
	Name

	LongName    string
	Description string
	Channels    []Name
	Members     []Name
	// External: another tool looks after it.
	External bool
}

// User maps the name that the files use for a person to their Slack user ID.
type User struct {
	Name

	ID string
}

// Restriction says what the files that a path picks may declare.
type Restriction struct {
	importer.Position

	Path       string
	Users      bool
	Template   bool
	Channels   []string
	UserGroups []string
}

// Template is what a new channel starts with.
type Template struct {
	importer.Position

	Topic   string
	Purpose string
	Pins    []string
}
