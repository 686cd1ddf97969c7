// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/test/cluster"
)

// everythingSaid is all that people could read of what the manager did: its
// log, the events, and every resource with its status. Secrets are not in it.
func everythingSaid(ctx context.Context) map[string]string {
	GinkgoHelper()
	said := map[string]string{"the log": string(on.Logged.Contents())}
	for name, list := range map[string]client.ObjectList{
		"the Platforms": &v1alpha1.PlatformList{}, "the Communities": &v1alpha1.CommunityList{}, "the Groups": &v1alpha1.GroupList{},
		"the events": &eventsv1.EventList{}, "the events of the core": &corev1.EventList{}, "the ConfigMaps": &corev1.ConfigMapList{},
	} {
		Expect(on.API.List(ctx, list)).To(Succeed())
		content, err := json.Marshal(list)
		Expect(err).NotTo(HaveOccurred())
		said[name] = string(content)
	}
	return said
}

// neverSaid looks for tokens in everything that was said.
func neverSaid(ctx context.Context, tokens ...string) (said map[string]string) {
	GinkgoHelper()
	said = everythingSaid(ctx)
	for place, text := range said {
		for _, token := range tokens {
			if at := strings.Index(text, token); at >= 0 {
				Fail(fmt.Sprintf("%s has the token: %s", place, text[max(at-300, 0):min(at+100, len(text))]))
			}
		}
	}
	return said
}

// renew has the platform's session opened anew, as any change of the Platform does.
func (w *world) renew(ctx context.Context) {
	GinkgoHelper()
	w.Change(ctx, w.platform, func() {
		requests := ptr.Deref(w.platform.Spec.Requests, v1alpha1.RequestBudget{PerSecond: ptr.To[int32](50)})
		w.platform.Spec.Requests = &v1alpha1.RequestBudget{PerSecond: ptr.To(*requests.PerSecond + 1)}
	})
}

// unready waits until a resource says that it is not Ready, for whatever reason, of what is declared now.
func (w *world) unready(ctx context.Context, o client.Object) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(on.API.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
		conditions := w.platform.Status.Conditions
		if o == client.Object(w.group) {
			conditions = w.group.Status.Conditions
		}
		ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
		g.Expect(ready).NotTo(BeNil())
		g.Expect(ready.ObservedGeneration).To(Equal(o.GetGeneration()))
		g.Expect(ready.Status).To(Equal(metav1.ConditionFalse))
	}).Should(Succeed())
}

// echo answers with the token that the request brought.
func echo(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if status == http.StatusTemporaryRedirect {
			w.Header().Set("Location", fmt.Sprintf(body, token))
		}
		w.WriteHeader(status)
		if status != http.StatusTemporaryRedirect {
			_, _ = fmt.Fprintf(w, body, token)
		}
	}
}

var _ = Describe("a token", Label("promise 11"), func() {
	const matrixError = `{"errcode": "M_UNKNOWN", "error": "who is Bearer %s?"}`
	echoes := map[string]http.HandlerFunc{
		"a bad request":                  echo(http.StatusBadRequest, matrixError),
		"a refused token":                echo(http.StatusUnauthorized, `{"errcode": "M_UNKNOWN_TOKEN", "error": "not %s"}`),
		"a refusal":                      echo(http.StatusForbidden, `{"errcode": "M_FORBIDDEN", "error": "not with %s"}`),
		"something that is not there":    echo(http.StatusNotFound, matrixError),
		"a broken server":                echo(http.StatusInternalServerError, matrixError),
		"a gateway's page":               echo(http.StatusBadGateway, `<html>upstream refused "Authorization: Bearer %s"</html>`),
		"a web page that is no answer":   echo(http.StatusOK, `<html>hello %s</html>`),
		"a redirect to a telling host":   echo(http.StatusTemporaryRedirect, "https://%s.example/"),
		"a redirect with it in the path": echo(http.StatusTemporaryRedirect, "https://elsewhere.example/%[1]s?access_token=%[1]s"),
	}

	It("is in no log line, event, status or error, whatever the server does with it", func(ctx SpecContext) {
		ours := cluster.NewAuthority()
		front := ours.Front(homeserver.URL)
		w := newWorld(ctx).at(front.URL)
		w.platform.Spec.CABundle = ours.Bundle
		w.ready(ctx)
		wrong := strings.ReplaceAll(homeserver.ASToken, homeserver.ASToken[:8], "deadbeef")

		for name, answer := range echoes {
			By("meeting " + name + ", when the session is opened")
			front.Answer(func(w http.ResponseWriter, r *http.Request) bool { answer(w, r); return true })
			w.renew(ctx)
			w.unready(ctx, w.platform)
			neverSaid(ctx, homeserver.ASToken)

			By("meeting " + name + ", when something is written")
			front.Answer(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodGet {
					return false
				}
				answer(w, r)
				return true
			})
			w.renew(ctx)
			w.Expect(ctx, w.platform, metav1.ConditionTrue, v1alpha1.ReasonReady)
			w.Change(ctx, w.group, func() { w.group.Spec.DisplayName += "!" })
			w.unready(ctx, w.group)
			neverSaid(ctx, homeserver.ASToken)
		}

		By("being told by a server that calls itself after it")
		front.Answer(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/federation/v1/version") {
				return false
			}
			_, _ = io.WriteString(w, `{"server": {"name": "Echo", "version": "`+homeserver.ASToken+`"}}`)
			return true
		})
		w.renew(ctx)
		w.Expect(ctx, w.platform, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(w.platform.Status.Server).To(Equal("Echo (token)"))

		By("being told as the name of the account")
		front.Answer(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/account/whoami") {
				return false
			}
			_, _ = io.WriteString(w, `{"user_id": "@`+homeserver.ASToken+`:elsewhere.example"}`)
			return true
		})
		w.renew(ctx)
		w.unready(ctx, w.platform)
		neverSaid(ctx, homeserver.ASToken)

		By("being a wrong one")
		front.Answer(nil)
		w.Change(ctx, w.secret, func() { w.secret.Data["asToken"] = []byte(wrong) })
		w.Expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonUnauthorized)

		By("looking through everything")
		said := neverSaid(ctx, homeserver.ASToken, wrong)
		Expect(said["the log"]).To(And(ContainSubstring("(token)"), ContainSubstring(w.name)), "what the server echoed did come so far")
		Expect(said["the Groups"]).To(ContainSubstring(w.name))
		Expect(said["the events"]).To(ContainSubstring(w.name))

		By("working again afterwards")
		w.Change(ctx, w.secret, func() { w.secret.Data["asToken"] = []byte(homeserver.ASToken) })
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
	})
})
