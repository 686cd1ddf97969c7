// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// areas are the business areas that the community reaches over.
var areas = []string{"platform", "mobile", "data"}

// everybody is all people: those with a part, and those with a number.
func (w *world) everybody() []string {
	people := []string{sponsor, lead, deputy, mobile, data, office, engineer, approver}
	for i := len(people); i < w.size.people; i++ {
		people = append(people, fmt.Sprintf("person%03d", i))
	}
	return people
}

// area is the business area of a person: nearly all of the first ones are of one, and those who come later of the others.
func (w *world) area(i int) string {
	switch {
	case i < int(w.size.small)+2 && i%9 != 1 && i%9 != 2:
		return areas[0]
	case i%2 == 1:
		return areas[1]
	default:
		return areas[2]
	}
}

// directory has everybody, and a group with the first so many.
func (w *world) directory(members int) *v1alpha1.Directory {
	everybody := w.everybody()
	d := &v1alpha1.Directory{
		ObjectMeta: metav1.ObjectMeta{Name: "corp"},
		Spec: v1alpha1.DirectorySpec{
			Type: v1alpha1.DirectoryInline,
			Inline: &v1alpha1.DirectoryPeople{
				Groups: []v1alpha1.DirectoryGroup{{Name: "engineers", People: everybody[:members]}},
			},
			Access: []v1alpha1.DirectoryAccess{{Groups: []string{"engineers"}}},
		},
	}
	for i, person := range everybody {
		d.Spec.Inline.People = append(d.Spec.Inline.People, v1alpha1.DirectoryPerson{
			Username: person, Attributes: map[string]string{"businessArea": w.area(i)},
		})
	}
	return d
}

// join has the first so many people be members, and waits until they are in the space.
func (w *world) join(ctx context.Context, members int) error {
	d := w.directory(members)
	there := &v1alpha1.Directory{ObjectMeta: metav1.ObjectMeta{Name: d.Name}}
	if err := w.change(ctx, w.cluster, there, func() { there.Spec.Inline = d.Spec.Inline }); err != nil {
		return err
	}
	return w.counted(ctx, members)
}

// counted waits until the community says that so many people are in its space.
func (w *world) counted(ctx context.Context, members int) error {
	c := community()
	return w.until(ctx, func() error {
		if err := w.look(ctx, c); err != nil {
			return err
		}
		w.clock.by.Add(int64(countInterval)) // counts come together
		if m := c.Status.Members; m == nil || int(m.Present) != members {
			return fmt.Errorf("%+v are counted, and not %d", m, members)
		}
		return nil
	})
}

// manager is somebody in a formal role.
func manager(person string, commitment v1alpha1.Commitment, area string, percent int32, deputies ...string) *v1alpha1.CommunityManager {
	m := &v1alpha1.CommunityManager{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: person},
		Spec: v1alpha1.CommunityManagerSpec{
			Person: person, Role: v1alpha1.ManagerManager, Commitment: commitment, BusinessArea: area,
			Purpose: "Keeps the community useful and kind.", Responsibilities: []string{"Moderation", "Onboarding"},
			Communities: []v1alpha1.ManagedCommunities{{Name: "engineering"}},
		},
	}
	if percent > 0 {
		m.Spec.Communities[0].AllocationPercent = &percent
	}
	for _, d := range deputies {
		m.Spec.Deputies = append(m.Spec.Deputies, v1alpha1.Person{Person: d})
	}
	return m
}

// countInterval is how much later counts are brought up to date.
const countInterval = 31 * time.Second

// appoint makes a manager, or one that is there what this one says.
func (w *world) appoint(ctx context.Context, m *v1alpha1.CommunityManager) error {
	spec := m.Spec.DeepCopy()
	if err := w.cluster.Get(ctx, client.ObjectKeyFromObject(m), m); client.IgnoreNotFound(err) != nil {
		return err
	} else if err != nil {
		return w.as[engineer].Create(ctx, m)
	}
	return w.change(ctx, w.as[engineer], m, func() { m.Spec = *spec })
}

// staffed waits until the community says of its managers what it should.
func (w *world) staffed(ctx context.Context, reason string) error {
	message, err := w.condition(ctx, community(), v1alpha1.ConditionStaffed, reason)
	if err == nil {
		w.say("Staffed: %s. %s", reason, message)
	}
	return err
}
