// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sigsyaml imports sigs.yaml, the file in which the Kubernetes
// community declares its special interest groups, working groups and
// committees, and who leads them.
//
// Read reads the file strictly; Convert turns it into a Community with a Group
// for each group that is led, and a finding for whatever they can't say.
package sigsyaml

import "github.com/cabildo-dev/cabildo/internal/importer"

// Config is everything in the file, in its order.
type Config struct {
	Groups []Group
	// Representatives of the community outside its groups.
	Representatives []Person
}

// Kind is what a group is.
type Kind string

// The kinds, with the words in which they are shown.
const (
	SIG          Kind = "SIG"
	WorkingGroup Kind = "working group"
	UserGroup    Kind = "user group"
	Committee    Kind = "committee"
)

// Group is a group of the community. Its name is the folder that it has.
type Group struct {
	importer.Name

	Kind    Kind
	Title   string
	Mission string

	Chairs, TechLeads, Emeritus []Person

	// What no field of a Group stands for.
	Charter, Label, Slack, MailingList, PrivateMailingList importer.Name
	StakeholderSIGs, Meetings, Teams                       []importer.Name
	Liaison                                                *Person
	Subprojects                                            []Subproject
}

// Subproject is a part of a group's work.
type Subproject struct {
	importer.Name

	Leads    []Person
	Owners   []string
	Contacts []string
}

// Person is somebody with an office. The name that says who is meant is the
// GitHub handle, and may be missing.
type Person struct {
	importer.Name

	FullName, Company string
}
