// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics show how many there are in each directory and how reading it goes. Their labels never name a person or a group.
type Metrics struct {
	people, groups, success *prometheus.GaugeVec
	duration                *prometheus.HistogramVec
}

// NewMetrics registers the metrics.
func NewMetrics(r prometheus.Registerer) *Metrics {
	of := []string{"directory"}
	m := &Metrics{
		people: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "cabildo_directory_people", Help: "People whom the directory lets in.",
		}, of),
		groups: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "cabildo_directory_groups", Help: "Groups in the directory.",
		}, of),
		success: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "cabildo_directory_last_success_timestamp_seconds", Help: "When the directory was last read whole.",
		}, of),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cabildo_directory_sync_duration_seconds", Help: "Time to read a directory whole and index it.",
			// From ten milliseconds to ten minutes.
			Buckets: prometheus.ExponentialBuckets(0.01, 3, 11),
		}, of),
	}
	r.MustRegister(m.people, m.groups, m.success, m.duration)
	return m
}

// Read notes that a directory was read whole.
func (m *Metrics) Read(directory string, v *View, took time.Duration, at time.Time) {
	if m == nil {
		return
	}
	m.people.WithLabelValues(directory).Set(float64(v.Active()))
	m.groups.WithLabelValues(directory).Set(float64(v.Groups()))
	m.success.WithLabelValues(directory).Set(float64(at.UnixMilli()) / 1000)
	m.duration.WithLabelValues(directory).Observe(took.Seconds())
}

// Forget takes away every series of a directory that is gone.
func (m *Metrics) Forget(directory string) {
	if m == nil {
		return
	}
	for _, v := range []*prometheus.GaugeVec{m.people, m.groups, m.success} {
		v.DeleteLabelValues(directory)
	}
	m.duration.DeleteLabelValues(directory)
}
