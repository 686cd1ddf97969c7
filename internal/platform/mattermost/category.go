// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import "strings"

// With ExperimentalChannelCategorySorting the server takes what is before the
// first slash of a channel's display name for the category of the sidebar in
// which it shows the channel to who comes in, and keeps the rest as the name. A
// name without a slash leaves the category as it was (server 11.1,
// App.handleChannelCategoryName). Cabildo keeps both in the display name.

// inCategory is a display name as the server gives both parts back. It is the
// same when it is brought to this form again.
func inCategory(name string) string {
	category, rest, found := strings.Cut(strings.Trim(name, "/ "), "/")
	if !found {
		return category
	}
	return strings.TrimSpace(category) + "/" + strings.TrimSpace(rest)
}

// sent is what is written to have a display name. The slash in front of a name
// without a category empties the category.
func (o offer) sent(name string) string {
	if o.sorts && !strings.Contains(name, "/") {
		return "/" + name
	}
	return name
}

// displayNameSeen is the display name with its category, where the server sorts by it.
func (s *space) displayNameSeen(o offer) string {
	if o.sorts && s.category != "" {
		return s.category + "/" + s.displayName
	}
	return s.displayName
}
