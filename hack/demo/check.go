// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cabildo-dev/cabildo/hack/samples"
)

// check compares what was declared with what the servers tell, and says what came of it.
func (d *demo) check(ctx context.Context) error {
	fmt.Println("\n  Checking with the homeserver:")
	err := result(samples.Check(ctx, d.Cluster, d.Homeserver.Homeserver))
	if d.WithMattermost {
		fmt.Println("  Checking with Mattermost:")
		err = errors.Join(err, result(samples.CheckMattermost(ctx, d.Cluster, d.Mattermost, d.Bot.ID)))
	}
	return err
}

func result(checks int, wrong []string, err error) error {
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%d of %d checks failed:\n  %s", len(wrong), checks, strings.Join(wrong, "\n  "))
	}
	fmt.Printf("  %d checks, all as declared.\n", checks)
	return nil
}
