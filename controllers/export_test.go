// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Records is the store of records, for specs of what no platform in memory is large enough for.
var (
	NewRecords   = newRecords
	BeginRecord  = (*records).begin
	KeepRecord   = (*records).keep
	RecallRecord = (*records).recall
	ForgetRecord = (*records).forget
	NameOfRecord = recordName
)

// MissingGuard is which admission policy decisions lack, on an API server as a reader shows it.
func MissingGuard(ctx context.Context, reader client.Reader) (string, error) {
	return decisionsGuard{reader}.missing(ctx)
}
