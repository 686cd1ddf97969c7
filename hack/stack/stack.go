// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package stack is a whole Cabildo on real servers: a control plane with the
// chart, the chart's manager, a homeserver and, on demand, a Mattermost server. The demo, the acceptance run
// and the benchmark stand on it; it loads it with a community's own
// configuration, waits for it, and counts what it does. It is no part of the
// operator.
package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// A Stack is everything that runs. The zero value is one that doesn't yet.
type Stack struct {
	// WithMattermost has Start start a Mattermost server too, and WithoutMatrix no homeserver.
	WithMattermost, WithoutMatrix bool
	// On says which homeserver Start starts.
	On HomeserverOptions
	// ManagerBinary is what Install and Restart start; empty for the manager that is shipped.
	ManagerBinary string
	// DefaultPolicy has the chart make its GovernancePolicy. Otherwise one that asks for nothing governs what is
	// declared: what other tools declare has no sponsor and no objectives.
	DefaultPolicy bool
	// ManagerArgs are more arguments of it.
	ManagerArgs []string

	Plane *devenv.ControlPlane
	// Homeserver is nil where nobody wants it.
	Homeserver *devenv.LocalHomeserver
	Manager    *devenv.Manager
	// Mattermost is nil where nobody asked for it.
	Mattermost *devenv.Mattermost
	// Bot is the operator's account on Mattermost.
	Bot struct{ ID, Token string }
	// Cluster reads and writes with all rights.
	Cluster client.Client

	clientset *kubernetes.Clientset
}

// Start starts the servers.
func (s *Stack) Start(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		s.Plane, err = devenv.StartControlPlane(ctx)
		return err
	})
	if !s.WithoutMatrix {
		group.Go(func() (err error) {
			s.Homeserver, err = s.On.Start(ctx)
			return err
		})
	}
	if s.WithMattermost {
		group.Go(func() error { return s.startMattermost(ctx) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), corev1.AddToScheme(scheme)); err != nil {
		return fmt.Errorf("registering the kinds: %w", err)
	}
	var err error
	if s.Cluster, err = client.New(s.Plane.RESTConfig(), client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	s.clientset, err = kubernetes.NewForConfig(s.Plane.RESTConfig())
	return err
}

func (s *Stack) startMattermost(ctx context.Context) (err error) {
	if s.Mattermost, err = devenv.StartMattermost(ctx, devenv.MattermostOptions{}); err != nil {
		return err
	}
	s.Bot.ID, s.Bot.Token, err = s.Mattermost.CreateBot(ctx, "cabildo")
	return err
}

// Install installs the chart, and runs the manager with its service account.
func (s *Stack) Install(ctx context.Context) error {
	if err := s.Plane.InstallChart(ctx, fmt.Sprintf("governancePolicy.create=%t", s.DefaultPolicy)); err != nil {
		return err
	}
	return s.startManager(ctx)
}

func (s *Stack) startManager(ctx context.Context) (err error) {
	s.Manager, err = s.Plane.StartManagerOf(ctx, cmp.Or(s.ManagerBinary, "manager"), s.ManagerArgs...)
	return err
}

// Close takes everything down. Closing twice is harmless.
func (s *Stack) Close() error {
	var errs []error
	if s.Manager != nil {
		s.Manager.Stop()
	}
	if s.Homeserver != nil {
		errs = append(errs, s.Homeserver.Close())
	}
	if s.Mattermost != nil {
		errs = append(errs, s.Mattermost.Close())
	}
	if s.Plane != nil {
		errs = append(errs, s.Plane.Stop())
	}
	return errors.Join(errs...)
}

// rest waits, and notices when the manager has ended.
func (s *Stack) rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-s.Manager.Done():
		return fmt.Errorf("the manager ended by itself. %s", s.LastLog())
	case <-ctx.Done():
		return ctx.Err()
	}
}

// LastLog is the end of the manager's log, which goes with the run.
func (s *Stack) LastLog() string {
	content, err := os.ReadFile(s.Manager.LogFile())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return "The manager's last lines:\n" + strings.Join(lines[max(0, len(lines)-15):], "\n")
}
