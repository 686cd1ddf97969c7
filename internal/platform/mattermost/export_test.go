// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import "github.com/cabildo-dev/cabildo/internal/platform"

// Forget is what a gap of the WebSocket does: everybody is asked for again.
func Forget(a platform.Adapter) { a.(*Adapter).people.forget() }

// Connected says whether the WebSocket is.
func Connected(a platform.Adapter) bool {
	v := a.(*Adapter).view
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.hears
}
