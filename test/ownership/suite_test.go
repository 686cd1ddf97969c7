// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package ownership_test has several installations of Cabildo on one real
// homeserver, each with a control plane and a manager of its own: whose a space
// is, and that nobody takes it by accident or on purpose.
package ownership_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// homeserver is the one that all installations share, where a spec asks for no
// other. east and west are installations that run through the whole suite.
var (
	homeserver *devenv.LocalHomeserver
	east, west *installation
)

func TestOwnership(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	SetDefaultConsistentlyDuration(2 * time.Second)
	RunSpecs(t, "whose spaces are, on a real homeserver")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	ctrl.SetLogger(zap.New(zap.WriteTo(GinkgoWriter), zap.UseDevMode(true)))
	var err error
	homeserver, err = devenv.StartDendrite(ctx, devenv.DendriteOptions{})
	Expect(err).NotTo(HaveOccurred(), "run make test, which builds the homeserver")
	DeferCleanup(homeserver.Close)
	east, west = install(ctx, "east"), install(ctx, "west")
})

var serial atomic.Int64

// unique is a name that no other spec has.
func unique(prefix string) string { return fmt.Sprintf("%s%d", prefix, serial.Add(1)) }

// person makes an account and returns a client for it.
func person(ctx context.Context, name string) *mautrix.Client {
	GinkgoHelper()
	return personAt(ctx, homeserver, name)
}

func personAt(ctx context.Context, at *devenv.LocalHomeserver, name string) *mautrix.Client {
	GinkgoHelper()
	token, err := at.CreateUser(ctx, name, "correct horse")
	Expect(err).NotTo(HaveOccurred())
	return as(at, id.NewUserID(name, at.ServerName), token)
}

// operator does by hand what an administrator with the application service's token could.
func operator() *mautrix.Client {
	GinkgoHelper()
	return operatorAt(homeserver)
}

func operatorAt(at *devenv.LocalHomeserver) *mautrix.Client {
	GinkgoHelper()
	c := as(at, id.UserID(at.OperatorUserID), at.ASToken)
	c.SetAppServiceUserID = true
	return c
}

func as(at *devenv.LocalHomeserver, account id.UserID, token string) *mautrix.Client {
	GinkgoHelper()
	c, err := mautrix.NewClient(at.URL, account, token)
	Expect(err).NotTo(HaveOccurred())
	c.Client = &http.Client{Timeout: 30 * time.Second}
	return c
}

// anywhere is a homeserver for one spec.
type anywhere func(context.Context) *devenv.LocalHomeserver

// onDendrite is the one of the suite.
func onDendrite(context.Context) *devenv.LocalHomeserver { return homeserver }

// synapse is the other homeserver that specs share; nil until one asks for it.
var synapse *devenv.LocalHomeserver

// onSynapse is a homeserver that also makes rooms of version 12. The spec is skipped where there is none.
func onSynapse(ctx context.Context) *devenv.LocalHomeserver {
	GinkgoHelper()
	if synapse != nil {
		return synapse
	}
	if err := devenv.HasSynapse(); devenv.WithoutSynapse(err) {
		Skip(err.Error())
	}
	at, err := devenv.StartSynapse(ctx, devenv.SynapseOptions{Publish: true})
	Expect(err).NotTo(HaveOccurred())
	synapse = at
	return at
}

var _ = AfterSuite(func() {
	if synapse != nil {
		Expect(synapse.Close()).To(Succeed())
	}
})

// stateOf is every piece of state of a room, by type, key and the event that
// set it: two that are equal mean that nobody wrote anything in between.
func stateOf(ctx context.Context, c *mautrix.Client, room id.RoomID) map[string]id.EventID {
	GinkgoHelper()
	state, err := c.State(ctx, room)
	Expect(err).NotTo(HaveOccurred())
	events := map[string]id.EventID{}
	for kind, byKey := range state {
		for key, e := range byKey {
			events[kind.Type+" "+key] = e.ID
		}
	}
	Expect(events).To(HaveKey(event.StateCreate.Type + " "))
	return events
}

// joinedRooms is how many rooms an account is in.
func joinedRooms(ctx context.Context, c *mautrix.Client) int {
	GinkgoHelper()
	rooms, err := c.JoinedRooms(ctx)
	Expect(err).NotTo(HaveOccurred())
	return len(rooms.JoinedRooms)
}

// leadsTo is the room that an alias leads to.
func leadsTo(ctx context.Context, address string) id.RoomID {
	GinkgoHelper()
	return leadsToAt(ctx, homeserver, address)
}

func leadsToAt(ctx context.Context, at *devenv.LocalHomeserver, address string) id.RoomID {
	GinkgoHelper()
	answer, err := operatorAt(at).ResolveAlias(ctx, id.NewRoomAlias(address, at.ServerName))
	Expect(err).NotTo(HaveOccurred())
	return answer.RoomID
}
