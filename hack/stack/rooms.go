// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"golang.org/x/sync/errgroup"
)

// StateEvent is one piece of a room's state, as the client API gives it.
type StateEvent struct {
	Type     string          `json:"type"`
	StateKey string          `json:"state_key"`
	Sender   string          `json:"sender"`
	Content  json.RawMessage `json:"content"`
}

// States are the states of all rooms that the operator is in, by room ID.
func (s *Stack) States(ctx context.Context) (map[string][]StateEvent, error) {
	var joined struct {
		IDs []string `json:"joined_rooms"`
	}
	if err := s.Get(ctx, "/_matrix/client/v3/joined_rooms", &joined); err != nil {
		return nil, err
	}
	states := map[string][]StateEvent{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(Concurrency)
	for _, id := range joined.IDs {
		group.Go(func() error {
			var state []StateEvent
			if err := s.Get(ctx, "/_matrix/client/v3/rooms/"+url.PathEscape(id)+"/state", &state); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			states[id] = state
			return nil
		})
	}
	return states, group.Wait()
}

// ErrNotFound says that the homeserver has no such thing.
var ErrNotFound = errors.New("not found")

// Get asks the homeserver as the operator's account.
func (s *Stack) Get(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Homeserver.URL+path, nil)
	if err != nil {
		return err
	}
	query := request.URL.Query()
	query.Set("user_id", s.Homeserver.OperatorUserID)
	request.URL.RawQuery = query.Encode()
	request.Header.Set("Authorization", "Bearer "+s.Homeserver.ASToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	switch response.StatusCode {
	case http.StatusOK:
		return json.Unmarshal(body, into)
	case http.StatusNotFound:
		return fmt.Errorf("%s: %w", path, ErrNotFound)
	default:
		return fmt.Errorf("%s: %s: %s", path, response.Status, body)
	}
}
