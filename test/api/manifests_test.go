// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

var _ = Describe("The manifests", Ordered, func() {
	It("in config/default are taken, and their Pod is restricted", func(ctx context.Context) {
		for _, object := range kustomized(root + "/config/default") {
			submitObject(ctx, object)
			if object.GetKind() != "Deployment" {
				continue
			}
			var deployment appsv1.Deployment
			Expect(runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &deployment, true)).To(Succeed())
			pod := &corev1.Pod{ObjectMeta: deployment.Spec.Template.ObjectMeta, Spec: deployment.Spec.Template.Spec}
			pod.Name, pod.Namespace = "manager", deployment.Namespace
			Expect(strict.Create(ctx, pod, client.DryRunAll)).To(Succeed(), "the namespace enforces the restricted Pod security standard")
		}
	})

	DescribeTable("in the samples are taken, all of them", func(ctx context.Context, folder string) {
		applied := map[string]bool{}
		objects := append(kustomized(folder), append(objectsIn(folder+"/platform.yaml"), objectsIn(folder+"/platform-secret.yaml")...)...)
		if folder == samples {
			for _, file := range []string{"directory", "engineering-lead", "engineering-managers", "governancepolicy"} {
				objects = append(objects, objectsIn(folder+"/"+file+".yaml")...)
			}
		}
		for _, object := range objects {
			submitObject(ctx, object)
			applied[id(object)] = true
		}
		files, err := filepath.Glob(folder + "/*.yaml")
		Expect(err).NotTo(HaveOccurred())
		for _, file := range files {
			content, err := os.ReadFile(file)
			Expect(err).NotTo(HaveOccurred())
			Expect(string(content)).To(HavePrefix("# "), "%s begins with a comment that explains it", file)
			if filepath.Base(file) == "kustomization.yaml" {
				continue
			}
			for _, object := range objectsIn(file) {
				Expect(applied).To(HaveKey(id(object)), "%s is in the kustomization", file)
			}
		}
	},
		Entry("on Matrix", samples),
		Entry("on Mattermost too", samples+"-mattermost"),
	)

	It("on Mattermost too have every community on both platforms", func() {
		on := map[string]int{}
		for _, object := range kustomized(samples + "-mattermost") {
			if object.GetKind() == "Community" {
				for _, p := range as[v1alpha1.Community](object).Spec.Platforms {
					on[p.PlatformRef.Name]++
				}
			}
		}
		Expect(on).To(Equal(map[string]int{"chat": 3, "mattermost": 3}))
	})
})

var _ = Describe("The samples", func() {
	var (
		platform    v1alpha1.Platform
		communities = map[string]v1alpha1.Community{}
		groups      = map[string]v1alpha1.Group{}
		configMaps  = map[string]corev1.ConfigMap{}
	)

	BeforeEach(func() {
		files, err := filepath.Glob(samples + "/*.yaml")
		Expect(err).NotTo(HaveOccurred())
		for _, file := range files {
			for _, object := range objectsIn(file) {
				name := object.GetNamespace() + "/" + object.GetName()
				switch object.GetKind() {
				case "Platform":
					platform = as[v1alpha1.Platform](object)
				case "Community":
					communities[name] = as[v1alpha1.Community](object)
				case "Group":
					groups[name] = as[v1alpha1.Group](object)
				case "ConfigMap":
					configMaps[name] = as[corev1.ConfigMap](object)
				}
			}
		}
	})

	It("are three communities and that of the managers, ten groups and a dozen people", func() {
		Expect(communities).To(HaveLen(4))
		Expect(groups).To(HaveLen(10))
		people := map[string]bool{}
		add := func(members []v1alpha1.MemberSource) {
			for _, m := range members {
				if m.Person != "" {
					people[m.Person] = true
				}
			}
		}
		for _, c := range communities {
			add(c.Spec.Members)
			Expect(c.Spec.Sponsor).NotTo(BeNil(), "%s has a sponsor", c.Name)
			people[c.Spec.Sponsor.Person] = true
			Expect(c.Spec.Objectives).NotTo(BeEmpty(), "%s has an objective", c.Name)
			Expect(c.Spec.Purpose).NotTo(BeEmpty(), "%s has a purpose", c.Name)
			Expect(c.Spec.Guidelines).NotTo(BeNil(), "%s has guidelines", c.Name)
		}
		for _, g := range groups {
			add(g.Spec.Members)
		}
		Expect(people).To(HaveLen(12))
	})

	It("show each way of coming in, announcements, roles, an end and a derived member", func() {
		shown := map[string]bool{}
		for _, g := range groups {
			shown["visibility "+string(g.Spec.Visibility)] = true
			shown["join "+string(g.Spec.Join)] = true
			if m := g.Spec.Moderation; m != nil && m.Posting == v1alpha1.AudienceManagers {
				shown["announcements"] = true
			}
			for _, m := range g.Spec.Members {
				shown["role "+string(m.Role)] = true
				shown["expires"] = shown["expires"] || m.Expires != ""
				shown["derived"] = shown["derived"] || m.Group != nil
			}
		}
		for _, what := range []string{
			"visibility Public", "visibility Private", "join Open", "join Request", "join Invite",
			"announcements", "role Manager", "role Moderator", "expires", "derived",
		} {
			Expect(shown[what]).To(BeTrue(), what)
		}
	})

	It("have references that exist", func() {
		guidelines := func(namespace string, g *v1alpha1.Guidelines) {
			if g == nil || g.ConfigMapKeyRef == nil {
				return
			}
			name := namespace + "/" + g.ConfigMapKeyRef.Name
			Expect(configMaps).To(HaveKey(name))
			Expect(configMaps[name].Labels).To(HaveKeyWithValue(v1alpha1.ReadLabel, "true"))
			Expect(configMaps[name].Data).To(HaveKey(g.ConfigMapKeyRef.Key))
		}
		for _, c := range communities {
			guidelines(c.Namespace, c.Spec.Guidelines)
			for _, p := range c.Spec.Platforms {
				Expect(p.PlatformRef.Name).To(Equal(platform.Name))
			}
		}
		for _, g := range groups {
			guidelines(g.Namespace, g.Spec.Guidelines)
			Expect(communities).To(HaveKey(g.Namespace + "/" + g.Spec.CommunityRef.Name))
			for _, m := range g.Spec.Members {
				if m.Group != nil {
					Expect(groups).To(HaveKey(g.Namespace + "/" + m.Group.Name))
				}
			}
		}
		secret := as[corev1.Secret](objectsIn(samples + "/platform-secret.yaml")[0])
		Expect(secret.Name).To(Equal(platform.Spec.CredentialsRef.Name))
		Expect(secret.StringData).To(HaveKeyWithValue("url", platform.Spec.Matrix.HomeserverURL))
	})

	It("take only names that the Platform grants, and call official only what may be", func() {
		granted := func(namespace, name string, standing v1alpha1.Standing) bool {
			return slices.ContainsFunc(platform.Spec.Access, func(a v1alpha1.PlatformAccess) bool {
				selector, err := metav1.LabelSelectorAsSelector(&a.NamespaceSelector)
				Expect(err).NotTo(HaveOccurred())
				return selector.Matches(labels.Set{corev1.LabelMetadataName: namespace}) &&
					(standing != v1alpha1.StandingOfficial || a.Official == v1alpha1.OfficialAllowed) &&
					slices.ContainsFunc(a.Names, func(glob string) bool { ok, _ := path.Match(glob, name); return ok })
			})
		}
		address := func(c v1alpha1.Community) string { return orElse(c.Spec.Platforms[0].SpaceName, c.Name) }
		for _, c := range communities {
			Expect(granted(c.Namespace, address(c), c.Spec.Standing)).To(BeTrue(), address(c))
		}
		for _, g := range groups {
			c := communities[g.Namespace+"/"+g.Spec.CommunityRef.Name]
			name := address(c) + "-" + orElse(g.Spec.SpaceName, g.Name)
			Expect(granted(g.Namespace, name, g.Spec.Standing)).To(BeTrue(), name)
		}
	})
})

// kustomized is what kubectl apply -k would apply.
func kustomized(folder string) []*unstructured.Unstructured {
	kubectl := filepath.Join(binaries(), "kubectl")
	if _, err := os.Stat(kubectl); err != nil {
		if os.Getenv("CI") == "true" {
			Fail(kubectl + " is missing; make servers builds it")
		}
		Skip(kubectl + " is missing; make servers builds it")
	}
	out, err := exec.Command(kubectl, "kustomize", folder).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		Fail(string(exit.Stderr))
	}
	Expect(err).NotTo(HaveOccurred())
	return parse(string(out))
}

func objectsIn(file string) []*unstructured.Unstructured {
	content, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	return parse(string(content))
}

func parse(text string) []*unstructured.Unstructured {
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		Expect(err).NotTo(HaveOccurred())
		if len(object.Object) > 0 && object.GetKind() != "Kustomization" {
			objects = append(objects, object)
		}
	}
}

// submitObject has the API server make the object. What the suite has installed already is only looked at.
func submitObject(ctx context.Context, object *unstructured.Unstructured) {
	var options []client.CreateOption
	if object.GroupVersionKind().Group == "admissionregistration.k8s.io" {
		// In force they would judge the tables of this suite; test/admission has them.
		options = append(options, client.DryRunAll)
	}
	err := strict.Create(ctx, object.DeepCopy(), options...)
	if apierrors.IsAlreadyExists(err) {
		err = nil
	}
	Expect(err).NotTo(HaveOccurred(), id(object))
}

func as[T any](object *unstructured.Unstructured) T {
	var typed T
	Expect(runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &typed, true)).To(Succeed(), id(object))
	return typed
}

func id(object *unstructured.Unstructured) string {
	return fmt.Sprintf("%s %s/%s", object.GetKind(), object.GetNamespace(), object.GetName())
}

func orElse(value, otherwise string) string {
	if value != "" {
		return value
	}
	return otherwise
}
