// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Metrics are what a server says of itself, by the names of the metrics.
type Metrics map[string]*dto.MetricFamily

func parseMetrics(text []byte) (Metrics, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("reading metrics: %w", err)
	}
	return families, nil
}

// ManagerMetrics are those of the manager.
func (s *Stack) ManagerMetrics(ctx context.Context) (Metrics, error) {
	text, err := s.Manager.Metrics(ctx)
	if err != nil {
		return nil, err
	}
	return parseMetrics(text)
}

func (s *Stack) serverMetrics(ctx context.Context) (Metrics, error) {
	text, err := s.clientset.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking the API server for its metrics: %w", err)
	}
	return parseMetrics(text)
}

// sum adds up a metric, a value for each key that the labels make; an empty key leaves a series out.
func (m Metrics) sum(name string, key func(labels map[string]string) string) map[string]int {
	sums := map[string]int{}
	for _, series := range m[name].GetMetric() {
		if k := key(labels(series)); k != "" {
			sums[k] += int(series.GetCounter().GetValue() + series.GetGauge().GetValue())
		}
	}
	return sums
}

func labels(series *dto.Metric) map[string]string {
	all := map[string]string{}
	for _, pair := range series.GetLabel() {
		all[pair.GetName()] = pair.GetValue()
	}
	return all
}

// Requests are the requests to the platform.
func (m Metrics) Requests() Requests {
	r := Requests{}
	for route, count := range m.sum("cabildo_platform_requests_total", route) {
		r[route] = Exchange{Count: count}
	}
	for _, series := range m["cabildo_platform_request_duration_seconds"].GetMetric() {
		key := route(labels(series))
		e := r[key]
		e.Seconds += series.GetHistogram().GetSampleSum()
		r[key] = e
	}
	return r
}

// TooMany is how often the platform answered that there were too many requests.
func (m Metrics) TooMany() int {
	return total(m.sum("cabildo_platform_requests_total", func(l map[string]string) string {
		if l["platform"] == PlatformName && l["code"] == "429" {
			return l["code"]
		}
		return ""
	}))
}

// GatherRequests are the requests to the platform that a program counted itself.
func GatherRequests(counts prometheus.Gatherer) (Requests, error) {
	families, err := counts.Gather()
	if err != nil {
		return nil, fmt.Errorf("gathering metrics: %w", err)
	}
	m := Metrics{}
	for _, family := range families {
		m[family.GetName()] = family
	}
	return m.Requests(), nil
}

// route is "METHOD path" for a series of requests to our platform.
func route(l map[string]string) string {
	switch {
	case l["platform"] != PlatformName:
		return ""
	case strings.HasPrefix(l["route"], l["method"]+" "):
		return l["route"] // names its method, unlike a request that has no template
	default:
		return l["method"] + " " + l["route"]
	}
}

// serverWrites are what was written to the API server so far, by resource. Left
// out are leases, events, which are looked at one by one, and requests that
// store nothing: reviews, and the token that is made for the manager.
func (m Metrics) serverWrites() map[string]int {
	return m.sum("apiserver_request_total", func(l map[string]string) string {
		switch l["verb"] {
		case "POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION":
		default:
			return ""
		}
		switch l["group"] {
		case "coordination.k8s.io", "authentication.k8s.io", "authorization.k8s.io":
			return ""
		}
		if l["resource"] == "events" || l["resource"] == "serviceaccounts" && l["subresource"] == "token" {
			return ""
		}
		name := l["resource"]
		if l["group"] != "" {
			name += "." + l["group"]
		}
		if l["subresource"] != "" {
			name += "/" + l["subresource"]
		}
		return l["verb"] + " " + name
	})
}
