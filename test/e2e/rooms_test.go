// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"errors"
	"slices"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"golang.org/x/sync/errgroup"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// observer sees the homeserver as the operator's account does.
type observer struct{ *mautrix.Client }

func observe(homeserver *devenv.Homeserver) observer {
	GinkgoHelper()
	c, err := mautrix.NewClient(homeserver.URL, id.UserID(homeserver.OperatorUserID), homeserver.ASToken)
	Expect(err).NotTo(HaveOccurred())
	c.SetAppServiceUserID = true
	return observer{c}
}

// count is how many rooms there are.
func (o observer) count(ctx context.Context) (int, error) {
	joined, err := o.JoinedRooms(ctx)
	if err != nil {
		return 0, err
	}
	return len(joined.JoinedRooms), nil
}

var owner = event.Type{Type: "dev.cabildo.owner", Class: event.StateEventType}

// rooms are all rooms, archived ones too, by the resource that they are for:
// kind, namespace and name. One that is for nobody is under no name.
func (o observer) rooms(ctx context.Context) map[string][]id.RoomID {
	GinkgoHelper()
	joined, err := o.JoinedRooms(ctx)
	Expect(err).NotTo(HaveOccurred())
	rooms := map[string][]id.RoomID{}
	var mu sync.Mutex
	readers, ctx := errgroup.WithContext(ctx)
	readers.SetLimit(8)
	for _, room := range joined.JoinedRooms {
		readers.Go(func() error {
			var mark struct{ Kind, Namespace, Name string }
			err := o.StateEvent(ctx, room, owner, "", &mark)
			if err != nil && !errors.Is(err, mautrix.MNotFound) {
				return err
			}
			resource := ""
			if err == nil {
				resource = mark.Kind + "/" + mark.Namespace + "/" + mark.Name
			}
			mu.Lock()
			defer mu.Unlock()
			rooms[resource] = append(rooms[resource], room)
			slices.Sort(rooms[resource])
			return nil
		})
	}
	Expect(readers.Wait()).To(Succeed())
	return rooms
}

// name is what a room is called.
func (o observer) name(ctx context.Context, room id.RoomID) (string, error) {
	var content event.RoomNameEventContent
	err := o.StateEvent(ctx, room, event.StateRoomName, "", &content)
	return content.Name, err
}
