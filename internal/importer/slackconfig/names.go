// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package slackconfig

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits and patterns are those of the API.
const (
	maxSpaceName  = 64
	maxDisplay    = 64
	maxPurpose    = 1024
	maxGuidelines = 16384
	maxMembers    = 1000
	maxPerson     = 255
)

var (
	spaceNamePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$`)
	notInSpaceName   = regexp.MustCompile(`[^a-z0-9_-]+`)
	notDisplayable   = regexp.MustCompile(`[\p{Cc}\p{Zl}\p{Zp}\x{202A}-\x{202E}\x{2066}-\x{2069}]`)
	personPattern    = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)
)

// spaceName is the channel's name as an address may have it; the same name
// wherever that is possible, and empty where nothing of it is left.
func spaceName(channel string) string {
	name := strings.ToLower(channel)
	if !spaceNamePattern.MatchString(name) {
		name = strings.Trim(notInSpaceName.ReplaceAllString(name, "-"), "-_")
	}
	if len(name) > maxSpaceName {
		return ""
	}
	return name
}

// objectName is the name of the Kubernetes object for an address, which may
// have underscores.
func objectName(space string) string { return strings.ReplaceAll(space, "_", "-") }

// apart is an object name for a channel whose own is taken. It depends on the
// channel alone, so that it stays when others come and go.
func apart(object, channel string) string {
	sum := sha256.Sum256([]byte(channel))
	return object + "-" + hex.EncodeToString(sum[:4])
}

// displayable says whether a name can be shown as it is: one line of visible
// text.
func displayable(name string) bool {
	return utf8.ValidString(name) && utf8.RuneCountInString(name) <= maxDisplay &&
		name == strings.TrimSpace(name) && !notDisplayable.MatchString(name)
}

// username is what stands for a person: lower case, and a dot for each space.
// It is empty where other characters would have to be changed, because a guess
// could be the name of somebody else.
func username(person string) string {
	name := strings.ToLower(strings.Join(strings.Fields(person), "."))
	if len(name) > maxPerson || !personPattern.MatchString(name) {
		return ""
	}
	return name
}

// title makes a display name of an object's name.
func title(name string) string {
	words := strings.ReplaceAll(name, "-", " ")
	first, size := utf8.DecodeRuneInString(words)
	return string(unicode.ToUpper(first)) + words[size:]
}
