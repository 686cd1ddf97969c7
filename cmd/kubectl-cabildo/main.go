// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Command kubectl-cabildo is the kubectl plugin for people who work with
// communities: kubectl finds it in PATH and runs it as kubectl cabildo.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// version is set at build time.
var version = ""

func main() {
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRootCommand(streams).ExecuteContext(ctx)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(streams.ErrOut, "error:", err)
		os.Exit(1)
	}
}
