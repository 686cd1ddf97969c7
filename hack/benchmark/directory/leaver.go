// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"net/url"
	"time"

	"github.com/go-ldap/ldap/v3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/hack/stack"
)

// Those who are let go, one in each round, and as many whom the bare loop removes from the same rooms afterwards.
const (
	rooms  = 50
	rounds = 3
	inCrew = 2*rounds + 1
	corp   = "corp"
)

// kicks is the request that takes somebody out of a room.
const kicks = "POST /rooms/{room}/kick"

// leavers is a homeserver with the chart's manager, and groups that take their people from the directory.
type leavers struct {
	stack.Stack
	ldap      *devenv.Slapd
	manifests *stack.Manifests
	ids       []string // of the groups' rooms
	disabled  int
}

func account(i int, on *devenv.LocalHomeserver) string {
	return "@" + username(i) + ":" + on.ServerName
}

// people makes an account for everybody in the crew.
func (l *leavers) people(ctx context.Context) error {
	names := make([]string, inCrew)
	for i := range names {
		names[i] = username(i)
	}
	return stack.MakePeople(ctx, l.Homeserver, names)
}

// declare has the crew in every group, and waits until all of them are.
func (l *leavers) declare(ctx context.Context) error {
	if err := l.DeclarePlatform(ctx, "benchmark"); err != nil {
		return err
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: devenv.OperatorNamespace, Name: corp},
		StringData: map[string]string{"url": l.ldap.SecureURL, "bindDN": devenv.SlapdAdministrator, "password": l.ldap.Password},
	}
	if err := l.Cluster.Create(ctx, secret); err != nil {
		return err
	}
	if err := l.Cluster.Create(ctx, l.directory()); err != nil {
		return err
	}
	l.manifests = stack.Shape{Groups: rooms}.Declared()
	began := time.Now()
	if err := l.Cluster.Create(ctx, &l.manifests.Community); err != nil {
		return err
	}
	for i := range l.manifests.Groups {
		g := &l.manifests.Groups[i]
		g.Spec.Members = []v1alpha1.MemberSource{{
			DirectoryGroup: &v1alpha1.DirectoryGroupSource{DirectoryRef: v1alpha1.LocalReference{Name: corp}, Name: crew},
		}}
		if err := l.Cluster.Create(ctx, g); err != nil {
			return err
		}
	}
	if _, err := l.WaitReady(ctx, rooms, began); err != nil {
		return err
	}
	if _, err := l.WaitQuiet(ctx, rooms); err != nil {
		return err
	}
	for i := range l.manifests.Groups {
		g := &l.manifests.Groups[i]
		if err := l.Cluster.Get(ctx, client.ObjectKeyFromObject(g), g); err != nil {
			return err
		}
		l.ids = append(l.ids, g.Status.Platforms[0].SpaceID)
	}
	return nil
}

// directory is one of everybody, with the crew as its only group.
func (l *leavers) directory() *v1alpha1.Directory {
	return &v1alpha1.Directory{
		ObjectMeta: metav1.ObjectMeta{Name: corp},
		Spec: v1alpha1.DirectorySpec{
			Type: v1alpha1.DirectoryLDAP,
			LDAP: &v1alpha1.LDAPDirectory{
				URL: l.ldap.SecureURL, CABundle: l.ldap.CABundle,
				People: v1alpha1.LDAPPeople{
					BaseDN: "ou=people," + devenv.SlapdSuffix, ID: "employeeNumber", Username: "uid",
					Disabled: &v1alpha1.LDAPDisabled{Attribute: "employeeType", Values: []string{"gone"}},
				},
				Groups: &v1alpha1.LDAPGroups{BaseDN: "ou=crews," + devenv.SlapdSuffix},
			},
			CredentialsRef: &v1alpha1.LocalReference{Name: corp},
			Access:         []v1alpha1.DirectoryAccess{{NamespaceSelector: metav1.LabelSelector{}, Groups: []string{crew}}},
		},
	}
}

// disable has one person disabled and the directory read, and returns what passes between the end of that reading
// and the last room that the person is taken out of.
func (l *leavers) disable(ctx context.Context) (time.Duration, error) {
	who := l.disabled
	l.disabled++
	before, err := l.removals(ctx)
	if err != nil {
		return 0, err
	}
	if err := l.gone(who); err != nil {
		return 0, err
	}
	asked := time.Now()
	if err := l.refresh(ctx); err != nil {
		return 0, err
	}
	if err := l.revoked(ctx, before); err != nil {
		return 0, err
	}
	read, err := l.read(ctx)
	if err != nil {
		return 0, err
	}
	if read.Before(asked) {
		return 0, errors.New("the directory was not read")
	}
	last, err := l.last(ctx, account(who, l.Homeserver))
	return last.Sub(read), err
}

// removals is how often the manager has taken somebody out of a room.
func (l *leavers) removals(ctx context.Context) (int, error) {
	m, err := l.ManagerMetrics(ctx)
	return m.Requests()[kicks].Count, err
}

// revokedWithin is when a removal is given up.
const revokedWithin = 2 * time.Minute

// revoked waits until somebody was taken out of every room, and nothing is left to do. Each takes one request.
func (l *leavers) revoked(ctx context.Context, before int) error {
	waiting, cancel := context.WithTimeoutCause(ctx, revokedWithin, errors.New("not removed in time"))
	defer cancel()
	if err := stack.Until(waiting, 100*time.Millisecond, func() (bool, error) {
		now, err := l.removals(waiting)
		return now-before >= rooms, err
	}); err != nil {
		return err
	}
	if _, err := l.WaitQuiet(ctx, 0); err != nil {
		return err
	}
	now, err := l.removals(ctx)
	if err == nil && now-before != rooms {
		err = fmt.Errorf("%d removals of one person from %d rooms", now-before, rooms)
	}
	return err
}

// read is when the manager had last read the directory.
func (l *leavers) read(ctx context.Context) (time.Time, error) {
	m, err := l.ManagerMetrics(ctx)
	if err != nil {
		return time.Time{}, err
	}
	said := m["cabildo_directory_last_success_timestamp_seconds"].GetMetric()
	if len(said) != 1 {
		return time.Time{}, errors.New("the manager does not say when it read the directory")
	}
	return time.UnixMilli(int64(math.Round(said[0].GetGauge().GetValue() * 1000))), nil
}

// gone disables somebody in the directory.
func (l *leavers) gone(who int) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(l.ldap.CABundle))
	at, err := url.Parse(l.ldap.SecureURL)
	if err != nil {
		return err
	}
	conn, err := ldap.DialURL(l.ldap.SecureURL, ldap.DialWithTLSConfig(&tls.Config{RootCAs: roots, ServerName: at.Hostname(), MinVersion: tls.VersionTLS12}))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.Bind(devenv.SlapdAdministrator, l.ldap.Password); err != nil {
		return err
	}
	change := ldap.NewModifyRequest("uid="+username(who)+",ou=people,"+devenv.SlapdSuffix, nil)
	change.Replace("employeeType", []string{"gone"})
	return conn.Modify(change)
}

// refresh has the manager read the directory now, as it does at each interval: a changed declaration is looked at at once.
func (l *leavers) refresh(ctx context.Context) error {
	var d v1alpha1.Directory
	if err := l.Cluster.Get(ctx, client.ObjectKey{Name: corp}, &d); err != nil {
		return err
	}
	before := d.DeepCopy()
	d.Spec.RefreshInterval = &metav1.Duration{Duration: time.Hour + time.Duration(l.disabled)*time.Minute}
	return l.Cluster.Patch(ctx, &d, client.MergeFrom(before))
}

// last is when somebody was taken out of the last of the rooms, as the homeserver dates it. They are in none any more.
func (l *leavers) last(ctx context.Context, who string) (last time.Time, err error) {
	for _, id := range l.ids {
		var state []struct {
			Type    string `json:"type"`
			Key     string `json:"state_key"`
			Dated   int64  `json:"origin_server_ts"`
			Content struct {
				Membership string `json:"membership"`
			} `json:"content"`
		}
		if err := l.Get(ctx, "/_matrix/client/v3/rooms/"+url.PathEscape(id)+"/state", &state); err != nil {
			return last, err
		}
		left := false
		for _, event := range state {
			if event.Type != "m.room.member" || event.Key != who {
				continue
			}
			left = event.Content.Membership == "leave"
			if at := time.UnixMilli(event.Dated); at.After(last) {
				last = at
			}
		}
		if !left {
			return last, fmt.Errorf("%s is still in room %s", who, id)
		}
	}
	return last, nil
}
