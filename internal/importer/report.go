// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
)

// section is a run of findings that say the same about different things.
type section struct {
	Finding // the first one, for what all of them say

	findings []Finding
}

// sections needs sorted findings.
func sections(findings []Finding) []section {
	var all []section
	for _, f := range findings {
		if n := len(all); n > 0 && all[n-1].says(f) {
			all[n-1].findings = append(all[n-1].findings, f)
			continue
		}
		all = append(all, section{Finding: f, findings: []Finding{f}})
	}
	return all
}

func (s section) says(f Finding) bool {
	return s.Outcome == f.Outcome && s.Kind == f.Kind && s.What == f.What && s.Why == f.Why && s.Do == f.Do
}

var outcomeTitles = map[Outcome]string{
	Check:   "To look at",
	LeftOut: "Left out",
	Changed: "Taken over in another way",
}

// Text is the report for a terminal: a line for each kind of finding. It needs
// a sorted result.
func (r *Result) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: read %s\n", r.Source, counts(r.Read))
	fmt.Fprintf(&b, "made %s\n", counts(r.Made))
	var outcome Outcome
	for _, s := range sections(r.Findings) {
		if s.Outcome != outcome {
			outcome = s.Outcome
			fmt.Fprintf(&b, "\n%s:\n", outcomeTitles[outcome])
		}
		fmt.Fprintf(&b, "%5d × %s: %s%s\n", len(s.findings), s.Kind, s.What, s.example())
		fmt.Fprintf(&b, "          %s\n          → %s\n", s.Why, s.Do)
	}
	return b.String()
}

// example names up to three of the things.
func (s section) example() string {
	const most = 3
	var names []string
	for _, f := range s.findings {
		if f.Name == "" {
			continue
		}
		if len(names) == most {
			names = append(names, "…")
			break
		}
		names = append(names, plain(f.Name))
	}
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// plain keeps text from the source from steering the terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}

func counts(all []Count) string {
	words := make([]string, len(all))
	for i, c := range all {
		words[i] = fmt.Sprintf("%d %s", c.Count, c.Name)
	}
	return strings.Join(words, ", ")
}

// Markdown is the whole report, to be kept beside the manifests. It needs a
// sorted result.
func (r *Result) Markdown() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# Import of %s\n\n", markdown(r.Source))
	b.WriteString("What was read, what came of it, and everything that is not in the manifests as it was in the source.\n\n")
	b.WriteString("| | count |\n|---|---:|\n")
	for _, c := range r.Read {
		fmt.Fprintf(&b, "| read: %s | %d |\n", markdown(c.Name), c.Count)
	}
	for _, c := range r.Made {
		fmt.Fprintf(&b, "| made: %s | %d |\n", markdown(c.Name), c.Count)
	}
	var outcome Outcome
	for _, s := range sections(r.Findings) {
		if s.Outcome != outcome {
			outcome = s.Outcome
			fmt.Fprintf(&b, "\n## %s\n", outcomeTitles[outcome])
		}
		fmt.Fprintf(&b, "\n### %s: %s (%d)\n\n", markdown(s.Kind), markdown(s.What), len(s.findings))
		fmt.Fprintf(&b, "%s\n\n**What to do:** %s\n\n", markdown(s.Why), markdown(s.Do))
		s.list(&b)
	}
	return []byte(b.String())
}

// list names the things of a section: in a table where each has something of
// its own to say, and else on one line for each file.
func (s section) list(b *strings.Builder) {
	detailed := false
	for _, f := range s.findings {
		detailed = detailed || f.Detail != ""
	}
	if detailed {
		b.WriteString("| name | where | detail |\n|---|---|---|\n")
		for _, f := range s.findings {
			fmt.Fprintf(b, "| %s | %s | %s |\n", markdown(f.Name), markdown(f.Where()), markdown(f.Detail))
		}
		return
	}
	for i := 0; i < len(s.findings); {
		file, names := s.findings[i].File, []string(nil)
		for ; i < len(s.findings) && s.findings[i].File == file; i++ {
			if name := s.findings[i].Name; name != "" {
				names = append(names, markdown(name))
			}
		}
		switch {
		case file == "" && len(names) == 0:
		case file == "":
			fmt.Fprintf(b, "- %s\n", strings.Join(names, ", "))
		case len(names) == 0:
			fmt.Fprintf(b, "- %s\n", markdown(file))
		default:
			fmt.Fprintf(b, "- %s: %s\n", markdown(file), strings.Join(names, ", "))
		}
	}
}

// markdown keeps text from the source from being read as Markdown.
func markdown(s string) string {
	return markdownEscapes.Replace(plain(strings.Join(strings.Fields(s), " ")))
}

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;", ">", "&gt;", "[", `\[`, "]", `\]`, "#", `\#`, "~", `\~`,
)

// JSON is the whole report for programs. It needs a sorted result.
func (r *Result) JSON() ([]byte, error) {
	findings := r.Findings
	if findings == nil {
		findings = []Finding{}
	}
	content, err := json.MarshalIndent(struct {
		Source   string    `json:"source"`
		Read     []Count   `json:"read"`
		Made     []Count   `json:"made"`
		Findings []Finding `json:"findings"`
	}{r.Source, r.Read, r.Made, findings}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("rendering the report: %w", err)
	}
	return append(content, '\n'), nil
}
