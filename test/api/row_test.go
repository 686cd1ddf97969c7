// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// A row is one thing that the API takes or refuses, in words.
type row struct {
	what string
	// edits turn an object that is valid in every field into the one that is meant.
	edits []edit
	// says is what the refusal tells the user; empty when there is none.
	says string
	// update applies the edits to an object that exists.
	update bool
}

// An edit changes one thing in an object.
type edit func(object map[string]any)

func accepts(what string, edits ...edit) row { return row{what: what, edits: edits} }

func refuses(what, says string, edits ...edit) row {
	return row{what: what, says: says, edits: edits}
}

// later is a row about an object that exists already.
func later(r row) row {
	r.update = true
	return r
}

// set gives a field a value; the path is as in the API server's messages.
func set(path string, value any) edit {
	return func(object map[string]any) { walk(object, path, value, false) }
}

// remove takes a field out.
func remove(path string) edit {
	return func(object map[string]any) { walk(object, path, nil, true) }
}

// from reads a value from YAML.
func from(text string) any {
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		panic(fmt.Sprintf("a row of the table is no YAML: %v: %s", err, text))
	}
	return value
}

func walk(object map[string]any, path string, value any, drop bool) {
	keys := strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune(".[]", r) })
	var at any = object
	for i, key := range keys {
		last := i == len(keys)-1
		switch node := at.(type) {
		case map[string]any:
			switch {
			case last && drop:
				delete(node, key)
			case last:
				node[key] = value
			case node[key] == nil:
				node[key] = map[string]any{}
			}
			at = node[key]
		case []any:
			index, err := strconv.Atoi(key)
			if err != nil || index >= len(node) {
				panic("a row of the table names an item that is not there: " + path)
			}
			if last {
				node[index] = value
			}
			at = node[index]
		default:
			panic("a row of the table names a field that can't be there: " + path)
		}
	}
}

// A kind is a kind of the API, with the rows of its table.
type kind struct {
	name string
	// minimal is the least that is valid; full has every field of the spec.
	minimal, full string
	rows          []row
}

func kinds() []kind {
	return []kind{platforms(), directories(), governancePolicies(), communities(), communityManagers(), groups(), decisions()}
}

// object is the kind's full object with the edits.
func (k kind) object(text string, edits ...edit) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: from(text).(map[string]any)}
	object.SetAPIVersion("community.cabildo.dev/v1alpha1")
	object.SetKind(k.name)
	if object.GetName() == "" {
		object.SetName("sample")
	}
	if !slices.Contains([]string{"Platform", "Directory", "GovernancePolicy"}, k.name) {
		object.SetNamespace(namespace)
	}
	for _, e := range edits {
		e(object.Object)
	}
	return object
}

// submit gives the row's object to the API server and tells what it answers.
// Nothing stays: a new object is a dry run, and one that is changed goes again.
func (k kind) submit(ctx context.Context, r row) error {
	if !r.update {
		return strict.Create(ctx, k.object(k.full, r.edits...), client.DryRunAll)
	}
	object := k.object(k.full)
	object.SetName("")
	object.SetGenerateName("changed-")
	Expect(strict.Create(ctx, object)).To(Succeed(), "the object that is changed")
	defer func() { Expect(strict.Delete(ctx, object.DeepCopy())).To(Succeed()) }()
	changed := object.DeepCopy()
	for _, e := range r.edits {
		e(changed.Object)
	}
	return strict.Update(ctx, changed, client.DryRunAll)
}

// check is what every row of the tables comes to.
func (k kind) check(ctx context.Context, r row) {
	err := k.submit(ctx, r)
	if r.says == "" {
		Expect(err).NotTo(HaveOccurred())
		Expect(k.read(k.object(k.full, r.edits...))).To(Succeed(),
			"what the API takes, the operator can read: one object that it can't would hide all others")
		return
	}
	Expect(err).To(MatchError(ContainSubstring(r.says)), "the answer tells what to do")
	if causes := causesOf(err); len(causes) > 1 {
		Fail(fmt.Sprintf("one mistake has one answer, not %d: %v", len(causes), causes))
	}
}

// read reads the object as the operator does.
func (k kind) read(object *unstructured.Unstructured) error {
	typed, err := strict.Scheme().New(v1alpha1.GroupVersion.WithKind(k.name))
	if err != nil {
		return err
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, typed, true)
}

// causesOf are the single mistakes that the API server found.
func causesOf(err error) []metav1.StatusCause {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(status.Status().Details.Causes), func(c metav1.StatusCause) bool {
		return strings.Contains(c.Message, "some validation rules were not checked")
	})
}

// entries are the rows as Ginkgo takes them.
func (k kind) entries() []TableEntry {
	var entries []TableEntry
	for _, r := range k.rows {
		verb := "accepts "
		if r.says != "" {
			verb = "refuses "
		}
		entries = append(entries, Entry(verb+r.what, r))
	}
	return entries
}

// choice is a field with a fixed list of values.
func choice(path, what string, values ...string) []row {
	var rows []row
	for _, v := range values {
		rows = append(rows, accepts(what+" "+v, set(path, v)))
	}
	return append(rows, refuses(what+" that does not exist, and lists those that do",
		`supported values: "`+strings.Join(values, `", "`)+`"`, set(path, "Sometimes")))
}

// atMost is a text that has a longest length. The text is made of fill.
func atMost(path, what string, length int, fill string) []row {
	return []row{
		accepts(fmt.Sprintf("%s of %d characters", what, length), set(path, strings.Repeat(fill, length))),
		refuses(fmt.Sprintf("%s of %d characters", what, length+1),
			fmt.Sprintf("may not be more than %d", length), set(path, strings.Repeat(fill, length+1))),
	}
}

// someText is a text that can't be empty and has a longest length.
func someText(path, what string, length int) []row {
	return append(atMost(path, what, length, "a"),
		refuses(what+" that is empty", "should be at least 1 chars long", set(path, "")))
}

// between is a number with both bounds.
func between(path, what string, least, most int64) []row {
	return []row{
		accepts(fmt.Sprintf("%s of %d", what, least), set(path, least)),
		accepts(fmt.Sprintf("%s of %d", what, most), set(path, most)),
		refuses(fmt.Sprintf("%s of %d", what, least-1),
			fmt.Sprintf("should be greater than or equal to %d", least), set(path, least-1)),
		refuses(fmt.Sprintf("%s of %d", what, most+1),
			fmt.Sprintf("should be less than or equal to %d", most), set(path, most+1)),
	}
}

// atMostItems is a list with a largest size.
func atMostItems(path, what string, most int, item func(i int) any) []row {
	list := func(n int) []any {
		items := make([]any, n)
		for i := range items {
			items[i] = item(i)
		}
		return items
	}
	return []row{
		accepts(fmt.Sprintf("%d %s", most, what), set(path, list(most))),
		refuses(fmt.Sprintf("%d %s", most+1, what),
			fmt.Sprintf("must have at most %d items", most), set(path, list(most+1))),
	}
}

// required are fields that can't be left out.
func required(paths ...string) []row {
	var rows []row
	for _, path := range paths {
		rows = append(rows, refuses("a missing "+path, path+": Required value", remove(path)))
	}
	return rows
}

// refusesEach is one rule and several values that break it.
func refusesEach(path, what, says string, values ...any) []row {
	var rows []row
	for _, v := range values {
		rows = append(rows, refuses(fmt.Sprintf("%s %.60q", what, v), says, set(path, v)))
	}
	return rows
}

// acceptsEach is one rule and several values that keep it.
func acceptsEach(path, what string, values ...any) []row {
	var rows []row
	for _, v := range values {
		rows = append(rows, accepts(fmt.Sprintf("%s %.60q", what, v), set(path, v)))
	}
	return rows
}

// misspelt are fields that nobody knows.
func misspelt(paths ...string) []row {
	var rows []row
	for _, path := range paths {
		rows = append(rows, refuses("the misspelt field "+path, `unknown field "`+path+`"`, set(path, from("{}"))))
	}
	return rows
}

func item(value any) func(int) any { return func(int) any { return value } }
