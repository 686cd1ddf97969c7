// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package devenv starts the real servers that development and tests run
// against: a Kubernetes control plane, a Matrix homeserver and a Mattermost
// server with its database. Everything listens on loopback, on ports that
// nobody else has, or on a socket in a private folder, and nothing outlives the
// process that started it:
//
//   - a server is asked to stop when its Stop or Close is called;
//   - on Linux the kernel kills it when its parent dies, however it dies;
//   - what is left all the same (elsewhere, or after a power cut) is recorded
//     with process ID and start time, and the next start clears it away. A
//     process that merely has the same ID by now is never touched.
//
// The servers are binaries that `make servers` builds into bin/; this package
// builds nothing. Only PostgreSQL and slapd are the machine's own. The package serves tests, the demo, the acceptance run and the
// benchmark, and is no part of the operator.
package devenv
