// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// The acceptance run: a real community's own configuration is imported and
// applied to a real control plane, with the chart's manager and a real
// homeserver behind it. It waits until every room is Ready, compares each with
// the configuration through the homeserver's client API, starts the manager
// anew, and shows that its second look at everything wrote nothing. It exits
// with 0 or 1, and tells why.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
)

func main() {
	data := flag.String("data", "", "the folder to import, in the slack-config format")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := start(ctx, *data)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "acceptance:", err)
		os.Exit(1)
	}
}

func start(ctx context.Context, data string) error {
	if info, err := os.Stat(data); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no folder %q to import: make acceptance DATA=folder, with a folder in the slack-config format", data)
	}
	return (&acceptance{data: data}).run(ctx)
}

// acceptance is everything that runs, and what was found out.
type acceptance struct {
	data string

	plane      *devenv.ControlPlane
	homeserver *devenv.Dendrite
	manager    *devenv.Manager
	cluster    client.Client
	clientset  *kubernetes.Clientset

	manifests manifests
	results   results
}

// run tells the story in order, and takes everything down at its end.
func (a *acceptance) run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, a.close()) }()
	for _, step := range []struct {
		says string
		do   func(context.Context) error
	}{
		{"Starting a Kubernetes control plane and a Matrix homeserver", a.startServers},
		{"Installing the Helm chart, and running the manager with its service account", a.install},
		{"Importing " + a.data, a.importData},
		{"Making the people's accounts", a.makePeople},
		{"Applying the platform and the manifests", a.apply},
		{"Waiting until everything is Ready", a.waitReady},
		{"Comparing every room with the configuration", a.checkRooms},
		{"Starting the manager anew, and waiting until it has looked at everything", a.secondPass},
	} {
		began := time.Now()
		fmt.Printf("\n%s …\n", step.says)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.says, err)
		}
		fmt.Printf("  ✓ %.1f s\n", time.Since(began).Seconds())
	}
	return a.results.show()
}

func (a *acceptance) startServers(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		a.plane, err = devenv.StartControlPlane(ctx)
		return err
	})
	group.Go(func() (err error) {
		a.homeserver, err = devenv.StartDendrite(ctx, devenv.DendriteOptions{})
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}

	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), corev1.AddToScheme(scheme)); err != nil {
		return err
	}
	var err error
	if a.cluster, err = client.New(a.plane.RESTConfig(), client.Options{Scheme: scheme}); err != nil {
		return err
	}
	a.clientset, err = kubernetes.NewForConfig(a.plane.RESTConfig())
	return err
}

func (a *acceptance) install(ctx context.Context) (err error) {
	if err := a.plane.InstallChart(ctx); err != nil {
		return err
	}
	a.manager, err = a.plane.StartManager(ctx)
	return err
}

func (a *acceptance) close() error {
	var errs []error
	if a.manager != nil {
		a.manager.Stop()
	}
	if a.homeserver != nil {
		errs = append(errs, a.homeserver.Close())
	}
	if a.plane != nil {
		errs = append(errs, a.plane.Stop())
	}
	if a.manifests.dir != "" {
		errs = append(errs, os.RemoveAll(a.manifests.dir))
	}
	return errors.Join(errs...)
}
