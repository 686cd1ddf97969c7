// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"fmt"
	"time"
)

// A Step is one step of a run.
type Step struct {
	Says string
	Do   func(context.Context) error
}

// Take takes the steps in order, and says what each does and how long it took.
// The first one that fails is the last.
func Take(ctx context.Context, steps ...Step) error {
	for _, step := range steps {
		began := time.Now()
		fmt.Printf("\n%s …\n", step.Says)
		if err := step.Do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.Says, err)
		}
		fmt.Printf("  ✓ %.1f s\n", time.Since(began).Seconds())
	}
	return nil
}
