// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"os"
	"strings"
)

// Each section's figures stand between two lines of the page, so that one can
// be renewed without the others.
const endFigures = "<!-- to here -->\n"

func beginFigures(section string) string {
	return fmt.Sprintf("<!-- make benchmark writes the figures of %s from here -->\n", section)
}

// Renew puts the text of a section into the page, in the place of the older one.
func Renew(page, section, text string) error {
	content, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	begin := beginFigures(section)
	before, rest, begins := strings.Cut(string(content), begin)
	_, after, ends := strings.Cut(rest, endFigures)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the figures: it has to have the lines %q and %q", page, begin, endFigures)
	}
	return os.WriteFile(page, []byte(before+begin+"\n"+text+"\n"+endFigures+after), 0o644) //nolint:gosec // a page is for everybody to read
}
