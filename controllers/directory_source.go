// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/directory"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// The keys of a Secret with the account that LDAP is read with, besides url.
const (
	keyBindDN   = "bindDN"
	keyPassword = "password"
)

// Built in where the Directory does not say.
const (
	builtInPageSize    = 500
	builtInLDAPTimeout = 30 * time.Second
	// maxReading bounds how long all of it may take.
	maxReading = 10 * time.Minute
)

// read reads all that a Directory has, from where it has it.
func (r *DirectoryReconciler) read(ctx context.Context, d *v1alpha1.Directory) (directory.Reading, *status.Problem) {
	switch {
	case d.Spec.LDAP != nil:
		source, problem := r.ldap(ctx, d)
		if problem != nil {
			return directory.Reading{}, problem
		}
		ctx, cancel := context.WithTimeout(ctx, maxReading)
		defer cancel()
		reading, err := source.Read(ctx)
		if err != nil {
			return directory.Reading{}, r.directoryProblem(d, err)
		}
		return reading, nil
	case d.Spec.ConfigMapKeyRef != nil:
		return r.listed(ctx, d)
	default:
		return readingOf(ptr.Deref(d.Spec.Inline, v1alpha1.DirectoryPeople{})), nil
	}
}

// ldap is how the Directory is read over LDAP, with the account of its Secret.
func (r *DirectoryReconciler) ldap(ctx context.Context, d *v1alpha1.Directory) (directory.LDAP, *status.Problem) {
	spec, people := d.Spec.LDAP, d.Spec.LDAP.People
	l := directory.LDAP{
		URL: spec.URL, CABundle: spec.CABundle,
		StartTLS: strings.HasPrefix(spec.URL, "ldap://") && spec.StartTLS != v1alpha1.StartTLSDisabled,
		People: directory.LDAPPeople{
			BaseDN: people.BaseDN, Filter: people.Filter, ID: string(people.ID), Username: string(people.Username),
			Email: string(people.Email), DisplayName: string(people.DisplayName), Attributes: map[string]string{},
		},
		PageSize: int(ptr.Deref(spec.PageSize, builtInPageSize)), Timeout: builtInLDAPTimeout,
	}
	for name, attribute := range people.Attributes {
		l.People.Attributes[name] = string(attribute)
	}
	if people.Disabled != nil {
		l.People.Disabled, l.People.DisabledValues = string(people.Disabled.Attribute), people.Disabled.Values
	}
	if g := spec.Groups; g != nil {
		l.Groups = &directory.LDAPGroups{
			BaseDN: g.BaseDN, Filter: g.Filter, Name: cmp.Or(string(g.Name), "cn"), Members: cmp.Or(string(g.Members), "member"),
			Usernames: g.MembersAre == v1alpha1.LDAPMembersUsername,
		}
	}
	if spec.Timeout != nil {
		l.Timeout = spec.Timeout.Duration
	}
	if d.Spec.CredentialsRef == nil {
		return l, nil
	}
	name := types.NamespacedName{Namespace: r.namespace, Name: d.Spec.CredentialsRef.Name}
	var secret corev1.Secret
	if err := r.secrets.Get(ctx, name, &secret); apierrors.IsNotFound(err) {
		return l, status.Wait(v1alpha1.ReasonCredentialsNotFound, "Secret %s does not exist. Make it with the keys url, bindDN and password.", name)
	} else if err != nil {
		return l, status.Retry(v1alpha1.ReasonCredentialsNotFound, err, "Secret %s could not be read: %v.", name, err)
	}
	// A password is taken as it is: it may end in a space.
	l.BindDN, l.Password = text(secret, keyBindDN), string(secret.Data[keyPassword])
	switch {
	case l.BindDN == "" || l.Password == "":
		return l, status.Stall(v1alpha1.ReasonCredentialsInvalid, "Secret %s must have the keys bindDN and password, and they must not be empty.", name)
	case strings.TrimRight(text(secret, keyURL), "/") != spec.URL:
		return l, status.Stall(v1alpha1.ReasonCredentialNotForThisURL,
			"Secret %s is not for this server: its key url must be %s. A password is sent only to the server that it is for.", name, spec.URL)
	}
	return l, nil
}

// listed reads a list in a ConfigMap of the operator's namespace.
func (r *DirectoryReconciler) listed(ctx context.Context, d *v1alpha1.Directory) (directory.Reading, *status.Problem) {
	ref := d.Spec.ConfigMapKeyRef
	name := types.NamespacedName{Namespace: r.namespace, Name: ref.Name}
	var cm corev1.ConfigMap
	if err := r.Get(ctx, name, &cm); apierrors.IsNotFound(err) {
		return directory.Reading{}, status.Wait(v1alpha1.ReasonListNotFound,
			"ConfigMap %s with the people does not exist, or lacks the label %s=true, without which it is not read.", name, v1alpha1.ReadLabel)
	} else if err != nil {
		return directory.Reading{}, status.Retry(v1alpha1.ReasonListNotFound, err, "ConfigMap %s could not be read: %v.", name, err)
	}
	content, ok := cm.Data[ref.Key]
	if !ok {
		return directory.Reading{}, status.Wait(v1alpha1.ReasonListNotFound, "ConfigMap %s has no key %s with the people.", name, ref.Key)
	}
	var list v1alpha1.DirectoryPeople
	if err := yaml.UnmarshalStrict([]byte(content), &list); err != nil {
		return directory.Reading{}, status.Stall(v1alpha1.ReasonInvalidDirectory,
			"ConfigMap %s, key %s, is not a list of people and groups: %v. Correct it; what was read last stays.", name, ref.Key, err)
	}
	return readingOf(list), nil
}

// readingOf is a list as a source has it. Usernames are what people are known by.
func readingOf(list v1alpha1.DirectoryPeople) directory.Reading {
	var r directory.Reading
	names := map[string]bool{}
	for _, p := range list.People {
		e := directory.Entry{Key: p.Username, Person: directory.Person{
			ID: p.Username, Username: p.Username, Email: p.Email, Disabled: p.State == v1alpha1.PersonDisabled,
		}}
		for _, name := range slices.Sorted(maps.Keys(p.Attributes)) {
			names[name] = true
			e.Attributes = append(e.Attributes, directory.Attribute{Name: name, Value: p.Attributes[name]})
		}
		r.People = append(r.People, e)
	}
	r.Attributes = slices.Sorted(maps.Keys(names))
	for _, g := range list.Groups {
		r.Groups = append(r.Groups, directory.GroupEntry{Key: g.Name, Name: g.Name, Usernames: g.People, Groups: g.Groups})
	}
	return r
}

func refresh(d *v1alpha1.Directory) time.Duration {
	if d.Spec.RefreshInterval == nil {
		return desired.BuiltInResync
	}
	return d.Spec.RefreshInterval.Duration
}
