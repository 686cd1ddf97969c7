// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// The manager: flags and wiring, nothing else.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/controllers"
	"github.com/cabildo-dev/cabildo/internal/directory"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/matrix"
	"github.com/cabildo-dev/cabildo/internal/platform/mattermost"
)

// version is set when the binary is built.
var version = "unknown"

type flags struct {
	metricsAddress string
	healthAddress  string
	leaderElect    bool
	namespace      string
	logLevel       string
	concurrency    int
}

func main() {
	var f flags
	flag.StringVar(&f.metricsAddress, "metrics-bind-address", ":8080", "Where metrics are served; 0 serves none.")
	flag.StringVar(&f.healthAddress, "health-probe-bind-address", ":8081", "Where /healthz and /readyz are served.")
	flag.BoolVar(&f.leaderElect, "leader-elect", false, "Let one of several replicas work at a time.")
	flag.StringVar(&f.namespace, "namespace", os.Getenv("POD_NAMESPACE"),
		"The operator's own namespace, the only one whose Secrets are read. Default: $POD_NAMESPACE.")
	flag.StringVar(&f.logLevel, "log-level", "info", "debug, info or error.")
	flag.IntVar(&f.concurrency, "concurrency", 32,
		"How many resources of a kind are reconciled at once. Requests to a platform have a budget of their own.")
	flag.Parse()
	if err := run(f); err != nil {
		fmt.Fprintln(os.Stderr, "cabildo:", err)
		os.Exit(1)
	}
}

func run(f flags) error {
	if f.namespace == "" {
		return errors.New("set --namespace or POD_NAMESPACE to the operator's own namespace")
	}
	level, err := zapcore.ParseLevel(f.logLevel)
	if err != nil {
		return fmt.Errorf("--log-level: %w", err)
	}
	ctrl.SetLogger(zap.New(zap.Level(level), zap.StacktraceLevel(zapcore.DPanicLevel)))
	ctrl.Log.Info("Starting Cabildo", "version", version, "namespace", f.namespace)

	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return fmt.Errorf("registering the built-in kinds: %w", err)
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return fmt.Errorf("registering the kinds of Cabildo: %w", err)
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the cluster: %w", err)
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Cache:                         controllers.CacheOptions(f.namespace),
		Metrics:                       metricsserver.Options{BindAddress: f.metricsAddress},
		HealthProbeBindAddress:        f.healthAddress,
		LeaderElection:                f.leaderElect,
		LeaderElectionID:              "cabildo.community.cabildo.dev",
		LeaderElectionNamespace:       f.namespace,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return fmt.Errorf("making the manager: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("adding the health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("adding the readiness check: %w", err)
	}
	ctx := ctrl.SetupSignalHandler()
	if err := controllers.Setup(ctx, mgr, controllers.Options{
		Namespace: f.namespace,
		Factories: map[v1alpha1.PlatformType]platform.Factory{
			v1alpha1.PlatformMatrix: matrix.New, v1alpha1.PlatformMattermost: mattermost.New,
		},
		Metrics:          platform.NewMetrics(metrics.Registry),
		DirectoryMetrics: directory.NewMetrics(metrics.Registry),
		Concurrency:      f.concurrency,
	}); err != nil {
		return err
	}
	return mgr.Start(ctx)
}
