// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// The manager with a chat platform in its own memory, for the benchmark of
// size: it takes the flags that the real one gets there, and everything but the
// adapter is the same. What it uses includes the platform's spaces.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
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
	"github.com/cabildo-dev/cabildo/hack/benchmark/look"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

type flags struct {
	metricsAddress string
	healthAddress  string
	leaderElect    bool
	namespace      string
	people         int
}

func main() {
	var f flags
	flag.StringVar(&f.metricsAddress, "metrics-bind-address", "127.0.0.1:8080", "Where metrics are served, and what the platform has.")
	flag.StringVar(&f.healthAddress, "health-probe-bind-address", "127.0.0.1:8081", "Where /healthz and /readyz are served.")
	flag.BoolVar(&f.leaderElect, "leader-elect", false, "Let one of several replicas work at a time.")
	flag.StringVar(&f.namespace, "namespace", "", "The operator's own namespace.")
	flag.IntVar(&f.people, "people", 0, "How many people of the generated community have an account.")
	flag.Parse()
	if err := run(f); err != nil {
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(1)
	}
}

// concurrency is the real manager's where nobody says otherwise.
const concurrency = 32

func run(f flags) error {
	ctrl.SetLogger(zap.New(zap.Level(zapcore.InfoLevel), zap.StacktraceLevel(zapcore.DPanicLevel)))
	server := memory.NewServer(look.Accounts(f.people)...)
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return fmt.Errorf("registering the kinds: %w", err)
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the cluster: %w", err)
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme,
		Cache:  controllers.CacheOptions(f.namespace),
		Metrics: metricsserver.Options{BindAddress: f.metricsAddress, ExtraHandlers: map[string]http.Handler{
			look.Path: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(server, w, r) }),
		}},
		HealthProbeBindAddress:        f.healthAddress,
		LeaderElection:                f.leaderElect,
		LeaderElectionID:              "cabildo.community.cabildo.dev",
		LeaderElectionNamespace:       f.namespace,
		LeaderElectionReleaseOnCancel: true,
		PprofBindAddress:              os.Getenv("CABILDO_BENCHMARK_PPROF"), // empty for none
	})
	if err != nil {
		return fmt.Errorf("making the manager: %w", err)
	}
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("adding the readiness check: %w", err)
	}
	ctx := ctrl.SetupSignalHandler()
	if err := controllers.Setup(ctx, mgr, controllers.Options{
		Namespace:   f.namespace,
		Factories:   map[v1alpha1.PlatformType]platform.Factory{v1alpha1.PlatformMatrix: server.Open},
		Metrics:     platform.NewMetrics(metrics.Registry),
		Concurrency: concurrency,
	}); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// answer says what the platform has under an address, and what was written to it so far.
func answer(server *memory.Server, w http.ResponseWriter, r *http.Request) {
	said := look.Answer{Spaces: server.Spaces(), Writes: server.Writes()}
	if space := server.Space(r.URL.Query().Get("address")); space != nil {
		said.Topic = space.Settings.Topic
	}
	_ = json.NewEncoder(w).Encode(said) // whoever asked has gone otherwise
}
