// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package mattermost is the adapter for Mattermost: a community is a team, a
// group a channel in it.
//
// One bot account with the role of a system administrator does everything.
// What is ours is known from three places that people can't write:
//
//   - who made a team (its email) or a channel (its creator);
//   - the records: preferences of the bot's own account, one for each space, which
//     are read with one request and written a hundred at a time. A record says
//     whose a space is and which message holds its guidelines;
//   - for a space that we made and had not recorded yet when we were stopped: its
//     name, which Mattermost keeps unique, archived spaces included. That is
//     what makes creating safe.
//
// Other installations read the name of ours in a team's company name. It gives
// nobody anything: it only keeps them away.
//
// The view of all teams and channels is read with one request for every 200 and
// kept fresh by the WebSocket; who is in a space is read when that matters.
package mattermost
