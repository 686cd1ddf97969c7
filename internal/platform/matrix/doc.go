// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package matrix is the adapter for Matrix homeservers. A community is a space
// and a group is a room in it. It speaks the client-server API of the Matrix
// specification, with the account of the operator or as an application
// service, and knows no server software by name.
//
// Everything that is known about rooms comes from one /sync (sync.go), is
// folded into a small picture of each room (room.go, view.go) and is read from
// there (observe.go). What /sync doesn't carry is asked for when it is first
// needed and verified again now and then (directory.go). Writes (apply.go and
// the files beside it) are seen by the next Observe: it waits until /sync has
// delivered them.
//
// Permissions are power levels. They work by event type, and in an encrypted
// room a server sees one type only, m.room.encrypted: who may post may also
// react there, whatever the reactions are limited to.
package matrix
