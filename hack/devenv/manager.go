// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
)

// Names of what InstallChart makes.
const (
	// OperatorNamespace is where the chart is installed.
	OperatorNamespace = "cabildo-system"
	// ReleaseName is the release, and so the name of its service account.
	ReleaseName = "cabildo"
)

// InstallChart installs or upgrades the Helm chart of the source tree, with
// the real helm. Nothing runs its Deployment, as there are no nodes:
// StartManager runs the manager with the rights that the chart gives it.
func (cp *ControlPlane) InstallChart(ctx context.Context, set ...string) error {
	helm, err := Binary("helm")
	if err != nil {
		return err
	}
	args := []string{
		"upgrade", "--install", ReleaseName, filepath.Join(filepath.Dir(filepath.Dir(helm)), "charts", "cabildo"),
		"--namespace", OperatorNamespace, "--create-namespace",
	}
	for _, value := range set {
		args = append(args, "--set", value)
	}
	command := exec.CommandContext(ctx, helm, args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+cp.Kubeconfig())
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("installing the chart: %w\n%s", err, out)
	}
	return cp.waitServed(ctx)
}

// takes says that the API server would store a Community, or refuse it for what is in it.
func (cp *ControlPlane) takes(ctx context.Context, definitions dynamic.Interface) bool {
	communities := schema.GroupVersionResource{Group: "community.cabildo.dev", Version: "v1alpha1", Resource: "communities"}
	_, err := definitions.Resource(communities).Namespace(OperatorNamespace).Create(ctx, nobodysCommunity(), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	return err == nil || !strings.Contains(err.Error(), "There can be a delay")
}

// waitServed waits until the API server tells of every kind of the chart's, and takes them. A client that asks in
// between takes the first ones for all that there are, and a policy that changes objects knows them some seconds later.
func (cp *ControlPlane) waitServed(ctx context.Context) error {
	all, err := discovery.NewDiscoveryClientForConfig(cp.RESTConfig())
	if err != nil {
		return err
	}
	definitions, err := dynamic.NewForConfig(cp.RESTConfig())
	if err != nil {
		return err
	}
	resource := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errors.New("not every kind of the chart is served"))
	defer cancel()
	for {
		list, err := definitions.Resource(resource).List(ctx, metav1.ListOptions{})
		if err == nil {
			var served *metav1.APIResourceList
			if served, err = all.ServerResourcesForGroupVersion("community.cabildo.dev/v1alpha1"); err == nil {
				names := map[string]bool{}
				for _, r := range served.APIResources {
					names[r.Name+".community.cabildo.dev"] = true
				}
				if !slices.ContainsFunc(list.Items, func(d unstructured.Unstructured) bool {
					return strings.HasSuffix(d.GetName(), ".community.cabildo.dev") && !names[d.GetName()]
				}) && cp.takes(ctx, definitions) {
					return nil
				}
			}
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Manager is the operator's manager, running as a process of this machine with
// the token of the chart's service account: what RBAC forgets fails.
type Manager struct {
	// MetricsURL is where it serves metrics.
	MetricsURL string

	cp        *ControlPlane
	process   *process
	metrics   *portLease
	health    *portLease
	healthURL string
}

// StartManager starts bin/manager and returns when it is ready. Stop ends it.
func (cp *ControlPlane) StartManager(ctx context.Context, args ...string) (*Manager, error) {
	return cp.StartManagerOf(ctx, "manager", args...)
}

// StartManagerOf is StartManager with another binary that takes the same
// flags, such as a manager whose platform is in memory.
func (cp *ControlPlane) StartManagerOf(ctx context.Context, binary string, args ...string) (*Manager, error) {
	kubeconfig, err := cp.KubeconfigFor(ctx, OperatorNamespace, ReleaseName)
	if err != nil {
		return nil, err
	}
	return cp.startManager(ctx, binary, kubeconfig, args)
}

// StartManagerWith is StartManager with a kubeconfig of the caller's, such as
// one that leads through a proxy.
func (cp *ControlPlane) StartManagerWith(ctx context.Context, kubeconfig string, args ...string) (*Manager, error) {
	return cp.startManager(ctx, "manager", kubeconfig, args)
}

func (cp *ControlPlane) startManager(ctx context.Context, binary, kubeconfig string, args []string) (_ *Manager, err error) {
	m := &Manager{cp: cp}
	defer func() {
		if err != nil {
			m.Stop()
		}
	}()
	if m.metrics, err = leasePort(); err != nil {
		return nil, err
	}
	if m.health, err = leasePort(); err != nil {
		return nil, err
	}
	m.MetricsURL = "http://" + m.metrics.address() + "/metrics"
	m.healthURL = "http://" + m.health.address() + "/readyz"
	m.process, err = cp.session.start(command{
		binary: binary,
		args: append([]string{
			"--metrics-bind-address=" + m.metrics.address(),
			"--health-probe-bind-address=" + m.health.address(),
			"--leader-elect=true",
			"--namespace=" + OperatorNamespace,
		}, args...),
		env: []string{"KUBECONFIG=" + kubeconfig},
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, errors.New("not ready in time"))
	defer cancel()
	return m, m.process.waitReady(ctx, func(ctx context.Context) error {
		_, err := fetch(ctx, m.healthURL)
		return err
	})
}

// Metrics are the manager's metrics, in the text format of Prometheus.
func (m *Manager) Metrics(ctx context.Context) ([]byte, error) { return fetch(ctx, m.MetricsURL) }

// Done is closed when the manager has ended.
func (m *Manager) Done() <-chan struct{} { return m.process.done }

// LogFile is where the manager writes its log.
func (m *Manager) LogFile() string { return m.process.log }

// Stop asks the manager to end, and waits until it has.
func (m *Manager) Stop() { m.end(10 * time.Second) }

// Kill ends the manager at once, as a crash would.
func (m *Manager) Kill() { m.end(0) }

func (m *Manager) end(grace time.Duration) {
	if m.process != nil {
		m.process.stop(grace)
	}
	for _, lease := range []*portLease{m.metrics, m.health} {
		if lease != nil {
			lease.release()
		}
	}
}

func fetch(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", url, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", url, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("reading from %s: %w", url, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking %s: %s", url, response.Status)
	}
	return body, nil
}
