// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/controllers"
	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/hack/stack"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/matrix"
	"github.com/cabildo-dev/cabildo/internal/platform/mattermost"
	"github.com/cabildo-dev/cabildo/internal/platform/memory"
)

// namespace is where the community is declared.
const namespace = "engineering"

// ahead is a clock that is put ahead.
type ahead struct {
	clock.RealClock
	by atomic.Int64
}

func (a *ahead) Now() time.Time                   { return a.RealClock.Now().Add(time.Duration(a.by.Load())) }
func (a *ahead) Since(at time.Time) time.Duration { return a.Now().Sub(at) }

// world is everything that the story happens in.
type world struct {
	real  bool
	clock *ahead
	// size has the thresholds of members, and so the people.
	size   size
	checks int

	plane      *devenv.ControlPlane
	homeserver *devenv.LocalHomeserver
	server     *devenv.Mattermost
	memory     *memory.Server
	stop       func() error

	// cluster has all rights; as are those of people.
	cluster client.Client
	as      map[string]client.Client
}

// size is how many people the tiers take.
type size struct {
	small, distributed, perArea int32
	// people is how many there are, a third of them in each business area.
	people int
}

var (
	company = size{small: 50, distributed: 151, perArea: 10, people: 160}
	team    = size{small: 6, distributed: 12, perArea: 3, people: 15}
)

// The people with a part in it; everybody else has a number.
const (
	sponsor  = "carla.mendez"
	lead     = "lucia.prieto"
	deputy   = "omar.diaz"
	mobile   = "nadia.haddad"
	data     = "wei.chen"
	office   = "ines.ferreira"
	engineer = "ana.ruiz"   // may edit the namespace
	approver = "priya.nair" // may approve
	robot    = "deploy-bot" // may do both, and is an automation account
)

func open(ctx context.Context, onServers bool, on stack.HomeserverOptions) (_ *world, err error) {
	w := &world{real: onServers, clock: &ahead{}, size: company, as: map[string]client.Client{}}
	if onServers {
		w.size = team
	}
	start, err := time.Parse(time.DateOnly, "2027-01-04")
	if err != nil {
		return w, err
	}
	w.clock.by.Store(int64(time.Until(start.Add(9 * time.Hour))))
	group, servers := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		w.plane, err = devenv.StartControlPlane(servers)
		return err
	})
	if onServers {
		group.Go(func() (err error) {
			w.homeserver, err = on.Start(servers)
			return err
		})
		group.Go(func() (err error) {
			w.server, err = devenv.StartMattermost(servers, devenv.MattermostOptions{})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return w, err
	}
	if err := w.plane.InstallChart(ctx); err != nil {
		return w, err
	}
	if w.cluster, err = newClient(w.plane.RESTConfig()); err != nil {
		return w, err
	}
	if err := w.admit(ctx); err != nil {
		return w, err
	}
	if err := w.platforms(ctx); err != nil {
		return w, err
	}
	return w, w.manage(ctx)
}

func newClient(config *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	return client.New(config, client.Options{Scheme: scheme})
}

// admit makes the namespace, and lets people in.
func (w *world) admit(ctx context.Context) error {
	objects := []client.Object{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}}
	bind := func(person, role string) {
		objects = append(objects, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: person + "-" + role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: person}},
		})
	}
	for _, person := range []string{engineer, robot} {
		bind(person, "cabildo-tenant-editor")
		bind(person, "cabildo-approver")
	}
	bind(approver, "cabildo-approver")
	for _, o := range objects {
		if err := w.cluster.Create(ctx, o); err != nil {
			return fmt.Errorf("letting people in: %w", err)
		}
	}
	for _, person := range []string{engineer, robot, approver} {
		config := w.plane.RESTConfig()
		config.Impersonate = rest.ImpersonationConfig{UserName: person}
		c, err := newClient(config)
		if err != nil {
			return err
		}
		w.as[person] = c
	}
	return w.policy(ctx)
}

// policy makes the default policy the chart's, with the business areas of the
// directory and, where there are fewer people, lower thresholds: every number is there to be edited.
func (w *world) policy(ctx context.Context) error {
	file, err := devenv.Binary("helm") // the repository is where its bin is
	if err != nil {
		return err
	}
	content, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(file)), "config", "samples", "governancepolicy.yaml"))
	if err != nil {
		return err
	}
	var p v1alpha1.GovernancePolicy
	if err := yaml.UnmarshalStrict(content, &p); err != nil {
		return err
	}
	p.Spec.Evaluation.Areas = &v1alpha1.AreaSource{DirectoryRef: v1alpha1.LocalReference{Name: "corp"}, Attribute: "businessArea"}
	p.Spec.Approvals.Automation = append(p.Spec.Approvals.Automation, robot)
	*p.Spec.Tiers[1].EnterWhen.AnyOf[0].Members = w.size.small
	*p.Spec.Tiers[2].EnterWhen.AnyOf[0].Members = w.size.distributed
	*p.Spec.Tiers[2].EnterWhen.AnyOf[1].MembersPerArea = w.size.perArea
	var there v1alpha1.GovernancePolicy
	switch err := w.cluster.Get(ctx, client.ObjectKeyFromObject(&p), &there); {
	case client.IgnoreNotFound(err) != nil:
		return err
	case err != nil:
		return w.cluster.Create(ctx, &p)
	}
	there.Spec = p.Spec
	return w.cluster.Update(ctx, &there)
}

// platforms declares where the community lives, and makes everybody's account there.
func (w *world) platforms(ctx context.Context) error {
	access := []v1alpha1.PlatformAccess{{Names: []string{"eng", "eng-*"}}}
	declare := func(name string, spec v1alpha1.PlatformSpec, credentials map[string]string) error {
		spec.OwnerID, spec.Access, spec.CredentialsRef = "story", access, v1alpha1.LocalReference{Name: name}
		spec.Accounts = &v1alpha1.Accounts{DirectoryRef: &v1alpha1.LocalReference{Name: "corp"}}
		return errors.Join(
			w.cluster.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: devenv.OperatorNamespace, Name: name}, StringData: credentials}),
			w.cluster.Create(ctx, &v1alpha1.Platform{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}))
	}
	everybody := w.everybody()
	if !w.real {
		w.memory = memory.NewServer()
		for _, person := range everybody {
			w.memory.AddPerson("@" + person + ":memory")
		}
		const url = "https://chat.example.com"
		return declare("chat", v1alpha1.PlatformSpec{
			Type: v1alpha1.PlatformMatrix, Matrix: &v1alpha1.MatrixPlatform{HomeserverURL: url, ServerName: "memory"},
		}, map[string]string{"url": url, "accessToken": "story"})
	}
	for _, person := range everybody {
		if _, err := w.homeserver.CreatePerson(ctx, person, "cabildo-story", person); err != nil {
			return err
		}
		if _, err := w.server.CreatePerson(ctx, person, "cabildo-story", person); err != nil {
			return err
		}
	}
	_, bot, err := w.server.CreateBot(ctx, "cabildo")
	if err != nil {
		return err
	}
	return errors.Join(
		declare("chat", v1alpha1.PlatformSpec{
			Type: v1alpha1.PlatformMatrix, Matrix: &v1alpha1.MatrixPlatform{HomeserverURL: w.homeserver.URL, ServerName: w.homeserver.ServerName},
		}, map[string]string{"url": w.homeserver.URL, "asToken": w.homeserver.ASToken}),
		declare("mattermost", v1alpha1.PlatformSpec{
			Type: v1alpha1.PlatformMattermost, Mattermost: &v1alpha1.MattermostPlatform{URL: w.server.URL},
		}, map[string]string{"url": w.server.URL, "accessToken": bot}))
}

// manage starts the controllers, with the clock of the story.
func (w *world) manage(ctx context.Context) error {
	factories := map[v1alpha1.PlatformType]platform.Factory{v1alpha1.PlatformMatrix: matrix.New, v1alpha1.PlatformMattermost: mattermost.New}
	if !w.real {
		factories = map[v1alpha1.PlatformType]platform.Factory{v1alpha1.PlatformMatrix: w.memory.Open}
	}
	mgr, err := ctrl.NewManager(w.plane.RESTConfig(), ctrl.Options{
		Scheme: w.cluster.Scheme(), Cache: controllers.CacheOptions(devenv.OperatorNamespace),
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0", Logger: ctrl.Log,
	})
	if err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if err := controllers.Setup(running, mgr, controllers.Options{
		Namespace: devenv.OperatorNamespace, Factories: factories, Concurrency: 4, Clock: w.clock,
		RetryBase: 100 * time.Millisecond, RetryMax: time.Second,
	}); err != nil {
		cancel()
		return err
	}
	done := make(chan error, 1)
	go func() { done <- mgr.Start(running) }()
	w.stop = func() error {
		cancel()
		return <-done
	}
	return nil
}

func (w *world) close() error {
	if w == nil {
		return nil
	}
	var errs []error
	if w.stop != nil {
		errs = append(errs, w.stop())
	}
	if w.homeserver != nil {
		errs = append(errs, w.homeserver.Close())
	}
	if w.server != nil {
		errs = append(errs, w.server.Close())
	}
	if w.plane != nil {
		errs = append(errs, w.plane.Stop())
	}
	return errors.Join(errs...)
}
