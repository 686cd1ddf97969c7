// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"time"
)

// Until looks at this pace until it is so.
func Until(ctx context.Context, every time.Duration, so func() (bool, error)) error {
	for {
		if yes, err := so(); yes || err != nil {
			return err
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
