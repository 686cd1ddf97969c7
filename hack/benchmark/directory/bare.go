// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/cabildo-dev/cabildo/hack/stack"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// bareLoop takes somebody out of all rooms as a script would that is run once:
// it has the operator's HTTP client, as many requests under way, and no rate,
// reads nothing and stops at the first error. It is timed as the operator is.
func (l *leavers) bareLoop(ctx context.Context, who string) (time.Duration, error) {
	const unlimited = 1_000_000 // a second
	sender, err := platform.NewClient(platform.ClientOptions{
		Platform: stack.PlatformName, Budget: platform.NewBudget(unlimited, stack.Concurrency), Metrics: platform.NewMetrics(prometheus.NewRegistry()),
	})
	if err != nil {
		return 0, err
	}
	began := time.Now()
	workers, all := errgroup.WithContext(ctx)
	workers.SetLimit(stack.Concurrency)
	for _, id := range l.ids {
		workers.Go(func() error { return l.kick(all, sender, id, who) })
	}
	if err := workers.Wait(); err != nil {
		return 0, err
	}
	last, err := l.last(ctx, who)
	return last.Sub(began), err
}

func (l *leavers) kick(ctx context.Context, sender *http.Client, room, who string) error {
	body, err := json.Marshal(map[string]string{"user_id": who})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(platform.WithRoute(ctx, kicks), http.MethodPost,
		l.Homeserver.URL+"/_matrix/client/v3/rooms/"+url.PathEscape(room)+"/kick?user_id="+url.QueryEscape(l.Homeserver.OperatorUserID), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+l.Homeserver.ASToken)
	request.Header.Set("Content-Type", "application/json")
	response, err := sender.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("removing somebody from %s: %s: %s", room, response.Status, answer)
	}
	return err
}
