// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

func TestAnErrorSaysWhatWasBeingDone(t *testing.T) {
	g := NewWithT(t)
	g.Expect((&platform.Error{Kind: platform.NotFound, Doing: "reading #eng:x"}).Error()).To(Equal("reading #eng:x: NotFound"))
	err := fmt.Errorf("wrapped: %w", &platform.Error{Kind: platform.Unavailable, Doing: "reading #eng:x", Err: io.ErrUnexpectedEOF})
	g.Expect(err).To(MatchError("wrapped: reading #eng:x: Unavailable: unexpected EOF"))
	g.Expect(err).To(MatchError(io.ErrUnexpectedEOF))
	var typed *platform.Error
	g.Expect(errors.As(err, &typed)).To(BeTrue())
	g.Expect(typed.Kind).To(Equal(platform.Unavailable))
}
