// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

// Records is the store of records, for specs of what no platform in memory is large enough for.
var (
	NewRecords   = newRecords
	BeginRecord  = (*records).begin
	KeepRecord   = (*records).keep
	RecallRecord = (*records).recall
	ForgetRecord = (*records).forget
	NameOfRecord = recordName
)
