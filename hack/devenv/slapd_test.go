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
	t.Setenv("CABILDO_SLAPD", "")
	t.Setenv("PATH", dir)
	g.Expect(SlapdProgram()).To(Equal(program))
}
