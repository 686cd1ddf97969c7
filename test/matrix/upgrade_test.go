// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"context"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// hand does things by hand on one homeserver.
type hand struct {
	at *devenv.LocalHomeserver
	// newest is the newest room version that the server makes.
	newest string
}

func (h hand) client(account id.UserID, token string) *mautrix.Client {
	GinkgoHelper()
	c, err := mautrix.NewClient(h.at.URL, account, token)
	Expect(err).NotTo(HaveOccurred())
	return c
}

func (h hand) operator() *mautrix.Client {
	c := h.client(id.UserID(h.at.OperatorUserID), h.at.ASToken)
	c.SetAppServiceUserID = true
	return c
}

func (h hand) person(ctx context.Context, name string) *mautrix.Client {
	GinkgoHelper()
	token, err := h.at.CreateUser(ctx, name, "correct horse")
	Expect(err).NotTo(HaveOccurred())
	return h.client(id.NewUserID(name, h.at.ServerName), token)
}

// world is a world on this homeserver.
func (h hand) world(ctx context.Context) *world {
	w := newWorld(ctx).at(h.at.URL)
	w.secret.StringData["asToken"] = h.at.ASToken
	w.platform.Spec.Matrix.ServerName = h.at.ServerName
	return w
}

// upgrade upgrades a room, as a client's /upgraderoom does.
func upgrade(ctx context.Context, by *mautrix.Client, room id.RoomID, version string) id.RoomID {
	GinkgoHelper()
	var answer struct {
		Room id.RoomID `json:"replacement_room"`
	}
	_, err := by.MakeRequest(ctx, http.MethodPost, by.BuildClientURL("v3", "rooms", room, "upgrade"), map[string]string{"new_version": version}, &answer)
	Expect(err).NotTo(HaveOccurred())
	return answer.Room
}

// goesOn waits until the group is Ready in a room.
func (w *world) goesOn(ctx context.Context, room id.RoomID) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(on.API.Get(ctx, client.ObjectKeyFromObject(w.group), w.group)).To(Succeed())
		g.Expect(w.group.Status.Platforms).To(ConsistOf(HaveField("SpaceID", room.String())), "%v", w.group.Status.Conditions)
		g.Expect(meta.IsStatusConditionTrue(w.group.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue(), "%v", w.group.Status.Conditions)
	}, "20s").Should(Succeed())
}

// oneWith is a group with ana as its manager, and omar, who came by himself.
func (h hand) oneWith(ctx context.Context) (w *world, ana, omar *mautrix.Client) {
	GinkgoHelper()
	w = h.world(ctx)
	ana, omar = h.person(ctx, w.name+"-ana"), h.person(ctx, w.name+"-omar")
	w.group.Spec.Members = []v1alpha1.MemberSource{{Person: w.name + "-ana", Role: v1alpha1.RoleManager}}
	w.ready(ctx)
	_, err := h.operator().InviteUser(ctx, w.room(), &mautrix.ReqInviteUser{UserID: omar.UserID})
	Expect(err).NotTo(HaveOccurred())
	_, err = omar.JoinRoomByID(ctx, w.room())
	Expect(err).NotTo(HaveOccurred())
	return w, ana, omar
}

// takenOver has somebody with the operator's power upgrade the group's room.
func (h hand) takenOver(ctx context.Context, w *world, by *mautrix.Client) (old, successor id.RoomID) {
	GinkgoHelper()
	old = w.room()
	var levels event.PowerLevelsEventContent
	Expect(h.operator().StateEvent(ctx, old, event.StatePowerLevels, "", &levels)).To(Succeed())
	levels.Users[by.UserID] = 100
	_, err := h.operator().SendStateEvent(ctx, old, event.StatePowerLevels, "", &levels)
	Expect(err).NotTo(HaveOccurred())
	successor = upgrade(ctx, by, old, "11")
	said := w.Expect(ctx, w.group, metav1.ConditionFalse, v1alpha1.ReasonSpaceReplaced)
	Expect(said.Message).To(And(ContainSubstring(old.String()), ContainSubstring(successor.String()), ContainSubstring(by.UserID.String())))
	return old, successor
}

func onHomeserver(name string, start func(context.Context) hand) {
	Describe("a room that is upgraded, on "+name, Ordered, func() {
		var h hand
		BeforeAll(func(ctx SpecContext) { h = start(ctx) })

		It("with Cabildo's account goes on in its successor, with its people, name, link and record", func(ctx SpecContext) {
			w, ana, omar := h.oneWith(ctx)
			old, space := w.room(), id.RoomID(w.community.Status.Platforms[0].SpaceID)
			record := w.group.Status.Platforms[0].Record
			next := upgrade(ctx, h.operator(), old, h.newest)
			w.goesOn(ctx, next)

			Expect(w.group.Status.Platforms[0].Record).To(Equal(record))
			Expect(meta.FindStatusCondition(w.group.Status.Conditions, v1alpha1.ConditionGrantsRecorded)).To(BeNil())
			Eventually(func(g Gomega) {
				joined, err := h.operator().JoinedMembers(ctx, next)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(joined.Joined).To(And(HaveKey(ana.UserID), HaveKey(omar.UserID), HaveLen(3)))
				leads, err := h.operator().ResolveAlias(ctx, id.NewRoomAlias(w.name+"-golang", h.at.ServerName))
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(leads.RoomID).To(Equal(next))
				var levels event.PowerLevelsEventContent
				g.Expect(h.operator().StateEvent(ctx, next, event.StatePowerLevels, "", &levels)).To(Succeed())
				g.Expect(levels.GetUserLevel(ana.UserID)).To(Equal(75))
				links := func(child id.RoomID) []string {
					var content event.SpaceChildEventContent
					g.Expect(h.operator().StateEvent(ctx, space, event.StateSpaceChild, child.String(), &content)).To(Succeed())
					return content.Via
				}
				g.Expect(links(next)).NotTo(BeEmpty())
				g.Expect(links(old)).To(BeEmpty())
			}).Should(Succeed())

			// Omar was not declared, and is nobody's to remove; ana was added, and still counts as such.
			w.Change(ctx, w.group, func() { w.group.Spec.Members = nil })
			Eventually(func(g Gomega) {
				joined, err := h.operator().JoinedMembers(ctx, next)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(on.API.Get(ctx, client.ObjectKeyFromObject(w.group), w.group)).To(Succeed())
				g.Expect(joined.Joined).To(And(HaveKey(omar.UserID), Not(HaveKey(ana.UserID))), "%v", w.group.Status)
			}).Should(Succeed())
		})

		It("by somebody else can be adopted, as soon as the power is there", func(ctx SpecContext) {
			w, _, omar := h.oneWith(ctx)
			_, successor := h.takenOver(ctx, w, omar)
			w.Change(ctx, w.group, func() { w.group.Spec.Management = &v1alpha1.Management{Adoption: v1alpha1.AdoptIfUnowned} })
			_, err := omar.InviteUser(ctx, successor, &mautrix.ReqInviteUser{UserID: id.UserID(h.at.OperatorUserID)})
			Expect(err).To(Or(Not(HaveOccurred()), MatchError(ContainSubstring("M_FORBIDDEN")))) // a server may have brought it along
			_, err = h.operator().JoinRoomByID(ctx, successor)
			Expect(err).NotTo(HaveOccurred())
			var levels event.PowerLevelsEventContent
			Expect(omar.StateEvent(ctx, successor, event.StatePowerLevels, "", &levels)).To(Succeed())
			levels.Users = map[id.UserID]int{id.UserID(h.at.OperatorUserID): 100, omar.UserID: 50}
			_, err = omar.SendStateEvent(ctx, successor, event.StatePowerLevels, "", &levels)
			Expect(err).NotTo(HaveOccurred())
			alias := id.NewRoomAlias(w.name+"-golang", h.at.ServerName)
			if leads, err := omar.ResolveAlias(ctx, alias); err != nil || leads.RoomID != successor { // a server may leave it behind
				_, _ = h.operator().DeleteAlias(ctx, alias)
				_, err := h.operator().CreateAlias(ctx, alias, successor)
				Expect(err).NotTo(HaveOccurred())
			}
			w.goesOn(ctx, successor)
		})

		It("by somebody else can be given up for a new one", func(ctx SpecContext) {
			w, ana, omar := h.oneWith(ctx)
			old, successor := h.takenOver(ctx, w, omar)
			w.Change(ctx, w.group, func() {
				w.group.Annotations = map[string]string{v1alpha1.RecreateAnnotation: old.String()}
				w.group.Spec.SpaceName = "golang-2"
			})
			Eventually(func(g Gomega) {
				w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
				g.Expect(w.room()).NotTo(BeElementOf(old, successor))
			}, "20s").Should(Succeed())
			joined, err := h.operator().JoinedMembers(ctx, w.room())
			Expect(err).NotTo(HaveOccurred())
			Expect(joined.Joined).To(And(HaveKey(ana.UserID), HaveLen(2)), "who was in the old room has not left the new one")
		})

		It("of a community keeps its groups", func(ctx SpecContext) {
			w, _, _ := h.oneWith(ctx)
			next := upgrade(ctx, h.operator(), id.RoomID(w.community.Status.Platforms[0].SpaceID), h.newest)
			Eventually(func(g Gomega) {
				g.Expect(on.API.Get(ctx, client.ObjectKeyFromObject(w.community), w.community)).To(Succeed())
				g.Expect(w.community.Status.Platforms[0].SpaceID).To(Equal(next.String()))
				w.Expect(ctx, w.community, metav1.ConditionTrue, v1alpha1.ReasonReady)
				w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
				var parent event.SpaceParentEventContent
				g.Expect(h.operator().StateEvent(ctx, w.room(), event.StateSpaceParent, next.String(), &parent)).To(Succeed())
				var child event.SpaceChildEventContent
				g.Expect(h.operator().StateEvent(ctx, next, event.StateSpaceChild, w.room().String(), &child)).To(Succeed())
				g.Expect(child.Via).NotTo(BeEmpty())
			}, "20s").Should(Succeed())
		})

		It("or a name that somebody gives up, is noticed within seconds", func(ctx SpecContext) {
			w := h.world(ctx)
			ana := h.person(ctx, w.name+"-ana")
			taken, err := ana.CreateRoom(ctx, &mautrix.ReqCreateRoom{RoomAliasName: w.name + "-golang", Preset: "private_chat"})
			Expect(err).NotTo(HaveOccurred())
			w.Create(ctx, w.secret, w.platform, w.community, w.group)
			said := w.Expect(ctx, w.group, metav1.ConditionFalse, v1alpha1.ReasonNameTaken)
			Expect(said.Message).To(ContainSubstring(taken.RoomID.String()))
			_, err = ana.DeleteAlias(ctx, id.NewRoomAlias(w.name+"-golang", h.at.ServerName))
			Expect(err).NotTo(HaveOccurred())
			Eventually(func(g Gomega) {
				g.Expect(on.API.Get(ctx, client.ObjectKeyFromObject(w.group), w.group)).To(Succeed())
				g.Expect(meta.IsStatusConditionTrue(w.group.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
			}, "15s").Should(Succeed())
			Expect(strings.HasPrefix(w.group.Status.Platforms[0].Address, "#"+w.name+"-golang:")).To(BeTrue())
		})
	})
}

var _ = func() bool {
	onHomeserver("Dendrite", func(context.Context) hand { return hand{homeserver, "11"} })
	onHomeserver("Synapse", func(ctx context.Context) hand {
		at, err := devenv.StartSynapse(ctx, devenv.SynapseOptions{ServerName: "synapse.test"})
		if devenv.WithoutSynapse(err) {
			Skip(err.Error())
		}
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(at.Close)
		return hand{at, "12"}
	})
	return true
}()
