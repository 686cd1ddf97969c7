// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// row is one line, with notes on lines of their own below it.
type row struct {
	cells

	notes []string
}

// cells are the columns of a row.
type cells struct {
	name, what, count, address, state string
}

func (c cells) list() []string { return []string{c.name, c.what, c.count, c.address, c.state} }

const gap = 2

// write puts the first row on top and the others below it as its branches,
// with every column as wide as its widest cell.
func (b block) write(out *strings.Builder, width int) {
	lines := make([][]string, len(b.rows))
	var columns []int
	for i, r := range b.rows {
		line := r.list()
		for j := range line {
			line[j] = printable(line[j])
		}
		line[0] = branch(i, len(b.rows)) + line[0]
		for j, cell := range line {
			if j == len(columns) {
				columns = append(columns, 0)
			}
			columns[j] = max(columns[j], columnsOf(cell))
		}
		lines[i] = line
	}
	last := len(columns) - 1
	indent := 0 // of the last column
	for _, c := range columns[:last] {
		if c > 0 {
			indent += c + gap
		}
	}

	for i, line := range lines {
		var text strings.Builder
		for j, cell := range line {
			text.WriteString(cell)
			if j < last && columns[j] > 0 {
				text.WriteString(strings.Repeat(" ", columns[j]-columnsOf(cell)+gap))
			}
		}
		out.WriteString(strings.TrimRight(text.String(), " "))
		out.WriteByte('\n')
		for _, note := range b.rows[i].notes {
			writeNote(out, stem(i, len(b.rows)), indent, width, printable(note))
		}
	}
}

// writeNote puts a note under the last column, or further left where there
// would be too little room.
func writeNote(out *strings.Builder, stem string, indent, width int, note string) {
	const leastRoom, leftmost = 40, 6
	room := 0
	if width > 0 {
		if width-indent < leastRoom {
			indent = leftmost
		}
		room = max(width-indent, leastRoom)
	}
	for _, line := range wrap(note, room) {
		out.WriteString(stem)
		out.WriteString(strings.Repeat(" ", max(indent-columnsOf(stem), 1)))
		out.WriteString(line)
		out.WriteByte('\n')
	}
}

// branch leads to a row; the first row has none.
func branch(i, rows int) string {
	if i == 0 {
		return ""
	}
	if i == rows-1 {
		return "└─ "
	}
	return "├─ "
}

// stem leads past the notes of a row to the rows below it.
func stem(i, rows int) string {
	if i == rows-1 {
		return " "
	}
	return "│"
}

// wrap breaks text at spaces into lines of at most room columns; a longer word
// stays whole.
func wrap(text string, room int) []string {
	if room <= 0 {
		return []string{text}
	}
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && columnsOf(line)+1+columnsOf(word) > room {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// columnsOf is how many columns of a terminal the text takes.
func columnsOf(text string) int {
	n := 0
	for _, r := range text {
		switch kind := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// printable keeps what people and platforms wrote from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Bidi_Control, r) {
			return r
		}
		return '\uFFFD'
	}, text)
}
