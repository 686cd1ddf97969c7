// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/test/cluster"
)

// connectProxy lets connections through to one server, under the name that
// only it knows, and counts them.
func connectProxy(name, address string) (proxy *httptest.Server, tunnels *atomic.Int64) {
	GinkgoHelper()
	tunnels = &atomic.Int64{}
	proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != name {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		tunnels.Add(1)
		up, err := net.Dial("tcp", address)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		down, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			_ = up.Close()
			return
		}
		_, _ = io.WriteString(down, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() { _, _ = io.Copy(up, down); _ = up.Close() }()
		_, _ = io.Copy(down, up)
		_ = down.Close()
	}))
	DeferCleanup(func() {
		proxy.CloseClientConnections()
		proxy.Close()
	})
	return proxy, tunnels
}

var _ = Describe("the way to a homeserver", func() {
	It("goes over TLS with the authority of the Platform's caBundle, and with no other", func(ctx SpecContext) {
		ours, others := cluster.NewAuthority(), cluster.NewAuthority()
		front := ours.Front(homeserver.URL)
		w := newWorld(ctx).at(front.URL)
		w.Create(ctx, w.secret, w.platform, w.community, w.group)
		said := w.Expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
		Expect(said.Message).To(ContainSubstring("certificate is not to be trusted"))
		w.Change(ctx, w.platform, func() { w.platform.Spec.CABundle = others.Bundle })
		w.Expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
		Expect(front.Requests.Load()).To(BeZero(), "no token reached a server that could not prove who it is")

		w.Change(ctx, w.platform, func() { w.platform.Spec.CABundle = ours.Bundle })
		w.Expect(ctx, w.group, metav1.ConditionTrue, v1alpha1.ReasonReady)
		Expect(front.Requests.Load()).To(BeNumerically(">", 0))
	})

	It("goes through the Platform's proxy, to a name that only the proxy knows", func(ctx SpecContext) {
		ours := cluster.NewAuthority()
		front := ours.Front(homeserver.URL)
		_, port, err := net.SplitHostPort(front.Listener.Addr().String())
		Expect(err).NotTo(HaveOccurred())
		host := net.JoinHostPort(cluster.PrivateName, port)
		proxy, tunnels := connectProxy(host, front.Listener.Addr().String())
		w := newWorld(ctx).at("https://" + host)
		w.platform.Spec.CABundle, w.platform.Spec.ProxyURL = ours.Bundle, proxy.URL
		w.ready(ctx)
		Expect(tunnels.Load()).To(BeNumerically(">", 0))

		By("going nowhere without it")
		before := front.Requests.Load()
		gone := httptest.NewServer(nil)
		gone.Close()
		w.Change(ctx, w.platform, func() { w.platform.Spec.ProxyURL = gone.URL })
		said := w.Expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonUnavailable)
		Expect(said.Message).To(ContainSubstring("the connection was refused"))
		settled := front.Requests.Load() // the session of before may have had a request under way
		Expect(settled).To(BeNumerically("<=", before+5))
		w.Change(ctx, w.group, func() { w.group.Spec.DisplayName = "Golang" })
		w.Expect(ctx, w.group, metav1.ConditionFalse, v1alpha1.ReasonPlatformNotReady)
		Expect(front.Requests.Load()).To(Equal(settled))
	})

	It("never leads to another host, whoever the server sends it to", Label("promise 11"), func(ctx SpecContext) {
		ours := cluster.NewAuthority()
		var elsewhere atomic.Int64
		other := ours.Serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
		front := ours.Front(homeserver.URL)
		w := newWorld(ctx).at(front.URL)
		w.platform.Spec.CABundle = ours.Bundle
		w.ready(ctx)

		By("being sent away while work goes on")
		front.Answer(func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
			return true
		})
		w.Change(ctx, w.platform, func() { w.platform.Spec.Requests = &v1alpha1.RequestBudget{PerSecond: ptr.To[int32](40)} })
		said := w.Expect(ctx, w.platform, metav1.ConditionFalse, v1alpha1.ReasonInvalidPlatform)
		Expect(said.Message).To(And(ContainSubstring("credentials are for one server only"), ContainSubstring(other.URL)))

		By("being sent away with writes alone")
		front.Answer(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet {
				return false
			}
			http.Redirect(w, r, other.URL+r.URL.Path, http.StatusPermanentRedirect)
			return true
		})
		w.Change(ctx, w.platform, func() { w.platform.Spec.Requests.PerSecond = ptr.To[int32](41) })
		w.Expect(ctx, w.platform, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.Change(ctx, w.group, func() { w.group.Spec.DisplayName = "Golang" })
		said = w.Expect(ctx, w.group, metav1.ConditionFalse, v1alpha1.ReasonApplyFailed)
		Expect(said.Message).To(ContainSubstring("credentials are for one server only"))
		Expect(elsewhere.Load()).To(BeZero())
	})
})
