// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/desired"
	"github.com/cabildo-dev/cabildo/internal/directory"
	"github.com/cabildo-dev/cabildo/internal/plan"
)

// lookup answers out of the directories, as far as one namespace may use them.
type lookup struct {
	ctx         context.Context
	reader      client.Reader
	directories *directory.Directories
	namespace   string
	labels      map[string]string
	// used are the directories that were asked, and how they were then.
	used map[string]*directory.State
}

func (r *spaceReconciler) lookup(ctx context.Context, namespace string, labels map[string]string) *lookup {
	return &lookup{
		ctx: ctx, reader: r.Client, directories: r.directories, namespace: namespace, labels: labels, used: map[string]*directory.State{},
	}
}

// Group is desired.Directories'.
func (l *lookup) Group(name, group string) ([]string, *desired.Refusal) {
	return l.find(name, fmt.Sprintf("directoryGroup %q", group),
		func(d *v1alpha1.Directory) *desired.Refusal {
			return desired.DirectoryGroupGranted(d, l.namespace, l.labels, group)
		},
		func(v *directory.View) directory.Result { return v.Group(group) },
		desired.Refusal{Reason: v1alpha1.ReasonDirectoryGroupNotFound, Message: fmt.Sprintf(
			"directoryGroup %q: there is no such group in Directory %s, or its name is not unique there; correct the name or take it out", group, name)})
}

// WithAttribute is desired.Directories'.
func (l *lookup) WithAttribute(name, attribute, value string) ([]string, *desired.Refusal) {
	return l.find(name, fmt.Sprintf("attribute %q", attribute),
		func(d *v1alpha1.Directory) *desired.Refusal {
			return desired.AttributeGranted(d, l.namespace, l.labels, attribute)
		},
		func(v *directory.View) directory.Result {
			return v.WithAttribute(directory.Attribute{Name: attribute, Value: value})
		},
		desired.Refusal{Reason: v1alpha1.ReasonDirectoryAttributeNotFound, Message: fmt.Sprintf(
			"attribute %q: Directory %s maps no such attribute; correct the name, or ask the platform team to map it", attribute, name)})
}

func (l *lookup) find(name, what string, granted func(*v1alpha1.Directory) *desired.Refusal, ask func(*directory.View) directory.Result, unknown desired.Refusal) ([]string, *desired.Refusal) {
	var d v1alpha1.Directory
	if err := l.reader.Get(l.ctx, types.NamespacedName{Name: name}, &d); err != nil {
		return nil, &desired.Refusal{Reason: v1alpha1.ReasonDirectoryNotFound, Message: fmt.Sprintf(
			"%s: Directory %s does not exist; correct directoryRef, or ask the platform team to make it", what, name)}
	}
	if refusal := granted(&d); refusal != nil {
		return nil, refusal
	}
	state := l.directories.Open(name).State()
	l.used[name] = state
	if state.View == nil {
		return nil, &desired.Refusal{Reason: v1alpha1.ReasonDirectoryUnavailable, Message: fmt.Sprintf(
			"%s: Directory %s has not been read yet; the platform team sees why in its condition Ready, and it goes on when it is read", what, name)}
	}
	found := ask(state.View)
	switch {
	case state.Trouble != "":
		return found.Usernames, &desired.Refusal{Reason: v1alpha1.ReasonDirectoryUnavailable, Message: fmt.Sprintf(
			"%s: Directory %s can't be read now, so who was in it last is served, and nobody is removed; the platform team sees why in its condition Ready", what, name)}
	case !found.Known:
		return nil, &unknown
	case found.Unsure:
		return found.Usernames, &desired.Refusal{Reason: v1alpha1.ReasonDirectoryIncomplete, Message: fmt.Sprintf(
			"%s: somebody in it is left out of Directory %s, whose condition Ready says why; everybody else is served", what, name)}
	}
	return found.Usernames, nil
}

// left says that an account is that of somebody who has left. A space that was not seen whole is left alone all the same.
func (p *pass) left(account string) bool {
	return p.seen.Complete && p.leavers != nil && (p.leavers()[account] || p.leavers()[p.session.Stable(account)])
}

// ofLeaver says that an operation takes out somebody who has left, which no budget counts.
func (p *pass) ofLeaver(op plan.Operation) bool {
	return op.Verb == plan.RemoveMember && len(op.Members) == 1 && p.left(op.Members[0].Account)
}

// reading says that a Directory of the subject, or of the policies, is Ready, and this process has not read it yet.
func (r *spaceReconciler) reading(ctx context.Context, s *subject) bool {
	names := directoriesIn(s.object)
	var policies v1alpha1.GovernancePolicyList
	if err := r.List(ctx, &policies, client.UnsafeDisableDeepCopy); err == nil {
		for i := range policies.Items {
			names = append(names, directoriesIn(&policies.Items[i])...)
		}
	}
	return slices.ContainsFunc(names, func(name string) bool {
		var d v1alpha1.Directory
		if err := r.Get(ctx, types.NamespacedName{Name: name}, &d); err != nil || !isReady(&d) {
			return false
		}
		state := r.directories.Open(name).State()
		return state.View == nil && state.Trouble == ""
	})
}
