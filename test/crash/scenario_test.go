// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package crash_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"maunium.net/go/mautrix/id"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// world is what one run has for itself: a namespace, a Platform of an
// installation of its own, and names of its own on the homeserver.
type world struct {
	*lane
	keeper *keeper

	name              string
	namespace         *corev1.Namespace
	secret            *corev1.Secret
	platform          *v1alpha1.Platform
	community         *v1alpha1.Community
	golang, incidents *v1alpha1.Group
	// rooms are those that the statuses named when everything was Ready first.
	rooms map[string]id.RoomID
}

func (l *lane) newWorld(homeserverURL string) *world {
	l.worlds++
	name := fmt.Sprintf("%s-%03d", l.name, l.worlds)
	person := func(name string, role v1alpha1.Role) v1alpha1.MemberSource {
		return v1alpha1.MemberSource{Person: name, Role: role}
	}
	group := func(groupName, displayName string, management v1alpha1.Management, members ...v1alpha1.MemberSource) *v1alpha1.Group {
		return &v1alpha1.Group{
			ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: groupName},
			Spec: v1alpha1.GroupSpec{
				CommunityRef: v1alpha1.LocalReference{Name: "engineering"},
				DisplayName:  displayName, Purpose: "To talk.", Members: members, Management: &management,
			},
		}
	}
	return &world{
		lane: l, name: name,
		namespace: &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}},
		secret: &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: devenv.OperatorNamespace, Name: name},
			StringData: map[string]string{"url": homeserverURL, "asToken": l.homeserver.ASToken},
		},
		platform: &v1alpha1.Platform{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: v1alpha1.PlatformSpec{
				Type: v1alpha1.PlatformMatrix, OwnerID: name,
				Matrix:         &v1alpha1.MatrixPlatform{HomeserverURL: homeserverURL, ServerName: l.homeserver.ServerName},
				CredentialsRef: v1alpha1.LocalReference{Name: name},
				Access:         []v1alpha1.PlatformAccess{{Names: []string{name, name + "-*"}}},
			},
		},
		community: &v1alpha1.Community{
			ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "engineering"},
			Spec: v1alpha1.CommunitySpec{
				DisplayName: "Engineering", Purpose: "Share practice.",
				Objectives: []v1alpha1.Objective{{Name: "answers", Description: "Questions get an answer."}},
				Sponsor:    &v1alpha1.Person{Person: "ana"},
				Guidelines: &v1alpha1.Guidelines{Text: "Be **kind**."},
				Platforms:  []v1alpha1.CommunityPlatform{{PlatformRef: v1alpha1.LocalReference{Name: name}, SpaceName: name}},
				Members:    []v1alpha1.MemberSource{person("ana", v1alpha1.RoleManager), person("omar", "")},
			},
		},
		golang: group("golang", "Go", v1alpha1.Management{Membership: v1alpha1.MembershipExclusive},
			person("ana", v1alpha1.RoleModerator), person("kim", ""), person("lea", ""), person("omar", "")),
		incidents: group("incidents", "Incidents", v1alpha1.Management{Deletion: v1alpha1.DeletionArchive},
			person("lea", v1alpha1.RoleManager), person("omar", "")),
	}
}

// play is the scenario, told in order.
func (w *world) play(ctx context.Context) error {
	for _, step := range []struct {
		says string
		do   func(context.Context) error
	}{
		{"making a community with two groups", w.make},
		{"renaming a group", w.rename},
		{"removing a member", w.remove},
		{"deleting a group that is to be archived", w.archive},
		{"changing the topics at the end", w.retell},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.says, err)
		}
	}
	return nil
}

func (w *world) make(ctx context.Context) error {
	for _, o := range []client.Object{w.namespace, w.secret, w.platform, w.community, w.golang, w.incidents} {
		if err := w.k8s.Create(ctx, o); err != nil {
			return err
		}
	}
	if err := w.ready(ctx, w.platform, w.community, w.golang, w.incidents); err != nil {
		return err
	}
	return w.note()
}

// note keeps which rooms there are, before one of the groups is gone.
func (w *world) note() error {
	w.rooms = map[string]id.RoomID{}
	for name, known := range map[string][]v1alpha1.PlatformSpaceStatus{
		w.community.Name: w.community.Status.Platforms,
		w.golang.Name:    w.golang.Status.Platforms,
		w.incidents.Name: w.incidents.Status.Platforms,
	} {
		if len(known) != 1 || known[0].SpaceID == "" {
			return fmt.Errorf("%s is Ready and has no space in its status: %+v", name, known)
		}
		w.rooms[name] = id.RoomID(known[0].SpaceID)
	}
	return nil
}

func (w *world) rename(ctx context.Context) error {
	if err := w.change(ctx, w.golang, func() {
		w.golang.Spec.SpaceName, w.golang.Spec.DisplayName = "go", "Go and friends"
	}); err != nil {
		return err
	}
	return w.ready(ctx, w.golang)
}

// remove leaves kim out, who is in the room: it is the exact list of its members.
func (w *world) remove(ctx context.Context) error {
	if err := w.change(ctx, w.golang, func() {
		w.golang.Spec.Members = slices.DeleteFunc(w.golang.Spec.Members, func(s v1alpha1.MemberSource) bool { return s.Person == "kim" })
	}); err != nil {
		return err
	}
	return w.ready(ctx, w.golang)
}

func (w *world) archive(ctx context.Context) error {
	if err := w.k8s.Delete(ctx, w.incidents); err != nil {
		return err
	}
	return w.keeper.await(ctx, "the group is gone", func(ctx context.Context) error {
		switch err := w.k8s.Get(ctx, client.ObjectKeyFromObject(w.incidents), w.incidents); {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		default:
			return errors.New(readyOf(w.incidents).Message)
		}
	})
}

// retell has a last change reach the rooms, so that whichever manager runs by
// now has looked at everything again.
func (w *world) retell(ctx context.Context) error {
	if err := w.change(ctx, w.community, func() { w.community.Spec.Purpose = "Share practice, still." }); err != nil {
		return err
	}
	if err := w.change(ctx, w.golang, func() { w.golang.Spec.Purpose = "To talk, still." }); err != nil {
		return err
	}
	return w.ready(ctx, w.platform, w.community, w.golang)
}

// change edits what was declared, as a person would.
func (w *world) change(ctx context.Context, o client.Object, edit func()) error {
	return w.keeper.await(ctx, "a change is taken", func(ctx context.Context) error {
		if err := w.k8s.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		edit()
		return w.k8s.Update(ctx, o)
	})
}

// ready waits until everything is Ready as it is declared now.
func (w *world) ready(ctx context.Context, objects ...client.Object) error {
	for _, o := range objects {
		if err := w.keeper.await(ctx, o.GetName()+" is Ready", func(ctx context.Context) error {
			if err := w.k8s.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
				return err
			}
			if r := readyOf(o); r.Status != metav1.ConditionTrue || r.ObservedGeneration != o.GetGeneration() {
				return fmt.Errorf("%s: %s", r.Reason, r.Message)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func readyOf(o client.Object) metav1.Condition {
	if ready := meta.FindStatusCondition(v1alpha1.ConditionsOf(o), v1alpha1.ConditionReady); ready != nil {
		return *ready
	}
	return metav1.Condition{Reason: "Unknown", Message: "nothing was said yet"}
}

// clear takes away what the run left, so that the next one finds the servers as
// this one did. No manager runs any more.
func (w *world) clear(ctx context.Context) error {
	var errs []error
	for _, o := range []client.Object{w.golang, w.incidents, w.community, w.platform} {
		err := w.k8s.Get(ctx, client.ObjectKeyFromObject(o), o)
		if err == nil && len(o.GetFinalizers()) > 0 {
			o.SetFinalizers(nil)
			err = w.k8s.Update(ctx, o)
		}
		if err == nil {
			err = w.k8s.Delete(ctx, o)
		}
		errs = append(errs, client.IgnoreNotFound(err))
	}
	errs = append(errs, client.IgnoreNotFound(w.k8s.Delete(ctx, w.namespace)))
	var secrets corev1.SecretList
	errs = append(errs, w.k8s.List(ctx, &secrets, client.InNamespace(devenv.OperatorNamespace)))
	for i := range secrets.Items {
		if s := &secrets.Items[i]; !w.secrets.Has(s.Name) {
			errs = append(errs, client.IgnoreNotFound(w.k8s.Delete(ctx, s)))
		}
	}
	joined, err := w.operator.JoinedRooms(ctx)
	errs = append(errs, err)
	if joined != nil {
		for _, room := range joined.JoinedRooms {
			_, left := w.operator.LeaveRoom(ctx, room)
			_, forgot := w.operator.ForgetRoom(ctx, room)
			errs = append(errs, left, forgot)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("clearing up after %s: %w", w.name, err)
	}
	return nil
}
