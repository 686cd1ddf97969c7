// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package platform

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics count the requests to every platform. Their labels never name a person or a space.
type Metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
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
	}
	r.MustRegister(m.requests, m.duration)
	return m
}

func (m *Metrics) observe(platform, method, route string, resp *http.Response, took time.Duration) {
	if m == nil {
		return
	}
	code := 0
	if resp != nil {
		code = resp.StatusCode
	}
	m.requests.WithLabelValues(platform, method, route, strconv.Itoa(code)).Inc()
	m.duration.WithLabelValues(platform, method, route).Observe(took.Seconds())
}
