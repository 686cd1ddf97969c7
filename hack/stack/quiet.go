// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"fmt"
	"time"
)

// quiet is how long nothing may have been reconciled for a pass to be over. It
// is longer than what the manager lets pass before it looks again at a resource
// whose platform is being opened.
const quiet = 5 * time.Second

// seenBy is the request with which a new manager learns how everything is;
// empty for a platform that it need not ask.
func (s *Stack) seenBy() string {
	switch {
	case s.Homeserver != nil:
		return "GET /sync"
	case s.Mattermost != nil:
		return "POST /channels/search"
	default:
		return ""
	}
}

// WaitQuiet waits until nothing is left to do, and so many groups were
// reconciled since the manager read the platform's state: what it reconciled
// before that, it could not have compared with anything. It returns how many
// there were.
func (s *Stack) WaitQuiet(ctx context.Context, groups int) (int, error) {
	last, since, began, blind := -1, time.Now(), time.Now(), 0
	for {
		m, err := s.ManagerMetrics(ctx)
		if err != nil {
			return 0, err
		}
		byController := m.sum("controller_runtime_reconcile_total", func(l map[string]string) string { return l["controller"] })
		if seen := s.seenBy(); seen != "" && m.Requests()[seen].Count == 0 {
			blind = byController["group"]
		}
		looked := byController["group"] - blind
		busy := total(m.sum("workqueue_depth", all)) + total(m.sum("controller_runtime_active_workers", all))
		if done := total(byController); done != last || busy > 0 || looked < groups {
			last, since = done, time.Now()
		}
		if time.Since(since) > quiet {
			return looked, nil
		}
		if time.Since(began) > 2*patience {
			return 0, fmt.Errorf("not quiet after %s: reconciled %v, %d under way or waiting. %s", 2*patience, byController, busy, s.LastLog())
		}
		if err := s.rest(ctx, 100*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// counts is longer than the manager holds back how many members and groups there are, which changes all the time.
const counts = 31 * time.Second

// Settle waits until nothing is left to do, and how many members and groups there are is written.
func (s *Stack) Settle(ctx context.Context) error {
	if err := s.rest(ctx, counts); err != nil {
		return err
	}
	_, err := s.WaitQuiet(ctx, 0)
	return err
}

func all(map[string]string) string { return "all" }

func total(counts map[string]int) int {
	n := 0
	for _, count := range counts {
		n += count
	}
	return n
}
