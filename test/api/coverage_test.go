// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

var _ = Describe("The tables", func() {
	for _, k := range kinds() {
		It("have a refusal for every rule of "+k.name, func(ctx context.Context) {
			rules := map[string]bool{}
			spec := schemaOf(k.name)
			spec.Properties = map[string]apiextensionsv1.JSONSchemaProps{"spec": spec.Properties["spec"]}
			rulesOf("", spec, rules)
			Expect(len(rules)).To(BeNumerically(">", 15), "the schema was read")
			for _, r := range k.rows {
				if r.says == "" {
					continue
				}
				for _, cause := range causesOf(k.submit(ctx, r)) {
					for rule := range rules {
						if broken(cause, rule) {
							delete(rules, rule)
						}
					}
				}
			}
			Expect(slices.Sorted(maps.Keys(rules))).To(BeEmpty(), "each of these rules needs a row that breaks it, and no other")
		})

		It("have a minimal and a full "+k.name+" that are valid", func(ctx context.Context) {
			Expect(strict.Create(ctx, k.object(k.minimal), client.DryRunAll)).To(Succeed())
			Expect(strict.Create(ctx, k.object(k.full), client.DryRunAll)).To(Succeed())
		})

		It("have every field in the full "+k.name, func() {
			missing := missingFields("spec", schemaOf(k.name).Properties["spec"], k.object(k.full).Object["spec"])
			// Exactly one of two may be set.
			missing = slices.DeleteFunc(missing, func(path string) bool {
				return slices.Contains([]string{"spec.mattermost", "spec.guidelines.text", "spec.inline"}, path) ||
					k.name == "Directory" && path == "spec.configMapKeyRef"
			})
			Expect(missing).To(BeEmpty())
		})
	}

	It("answer with a sentence", func() {
		for _, k := range kinds() {
			rules := map[string]bool{}
			rulesOf("", schemaOf(k.name), rules)
			for rule := range rules {
				_, message, cel := strings.Cut(rule, celMark)
				if cel {
					Expect(len(strings.Fields(message))).To(BeNumerically(">", 4), "%s says what to do", rule)
				}
			}
		}
	})
})

// schemaOf reads a kind's schema from its custom resource definition.
func schemaOf(kind string) apiextensionsv1.JSONSchemaProps {
	files, err := filepath.Glob(filepath.Join(crds, "*.yaml"))
	Expect(err).NotTo(HaveOccurred())
	for _, file := range files {
		content, err := os.ReadFile(file)
		Expect(err).NotTo(HaveOccurred())
		var crd apiextensionsv1.CustomResourceDefinition
		Expect(yaml.UnmarshalStrict(content, &crd)).To(Succeed())
		if crd.Spec.Names.Kind == kind {
			Expect(crd.Spec.Versions).To(HaveLen(1))
			return *crd.Spec.Versions[0].Schema.OpenAPIV3Schema
		}
	}
	Fail("no custom resource definition of " + kind + " in " + crds)
	return apiextensionsv1.JSONSchemaProps{}
}

const celMark = " cel: "

// rulesOf collects the rules of a schema: where it stands, what sort it is, and
// for CEL its message. Items of a list stand at path[].
func rulesOf(path string, s apiextensionsv1.JSONSchemaProps, rules map[string]bool) {
	add := func(sort string) { rules[path+" "+sort] = true }
	for _, v := range s.XValidations {
		rules[path+celMark+v.Message] = true
	}
	for _, field := range s.Required {
		rules[join(path, field)+" required"] = true
	}
	for sort, has := range map[string]bool{
		"enum":      len(s.Enum) > 0,
		"pattern":   s.Pattern != "",
		"minLength": s.MinLength != nil,
		"maxLength": s.MaxLength != nil,
		"minimum":   s.Minimum != nil,
		"maximum":   s.Maximum != nil,
		"minItems":  s.MinItems != nil,
		"maxItems":  s.MaxItems != nil,
		"unique":    s.XListType != nil && *s.XListType != "atomic",
	} {
		if has {
			add(sort)
		}
	}
	for name, property := range s.Properties {
		rulesOf(join(path, name), property, rules)
	}
	if s.Items != nil {
		rulesOf(path+"[]", *s.Items.Schema, rules)
	}
}

var index = regexp.MustCompile(`\[[^]]*\]`)

// broken tells whether the API server's cause is this rule.
func broken(cause metav1.StatusCause, rule string) bool {
	field := index.ReplaceAllString(cause.Field, "[]")
	if field == "<nil>" {
		field = "" // a rule over the whole object
	}
	if path, message, cel := strings.Cut(rule, celMark); cel {
		return field == path && strings.HasSuffix(cause.Message, ": "+message)
	}
	path, sort, _ := strings.Cut(rule, " ")
	if sort == "unique" {
		path += "[]"
	}
	says := func(text string) bool { return strings.Contains(cause.Message, text) }
	switch cause.Type {
	case metav1.CauseTypeFieldValueNotSupported:
		return field == path && sort == "enum"
	case metav1.CauseTypeFieldValueRequired:
		return field == path && sort == "required"
	case metav1.CauseTypeFieldValueDuplicate:
		return field == path && sort == "unique"
	case "FieldValueTooLong":
		return field == path && sort == "maxLength"
	case "FieldValueTooMany":
		return field == path && sort == "maxItems"
	case metav1.CauseTypeFieldValueInvalid:
		return field == path && (sort == "minLength" && says("chars long") || sort == "minItems" && says("should have at least") ||
			sort == "minimum" && says("greater than or equal") || sort == "maximum" && says("less than or equal") || sort == "pattern" && says("should match") ||
			sort == "maxLength" && says("may not be more than") || sort == "maxItems" && says("must have at most"))
	default:
		return false
	}
}

// missingFields are the fields of a schema that a value does not have anywhere.
func missingFields(path string, s apiextensionsv1.JSONSchemaProps, value any) []string {
	var missing []string
	switch v := value.(type) {
	case map[string]any:
		for name, property := range s.Properties {
			if v[name] == nil {
				missing = append(missing, join(path, name))
				continue
			}
			missing = append(missing, missingFields(join(path, name), property, v[name])...)
		}
	case []any:
		// A field is there when one of the items has it.
		count := map[string]int{}
		for _, item := range v {
			for _, m := range missingFields(path+"[]", *s.Items.Schema, item) {
				count[m]++
			}
		}
		for m, n := range count {
			if n == len(v) {
				missing = append(missing, m)
			}
		}
	}
	slices.Sort(missing)
	return missing
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return fmt.Sprintf("%s.%s", path, name)
}
