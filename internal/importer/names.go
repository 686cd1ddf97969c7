// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits and patterns are those of the API.
const (
	MaxSpaceName  = 64
	MaxDisplay    = 64
	MaxPurpose    = 1024
	MaxGuidelines = 16384
	MaxMembers    = 1000
	MaxPerson     = 255
)

var (
	spaceNamePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$`)
	notInSpaceName   = regexp.MustCompile(`[^a-z0-9_-]+`)
	notDisplayable   = regexp.MustCompile(`[\p{Cc}\p{Zl}\p{Zp}\x{202A}-\x{202E}\x{2066}-\x{2069}]`)
)

// Wanted is something that is to have a Group.
type Wanted struct {
	Name

	// Display is what people see; left out, the name.
	Display string
}

func (w Wanted) display() string { return cmp.Or(w.Display, w.Name.Name) }

// Address is what a Group is called.
type Address struct {
	// Object is metadata.name, Space the name in addresses.
	Object, Space string
	Display       string
}

// Addresses gives each thing an address, by its name, which must be unique. A
// name that is good as it is goes before one that had to be changed to be the
// same, so that the order of the input decides nothing. Kind is what the
// things are, in the words of the input. There is a finding for whatever has
// no address, and for each that is not its name.
func Addresses(kind string, things []Wanted) (map[string]Address, []Finding) {
	things = slices.Clone(things)
	slices.SortFunc(things, func(a, b Wanted) int {
		return cmp.Or(cmp.Compare(changes(a.Name.Name), changes(b.Name.Name)), cmp.Compare(a.Name.Name, b.Name.Name))
	})
	word := "a " + firstLower(kind)
	var findings []Finding
	addresses := map[string]Address{}
	objects, spaces := map[string]bool{}, map[string]string{}
	for _, thing := range things {
		name := thing.Name.Name
		space := spaceName(name)
		if space == "" || !displayable(thing.display()) {
			findings = append(findings, Finding{
				Outcome: LeftOut, Kind: kind, Name: name, Position: thing.Position,
				What: word + " whose name can't be an address or can't be shown",
				Why:  "Addresses have letters a to z, digits, hyphens and underscores, 64 at most; what is shown is one line of visible text.",
				Do:   "Pick a name, and add a Group with it by hand.",
			})
			continue
		}
		if other, taken := spaces[space]; taken {
			findings = append(findings, Finding{
				Outcome: LeftOut, Kind: kind, Name: name, Position: thing.Position,
				What:   word + " whose address another " + firstLower(kind) + " has",
				Detail: fmt.Sprintf("%s, of %s %s", space, firstLower(kind), other),
				Why:    "The two names differ only in characters that an address can't have.",
				Do:     "Pick another name, and add a Group with it by hand.",
			})
			continue
		}
		object := objectName(space)
		if objects[object] {
			object = apart(object, name)
		}
		spaces[space], objects[object] = name, true
		addresses[name] = Address{Object: object, Space: space, Display: thing.display()}
		if object != name {
			what := "the object's name; the address is the " + firstLower(kind) + "'s name"
			if space != name {
				what = "the address and the object's name"
			}
			findings = append(findings, Finding{
				Outcome: Changed, Kind: kind, Name: name, Position: thing.Position,
				What:   what,
				Detail: fmt.Sprintf("Group %s, address %s", object, space),
				Why:    "Kubernetes names have no underscores, and addresses nothing but letters a to z, digits, hyphens and underscores.",
				Do:     "Nothing, or pick names that you like better before you apply.",
			})
		}
	}
	return addresses, findings
}

// changes orders names by how much of them has to be changed: nothing, the
// object's name alone, or the address too.
func changes(name string) int {
	space := spaceName(name)
	switch {
	case space != name:
		return 2
	case objectName(space) != space:
		return 1
	default:
		return 0
	}
}

// spaceName is the name as an address may have it; the same name wherever that
// is possible, and empty where nothing of it is left.
func spaceName(name string) string {
	name = strings.ToLower(name)
	if !spaceNamePattern.MatchString(name) {
		name = strings.Trim(notInSpaceName.ReplaceAllString(name, "-"), "-_")
	}
	if len(name) > MaxSpaceName {
		return ""
	}
	return name
}

// objectName is the name of the Kubernetes object for an address, which may
// have underscores.
func objectName(space string) string { return strings.ReplaceAll(space, "_", "-") }

// apart is an object name for a thing whose own is taken. It depends on the
// thing alone, so that it stays when others come and go.
func apart(object, name string) string {
	sum := sha256.Sum256([]byte(name))
	return object + "-" + hex.EncodeToString(sum[:4])
}

// displayable says whether a name can be shown as it is: one line of visible
// text.
func displayable(name string) bool {
	return name != "" && utf8.ValidString(name) && utf8.RuneCountInString(name) <= MaxDisplay &&
		name == strings.TrimSpace(name) && !notDisplayable.MatchString(name)
}

// DisplayName is the wanted text where it can be shown, and else made of an
// object's name.
func DisplayName(wanted, object string) string {
	if displayable(wanted) {
		return wanted
	}
	words := strings.ReplaceAll(object, "-", " ")
	first, size := utf8.DecodeRuneInString(words)
	return string(unicode.ToUpper(first)) + words[size:]
}

// Purpose is a text as a purpose may have it: one paragraph, without what can't
// be shown, and cut between words where it is too long.
func Purpose(text string) (purpose string, cut bool) {
	words := strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || notDisplayable.MatchString(string(r)):
			return -1
		default:
			return r
		}
	}, text))
	purpose = strings.Join(words, " ")
	if utf8.RuneCountInString(purpose) <= MaxPurpose {
		return purpose, false
	}
	runes := []rune(purpose)[:MaxPurpose-1]
	if i := strings.LastIndexByte(string(runes), ' '); i > 0 {
		return string(runes)[:i] + "…", true
	}
	return string(runes) + "…", true
}

func firstLower(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if strings.ToUpper(s) == s {
		return s // letters, such as SIG
	}
	return string(unicode.ToLower(first)) + s[size:]
}
