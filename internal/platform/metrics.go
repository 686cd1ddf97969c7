// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics count the requests to every platform, and show the budget of each.
// Their labels never name a person or a space. What is counted of a platform
// is kept from its first client to Forget, whichever sessions there are.
type Metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	waited   *prometheus.HistogramVec
	budgets  *budgets
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cabildo_platform_requests_total",
			Help: "Requests to a platform, by method, route template and status code (0: no answer).",
		}, []string{"platform", "method", "route", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "cabildo_platform_request_duration_seconds",
			Help:    "Time to the head of a platform's answer, without the wait for the request budget.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2.5, 10),
		}, []string{"platform", "method", "route"}),
		waited: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cabildo_platform_request_wait_seconds",
			Help: "Time that a request waited for its turn in the request budget, by priority, whether it then got one or gave up.",
			// From a millisecond to more than the longest pause, which is five minutes.
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 11),
		}, []string{"platform", "priority"}),
		budgets: &budgets{of: map[string]*Budget{}},
	}
	r.MustRegister(m.requests, m.duration, m.waited, m.budgets)
	return m
}

// Forget takes away every series of a platform that is gone. What is still
// under way to it is not counted.
func (m *Metrics) Forget(platform string) {
	if m == nil {
		return
	}
	m.budgets.mu.Lock()
	defer m.budgets.mu.Unlock()
	delete(m.budgets.of, platform)
	of := prometheus.Labels{"platform": platform}
	m.requests.DeletePartialMatch(of)
	m.duration.DeletePartialMatch(of)
	m.waited.DeletePartialMatch(of)
}

// watch shows the budget of a platform, in place of the one before it.
func (m *Metrics) watch(platform string, b *Budget) {
	if m == nil {
		return
	}
	m.budgets.mu.Lock()
	defer m.budgets.mu.Unlock()
	m.budgets.of[platform] = b
}

// count counts something of a platform, unless it was forgotten.
func (m *Metrics) count(platform string, something func()) {
	if m == nil {
		return
	}
	m.budgets.mu.Lock()
	defer m.budgets.mu.Unlock()
	if m.budgets.of[platform] != nil {
		something()
	}
}

func (m *Metrics) observe(platform, method, route string, resp *http.Response, took time.Duration) {
	code := 0
	if resp != nil {
		code = resp.StatusCode
	}
	m.count(platform, func() {
		m.requests.WithLabelValues(platform, method, route, strconv.Itoa(code)).Inc()
		m.duration.WithLabelValues(platform, method, route).Observe(took.Seconds())
	})
}

func (m *Metrics) hasWaited(platform string, p Priority, d time.Duration) {
	m.count(platform, func() { m.waited.WithLabelValues(platform, p.String()).Observe(d.Seconds()) })
}

// budgets show the budget of each platform as it is when they are asked.
type budgets struct {
	mu sync.Mutex // guards what follows, and that nothing forgotten is counted
	of map[string]*Budget
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"platform"}, labels...), nil)
}

var (
	descPerSecond = describe("cabildo_platform_budget_requests_per_second",
		"Requests that the budget allows in any second.")
	descConcurrency = describe("cabildo_platform_budget_concurrency",
		"Requests that the budget allows at once.")
	descInFlight = describe("cabildo_platform_requests_in_flight",
		"Requests that are under way now, without the long poll.")
	descWaiting = describe("cabildo_platform_requests_waiting",
		"Requests that wait for their turn in the budget now, by priority.", "priority")
	descPause = describe("cabildo_platform_pause_seconds",
		"How long the platform has asked everybody to wait from now on; 0 when it doesn't.")
)

// Describe is prometheus.Collector's.
func (s *budgets) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descPerSecond, descConcurrency, descInFlight, descWaiting, descPause} {
		to <- d
	}
}

// Collect is prometheus.Collector's.
func (s *budgets) Collect(to chan<- prometheus.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for platform, budget := range s.of {
		gauge := func(d *prometheus.Desc, value float64, labels ...string) {
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{platform}, labels...)...)
		}
		use := budget.Use()
		gauge(descPerSecond, float64(use.PerSecond))
		gauge(descConcurrency, float64(use.Concurrency))
		gauge(descInFlight, float64(use.InFlight))
		for priority, waiting := range use.Waiting {
			gauge(descWaiting, float64(waiting), priority.String())
		}
		gauge(descPause, use.Paused.Seconds())
	}
}
