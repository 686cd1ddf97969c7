// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package docs_test holds the pages to the code: every reason has its entry,
// every link leads somewhere, and every command, flag, metric and manifest
// that a page shows is one that there is. It runs nothing.
package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// reference is generated, and compared with the code by make check.
const reference = "docs/api-reference.md"

// page is a page of the project, by its path from the root.
type page struct {
	path string
	text string
}

// pages are those that people read first, and those that they lead to.
func pages(t *testing.T) []page {
	t.Helper()
	var found []page
	for _, glob := range []string{"*.md", "docs/*.md", "hack/*.md", "config/samples/*.md", "charts/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, glob))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			path, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			if path = filepath.ToSlash(path); path != reference {
				found = append(found, page{path, read(t, path)})
			}
		}
	}
	return found
}

// read is a file of the project, by its path from the root.
func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// block is a fenced block of code.
type block struct {
	language string
	text     string
	line     int
}

// parts takes a page apart: its blocks of code, and its text with those blanked, line by line.
func parts(text string) (blocks []block, prose []string) {
	open := false
	for i, line := range strings.Split(text, "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && open:
			open = false
		case isFence:
			open = true
			blocks = append(blocks, block{language: fence, line: i + 2})
		case open:
			last := &blocks[len(blocks)-1]
			last.text += line + "\n"
		default:
			prose = append(prose, line)
			continue
		}
		prose = append(prose, "")
	}
	return blocks, prose
}

var (
	heading  = regexp.MustCompile(`^#+ (.+)$`)
	span     = regexp.MustCompile("`[^`]+`")
	notASlug = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// headings are the headings of a page, as they are written.
func headings(text string) []string {
	var found []string
	_, prose := parts(text)
	for _, line := range prose {
		if match := heading.FindStringSubmatch(line); match != nil {
			found = append(found, match[1])
		}
	}
	return found
}

// anchor is what a link to a heading has after its #.
func anchor(heading string) string {
	return strings.ReplaceAll(notASlug.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

var link = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	checked := 0
	for _, p := range pages(t) {
		_, prose := parts(p.text)
		for i, line := range prose {
			for _, match := range link.FindAllStringSubmatch(span.ReplaceAllString(line, ""), -1) {
				target, fragment, _ := strings.Cut(match[1], "#")
				if strings.Contains(target, "://") {
					continue
				}
				checked++
				to := p.path
				if target != "" {
					to = filepath.ToSlash(filepath.Join(filepath.Dir(p.path), target))
				}
				if _, err := os.Stat(filepath.Join(root, to)); err != nil {
					t.Errorf("%s:%d links to %s, and there is no %s", p.path, i+1, match[1], to)
					continue
				}
				if fragment == "" {
					continue
				}
				var anchors []string
				for _, h := range headings(read(t, to)) {
					anchors = append(anchors, anchor(h))
				}
				if !slices.Contains(anchors, fragment) {
					t.Errorf("%s:%d links to %s, and %s has no such heading", p.path, i+1, match[1], to)
				}
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d links were found: this test looks for them in the wrong way", checked)
	}
}
