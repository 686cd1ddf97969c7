// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// metrics are what a server says of itself.
type metrics map[string]*dto.MetricFamily

func parseMetrics(text []byte) (metrics, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("reading metrics: %w", err)
	}
	return families, nil
}

func (a *acceptance) managerMetrics(ctx context.Context) (metrics, error) {
	text, err := a.manager.Metrics(ctx)
	if err != nil {
		return nil, err
	}
	return parseMetrics(text)
}

func (a *acceptance) serverMetrics(ctx context.Context) (metrics, error) {
	text, err := a.clientset.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking the API server for its metrics: %w", err)
	}
	return parseMetrics(text)
}

// sum adds up a metric, a value for each key that the labels make; an empty key leaves a series out.
func (m metrics) sum(name string, key func(labels map[string]string) string) map[string]int {
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

// platformRequests are the requests to the homeserver, by route.
func (m metrics) platformRequests() requests {
	r := requests{}
	for route, count := range m.sum("cabildo_platform_requests_total", route) {
		r[route] = exchange{count: count}
	}
	for _, series := range m["cabildo_platform_request_duration_seconds"].GetMetric() {
		key := route(labels(series))
		e := r[key]
		e.seconds += series.GetHistogram().GetSampleSum()
		r[key] = e
	}
	return r
}

// route is "METHOD path" for a series of requests to our platform.
func route(l map[string]string) string {
	switch {
	case l["platform"] != platformName:
		return ""
	case strings.HasPrefix(l["route"], l["method"]+" "):
		return l["route"] // names its method, unlike a request that has no template
	default:
		return l["method"] + " " + l["route"]
	}
}

// requests are what was asked, by "METHOD route".
type requests map[string]exchange

// exchange is how often something was asked, and how long the answers took together.
type exchange struct {
	count   int
	seconds float64
}

func (r requests) reads() int  { return r.sum(isRead) }
func (r requests) writes() int { return r.sum(func(route string) bool { return !isRead(route) }) }

func (r requests) sum(counted func(route string) bool) int {
	n := 0
	for route, e := range r {
		if counted(route) {
			n += e.count
		}
	}
	return n
}

func isRead(route string) bool {
	return strings.HasPrefix(route, "GET ") || strings.HasPrefix(route, "HEAD ")
}

// serverWrites are what was written to the API server so far, by resource. Left
// out are leases, events, which are looked at one by one, and requests that
// store nothing: reviews, and the token that this run makes for the manager.
func (m metrics) serverWrites() map[string]int {
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

// quiet is how long nothing may have been reconciled for a pass to be over. It
// is longer than what the manager lets pass before it looks again at a resource
// whose platform is being opened.
const quiet = 5 * time.Second

// waitQuiet waits until nothing is left to do, and so many groups were
// reconciled since the manager read the homeserver's state: what it reconciled
// before that, it could not have compared with anything. It returns how many
// there were.
func (a *acceptance) waitQuiet(ctx context.Context, groups int) (int, error) {
	last, since, began, blind := -1, time.Now(), time.Now(), 0
	for {
		m, err := a.managerMetrics(ctx)
		if err != nil {
			return 0, err
		}
		byController := m.sum("controller_runtime_reconcile_total", func(l map[string]string) string { return l["controller"] })
		if m.platformRequests()["GET /sync"].count == 0 {
			blind = byController["group"]
		}
		looked := byController["group"] - blind
		busy := total(m.sum("workqueue_depth", all)) + total(m.sum("controller_runtime_active_workers", all))
		if done := total(byController); done != last || busy > 0 || looked < groups {
			last, since = done, time.Now()
		}
		if time.Since(since) > quiet {
			return looked, nil
		}
		if time.Since(began) > 2*patience {
			return 0, fmt.Errorf("not quiet after %s: reconciled %v, %d under way or waiting. %s", 2*patience, byController, busy, a.lastLog())
		}
		if err := a.rest(ctx, 100*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

func all(map[string]string) string { return "all" }

func total(counts map[string]int) int {
	n := 0
	for _, count := range counts {
		n += count
	}
	return n
}

// lastLog is the end of the manager's log, which goes with the run.
func (a *acceptance) lastLog() string {
	content, err := os.ReadFile(a.manager.LogFile())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return "The manager's last lines:\n" + strings.Join(lines[max(0, len(lines)-15):], "\n")
}
