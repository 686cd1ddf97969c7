// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

func TestBackoffGrowsAndHonoursTheServer(t *testing.T) {
	g := NewWithT(t)
	for failures := 1; failures < 100; failures++ {
		g.Expect(backoff(failures, nil)).To(And(BeNumerically(">", 0), BeNumerically("<=", mostBackoff*3/2)))
	}
	g.Expect(backoff(1, &platform.Error{RetryAfter: time.Minute})).To(Equal(time.Minute))
}

func TestEverythingIsReadAgainNowAndThen(t *testing.T) {
	g := NewWithT(t)
	at := time.Now()
	quick, slow := wholeSync{at: at, took: time.Millisecond}, wholeSync{at: at, took: time.Minute}
	g.Expect(quick.next(time.Hour, false)).To(Equal(at.Add(time.Hour)))
	g.Expect(quick.next(time.Hour, true)).To(Equal(at.Add(20 * time.Millisecond)))
	g.Expect(slow.next(10*time.Minute, false)).To(Equal(at.Add(20 * time.Minute)))
	g.Expect(wholeSync{}.next(time.Hour, false)).To(BeTemporally("<", at))
}
