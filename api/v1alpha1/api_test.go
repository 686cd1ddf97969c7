// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

func TestSchemeHasEveryKindAndItsList(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"Platform", "Directory", "Community", "Group", "CommunityManager", "GovernancePolicy", "GovernanceDecision"} {
		for _, name := range []string{kind, kind + "List"} {
			gvk := schema.GroupVersionKind{Group: "community.cabildo.dev", Version: "v1alpha1", Kind: name}
			object, err := scheme.New(gvk)
			if err != nil {
				t.Errorf("the scheme does not know %s", name)
				continue
			}
			if _, conditioned := object.(v1alpha1.Conditioned); conditioned != (name == kind) {
				t.Errorf("%s has conditions: %t", name, conditioned)
			}
		}
	}
}

// Reasons and condition types are an interface: people select on them, and the
// API server refuses a status that breaks their form.
func TestReasonsAndConditionTypesAreWordsThatTheAPITakes(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "conditions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^[A-Z][A-Za-z]*$`)
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) == 0 {
			return true
		}
		name := spec.Names[0].Name
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		value, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		word, isReason := strings.CutPrefix(name, "Reason")
		if !isReason {
			var isCondition bool
			if word, isCondition = strings.CutPrefix(name, "Condition"); !isCondition {
				return true
			}
		}
		if value != word || !form.MatchString(value) {
			t.Errorf("%s is %q; it is the name's own word in CamelCase, so that one finds the other", name, value)
		}
		if other, taken := found[strings.TrimSuffix(name, word)+value]; taken {
			t.Errorf("%s and %s are the same word", name, other)
		}
		found[strings.TrimSuffix(name, word)+value] = name
		return true
	})
	if len(found) < 20 {
		t.Errorf("found %d reasons and condition types; conditions.go was not read", len(found))
	}
}
