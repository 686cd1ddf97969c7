// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package look is what the benchmark of size and its manager say to each other:
// the platform is in the memory of the manager, and shown beside its metrics.
package look

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/cabildo-dev/cabildo/hack/stack"
)

// Path is where the manager answers.
const Path = "/memory"

// ServerName ends the accounts of the platform.
const ServerName = "memory"

// Answer is what the platform has.
type Answer struct {
	// Topic of the space that was asked for; empty when it is not there.
	Topic          string
	Spaces, Writes int
}

// Accounts are those of so many people of a generated community.
func Accounts(people int) []string {
	accounts := make([]string, people)
	for i := range accounts {
		accounts[i] = fmt.Sprintf("@%s:%s", stack.Person(i), ServerName)
	}
	return accounts
}

// At asks a manager, by the URL of its metrics, for the space with an address.
func At(ctx context.Context, metricsURL, address string) (Answer, error) {
	var said Answer
	where := strings.TrimSuffix(metricsURL, "/metrics") + Path + "?" + url.Values{"address": {address}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return said, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return said, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return said, fmt.Errorf("asking what the platform has: %s", response.Status)
	}
	return said, json.NewDecoder(response.Body).Decode(&said)
}
