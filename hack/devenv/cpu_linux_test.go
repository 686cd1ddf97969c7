// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"os"
	"os/exec"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestTheTimeOfTheProcessorsGrowsWithWork(t *testing.T) {
	g := NewWithT(t)
	before, err := cpuTime(os.Getpid())
	g.Expect(err).NotTo(HaveOccurred())
	work := 0
	g.Eventually(func() (any, error) {
		for i := range 10_000_000 {
			work += i
		}
		return cpuTime(os.Getpid())
	}, "30s", "1ms").Should(BeNumerically(">", before), "work takes time, and it is counted in hundredths of a second")
	t.Logf("%v after %d", before, work)
}

func TestWhatAProcessHoldsIsResident(t *testing.T) {
	g := NewWithT(t)
	const held = 64 << 20
	before, err := residentMemory(os.Getpid())
	g.Expect(err).NotTo(HaveOccurred())
	block := make([]byte, held)
	for i := range block {
		block[i] = 1
	}
	after, err := residentMemory(os.Getpid())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(after-before).To(BeNumerically(">", held/2), "%d bytes are held", len(block))
}

func TestAProcessThatIsNotThereHasNoTimeOfProcessors(t *testing.T) {
	_, err := cpuTime(1 << 30)
	NewWithT(t).Expect(err).To(HaveOccurred())
}

func TestTheTimeOfAFamilyHoldsThatOfItsChildren(t *testing.T) {
	g := NewWithT(t)
	before, err := familyTime(os.Getpid())
	g.Expect(err).NotTo(HaveOccurred())
	child := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
	g.Expect(child.Start()).To(Succeed())
	alive := func() (any, error) { return familyTime(os.Getpid()) }
	g.Eventually(alive, "30s", "20ms").Should(BeNumerically(">", before+200*time.Millisecond), "of one that works")
	g.Expect(child.Process.Kill()).To(Succeed())
	g.Expect(child.Wait()).To(HaveOccurred())
	g.Expect(familyTime(os.Getpid())).To(BeNumerically(">", before+200*time.Millisecond), "and of one that has ended")
}
