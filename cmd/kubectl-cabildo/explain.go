// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// explain says what a person can do about an answer of the API server to an
// attempt to list, read or make something.
func explain(err error, do, what, namespace string) error {
	var network net.Error
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("the cluster doesn't know %s: install Cabildo's chart there, or pick another cluster with --context", what)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("you may not %s %s %s: ask for the right to, or name a namespace of yours with -n (%w)", do, what, where(namespace), err)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("the cluster doesn't know who you are: log in again, or pick another user with --user (%w)", err)
	case errors.As(err, &network):
		return fmt.Errorf("the cluster can't be reached: see whether it runs, or pick another with --context or --kubeconfig (%w)", err)
	default:
		return fmt.Errorf("can't %s %s %s: %w", do, what, where(namespace), err)
	}
}

func where(namespace string) string {
	if namespace == "" {
		return "in any namespace"
	}
	return "in namespace " + namespace
}
