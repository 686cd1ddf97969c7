// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cabildo-dev/cabildo/internal/grants"
	"github.com/cabildo-dev/cabildo/internal/model"
)

// Labels, annotations and keys of the Secrets with records.
const (
	recordLabel = "community.cabildo.dev/record"
	recordHeads = "grants"
	recordShard = "shard"

	aboutAnnotation    = "community.cabildo.dev/about"
	platformAnnotation = "community.cabildo.dev/platform"

	keyHead  = "head"
	keyKey   = "key"
	keyShard = "shard-"

	recordKeySecret = "cabildo-grants-key"
)

// records keeps the record of what was granted in each space, as Secrets in the
// operator's own namespace. All of them are read once, with the first; from
// then on this process is the only one that writes them, and the watch on
// Secrets tells of what somebody else did (see lost).
type records struct {
	client    client.Client
	reader    client.Reader // past the cache, which has no content of Secrets
	namespace string

	mu   sync.Mutex // guards what follows
	key  grants.Key // nil until it was read
	kept map[string]*keptRecord
}

// keptRecord is a record as it is kept. It is used by one reconcile at a time.
type keptRecord struct {
	uid     types.UID
	version string
	head    []byte
	record  *grants.Record // nil when it can't be read: it is lost
	shards  []string       // that are Secrets of their own
}

func newRecords(c client.Client, reader client.Reader, namespace string) *records {
	return &records{client: c, reader: reader, namespace: namespace}
}

// recordName is the Secret with the record of a resource's space on a platform.
func recordName(platform, ownerID string, ref model.Ref) string {
	return "cabildo-grants-" + shortHash(platform, ownerID, ref.String())
}

func shortHash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "|")))
	return hex.EncodeToString(sum[:10])
}

// recall returns the record of that name, or nil when there is none that can be read.
func (r *records) recall(ctx context.Context, name string) (*grants.Record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil {
		if err := r.readAll(ctx); err != nil {
			return nil, err
		}
	}
	kept := r.kept[name]
	if kept == nil {
		return nil, nil
	}
	if kept.version == "" { // somebody else wrote it
		if err := r.readOne(ctx, name); err != nil {
			return nil, err
		}
		if kept = r.kept[name]; kept == nil {
			return nil, nil
		}
	}
	return kept.record, nil
}

// begin is a new record, not kept yet. The lost one that it replaces, if any, is forgotten.
func (r *records) begin(ctx context.Context) (*grants.Record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.readKey(ctx); err != nil {
		return nil, err
	}
	id := make([]byte, 8)
	_, _ = rand.Read(id) // never fails
	return grants.New(r.key, hex.EncodeToString(id)), nil
}

// keep writes a record, when it is not kept like this already.
func (r *records) keep(ctx context.Context, name, platform string, ref model.Ref, record *grants.Record) error {
	encoded, err := record.Encode()
	if err != nil {
		return fmt.Errorf("encoding the record of %s: %w", ref, err)
	}
	r.mu.Lock()
	kept := r.kept[name]
	r.mu.Unlock()
	if kept != nil && kept.record == record && string(kept.head) == string(encoded.Head) {
		return nil
	}
	next, err := r.write(ctx, name, platform, ref, encoded, kept)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		if kept != nil {
			kept.version = "" // read it again: what is in memory was not kept
		} else if apierrors.IsAlreadyExists(err) {
			r.kept[name] = &keptRecord{}
		}
		return fmt.Errorf("keeping the record of %s: %w", ref, err)
	}
	next.record = record
	r.kept[name] = next
	return nil
}

// write puts the shards there first, and then the head, with which the record
// is in force. The first shard is beside the head: most records have no other.
func (r *records) write(ctx context.Context, name, platform string, ref model.Ref, encoded grants.Encoded, kept *keptRecord) (*keptRecord, error) {
	about := metav1.ObjectMeta{
		Namespace: r.namespace, Name: name,
		Labels:      map[string]string{recordLabel: recordHeads},
		Annotations: map[string]string{aboutAnnotation: ref.String(), platformAnnotation: platform},
	}
	head := &corev1.Secret{ObjectMeta: about, Data: map[string][]byte{keyHead: encoded.Head}}
	next := &keptRecord{head: encoded.Head}
	for i, shard := range slices.Sorted(maps.Keys(encoded.Shards)) {
		if i == 0 {
			head.Data[keyShard+shard] = encoded.Shards[shard]
			continue
		}
		own := &corev1.Secret{ObjectMeta: *about.DeepCopy(), Data: map[string][]byte{keyShard + shard: encoded.Shards[shard]}}
		own.Name, own.Labels[recordLabel] = name+"-"+shard, recordShard
		if err := r.client.Create(ctx, own); err != nil && !apierrors.IsAlreadyExists(err) {
			return nil, err
		}
		next.shards = append(next.shards, own.Name)
	}
	var err error
	if kept == nil || kept.uid == "" {
		err = r.client.Create(ctx, head)
	} else {
		head.UID, head.ResourceVersion = kept.uid, kept.version
		err = r.client.Update(ctx, head)
	}
	if err != nil {
		return nil, err
	}
	next.uid, next.version = head.UID, head.ResourceVersion
	if kept != nil {
		for _, old := range kept.shards {
			if !slices.Contains(next.shards, old) {
				r.remove(ctx, old)
			}
		}
	}
	return next, nil
}

// forget takes a record away whose space is gone for good.
func (r *records) forget(ctx context.Context, name string) error {
	if _, err := r.recall(ctx, name); err != nil {
		return err
	}
	r.mu.Lock()
	kept := r.kept[name]
	delete(r.kept, name)
	r.mu.Unlock()
	if kept == nil {
		return nil
	}
	for _, secret := range append(slices.Clone(kept.shards), name) {
		r.remove(ctx, secret)
	}
	return nil
}

// remove deletes a Secret that is of no use any more. One that stays harms nobody.
func (r *records) remove(ctx context.Context, name string) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: name}}
	if err := r.client.Delete(ctx, secret); client.IgnoreNotFound(err) != nil {
		ctrl.LoggerFrom(ctx).Info("Left a Secret that is of no use any more", "secret", name, "reason", err.Error())
	}
}

// lost takes in what the watch on Secrets tells: a record that somebody else
// deleted is lost, one that somebody else wrote is read again, and the resource
// of this kind that it is about is looked at.
func (r *records) lost(kind model.Kind) handler.EventHandler {
	look := func(secret client.Object, deleted bool, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		of, name, _ := strings.Cut(secret.GetAnnotations()[aboutAnnotation], " ")
		namespace, name, _ := strings.Cut(name, "/")
		if of == string(kind) && r.noticed(secret, deleted) {
			queue.Add(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}})
		}
	}
	return handler.Funcs{
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			look(e.ObjectNew, false, queue)
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			look(e.Object, true, queue)
		},
	}
}

// onlyRecords passes the Secrets that have a record's head.
var onlyRecords = predicate.NewPredicateFuncs(func(o client.Object) bool { return o.GetLabels()[recordLabel] == recordHeads })

// noticed notes what somebody else did to a record, and says whether it is another one than we know.
func (r *records) noticed(secret client.Object, deleted bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := r.kept[secret.GetName()]
	switch {
	case kept == nil || kept.uid != secret.GetUID():
		return false
	case deleted:
		delete(r.kept, secret.GetName())
		return true
	case kept.version != secret.GetResourceVersion():
		kept.version = "" // it may be our own, not noted yet: then it is read once more than needed
		return false
	default:
		return false
	}
}

// readAll reads every record. The lock is held.
func (r *records) readAll(ctx context.Context) error {
	if err := r.readKey(ctx); err != nil {
		return err
	}
	all := map[string]*keptRecord{}
	list := corev1.SecretList{}
	for {
		err := r.reader.List(ctx, &list, client.InNamespace(r.namespace), client.MatchingLabels{recordLabel: recordHeads},
			client.Limit(500), client.Continue(list.Continue))
		if err != nil {
			return fmt.Errorf("reading the records of what was granted: %w", err)
		}
		for i := range list.Items {
			if all[list.Items[i].Name], err = r.decode(ctx, &list.Items[i]); err != nil {
				return err
			}
		}
		if list.Continue == "" {
			r.kept = all
			return nil
		}
	}
}

// readOne reads a record again. The lock is held.
func (r *records) readOne(ctx context.Context, name string) error {
	var secret corev1.Secret
	err := r.reader.Get(ctx, types.NamespacedName{Namespace: r.namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		delete(r.kept, name)
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the record of what was granted: %w", err)
	}
	kept, err := r.decode(ctx, &secret)
	if err == nil {
		r.kept[name] = kept
	}
	return err
}

// decode reads what write wrote. One that can't be read is kept as lost.
func (r *records) decode(ctx context.Context, head *corev1.Secret) (*keptRecord, error) {
	kept := &keptRecord{uid: head.UID, version: head.ResourceVersion, head: head.Data[keyHead]}
	encoded := grants.Encoded{Head: kept.head, Shards: map[string][]byte{}}
	shards, err := grants.Shards(encoded.Head)
	for _, shard := range shards {
		content, beside := head.Data[keyShard+shard]
		if !beside {
			var own corev1.Secret
			name := types.NamespacedName{Namespace: r.namespace, Name: head.Name + "-" + shard}
			if err := r.reader.Get(ctx, name, &own); client.IgnoreNotFound(err) != nil {
				return nil, fmt.Errorf("reading a part of the record of what was granted: %w", err)
			}
			content, kept.shards = own.Data[keyShard+shard], append(kept.shards, name.Name)
		}
		encoded.Shards[shard] = content
	}
	if err == nil {
		kept.record, err = grants.Decode(r.key, encoded)
	}
	if err != nil {
		ctrl.LoggerFrom(ctx).Info("A record of what was granted can't be read, and counts as lost", "secret", head.Name, "reason", err.Error())
	}
	return kept, nil
}

// readKey reads the key of the records, or makes one. The lock is held.
func (r *records) readKey(ctx context.Context) error {
	if r.key != nil {
		return nil
	}
	name := types.NamespacedName{Namespace: r.namespace, Name: recordKeySecret}
	var secret corev1.Secret
	err := r.reader.Get(ctx, name, &secret)
	if apierrors.IsNotFound(err) {
		fresh := make([]byte, grants.KeySize)
		_, _ = rand.Read(fresh) // never fails
		secret = corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name, Labels: map[string]string{recordLabel: keyKey}},
			Data:       map[string][]byte{keyKey: fresh},
		}
		err = r.client.Create(ctx, &secret)
	}
	if err != nil {
		return fmt.Errorf("reading the key of the records of what was granted, Secret %s: %w", name, err)
	}
	if len(secret.Data[keyKey]) != grants.KeySize {
		return errors.New("Secret " + name.String() + " holds no key of 32 bytes; restore it, or delete it: then what was granted before is not known any more")
	}
	r.key = secret.Data[keyKey]
	return nil
}
