// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package admission_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// labelled is a namespace with the labels that the samples ask for.
const labelled = "finance"

func importance(i v1alpha1.Importance) edit {
	return func(o client.Object) { o.(*v1alpha1.Community).Spec.Importance = i }
}

func visible(v v1alpha1.Visibility) edit {
	return func(o client.Object) { o.(*v1alpha1.Community).Spec.Visibility = v }
}

func sponsored(person string) edit {
	return func(o client.Object) { o.(*v1alpha1.Community).Spec.Sponsor = &v1alpha1.Person{Person: person} }
}

func called(name string) edit {
	return func(o client.Object) { o.(*v1alpha1.Community).Spec.DisplayName = name }
}

var _ = Describe("The samples of an organisation's own rules", Ordered, func() {
	// finance puts a community where the samples look for more.
	finance := in(labelled)
	fin := called("FIN Controlling")

	type row struct {
		wrong, right []edit
		says         []string
	}
	rules := map[string]row{
		"core-communities": {
			wrong: []edit{importance(v1alpha1.ImportanceCore)},
			right: []edit{importance(v1alpha1.ImportanceStrategic)},
			says:  []string{"namespaces with the label community.example.com/core=allowed", "ask the platform team for the label"},
		},
		"department-names": {
			wrong: []edit{finance, called("Controlling")},
			right: []edit{finance, fin},
			says:  []string{`In namespace finance spec.displayName begins with the department: try "FIN Controlling"`},
		},
		"public-sponsors": {
			wrong: []edit{visible(v1alpha1.VisibilityPublic)},
			right: []edit{visible(v1alpha1.VisibilityPublic), sponsored("carla.mendez")},
			says:  []string{"a sponsor of the board: carla.mendez, rosa.vidal", "or choose visibility Internal"},
		},
	}
	made := func(edits ...edit) *v1alpha1.Community { return community("sample", append(edits, on("none", ""))...) }
	// before is what was there before each rule, and breaks it.
	before := map[string]*v1alpha1.Community{}

	BeforeAll(func(ctx context.Context) {
		Expect(admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: labelled, Labels: map[string]string{
			"community.example.com/core": "allowed", "community.example.com/department": "FIN",
		}}})).To(Succeed())
		bind(ctx, tenant, "cabildo-tenant-editor", labelled)
		files, err := filepath.Glob(filepath.Join(root, "config/samples/admission/*.yaml"))
		Expect(err).NotTo(HaveOccurred())
		Expect(files).To(HaveLen(len(rules)), "each sample has its row")
		for name, r := range rules {
			before[name] = made(r.wrong...)
			before[name].Name = "before-" + name
			before[name].Finalizers = []string{v1alpha1.SpaceFinalizer}
			Expect(admin.Create(ctx, before[name])).To(Succeed())
		}
		for name := range rules {
			content, err := os.ReadFile(filepath.Join(root, "config/samples/admission", name+".yaml"))
			Expect(err).NotTo(HaveOccurred())
			for document := range strings.SplitSeq(string(content), "\n---\n") {
				object := &unstructured.Unstructured{}
				Expect(yaml.Unmarshal([]byte(document), &object.Object)).To(Succeed(), name)
				Expect(client.WithFieldValidation(admin, metav1.FieldValidationStrict).Create(ctx, object)).To(Succeed(), name)
				DeferCleanup(admin.Delete, object)
			}
		}
	})

	for name, r := range rules {
		It("refuse what they say, and nothing else: "+name, func(ctx context.Context) {
			Eventually(func() error {
				return as(tenant).Create(ctx, made(r.wrong...), client.DryRunAll)
			}, settles).Should(MatchError(ContainSubstring(name+".example.com")), "the sample comes into force")
			err := as(tenant).Create(ctx, made(r.wrong...), client.DryRunAll)
			Expect(err).To(Satisfy(apierrors.IsForbidden))
			for _, text := range r.says {
				Expect(err).To(MatchError(ContainSubstring(text)))
			}
			Expect(as(tenant).Create(ctx, made(r.right...), client.DryRunAll)).To(Succeed())
		})

		It("leave alone what was there before: "+name, func(ctx context.Context) {
			c := before[name]
			Expect(as(tenant).Patch(ctx, c, merge(`{"metadata":{"labels":{"a":"b"}}}`))).To(Succeed())
			Expect(as(tenant).Patch(ctx, c, merge(`{"spec":{"purpose":"Another."}}`))).To(Succeed(), "another field")
			Expect(as(manager).Patch(ctx, c, merge(`{"metadata":{"finalizers":["`+v1alpha1.SpaceFinalizer+`","example.com/other"]}}`))).To(Succeed())
			Expect(as(manager).Status().Patch(ctx, c, merge(`{"status":{"observedGeneration":1}}`))).To(Succeed())
			Expect(as(tenant).Delete(ctx, c)).To(Succeed())
			Expect(as(manager).Patch(ctx, c, withoutFinalizers)).To(Succeed())
			Expect(admin.Get(ctx, client.ObjectKeyFromObject(c), c)).To(Satisfy(apierrors.IsNotFound))
		})
	}

	DescribeTable("judge a change as well", func(ctx context.Context, allowed bool, patch string, edits ...edit) {
		c := made(edits...)
		Expect(as(tenant).Create(ctx, c)).To(Succeed())
		DeferCleanup(admin.Delete, c)
		err := as(tenant).Patch(ctx, c, merge(patch), client.DryRunAll)
		if allowed {
			Expect(err).NotTo(HaveOccurred())
		} else {
			Expect(err).To(Satisfy(apierrors.IsForbidden))
		}
	},
		Entry("to Core where it is not allowed", false, `{"spec":{"importance":"Core"}}`),
		Entry("to Core where it is", true, `{"spec":{"importance":"Core"}}`, finance, fin),
		Entry("from Core", true, `{"spec":{"importance":null}}`, finance, fin, importance(v1alpha1.ImportanceCore)),
		Entry("to a name without the department", false, `{"spec":{"displayName":"Controlling"}}`, finance, fin),
		Entry("to a name that only looks alike", false, `{"spec":{"displayName":"FINE Controlling"}}`, finance, fin),
		Entry("to any name where no department is", true, `{"spec":{"displayName":"Controlling"}}`),
		Entry("to Public without a sponsor", false, `{"spec":{"visibility":"Public"}}`),
		Entry("to Public with another sponsor", false, `{"spec":{"visibility":"Public"}}`, sponsored("omar.diaz")),
		Entry("to Public with one of the board", true, `{"spec":{"visibility":"Public"}}`, sponsored("rosa.vidal")),
		Entry("of the sponsor while it is Public", false, `{"spec":{"sponsor":null}}`, visible(v1alpha1.VisibilityPublic), sponsored("rosa.vidal")),
		Entry("of the sponsor while it is Internal", true, `{"spec":{"sponsor":null}}`, sponsored("rosa.vidal")),
	)
})
