// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

func TestThePageKeepsWhatIsAroundTheFigures(t *testing.T) {
	g := NewWithT(t)
	begin := beginFigures("Here")
	page := filepath.Join(t.TempDir(), "page.md")
	g.Expect(os.WriteFile(page, []byte("before\n"+begin+"old\n"+endFigures+"after\n"), 0o600)).To(Succeed())
	g.Expect(Renew(page, "Here", "new\n")).To(Succeed())
	g.Expect(os.ReadFile(page)).To(BeEquivalentTo("before\n" + begin + "\nnew\n\n" + endFigures + "after\n"))

	g.Expect(os.WriteFile(page, []byte("a page without the lines\n"), 0o600)).To(Succeed())
	g.Expect(Renew(page, "Here", "new\n")).NotTo(Succeed())
	g.Expect(os.ReadFile(page)).To(BeEquivalentTo("a page without the lines\n"))
}

func TestThePageOfThisProjectHasAPlaceForTheFigures(t *testing.T) {
	g := NewWithT(t)
	content, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "benchmarks.md"))
	g.Expect(err).NotTo(HaveOccurred())
	copied := filepath.Join(t.TempDir(), "benchmarks.md")
	g.Expect(os.WriteFile(copied, content, 0o600)).To(Succeed())
	for _, section := range []string{"Matrix", "Mattermost", "size"} {
		g.Expect(Renew(copied, section, "figures of "+section+"\n")).To(Succeed())
	}
	renewed, err := os.ReadFile(copied)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(renewed)).To(And(ContainSubstring("figures of Matrix"), ContainSubstring("figures of Mattermost"), ContainSubstring("figures of size")),
		"one section takes no other's place")
}
