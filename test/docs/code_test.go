// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// goodNews are the reasons that nobody has to look up.
var goodNews = []string{
	v1alpha1.ReasonReady, v1alpha1.ReasonAllResolved, v1alpha1.ReasonEnforced, v1alpha1.ReasonWithinAllocation,
	v1alpha1.ReasonAppointed, v1alpha1.ReasonTrained, v1alpha1.ReasonGoverned, v1alpha1.ReasonStaffed,
}

// source is a Go file of the project, parsed.
func source(t *testing.T, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// text is the value of a string literal; empty for anything else.
func text(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	value, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return value
}

// reasons are the values of the constants Reason… of the API.
func reasons(t *testing.T) []string {
	t.Helper()
	var found []string
	ast.Inspect(source(t, "api/v1alpha1/conditions.go"), func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			if strings.HasPrefix(name.Name, "Reason") && i < len(spec.Values) {
				found = append(found, text(spec.Values[i]))
			}
		}
		return true
	})
	return found
}

func TestReasonsHaveAnEntryInTroubleshooting(t *testing.T) {
	all := reasons(t)
	if len(all) < 30 {
		t.Fatalf("only %d reasons were found: this test looks for them in the wrong way", len(all))
	}
	_, prose := parts(read(t, "docs/troubleshooting.md"))
	entries := map[string]string{}
	entry := ""
	for _, line := range prose {
		if match := heading.FindStringSubmatch(line); match != nil {
			entry = match[1]
			continue
		}
		entries[entry] += line + "\n"
	}
	for _, reason := range all {
		said, there := entries[reason]
		switch {
		case slices.Contains(goodNews, reason):
		case !there:
			t.Errorf("docs/troubleshooting.md has no entry for the reason %s", reason)
		default:
			for _, part := range []string{"**Means**", "**Check**", "**Do**", "**Meanwhile**"} {
				if !strings.Contains(said, part) {
					t.Errorf("the entry for %s in docs/troubleshooting.md has no %s", reason, part)
				}
			}
		}
	}
	for _, reason := range goodNews {
		if !slices.Contains(all, reason) {
			t.Errorf("%s is good news here, and no reason of the API", reason)
		}
	}
	for entry, said := range entries {
		if strings.Contains(said, "**Means**") && !slices.Contains(all, entry) {
			t.Errorf("docs/troubleshooting.md has an entry for %s, which is no reason of the API", entry)
		}
	}
}

var (
	rule    = regexp.MustCompile(`(?m)^([a-z][a-z0-9/ -]*):([^=]|$)`)
	command = regexp.MustCompile(`(?m)(?:^\s*(?:\$ )?|[;&|]\s*)make((?: [^\s;&|#]+)*)`)
)

// targets are what make knows.
func targets(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, match := range rule.FindAllStringSubmatch(read(t, "Makefile"), -1) {
		found = append(found, strings.Fields(match[1])...)
	}
	return found
}

func TestMakeTargetsInThePagesAreThere(t *testing.T) {
	known := targets(t)
	checked := 0
	for _, p := range pages(t) {
		blocks, prose := parts(p.text)
		code := make([]string, 0, len(blocks))
		for _, b := range blocks {
			code = append(code, b.text)
		}
		for _, s := range span.FindAllString(strings.Join(prose, "\n"), -1) {
			code = append(code, strings.Trim(s, "`"))
		}
		for _, c := range code {
			for _, match := range command.FindAllStringSubmatch(c, -1) {
				for _, word := range strings.Fields(match[1]) {
					if strings.ContainsAny(word, "='\"") || strings.HasPrefix(word, "-") {
						break // variables, and what is quoted in them
					}
					checked++
					if !slices.Contains(known, word) {
						t.Errorf("%s says make %s, and the Makefile has no such target", p.path, word)
					}
				}
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d targets were found: this test looks for them in the wrong way", checked)
	}
}

func TestFlagsOfTheManagerAreInOperations(t *testing.T) {
	said := read(t, "docs/operations.md")
	checked := 0
	ast.Inspect(source(t, "cmd/main.go"), func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		of, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !strings.HasSuffix(of.Sel.Name, "Var") || len(call.Args) < 3 {
			return true
		}
		if name := text(call.Args[1]); name != "" {
			checked++
			if !strings.Contains(said, "`--"+name+"`") {
				t.Errorf("docs/operations.md does not tell of the flag --%s", name)
			}
		}
		return true
	})
	if checked < 5 {
		t.Errorf("only %d flags were found: this test looks for them in the wrong way", checked)
	}
}

func TestMetricsAreInTheirPage(t *testing.T) {
	said := read(t, "docs/metrics.md")
	checked, code := 0, ""
	for _, path := range []string{"internal/platform/metrics.go", "internal/directory/metrics.go"} {
		code += read(t, path)
		ast.Inspect(source(t, path), func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok {
				return true
			}
			if name := text(literal); strings.HasPrefix(name, "cabildo_") {
				checked++
				if !strings.Contains(said, "| `"+name+"` |") {
					t.Errorf("docs/metrics.md has no row for the metric %s", name)
				}
			}
			return true
		})
	}
	if checked < 8 {
		t.Errorf("only %d metrics were found: this test looks for them in the wrong way", checked)
	}
	for _, match := range regexp.MustCompile(`cabildo_[a-z_]+[a-z]`).FindAllString(said, -1) {
		name := match
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			name = strings.TrimSuffix(name, suffix)
		}
		if !strings.Contains(code, `"`+name+`"`) {
			t.Errorf("docs/metrics.md tells of %s, and there is no such metric", match)
		}
	}
}

func TestManifestsInThePagesAreStrictlyValid(t *testing.T) {
	checked := 0
	for _, p := range pages(t) {
		blocks, _ := parts(p.text)
		for _, b := range blocks {
			if b.language != "yaml" {
				continue
			}
			for _, manifest := range regexp.MustCompile(`(?m)^---$`).Split(b.text, -1) {
				var of struct {
					APIVersion string `json:"apiVersion"`
					Kind       string `json:"kind"`
				}
				if err := yaml.Unmarshal([]byte(manifest), &of); err != nil {
					t.Errorf("%s:%d is no YAML: %v", p.path, b.line, err)
					continue
				}
				if of.APIVersion != v1alpha1.GroupVersion.String() {
					continue
				}
				into := map[string]any{
					"Platform": &v1alpha1.Platform{}, "Community": &v1alpha1.Community{}, "Group": &v1alpha1.Group{},
					"GovernanceDecision": &v1alpha1.GovernanceDecision{}, "Directory": &v1alpha1.Directory{},
					"CommunityManager": &v1alpha1.CommunityManager{}, "GovernancePolicy": &v1alpha1.GovernancePolicy{},
				}[of.Kind]
				if into == nil {
					t.Errorf("%s:%d declares a %s, and there is no such kind", p.path, b.line, of.Kind)
					continue
				}
				checked++
				if err := yaml.UnmarshalStrict([]byte(manifest), into); err != nil {
					t.Errorf("%s:%d is no %s: %v", p.path, b.line, of.Kind, err)
				}
			}
		}
	}
	if checked < 3 {
		t.Errorf("only %d manifests were found: this test looks for them in the wrong way", checked)
	}
}
