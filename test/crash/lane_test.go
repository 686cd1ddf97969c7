// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package crash_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// people have accounts on every homeserver.
var people = []string{"ana", "kim", "lea", "omar"}

// lane is a control plane and a homeserver, which stay up for one run after the
// other. Runs of one lane see nothing of each other.
type lane struct {
	name       string
	cluster    *devenv.ControlPlane
	homeserver *devenv.LocalHomeserver
	kubeconfig string // of the chart's service account, straight to the API server
	k8s        client.Client
	operator   *mautrix.Client
	kube, home server
	// secrets are those that the operator's namespace has without any run.
	secrets sets.Set[string]
	worlds  int
}

// openLane starts the servers, and installs the chart.
func openLane(ctx context.Context, on stack.HomeserverOptions, name string) (_ *lane, err error) {
	l := &lane{name: name}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	group, starting := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		if l.cluster, err = devenv.StartControlPlane(starting); err != nil {
			return err
		}
		return l.cluster.InstallChart(starting)
	})
	group.Go(func() (err error) {
		l.homeserver, err = on.Start(starting)
		return err
	})
	if err := group.Wait(); err != nil {
		return l, err
	}
	for _, name := range people {
		if _, err := l.homeserver.CreateUser(ctx, name, "correct horse"); err != nil {
			return l, err
		}
	}
	return l, l.connect(ctx)
}

// connect makes the clients that look, and the ways that the proxies take.
func (l *lane) connect(ctx context.Context) (err error) {
	if l.operator, err = mautrix.NewClient(l.homeserver.URL, id.UserID(l.homeserver.OperatorUserID), l.homeserver.ASToken); err != nil {
		return fmt.Errorf("making a client for the homeserver: %w", err)
	}
	l.operator.SetAppServiceUserID = true
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return fmt.Errorf("registering the kinds: %w", err)
	}
	admin := l.cluster.RESTConfig()
	if l.k8s, err = client.New(admin, client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("making a client for the API server: %w", err)
	}
	var secrets corev1.SecretList
	if err := l.k8s.List(ctx, &secrets, client.InNamespace(devenv.OperatorNamespace)); err != nil {
		return fmt.Errorf("listing the operator's Secrets: %w", err)
	}
	l.secrets = sets.New[string]()
	for _, s := range secrets.Items {
		l.secrets.Insert(s.Name)
	}
	if l.kubeconfig, err = l.cluster.KubeconfigFor(ctx, devenv.OperatorNamespace, devenv.ReleaseName); err != nil {
		return err
	}
	// Without credentials of its own: who the manager is, it says itself.
	through, err := rest.TransportFor(&rest.Config{Host: admin.Host, TLSClientConfig: rest.TLSClientConfig{CAData: admin.CAData}})
	if err != nil {
		return fmt.Errorf("making the way to the API server: %w", err)
	}
	l.kube = server{url: admin.Host, transport: through}
	l.home = server{url: l.homeserver.URL, transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	return nil
}

func (l *lane) close() error {
	var errs []error
	if l.homeserver != nil {
		errs = append(errs, l.homeserver.Close())
	}
	if l.cluster != nil {
		errs = append(errs, l.cluster.Stop())
	}
	return errors.Join(errs...)
}

// keeper runs a manager on a wire, and starts the next one when it was killed.
type keeper struct {
	start func(context.Context) (*devenv.Manager, error)
	wire  *wire
	// log is where every manager of the run writes, and began where it was then.
	log   string
	began int64
	ended chan struct{}

	mu       sync.Mutex // guards what follows; held while a manager is replaced
	manager  *devenv.Manager
	restarts int
	err      error
}

// keep starts a manager that talks through the wire. It ends with the context.
func (l *lane) keep(ctx context.Context, folder string, w *wire) (*keeper, error) {
	config, err := clientcmd.LoadFromFile(l.kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading the manager's kubeconfig: %w", err)
	}
	for _, cluster := range config.Clusters {
		cluster.Server = w.kubernetes.URL
		cluster.CertificateAuthorityData = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.kubernetes.Certificate().Raw})
	}
	path := filepath.Join(folder, "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return nil, fmt.Errorf("writing the manager's kubeconfig: %w", err)
	}
	k := &keeper{wire: w, ended: make(chan struct{}), log: filepath.Join(l.cluster.LogDir(), "manager.log")}
	if info, err := os.Stat(k.log); err == nil {
		k.began = info.Size()
	}
	k.start = func(ctx context.Context) (*devenv.Manager, error) {
		// A successor would wait for the lease of the one that was killed: time, and nothing else.
		return l.cluster.StartManagerWith(ctx, path, "--leader-elect=false")
	}
	if k.manager, err = k.start(ctx); err != nil {
		return nil, err
	}
	go k.run(ctx)
	return k, nil
}

func (k *keeper) run(ctx context.Context) {
	defer close(k.ended)
	for {
		select {
		case <-k.wire.struck:
			k.replace(ctx)
		case <-ctx.Done():
			k.mu.Lock()
			defer k.mu.Unlock()
			if k.manager != nil {
				k.manager.Kill()
			}
			return
		}
	}
}

func (k *keeper) replace(ctx context.Context) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.manager.Kill()
	k.wire.dead()
	k.restarts++
	k.manager, k.err = k.start(ctx)
}

// alive gives an error when no manager could be started again. While one is
// being replaced, it waits.
func (k *keeper) alive() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return fmt.Errorf("starting the manager again: %w", k.err)
	}
	select {
	case <-k.manager.Done():
		return errors.New("the manager ended by itself")
	default:
		return nil
	}
}

// said is the end of what the managers of this run wrote into their log.
func (k *keeper) said(most int64) string {
	file, err := os.Open(k.log)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err.Error()
	}
	text := make([]byte, min(most, info.Size()-k.began))
	_, _ = file.ReadAt(text, info.Size()-int64(len(text)))
	return string(text)
}

// patience bounds every wait. The longest that is meant is half a minute: for
// the room of a createRoom whose answer was lost.
const patience = 90 * time.Second

// final is a complaint that no time will mend.
type final struct{ error }

// await looks until there is nothing to complain about.
func (k *keeper) await(ctx context.Context, what string, complaint func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("in vain"))
	defer cancel()
	for {
		if err := k.alive(); err != nil {
			return err
		}
		err := complaint(ctx)
		if err == nil || errors.As(err, new(final)) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w: %w", what, context.Cause(ctx), err)
		case <-time.After(30 * time.Millisecond):
		}
	}
}
