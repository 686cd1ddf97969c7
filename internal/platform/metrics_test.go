// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cabildo-dev/cabildo/internal/platform"
)

// series are the values of all series, by "name label=value …" without the
// prefix of all names. A histogram's value is how often it was observed.
func series(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	all := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			key := []string{strings.TrimPrefix(family.GetName(), "cabildo_platform_")}
			for _, label := range metric.GetLabel() {
				key = append(key, label.GetName()+"="+label.GetValue())
			}
			all[strings.Join(key, " ")] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue() +
				float64(metric.GetHistogram().GetSampleCount())
		}
	}
	return all
}

func TestTheBudgetIsShown(t *testing.T) {
	g := NewWithT(t)
	registry := prometheus.NewPedanticRegistry()
	metrics := platform.NewMetrics(registry)
	budget := platform.NewBudget(20, 2)
	_, err := platform.NewClient(platform.ClientOptions{Platform: "chat", Budget: budget, Metrics: metrics})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(series(t, registry)).To(Equal(map[string]float64{
		"budget_requests_per_second platform=chat":       20,
		"budget_concurrency platform=chat":               2,
		"requests_in_flight platform=chat":               0,
		"requests_waiting platform=chat priority=revoke": 0,
		"requests_waiting platform=chat priority=grant":  0,
		"requests_waiting platform=chat priority=drift":  0,
		"pause_seconds platform=chat":                    0,
	}))

	for range 2 {
		defer acquire(t, budget)()
	}
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	for range 3 {
		go func() { _, _ = budget.Acquire(ctx, platform.PriorityDrift) }()
	}
	g.Eventually(func() map[string]float64 { return series(t, registry) }).Should(And(
		HaveKeyWithValue("requests_in_flight platform=chat", 2.0),
		HaveKeyWithValue("requests_waiting platform=chat priority=drift", 3.0),
		HaveKeyWithValue("requests_waiting platform=chat priority=grant", 0.0),
	))
	budget.Pause(time.Minute)
	g.Expect(series(t, registry)).To(HaveKeyWithValue("pause_seconds platform=chat", BeNumerically("~", 60, 5)))

	_, err = platform.NewClient(platform.ClientOptions{Platform: "chat", Budget: platform.NewBudget(30, 2), Metrics: metrics})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(series(t, registry)).To(And(
		HaveKeyWithValue("budget_requests_per_second platform=chat", 30.0),
		HaveKeyWithValue("requests_in_flight platform=chat", 0.0),
	), "another client with another budget takes the place of the one before it")
}

func TestTheWaitForATurnIsCountedByPriority(t *testing.T) {
	g := NewWithT(t)
	registry := prometheus.NewPedanticRegistry()
	metrics := platform.NewMetrics(registry)
	c := newChat(t, func(http.ResponseWriter, *http.Request) {})
	client, err := platform.NewClient(platform.ClientOptions{Platform: "chat", Budget: c.budget, Metrics: metrics})
	g.Expect(err).NotTo(HaveOccurred())
	defer client.CloseIdleConnections()
	c.client = client

	for _, ctx := range []context.Context{
		platform.WithPriority(t.Context(), platform.PriorityRevoke),
		platform.WithPriority(t.Context(), platform.PriorityRevoke),
		t.Context(),
		platform.WithRoute(t.Context(), platform.LongPoll), // its wait for a place would be news
	} {
		resp, err := c.send(ctx, http.MethodGet, "/", "")
		g.Expect(err).NotTo(HaveOccurred())
		read(t, resp)
	}
	c.budget.Pause(time.Hour)
	ctx, cancel := context.WithTimeout(platform.WithPriority(t.Context(), platform.PriorityDrift), time.Minute)
	defer cancel()
	_, err = c.send(ctx, http.MethodGet, "/", "") //nolint:bodyclose // there is no answer
	g.Expect(err).To(HaveOccurred())
	g.Expect(series(t, registry)).To(And(
		HaveKeyWithValue("request_wait_seconds platform=chat priority=revoke", 2.0),
		HaveKeyWithValue("request_wait_seconds platform=chat priority=grant", 1.0),
		HaveKeyWithValue("request_wait_seconds platform=chat priority=drift", 1.0),
	))
}

// A platform that is gone leaves nothing behind, also when an answer comes late.
func TestNothingIsShownOfAPlatformThatIsForgotten(t *testing.T) {
	g := NewWithT(t)
	registry := prometheus.NewPedanticRegistry()
	metrics := platform.NewMetrics(registry)
	late := make(chan struct{})
	c := newChat(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			<-late
		}
		_, _ = io.WriteString(w, "hello")
	})
	open := func(name string) *http.Client {
		client, err := platform.NewClient(platform.ClientOptions{Platform: name, Budget: platform.NewBudget(plenty, 4), Metrics: metrics})
		g.Expect(err).NotTo(HaveOccurred())
		t.Cleanup(client.CloseIdleConnections)
		return client
	}
	chat, town := open("chat"), open("town")
	for _, client := range []*http.Client{chat, town} {
		resp, err := client.Get(c.URL + "/")
		g.Expect(err).NotTo(HaveOccurred())
		read(t, resp)
	}
	answered := make(chan error)
	go func() {
		resp, err := chat.Get(c.URL + "/late")
		if err == nil {
			err = resp.Body.Close()
		}
		answered <- err
	}()
	g.Eventually(func() map[string]float64 { return series(t, registry) }).Should(HaveKeyWithValue("requests_in_flight platform=chat", 1.0))
	before := series(t, registry)

	metrics.Forget("chat")
	close(late)
	g.Expect(<-answered).To(Succeed())
	after := series(t, registry)
	g.Expect(len(after)).To(BeNumerically("<", len(before)))
	for key, value := range after {
		g.Expect(key).NotTo(ContainSubstring("platform=chat"))
		g.Expect(value).To(Equal(before[key]), "another platform's %s", key)
	}
	g.Expect(after).To(HaveKey("requests_total code=200 method=GET platform=town route=other"))

	var none *platform.Metrics
	none.Forget("chat") // who has no metrics has nothing to forget
}
