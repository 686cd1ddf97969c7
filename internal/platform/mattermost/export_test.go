// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import "github.com/cabildo-dev/cabildo/internal/platform"

// Connected says whether the WebSocket is.
func Connected(a platform.Adapter) bool {
	v := a.(*Adapter).view
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.hears
}
