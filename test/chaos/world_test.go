// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// The budget of every run: so small that it is what the work waits for.
const (
	perSecond   = 10
	concurrency = 2
)

// patience bounds the wait for what a step declares. A resource that fails
// again and again is tried again less and less often.
const patience = 3 * time.Minute

// world is what one run has for itself: a namespace, a Platform of an
// installation of its own, and names of its own on the server.
type world struct {
	*stage

	chat  chat
	front *front

	name              string
	namespace         *corev1.Namespace
	secret            *corev1.Secret
	platform          *v1alpha1.Platform
	community         *v1alpha1.Community
	golang, incidents *v1alpha1.Group
	// coffee wants a name that somebody else has, and never gets it.
	coffee *v1alpha1.Group

	// spaces are those that the statuses named when everything was Ready first, by resource.
	spaces map[string]string
	// foreign are spaces that are somebody else's, as they were before.
	foreign map[string]picture
	// blindly is how many removals came while no read worked.
	blindly int
}

func (s *stage) newWorld(c chat, f *front) *world {
	name := fmt.Sprintf("w%02d", s.worlds.Add(1))
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
	second, once := int32(perSecond), int32(concurrency)
	w := &world{
		stage: s, chat: c, front: f, name: name,
		namespace: &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}},
		platform: &v1alpha1.Platform{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: v1alpha1.PlatformSpec{
				OwnerID: name, CredentialsRef: v1alpha1.LocalReference{Name: name},
				Access:   []v1alpha1.PlatformAccess{{Names: []string{name, name + "-*"}}},
				Requests: &v1alpha1.RequestBudget{PerSecond: &second, Concurrency: &once},
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
				Members:    []v1alpha1.MemberSource{person("ana", v1alpha1.RoleManager), person("kim", ""), person("lea", ""), person("omar", "")},
			},
		},
		golang:    group("golang", "Go", v1alpha1.Management{}, person("ana", v1alpha1.RoleManager), person("kim", ""), person("omar", "")),
		coffee:    group("coffee", "Coffee", v1alpha1.Management{}, person("ana", v1alpha1.RoleManager), person("omar", "")),
		incidents: group("incidents", "Incidents", v1alpha1.Management{Deletion: v1alpha1.DeletionArchive}, person("lea", v1alpha1.RoleManager), person("omar", "")),
	}
	w.secret = &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: devenv.OperatorNamespace, Name: name},
		StringData: c.declare(&w.platform.Spec, f.URL),
	}
	return w
}

// play is the scenario, told in order.
func (w *world) play(ctx context.Context) error {
	for _, step := range []struct {
		says string
		do   func(context.Context) error
	}{
		{"making a foreign space", w.strangers},
		{"making a community with two groups", w.make},
		{"somebody coming in by themselves", w.visit},
		{"declaring a group whose name somebody else has", w.rival},
		{"changing names, members, guidelines and who may come in", w.rework},
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

func (w *world) strangers(ctx context.Context) error {
	space, err := w.chat.foreign(ctx, w.name)
	if err != nil {
		return err
	}
	w.foreign = map[string]picture{}
	w.foreign[space], err = w.settled(ctx, space)
	return err
}

// settled is a space as it is when nothing more comes: a server may show what was said a moment after it took it.
func (w *world) settled(ctx context.Context, space string) (picture, error) {
	var last picture
	for same := 0; same < 3; {
		now, err := w.chat.picture(ctx, space)
		if err != nil {
			return nil, err
		}
		if same++; last == nil || len(now.differs(last)) > 0 {
			same = 0
		}
		last = now
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(300 * time.Millisecond):
		}
	}
	return last, nil
}

// rival waits for nothing: until the end it says that the name is taken.
func (w *world) rival(ctx context.Context) error {
	space, err := w.chat.rival(ctx, w.name, w.spaces["engineering"])
	if err != nil {
		return err
	}
	if w.foreign[space], err = w.settled(ctx, space); err != nil {
		return err
	}
	return w.k8s.Create(ctx, w.coffee)
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
	w.spaces = map[string]string{}
	for name, known := range map[string][]v1alpha1.PlatformSpaceStatus{
		w.community.Name: w.community.Status.Platforms,
		w.golang.Name:    w.golang.Status.Platforms,
		w.incidents.Name: w.incidents.Status.Platforms,
	} {
		if len(known) != 1 || known[0].SpaceID == "" {
			return fmt.Errorf("%s is Ready and has no space in its status: %+v", name, known)
		}
		w.spaces[name] = known[0].SpaceID
	}
	return nil
}

func (w *world) visit(ctx context.Context) error { return w.chat.comeIn(ctx, w.spaces["golang"]) }

func (w *world) rework(ctx context.Context) error {
	noa := v1alpha1.MemberSource{Person: "noa"}
	if err := w.change(ctx, w.community, func() {
		w.community.Spec.Guidelines.Text = "Be **kind**, and short."
		w.community.Spec.Members = append(w.community.Spec.Members, noa)
	}); err != nil {
		return err
	}
	if err := w.change(ctx, w.golang, func() {
		w.golang.Spec.SpaceName, w.golang.Spec.DisplayName, w.golang.Spec.Join = "go", "Go and friends", v1alpha1.JoinInvite
		w.golang.Spec.Members = append(w.golang.Spec.Members, noa)
	}); err != nil {
		return err
	}
	return w.ready(ctx, w.community, w.golang, w.incidents)
}

// remove leaves kim out, who is in the golang space since Cabildo added her.
func (w *world) remove(ctx context.Context) error {
	withoutKim := func() {
		w.golang.Spec.Members = slices.DeleteFunc(w.golang.Spec.Members, func(s v1alpha1.MemberSource) bool { return s.Person == "kim" })
	}
	if !w.front.fault.blinds {
		if err := w.change(ctx, w.golang, withoutKim); err != nil {
			return err
		}
		return w.ready(ctx, w.golang)
	}
	w.front.darken()
	defer w.front.lighten()
	if err := w.await(ctx, "the manager has asked in vain", func(context.Context) error {
		if unread, _ := w.front.darkness(); unread == 0 {
			return errors.New("it asked nothing")
		}
		return nil
	}); err != nil {
		return err
	}
	if err := w.change(ctx, w.golang, withoutKim); err != nil {
		return err
	}
	if err := w.await(ctx, "the group says that not everything could be read", func(ctx context.Context) error {
		if err := w.k8s.Get(ctx, client.ObjectKeyFromObject(w.golang), w.golang); err != nil {
			return err
		}
		if r := readyOf(w.golang); r.ObservedGeneration != w.golang.Generation || r.Status == metav1.ConditionTrue {
			return fmt.Errorf("%s: %s", r.Reason, r.Message)
		}
		return nil
	}); err != nil {
		return err
	}
	time.Sleep(3 * time.Second) // for what should not come there is nothing to wait for
	_, w.blindly = w.front.darkness()
	w.front.lighten()
	return w.ready(ctx, w.golang)
}

func (w *world) archive(ctx context.Context) error {
	if err := w.k8s.Delete(ctx, w.incidents); err != nil {
		return err
	}
	return w.gone(ctx, w.incidents)
}

// retell has a last change reach the spaces, so that everything was looked at again.
func (w *world) retell(ctx context.Context) error {
	if err := w.change(ctx, w.community, func() { w.community.Spec.Purpose = "Share practice, still." }); err != nil {
		return err
	}
	if err := w.change(ctx, w.golang, func() { w.golang.Spec.Purpose = "To talk, still." }); err != nil {
		return err
	}
	if err := w.ready(ctx, w.platform, w.community, w.golang); err != nil {
		return err
	}
	return w.says(ctx, w.coffee, v1alpha1.ReasonNameTaken)
}

// change edits what was declared, as a person would.
func (w *world) change(ctx context.Context, o client.Object, edit func()) error {
	return w.await(ctx, "a change is taken", func(ctx context.Context) error {
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
		if err := w.await(ctx, o.GetName()+" is Ready", func(ctx context.Context) error {
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

// says waits until a resource says why it isn't Ready.
func (w *world) says(ctx context.Context, o client.Object, reason string) error {
	return w.await(ctx, o.GetName()+" says "+reason, func(ctx context.Context) error {
		if err := w.k8s.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		if r := readyOf(o); r.Reason != reason || r.ObservedGeneration != o.GetGeneration() {
			return fmt.Errorf("%s: %s", r.Reason, r.Message)
		}
		return nil
	})
}

func (w *world) gone(ctx context.Context, o client.Object) error {
	return w.await(ctx, o.GetName()+" is gone", func(ctx context.Context) error {
		switch err := w.k8s.Get(ctx, client.ObjectKeyFromObject(o), o); {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		default:
			return errors.New(readyOf(o).Message)
		}
	})
}

func readyOf(o client.Object) metav1.Condition {
	if ready := meta.FindStatusCondition(v1alpha1.ConditionsOf(o), v1alpha1.ConditionReady); ready != nil {
		return *ready
	}
	return metav1.Condition{Reason: "Unknown", Message: "nothing was said yet"}
}

// clear takes the declarations away, and with them the session.
func (w *world) clear(ctx context.Context) error {
	for _, o := range []client.Object{w.golang, w.incidents, w.coffee, w.community, w.platform} {
		if err := client.IgnoreNotFound(w.k8s.Delete(ctx, o)); err != nil {
			return err
		}
		if err := w.gone(ctx, o); err != nil {
			return err
		}
	}
	return errors.Join(client.IgnoreNotFound(w.k8s.Delete(ctx, w.secret)), client.IgnoreNotFound(w.k8s.Delete(ctx, w.namespace)))
}
