// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package size

import (
	"context"
	"time"

	"github.com/cabildo-dev/cabildo/hack/benchmark/look"
)

const (
	// settling is how long the manager has before it is looked at: Go gives
	// back memory that a burst needed, a little at a time.
	settling = 2 * time.Minute
	// sampleEvery is the pause between two looks at the memory.
	sampleEvery = 5 * time.Second
)

// atRest counts what is written and used while nothing changes. The resyncs go
// on: with ten minutes, everything is looked at once.
func (b *benchmark) atRest(ctx context.Context) error {
	r := &b.results
	if err := b.wait(ctx, min(settling, r.rest), func() {}); err != nil {
		return err
	}
	before, err := look.At(ctx, b.Manager.MetricsURL, "")
	if err != nil {
		return err
	}
	watched, err := b.Watch(ctx, func(ctx context.Context) error {
		used, cpuErr := b.Manager.CPUTime()
		began := time.Now()
		if err := b.wait(ctx, r.rest, func() {
			if bytes, err := b.Manager.Memory(); err == nil {
				r.memory = append(r.memory, bytes)
			}
		}); err != nil {
			return err
		}
		now, err := b.Manager.CPUTime()
		if err == nil && cpuErr == nil {
			r.cpu = (now - used).Seconds() / time.Since(began).Seconds()
		}
		return nil
	})
	if err != nil {
		return err
	}
	after, err := look.At(ctx, b.Manager.MetricsURL, "")
	if err != nil {
		return err
	}
	r.watched, r.platformWrites = watched, after.Writes-before.Writes
	return nil
}

// wait waits, and does something now and then.
func (b *benchmark) wait(ctx context.Context, d time.Duration, do func()) error {
	end := time.After(d)
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for {
		do()
		select {
		case <-ticker.C:
		case <-end:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
