// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestAFigureHoldsAtItsLimitAndMissesBeyond(t *testing.T) {
	g := NewWithT(t)
	s := Section{Figures: []Figure{
		{What: "informs", Value: "7"}, AtMost("count", 10, 10), Ratio("ratio", 1.3, 1.3), Under("time", time.Second, 2*time.Second),
	}}
	g.Expect(s.Missed()).To(BeEmpty())
	s.Figures = append(s.Figures, AtMost("none", 1, 0), Ratio("slow", 1.31, 1.3), Under("late", time.Second, time.Second))
	g.Expect(s.Missed()).To(Equal([]string{"none", "slow", "late"}))
	var text strings.Builder
	s.Print(&text)
	g.Expect(text.String()).To(ContainSubstring("| none | 1 | 0 | **missed** |"))
	g.Expect(text.String()).To(ContainSubstring("| informs | 7 |  |  |"))
}

func TestAPercentileIsATimeThatWasMeasured(t *testing.T) {
	g := NewWithT(t)
	var times []time.Duration
	for i := range 20 {
		times = append(times, time.Duration(i+1)*time.Second)
	}
	g.Expect(Percentile(times, 95)).To(Equal(19 * time.Second))
	g.Expect(Percentile(times, 50)).To(Equal(10 * time.Second))
	g.Expect(Percentile(times[:1], 95)).To(Equal(time.Second))
}
