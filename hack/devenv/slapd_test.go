// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

func TestSlapdIsLookedFor(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	program := filepath.Join(dir, "slapd")
	t.Setenv("CABILDO_SLAPD", program)
	_, err := SlapdProgram()
	g.Expect(err).To(MatchError(ContainSubstring("which is no program")))
	g.Expect(err).NotTo(MatchError(ErrNotBuilt), "who names one wants that one")

	g.Expect(os.WriteFile(program, nil, 0o755)).To(Succeed())
	g.Expect(SlapdProgram()).To(Equal(program))
	t.Setenv("CABILDO_SLAPD", "none")
	_, err = SlapdProgram()
	g.Expect(err).To(MatchError(ErrNotBuilt))
	t.Setenv("CI", "true")
	g.Expect(WithoutSlapd(err)).To(BeTrue(), "it was left out on purpose")
	t.Setenv("CABILDO_SLAPD", "")
	g.Expect(WithoutSlapd(err)).To(BeFalse(), "CI has one, or says that it is left out")
	t.Setenv("PATH", dir)
	g.Expect(SlapdProgram()).To(Equal(program))
}
