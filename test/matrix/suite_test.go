// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package matrix_test holds the specs that need a real homeserver and a real
// API server together: what users of Cabildo on Matrix rely on, and what can go wrong there.
package matrix_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/matrix"
	"github.com/cabildo-dev/cabildo/test/cluster"
)

var (
	// on is the API server with the controllers.
	on         *cluster.Cluster
	homeserver *devenv.LocalHomeserver
)

func TestMatrix(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(time.Minute) // a homeserver may keep a poll open for half of it
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	SetDefaultConsistentlyDuration(2 * time.Second)
	RunSpecs(t, "Cabildo on a real homeserver")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	homeserver, err = devenv.StartDendrite(ctx, devenv.DendriteOptions{})
	Expect(err).NotTo(HaveOccurred(), "run make test, which builds the homeserver")
	DeferCleanup(homeserver.Close)

	on = cluster.Start(ctx, map[v1alpha1.PlatformType]platform.Factory{v1alpha1.PlatformMatrix: matrix.New})
})

var worlds atomic.Int64

// world is what one spec has for itself: a namespace, a Platform and names of its own on the homeserver.
type world struct {
	*cluster.Cluster
	name      string
	platform  *v1alpha1.Platform
	secret    *corev1.Secret
	community *v1alpha1.Community
	group     *v1alpha1.Group
}

func newWorld(ctx context.Context) *world {
	GinkgoHelper()
	name := fmt.Sprintf("w%d", worlds.Add(1))
	Expect(on.API.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	return &world{
		Cluster: on,
		name:    name,
		platform: &v1alpha1.Platform{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: v1alpha1.PlatformSpec{
				Type: v1alpha1.PlatformMatrix, OwnerID: "owner-of-" + name,
				Matrix:         &v1alpha1.MatrixPlatform{HomeserverURL: homeserver.URL, ServerName: homeserver.ServerName},
				CredentialsRef: v1alpha1.LocalReference{Name: name},
				Access:         []v1alpha1.PlatformAccess{{Names: []string{name, name + "-*"}}},
			},
		},
		secret: &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: cluster.Namespace, Name: name},
			StringData: map[string]string{"url": homeserver.URL, "asToken": homeserver.ASToken},
		},
		community: &v1alpha1.Community{
			ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "engineering"},
			Spec: v1alpha1.CommunitySpec{
				DisplayName: "Engineering", Purpose: "Share practice.",
				Guidelines: &v1alpha1.Guidelines{Text: "Be **kind**."},
				Platforms:  []v1alpha1.CommunityPlatform{{PlatformRef: v1alpha1.LocalReference{Name: name}, SpaceName: name}},
			},
		},
		group: &v1alpha1.Group{
			ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "golang"},
			Spec: v1alpha1.GroupSpec{
				CommunityRef: v1alpha1.LocalReference{Name: "engineering"}, DisplayName: "Go", Purpose: "Everything about Go.",
			},
		},
	}
}

// ready makes everything, and waits until the group is Ready.
func (w *world) ready(ctx context.Context) *world {
	GinkgoHelper()
	w.Create(ctx, w.secret, w.platform, w.community, w.group)
	w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
	w.Expect(ctx, w.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
	return w
}

// room is the room of the group.
func (w *world) room() id.RoomID { return id.RoomID(w.group.Status.Platforms[0].SpaceID) }

// operator is a client that acts as Cabildo does, to look and to do by hand what an administrator could.
func operator() *mautrix.Client {
	GinkgoHelper()
	c, err := mautrix.NewClient(homeserver.URL, id.UserID(homeserver.OperatorUserID), homeserver.ASToken)
	Expect(err).NotTo(HaveOccurred())
	c.SetAppServiceUserID = true
	return c
}

// person makes an account and returns a client for it.
func person(ctx context.Context, name string) *mautrix.Client {
	GinkgoHelper()
	token, err := homeserver.CreateUser(ctx, name, "correct horse")
	Expect(err).NotTo(HaveOccurred())
	c, err := mautrix.NewClient(homeserver.URL, id.NewUserID(name, homeserver.ServerName), token)
	Expect(err).NotTo(HaveOccurred())
	c.Client = &http.Client{Timeout: 30 * time.Second}
	return c
}

// state reads one state event into content.
func state(ctx context.Context, room id.RoomID, kind event.Type, key string, content any) error {
	return operator().StateEvent(ctx, room, kind, key, content)
}

// at has the world's platform reached at another URL, with its credentials.
func (w *world) at(url string) *world {
	w.platform.Spec.Matrix.HomeserverURL = url
	w.secret.StringData["url"] = url
	return w
}
