// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"crypto/sha256"
	"encoding/json"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// written knows the status that this process wrote last to each Community and
// Group. A status is computed from the cache and written where it differs from
// what the cache has, so two things would leave a wrong one there until the
// next resync: a cache that is behind our own write, and somebody else's write,
// which changes no generation.
type written struct {
	mu   sync.Mutex // guards what follows
	last map[types.UID]wrote
}

type wrote struct {
	// version is the resource version that our last write gave the object; empty until it was answered.
	version string
	// status identifies the status that we wrote, or are about to.
	status [sha256.Size]byte
}

func newWritten() *written { return &written{last: map[types.UID]wrote{}} }

// intend notes the status that is about to be written.
func (w *written) intend(o client.Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last[o.GetUID()] = wrote{version: w.last[o.GetUID()].version, status: statusID(o)}
}

// note notes what the API server made of a write.
func (w *written) note(o client.Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last[o.GetUID()] = wrote{version: o.GetResourceVersion(), status: statusID(o)}
}

func (w *written) forget(o client.Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.last, o.GetUID())
}

// behind says that an object from the cache is older than what we wrote last.
func (w *written) behind(o client.Object) bool {
	w.mu.Lock()
	version := w.last[o.GetUID()].version
	w.mu.Unlock()
	if version == "" {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(o.GetResourceVersion(), version)
	return err == nil && order < 0
}

// byOthers passes a status that somebody else wrote.
func (w *written) byOthers() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		DeleteFunc:  func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			if equality.Semantic.DeepEqual(statusOf(e.ObjectOld), statusOf(e.ObjectNew)) {
				return false
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			is, known := w.last[e.ObjectNew.GetUID()]
			return known && is.status != statusID(e.ObjectNew)
		},
	}
}

func statusID(o client.Object) [sha256.Size]byte {
	content, _ := json.Marshal(statusOf(o)) // a status can always be encoded
	return sha256.Sum256(content)
}
