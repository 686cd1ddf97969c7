// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// cell is what came of one feature on one server.
type cell struct {
	// state is passed, failed, or in which way the platform can't do it.
	state string
	// reason is the adapter's own, or says what failed and where.
	reason string
}

// What a cell can be beside what platform.SupportState says.
const (
	passed = "pass"
	failed = "FAILED"
)

// verdict ends a spec on one server before its end. The specs on the other
// servers run beside it and go on, so it can't be Ginkgo's own way.
type verdict struct{ cell }

// fail is where all expectations end that don't hold.
func fail(message string, skip ...int) {
	offset := 1
	if len(skip) > 0 {
		offset += skip[0]
	}
	panic(verdict{cell{failed, types.NewCodeLocation(offset).String() + "\n" + message}})
}

// leave ends a spec with what the platform says that it can't do.
func leave(state platform.SupportState, reason string) { panic(verdict{cell{string(state), reason}}) }

// play runs the spec of a feature on one server, and says what came of it.
func (c *column) play(ctx context.Context, r row) (result cell) {
	defer func() {
		if ended := recover(); ended != nil {
			result = cellOf(ended)
		}
		if result.state == failed { // the next one is not to fail for it
			c.renew()
		}
	}()
	s := c.enter()
	defer s.exit()
	r.body(ctx, s)
	return cell{state: passed}
}

func cellOf(ended any) cell {
	if v, ok := ended.(verdict); ok {
		return v.cell
	}
	return cell{failed, fmt.Sprintf("panic: %v\n%s", ended, debug.Stack())}
}

// together does things at the same time. What ends one of them ends the spec, when all are done.
func together(things ...func()) {
	ends := make([]any, len(things))
	var all sync.WaitGroup
	for i, thing := range things {
		all.Go(func() {
			defer func() { ends[i] = recover() }()
			thing()
		})
	}
	all.Wait()
	for _, end := range ends {
		if end != nil {
			panic(end)
		}
	}
}
