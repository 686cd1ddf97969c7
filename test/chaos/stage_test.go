// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// stage is a control plane with the chart, its manager, and the chat servers.
// Runs share it: each has a Platform, a proxy and names of its own.
type stage struct {
	cluster *devenv.ControlPlane
	manager *devenv.Manager
	k8s     client.Client
	chats   []chat
	worlds  atomic.Int64
}

// openStage starts everything.
func openStage(ctx context.Context, open map[string]func(context.Context) (chat, error)) (_ *stage, err error) {
	s := &stage{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	group, starting := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		if s.cluster, err = devenv.StartControlPlane(starting); err != nil {
			return err
		}
		if err := s.cluster.InstallChart(starting); err != nil {
			return err
		}
		s.manager, err = s.cluster.StartManager(starting)
		return err
	})
	chats := make(chan chat, len(open))
	for _, one := range open {
		group.Go(func() error {
			c, err := one(starting)
			if err == nil {
				chats <- c
			}
			return err
		})
	}
	err = group.Wait()
	close(chats)
	for c := range chats {
		s.chats = append(s.chats, c)
	}
	if err != nil {
		return s, err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return s, fmt.Errorf("registering the kinds: %w", err)
	}
	if s.k8s, err = client.New(s.cluster.RESTConfig(), client.Options{Scheme: scheme}); err != nil {
		return s, fmt.Errorf("making a client for the API server: %w", err)
	}
	return s, nil
}

func (s *stage) close() error {
	if s.manager != nil {
		s.manager.Stop()
	}
	var errs []error
	for _, c := range s.chats {
		errs = append(errs, c.close())
	}
	if s.cluster != nil {
		errs = append(errs, s.cluster.Stop())
	}
	return errors.Join(errs...)
}

// said is the end of what the manager logged about a world.
func (s *stage) said(world string) string {
	content, err := os.ReadFile(s.manager.LogFile())
	if err != nil {
		return err.Error()
	}
	const most = 40
	var lines []string
	for line := range strings.Lines(string(content)) {
		if strings.Contains(line, world) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-most):], "")
}

// await looks until there is nothing to complain about.
func (s *stage) await(ctx context.Context, what string, complaint func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("in vain for %s", patience))
	defer cancel()
	var last error
	for {
		err := complaint(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil { // otherwise it complains of that
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w: %w", what, context.Cause(ctx), last)
		case <-s.manager.Done():
			return errors.New("the manager ended by itself")
		case <-time.After(50 * time.Millisecond):
		}
	}
}
