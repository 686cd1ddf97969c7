// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"os"
	"testing"

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

func TestAProcessThatIsNotThereHasNoTimeOfProcessors(t *testing.T) {
	_, err := cpuTime(1 << 30)
	NewWithT(t).Expect(err).To(HaveOccurred())
}
