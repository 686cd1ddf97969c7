// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/importer"
)

func TestManifestsHoldWhatAPersonWouldWrite(t *testing.T) {
	result := importer.Result{Objects: []importer.Object{group("flour"), group("bread"), community("guild")}}
	result.Sort()
	files, err := importer.Manifests(result.Objects)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range files {
		got[f.Name] = string(f.Content)
	}
	want := map[string]string{
		"community.yaml": "apiVersion: community.cabildo.dev/v1alpha1\nkind: Community\nmetadata:\n  name: guild\nspec:\n  displayName: Guild\n  platforms: null\n",
		"groups.yaml": "apiVersion: community.cabildo.dev/v1alpha1\nkind: Group\nmetadata:\n  name: bread\nspec:\n  communityRef:\n    name: guild\n  displayName: bread\n" +
			"---\n" +
			"apiVersion: community.cabildo.dev/v1alpha1\nkind: Group\nmetadata:\n  name: flour\nspec:\n  communityRef:\n    name: guild\n  displayName: flour\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if stream := string(importer.Stream(files)); stream != want["community.yaml"]+"---\n"+want["groups.yaml"] {
		t.Errorf("stream:\n%s", stream)
	}
}

func TestAnObjectWithoutAKindIsNotWritten(t *testing.T) {
	if _, err := importer.Manifests([]importer.Object{&v1alpha1.Group{}}); err == nil {
		t.Error("no error")
	}
}

func TestTextFromTheSourceStaysText(t *testing.T) {
	result := importer.Result{Source: "x", Findings: []importer.Finding{{
		Outcome: importer.Check, Kind: "Channel", Name: "a|b\x1b[2J <script>", What: "w", Why: "y", Do: "d",
		Position: importer.Position{File: "c.yaml", Line: 3}, Detail: "*bold*\n| row |",
	}}}
	text, report := result.Text(), string(result.Markdown())
	if strings.ContainsRune(text+report, '\x1b') {
		t.Error("a terminal would take it for a command")
	}
	if want := `| a\|b` + "\uFFFD" + `\[2J &lt;script&gt; | c.yaml:3 | \*bold\* \| row \| |`; !strings.Contains(report, want) {
		t.Errorf("no line %q in\n%s", want, report)
	}
}

func TestFilesOfOthersAreNotOverwritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	files := []importer.File{{Name: "a.yaml", Content: []byte("a")}, {Name: "b.yaml", Content: []byte("b")}}
	if err := importer.WriteFiles(dir, files, false); err != nil {
		t.Fatal(err)
	}
	if err := importer.WriteFiles(dir, files, false); err != nil {
		t.Errorf("the same again: %v", err)
	}
	write(t, filepath.Join(dir, "b.yaml"), "edited")
	files[0].Content = []byte("a2")
	err := importer.WriteFiles(dir, files, false)
	if err == nil || !strings.Contains(err.Error(), "b.yaml") || !strings.Contains(err.Error(), "--overwrite") {
		t.Errorf("error: %v", err)
	}
	if got := read(t, filepath.Join(dir, "a.yaml")); got != "a" {
		t.Errorf("a.yaml was written all the same: %q", got)
	}
	if err := importer.WriteFiles(dir, files, true); err != nil {
		t.Fatal(err)
	}
	if a, b := read(t, filepath.Join(dir, "a.yaml")), read(t, filepath.Join(dir, "b.yaml")); a != "a2" || b != "b" {
		t.Errorf("a.yaml %q, b.yaml %q", a, b)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("files are left over: %v", entries)
	}
}

func group(name string) *v1alpha1.Group {
	return &v1alpha1.Group{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Group"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1alpha1.GroupSpec{CommunityRef: v1alpha1.LocalReference{Name: "guild"}, DisplayName: name},
	}
}

func community(name string) *v1alpha1.Community {
	return &v1alpha1.Community{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Community"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1alpha1.CommunitySpec{DisplayName: "Guild"},
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
