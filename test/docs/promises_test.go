// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// held says that a test holds a promise: its file from the root, and its name.
type held struct {
	promise    string
	file, name string
}

func (h held) String() string {
	return fmt.Sprintf("%s in %s for promise %s", h.name, h.file, h.promise)
}

var (
	promised = regexp.MustCompile(`(?m)^(\d+)\. \*\*(.+?)\.?\*\*`)
	marker   = regexp.MustCompile(`\bPromise (\d+)\b`)
	named    = regexp.MustCompile(`^TestPromise(\d+)`)
	label    = regexp.MustCompile(`^promise (\d+)$`)
	row      = regexp.MustCompile("^\\| `(.+)` \\| \\[[^\\]]+\\]\\(\\.\\./([^)]+)\\) \\| ?(.*?) ?\\|$")
)

// ginkgoNodes are what can carry a label. The last two are test/conformance's.
var ginkgoNodes = []string{"Describe", "DescribeTable", "Context", "When", "It", "Entry", "feature", "ofBoth"}

// testsThatHold are the tests of the whole project that carry a promise's number:
// Ginkgo nodes with the label, and functions with it in their name or comment.
func testsThatHold(t *testing.T) []held {
	t.Helper()
	var found []held
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "bin" || path != root && strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		from, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		found = append(found, heldIn(file, filepath.ToSlash(from))...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func heldIn(file *ast.File, path string) (found []held) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if !strings.HasPrefix(n.Name.Name, "Test") {
				return true
			}
			for _, match := range slices.Concat(named.FindAllStringSubmatch(n.Name.Name, -1), marker.FindAllStringSubmatch(n.Doc.Text(), -1)) {
				found = append(found, held{match[1], path, n.Name.Name})
			}
		case *ast.CallExpr:
			node, ok := n.Fun.(*ast.Ident)
			if !ok || !slices.Contains(ginkgoNodes, node.Name) || len(n.Args) == 0 {
				return true
			}
			for _, arg := range n.Args {
				for _, promise := range labels(arg) {
					found = append(found, held{promise, path, text(n.Args[0])})
				}
			}
		}
		return true
	})
	return found
}

// labels are the promises in a call of Label.
func labels(e ast.Expr) (promises []string) {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return nil
	}
	if of, ok := call.Fun.(*ast.Ident); !ok || of.Name != "Label" {
		return nil
	}
	for _, arg := range call.Args {
		if match := label.FindStringSubmatch(text(arg)); match != nil {
			promises = append(promises, match[1])
		}
	}
	return promises
}

func TestThePageOfPromisesIsTrue(t *testing.T) {
	promises := map[string]string{} // heading by number
	design := read(t, "docs/design.md")
	_, design, _ = strings.Cut(design, "\n## 5. ")
	design, _, _ = strings.Cut(design, "\n## 6. ")
	for _, match := range promised.FindAllStringSubmatch(design, -1) {
		promises[match[1]] = match[1] + ". " + match[2]
	}
	if len(promises) != 12 {
		t.Fatalf("%d promises were found in docs/design.md: this test looks for them in the wrong way, or the page lacks one", len(promises))
	}

	_, prose := parts(read(t, "docs/promises.md"))
	listed, broken := map[held]bool{}, map[string]bool{}
	section := ""
	for i, line := range prose {
		if match := heading.FindStringSubmatch(line); match != nil {
			section, _, _ = strings.Cut(match[1], ".")
			if said, is := promises[section]; is && said != match[1] {
				t.Errorf("docs/promises.md:%d says %q, and the design promises %q", i+1, match[1], said)
			}
			continue
		}
		if match := row.FindStringSubmatch(line); match != nil {
			listed[held{section, match[2], match[1]}] = true
			broken[section] = broken[section] || match[3] != ""
		} else if strings.HasPrefix(line, "| `") {
			t.Errorf("docs/promises.md:%d is no row that is understood: %s", i+1, line)
		}
	}

	there := map[held]bool{}
	holds := map[string]int{}
	for _, h := range testsThatHold(t) {
		there[h] = true
		holds[h.promise]++
		switch {
		case promises[h.promise] == "":
			t.Errorf("%s, which there is not", h)
		case !listed[h]:
			t.Errorf("docs/promises.md does not list %s", h)
		}
	}
	for h := range listed {
		if !there[h] {
			t.Errorf("docs/promises.md lists %s, and there is no such test with its number", h)
		}
	}
	for number := range len(promises) {
		switch number := strconv.Itoa(number + 1); {
		case holds[number] == 0:
			t.Errorf("no test holds promise %s", number)
		case !broken[number]:
			t.Errorf("docs/promises.md does not say of any test for promise %s what it was seen to fail without", number)
		}
	}
}
