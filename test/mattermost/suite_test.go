// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// Package mattermost_test holds the specs that need a real Mattermost and a real API server together: what users of
// Cabildo on Mattermost rely on, and what can go wrong there.
package mattermost_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mm "github.com/mattermost/mattermost/server/public/model"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/platform/mattermost"
	"github.com/cabildo-dev/cabildo/test/cluster"
)

var (
	// on is the API server with the controllers.
	on     *cluster.Cluster
	server *devenv.Mattermost
	bot    string
)

func TestMattermost(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	SetDefaultConsistentlyDuration(2 * time.Second)
	RunSpecs(t, "Cabildo on a real Mattermost")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	server, err = devenv.StartMattermost(ctx, devenv.MattermostOptions{})
	Expect(err).NotTo(HaveOccurred(), "run make test, which builds the server")
	DeferCleanup(server.Close)
	_, bot, err = server.CreateBot(ctx, "cabildo")
	Expect(err).NotTo(HaveOccurred())
	on = cluster.Start(ctx, map[v1alpha1.PlatformType]platform.Factory{v1alpha1.PlatformMattermost: mattermost.New})
})

var worlds atomic.Int64

// world is what one spec has for itself: a namespace, a Platform and names of its own on the server.
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
	on.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	return &world{
		Cluster: on, name: name,
		platform: &v1alpha1.Platform{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: v1alpha1.PlatformSpec{
				Type: v1alpha1.PlatformMattermost, OwnerID: "owner-of-" + name,
				Mattermost:     &v1alpha1.MattermostPlatform{URL: server.URL},
				CredentialsRef: v1alpha1.LocalReference{Name: name},
				Access:         []v1alpha1.PlatformAccess{{Names: []string{name, name + "-*"}}},
			},
		},
		secret: &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: cluster.Namespace, Name: name},
			StringData: map[string]string{"url": server.URL, "accessToken": bot},
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

// ready makes everything, and waits until all of it is Ready.
func (w *world) ready(ctx context.Context) *world {
	GinkgoHelper()
	w.Create(ctx, w.secret, w.platform, w.community, w.group)
	w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
	w.Expect(ctx, w.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
	return w
}

// channel and team are the spaces of the group and the community.
func (w *world) channel() string { return w.group.Status.Platforms[0].SpaceID }
func (w *world) team() string    { return w.community.Status.Platforms[0].SpaceID }

// now is the group's channel as an administrator sees it.
func (w *world) now(ctx context.Context) *mm.Channel {
	GinkgoHelper()
	c, _, err := server.Admin().GetChannel(ctx, w.channel())
	Expect(err).NotTo(HaveOccurred())
	return c
}

// person is somebody with an account.
type person struct {
	devenv.MattermostAccount
	*mm.Client4
}

func (w *world) person(ctx context.Context, name string) person {
	GinkgoHelper()
	account, err := server.CreatePerson(ctx, w.name+"-"+name, "correct horse battery", "")
	Expect(err).NotTo(HaveOccurred())
	return person{account, server.Client(account.Token)}
}

// isIn says whether somebody is in a channel.
func isIn(ctx context.Context, channel string, p person) bool {
	_, _, err := server.Admin().GetChannelMember(ctx, channel, p.ID, "")
	return err == nil
}

// isInTeam says whether somebody is in the community's team.
func (w *world) isInTeam(ctx context.Context, p person) bool {
	m, _, err := server.Admin().GetTeamMember(ctx, w.team(), p.ID, "")
	return err == nil && m.DeleteAt == 0
}

// at has the world's platform reached at another URL.
func (w *world) at(url string) *world {
	w.platform.Spec.Mattermost.URL = url
	w.secret.StringData["url"] = url
	return w
}

func isWebSocket(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/websocket") }
