// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package chart_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// everyValue sets each value to something else than its default.
var everyValue = []string{
	`replicas=3`, `logLevel="debug"`, `concurrency=8`, `extraArgs=["--log-level=error"]`,
	`extraEnv=[{"name": "HTTPS_PROXY", "value": "http://proxy.example.com:3128"}]`,
	`image={"repository": "registry.example.com/cabildo", "digest": "sha256:` + digest + `", "pullPolicy": "Always"}`,
	`imagePullSecrets=[{"name": "registry"}]`,
	`podLabels={"team": "platform"}`, `podAnnotations={"note": "x"}`, `terminationGracePeriodSeconds=90`,
	`nodeSelector={"kubernetes.io/os": "linux"}`, `tolerations=[{"operator": "Exists"}]`, `priorityClassName="system-cluster-critical"`,
	`affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "Exists"}]}]}}}`,
	`topologySpreadConstraints=[{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]`,
	`resources={"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}}`,
	`serviceAccount={"name": "keeper", "annotations": {"note": "y"}}`,
	`podDisruptionBudget={"enabled": true, "minAvailable": "50%"}`, `governancePolicy.create=false`,
	`metrics.service={"labels": {"a": "b"}, "annotations": {"c": "d"}}`,
	`metrics.serviceMonitor={"enabled": true, "namespace": "monitoring", "labels": {"release": "prometheus"}, "interval": "15s", "scrapeTimeout": "5s"}`,
}

const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

var _ = Describe("The chart", func() {
	It("passes helm's own lint", func(ctx context.Context) {
		_, err := helm(ctx, "lint", "--strict", "--kube-version", kubernetes, chart)
		Expect(err).NotTo(HaveOccurred())
	})

	It("has the definitions, roles and policies of config/, copied by hack/sync-chart.sh", func() {
		for copied, from := range map[string]string{
			"crds": "config/crd/bases/*.yaml", "rbac": "config/rbac/*role.yaml", "admission": "config/admission/*_*.yaml",
		} {
			sources, err := filepath.Glob(filepath.Join(root, from))
			Expect(err).NotTo(HaveOccurred())
			copies, err := filepath.Glob(filepath.Join(chart, "files", copied, "*"))
			Expect(err).NotTo(HaveOccurred())
			Expect(copies).To(HaveLen(len(sources)), "run hack/sync-chart.sh")
			for _, source := range sources {
				want, err := os.ReadFile(source)
				Expect(err).NotTo(HaveOccurred())
				Expect(os.ReadFile(filepath.Join(chart, "files", copied, filepath.Base(source)))).To(Equal(want), "run hack/sync-chart.sh")
			}
		}
	})

	Describe("has custom resource definitions that", func() {
		It("are those of config/, and stay on uninstall", func(ctx context.Context) {
			want := ofKind[apiextensionsv1.CustomResourceDefinition](filesIn("config/crd/bases/*.yaml"), "CustomResourceDefinition")
			got := ofKind[apiextensionsv1.CustomResourceDefinition](render(ctx), "CustomResourceDefinition")
			Expect(got).To(HaveLen(len(want)))
			for i := range want {
				Expect(got[i].Name).To(Equal(want[i].Name))
				Expect(got[i].Spec).To(Equal(want[i].Spec))
				Expect(got[i].Annotations).To(HaveKeyWithValue("helm.sh/resource-policy", "keep"))
			}
		})
		It("go with crds.keep=false", func(ctx context.Context) {
			for _, crd := range ofKind[apiextensionsv1.CustomResourceDefinition](render(ctx, `crds.keep=false`), "CustomResourceDefinition") {
				Expect(crd.Annotations).NotTo(HaveKey("helm.sh/resource-policy"))
			}
		})
		It("are left out with crds.enabled=false", func(ctx context.Context) {
			Expect(ofKind[apiextensionsv1.CustomResourceDefinition](render(ctx, `crds.enabled=false`), "CustomResourceDefinition")).To(BeEmpty())
		})
	})

	Describe("has admission policies that", func() {
		It("are those of config/, with their bindings and names", func(ctx context.Context) {
			policies := ofKind[admissionv1.ValidatingAdmissionPolicy](filesIn("config/admission/*.yaml"), "ValidatingAdmissionPolicy")
			Expect(policies).To(HaveLen(3))
			got := ofKind[admissionv1.ValidatingAdmissionPolicy](render(ctx), "ValidatingAdmissionPolicy")
			Expect(got).To(HaveLen(len(policies)))
			for i, want := range policies {
				Expect(got[i].Name).To(Equal(want.Name))
				Expect(got[i].Spec).To(Equal(want.Spec))
			}
			bindings := ofKind[admissionv1.ValidatingAdmissionPolicyBinding](filesIn("config/admission/*.yaml"), "ValidatingAdmissionPolicyBinding")
			rendered := ofKind[admissionv1.ValidatingAdmissionPolicyBinding](render(ctx), "ValidatingAdmissionPolicyBinding")
			Expect(rendered).To(HaveLen(len(policies)), "each policy has its binding, without which it does nothing")
			for i, want := range bindings {
				Expect(rendered[i].Name).To(Equal(want.Name))
				Expect(rendered[i].Spec).To(Equal(want.Spec))
				Expect(rendered[i].Spec.ValidationActions).To(ConsistOf(admissionv1.Deny))
			}
		})
		It("note who asked for what, where the cluster can", func(ctx context.Context) {
			want := only[admissionv1.MutatingAdmissionPolicy](filesIn("config/admission/*.yaml"), "MutatingAdmissionPolicy")
			got := only[admissionv1.MutatingAdmissionPolicy](render(ctx), "MutatingAdmissionPolicy")
			Expect(got.Name).To(Equal(want.Name))
			Expect(got.Spec).To(Equal(want.Spec))
			binding := only[admissionv1.MutatingAdmissionPolicyBinding](render(ctx), "MutatingAdmissionPolicyBinding")
			Expect(binding.Name).To(Equal(want.Name))
			Expect(binding.Spec).To(Equal(admissionv1.MutatingAdmissionPolicyBindingSpec{PolicyName: want.Name}))

			out, err := templateOn(ctx, []string{"--kube-version", "1.32.0"})
			Expect(err).NotTo(HaveOccurred())
			Expect(out).NotTo(ContainSubstring("kind: MutatingAdmissionPolicy"))
			Expect(ofKind[admissionv1.ValidatingAdmissionPolicyBinding](parse(out), "ValidatingAdmissionPolicyBinding")).To(HaveLen(3), "the others stay")
		})
		It("are left out with admission.enabled=false", func(ctx context.Context) {
			for _, object := range render(ctx, `admission.enabled=false`) {
				Expect(object.GetAPIVersion()).NotTo(HavePrefix(admissionv1.GroupName), object.GetName())
			}
		})
	})

	Describe("has a governance policy that", func() {
		It("is the sample, is made by a hook and is never deleted", func(ctx context.Context) {
			want := only[v1alpha1.GovernancePolicy](filesIn("config/samples/governancepolicy.yaml"), "GovernancePolicy")
			got := only[v1alpha1.GovernancePolicy](render(ctx), "GovernancePolicy")
			Expect(got.Name).To(Equal(want.Name))
			Expect(got.Spec).To(Equal(want.Spec))
			Expect(got.Annotations).To(Equal(map[string]string{
				"helm.sh/hook": "post-install", "helm.sh/hook-delete-policy": "hook-failed", "helm.sh/resource-policy": "keep",
			}), "an upgrade does not run it, and nothing deletes what it made")
			Expect(got.Labels).NotTo(HaveKey("app.kubernetes.io/instance"), "it is no release's")
			Expect(os.ReadFile(filepath.Join(chart, "files/governancepolicy.yaml"))).To(
				Equal(must(os.ReadFile(filepath.Join(root, "config/samples/governancepolicy.yaml")))), "run hack/sync-chart.sh")
		})
		It("is left out with governancePolicy.create=false", func(ctx context.Context) {
			Expect(ofKind[v1alpha1.GovernancePolicy](render(ctx, `governancePolicy.create=false`), "GovernancePolicy")).To(BeEmpty())
		})
	})

	Describe("has roles that", func() {
		for _, kind := range []string{"ClusterRole", "Role"} {
			It("have the rules of config/: "+kind, func(ctx context.Context) {
				Expect(rules(render(ctx), kind)).To(Equal(rules(filesIn("config/rbac/*.yaml"), kind)))
			})
		}
		It("are bound as in config/", func(ctx context.Context) {
			for _, kind := range []string{"ClusterRoleBinding", "RoleBinding"} {
				want := ofKind[rbacv1.RoleBinding](filesIn("config/rbac/*.yaml"), kind)
				got := ofKind[rbacv1.RoleBinding](render(ctx), kind)
				Expect(got).To(HaveLen(len(want)))
				for i := range want {
					Expect(got[i].Name).To(Equal(want[i].Name))
					Expect(got[i].Namespace).To(Equal(want[i].Namespace))
					Expect(got[i].RoleRef).To(Equal(want[i].RoleRef))
					Expect(got[i].Subjects).To(Equal(want[i].Subjects))
				}
			}
		})
		It("give nobody the Secrets of the cluster, and nothing by wildcard", Label("promise 11"), func(ctx context.Context) {
			for _, role := range ofKind[rbacv1.ClusterRole](render(ctx), "ClusterRole") {
				for _, rule := range role.Rules {
					Expect(rule.Resources).NotTo(ContainElement("secrets"), role.Name)
					Expect(rule.APIGroups).NotTo(ContainElement("*"), role.Name)
					Expect(rule.Resources).NotTo(ContainElement(ContainSubstring("*")), role.Name)
					Expect(rule.Verbs).NotTo(ContainElement("*"), role.Name)
				}
			}
		})
		It("are taken up by view, edit and admin unless rbac.aggregate=false", func(ctx context.Context) {
			aggregated := func(objects []*unstructured.Unstructured) (labels []string) {
				for _, role := range ofKind[rbacv1.ClusterRole](objects, "ClusterRole") {
					for label := range role.Labels {
						if to, ok := strings.CutPrefix(label, "rbac.authorization.k8s.io/aggregate-to-"); ok {
							labels = append(labels, strings.TrimPrefix(role.Name, "cabildo-")+" to "+to)
						}
					}
				}
				return labels
			}
			Expect(aggregated(render(ctx))).To(ConsistOf(
				"tenant-editor to edit", "tenant-editor to admin",
				"tenant-viewer to view", "tenant-viewer to edit", "tenant-viewer to admin"))
			Expect(aggregated(render(ctx, `rbac.aggregate=false`))).To(BeEmpty())
		})
		It("are left out with rbac.create=false", func(ctx context.Context) {
			for _, object := range render(ctx, `rbac.create=false`) {
				Expect(object.GetAPIVersion()).NotTo(HavePrefix(rbacv1.GroupName), object.GetName())
			}
		})
	})

	Describe("has a Deployment that", func() {
		It("is the one of config/", func(ctx context.Context) {
			want := only[appsv1.Deployment](filesIn("config/manager/*.yaml"), "Deployment").Spec.Template.Spec
			got := only[appsv1.Deployment](render(ctx), "Deployment").Spec.Template.Spec
			got.Containers[0].ImagePullPolicy = ""
			Expect(got).To(Equal(want))
		})
		It("gives the manager only flags that it has", func(ctx context.Context) {
			help, err := exec.CommandContext(ctx, "go", "run", "-tags", "goolm", root+"/cmd", "--help").CombinedOutput()
			Expect(err).NotTo(HaveOccurred(), string(help))
			for _, arg := range only[appsv1.Deployment](render(ctx, everyValue...), "Deployment").Spec.Template.Spec.Containers[0].Args {
				name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
				Expect(string(help)).To(MatchRegexp(`(?m)^\s+-`+regexp.QuoteMeta(name)+`\b`), "the manager's flags")
			}
		}, NodeTimeout(buildTime))
		It("uses a digest rather than a tag", func(ctx context.Context) {
			image := func(settings ...string) string {
				return only[appsv1.Deployment](render(ctx, settings...), "Deployment").Spec.Template.Spec.Containers[0].Image
			}
			Expect(image()).To(Equal("ghcr.io/cabildo-dev/cabildo:" + appVersion()))
			Expect(image(`image.tag="v9"`)).To(Equal("ghcr.io/cabildo-dev/cabildo:v9"))
			Expect(image(`image.tag="v9"`, `image.digest="sha256:`+digest+`"`)).To(Equal("ghcr.io/cabildo-dev/cabildo@sha256:" + digest))
		})
		It("spreads the Pods of this release", func(ctx context.Context) {
			deployment := only[appsv1.Deployment](render(ctx, everyValue...), "Deployment")
			Expect(deployment.Spec.Template.Spec.TopologySpreadConstraints[0].LabelSelector).To(Equal(deployment.Spec.Selector))
		})
		It("never has two managers at once without leader election", func(ctx context.Context) {
			deployment := only[appsv1.Deployment](render(ctx, `leaderElection.enabled=false`), "Deployment")
			Expect(deployment.Spec.Strategy.Type).To(Equal(appsv1.RecreateDeploymentStrategyType))
			Expect(deployment.Spec.Template.Spec.Containers[0].Args).To(ContainElement("--leader-elect=false"))
		})
		It("serves no metrics with metrics.enabled=false", func(ctx context.Context) {
			objects := render(ctx, `metrics.enabled=false`)
			Expect(only[appsv1.Deployment](objects, "Deployment").Spec.Template.Spec.Containers[0].Args).To(ContainElement("--metrics-bind-address=0"))
			Expect(ofKind[corev1.Service](objects, "Service")).To(BeEmpty())
		})
	})

	It("takes every value", func(ctx context.Context) {
		objects := render(ctx, everyValue...)
		deployment := only[appsv1.Deployment](objects, "Deployment")
		pod := deployment.Spec.Template
		Expect(*deployment.Spec.Replicas).To(BeEquivalentTo(3))
		Expect(pod.Labels).To(HaveKeyWithValue("team", "platform"))
		Expect(pod.Annotations).To(HaveKeyWithValue("note", "x"))
		Expect(pod.Spec.ServiceAccountName).To(Equal("keeper"))
		Expect(only[corev1.ServiceAccount](objects, "ServiceAccount").Name).To(Equal("keeper"))
		Expect(pod.Spec.ImagePullSecrets).To(ConsistOf(corev1.LocalObjectReference{Name: "registry"}))
		Expect(*pod.Spec.TerminationGracePeriodSeconds).To(BeEquivalentTo(90))
		Expect(pod.Spec.NodeSelector).To(HaveKeyWithValue("kubernetes.io/os", "linux"))
		Expect(pod.Spec.Tolerations).To(HaveLen(1))
		Expect(pod.Spec.PriorityClassName).To(Equal("system-cluster-critical"))
		Expect(pod.Spec.Affinity.NodeAffinity).NotTo(BeNil())
		container := pod.Spec.Containers[0]
		Expect(container.Args).To(ContainElements("--log-level=debug", "--concurrency=8", "--log-level=error"))
		Expect(container.Env).To(ContainElement(corev1.EnvVar{Name: "HTTPS_PROXY", Value: "http://proxy.example.com:3128"}))
		Expect(container.Resources.Limits.Memory().String()).To(Equal("1Gi"))
		budget := only[policyv1.PodDisruptionBudget](objects, "PodDisruptionBudget")
		Expect(budget.Spec.MinAvailable.String()).To(Equal("50%"))
		Expect(budget.Spec.MaxUnavailable).To(BeNil())
		Expect(budget.Spec.Selector).To(Equal(deployment.Spec.Selector))
		service := only[corev1.Service](objects, "Service")
		Expect(service.Spec.Selector).To(Equal(deployment.Spec.Selector.MatchLabels))
		Expect(service.Labels).To(HaveKeyWithValue("a", "b"))
		monitor := only[map[string]any](objects, "ServiceMonitor")
		Expect(monitor["metadata"]).To(HaveKeyWithValue("namespace", "monitoring"))
		Expect(monitor["spec"]).To(HaveKeyWithValue("endpoints", ConsistOf(HaveKeyWithValue("interval", "15s"))))
	})

	It("names everything after another release, but what is about the whole cluster", func(ctx context.Context) {
		out, err := helm(ctx, "template", "eu", chart, "--namespace", "eu", "--kube-version", kubernetes)
		Expect(err).NotTo(HaveOccurred())
		for _, object := range parse(out) {
			if object.GetKind() == "GovernancePolicy" {
				Expect(object.GetName()).To(Equal("default"))
				continue
			}
			if object.GetKind() == "CustomResourceDefinition" || object.GroupVersionKind().Group == admissionv1.GroupName {
				Expect(object.GetName()).To(HaveSuffix(".community.cabildo.dev"))
				continue
			}
			Expect(object.GetName()).To(HavePrefix("eu-cabildo"))
			Expect(len(object.GetName())).To(BeNumerically("<=", 63))
			if strings.HasPrefix(object.GetKind(), "ClusterRole") {
				Expect(object.GetNamespace()).To(BeEmpty())
			} else {
				Expect(object.GetNamespace()).To(Equal("eu"))
			}
		}
	})

	DescribeTable("refuses", func(ctx context.Context, says string, settings ...string) {
		_, err := template(ctx, settings...)
		Expect(err).To(MatchError(MatchRegexp(says)))
	},
		Entry("a misspelt value", "replicaCount", `replicaCount=2`),
		Entry("a misspelt value inside another", "repo", `image.repo="x"`),
		Entry("a log level that the manager does not have", "logLevel", `logLevel="trace"`),
		Entry("a word for yes or no", "create", `governancePolicy.create="always"`),
		Entry("a digest that is none", "image.digest|/image/digest", `image.digest="latest"`),
		Entry("no concurrency at all", "concurrency", `concurrency=0`),
		Entry("an argument that is no flag", "extraArgs", `extraArgs=["debug"]`),
		Entry("replicas that nobody leads", "leaderElection.enabled must be true", `replicas=2`, `leaderElection.enabled=false`),
		Entry("no service account at all", "set serviceAccount.name to a service account that exists", `serviceAccount.create=false`),
		Entry("a ServiceMonitor without metrics", "metrics.serviceMonitor.enabled needs metrics.enabled", `metrics.enabled=false`, `metrics.serviceMonitor.enabled=true`),
		Entry("a budget of nothing", "set its minAvailable or its maxUnavailable", `podDisruptionBudget={"enabled": true, "maxUnavailable": ""}`),
	)

	It("tells what every value is, in README.md and in values.schema.json", func() {
		var values, schema map[string]any
		readYAML("values.yaml", &values)
		readYAML("values.schema.json", &schema)
		readme, err := os.ReadFile(filepath.Join(chart, "README.md"))
		Expect(err).NotTo(HaveOccurred())
		leaves := leavesOf("", values)
		Expect(len(leaves)).To(BeNumerically(">", 30))
		for _, leaf := range leaves {
			Expect(string(readme)).To(ContainSubstring("| `"+leaf+"` | "), "README.md")
		}
		Expect(strings.Count(string(readme), "\n| `")).To(Equal(len(leaves)), "no value in README.md that there is not")
		inSchema(schema, values, "values")
	})
})

func must[T any](value T, err error) T {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	return value
}

func rules(objects []*unstructured.Unstructured, kind string) map[string][]rbacv1.PolicyRule {
	rules := map[string][]rbacv1.PolicyRule{}
	for _, role := range ofKind[rbacv1.Role](objects, kind) {
		rules[role.Namespace+"/"+role.Name] = role.Rules
	}
	Expect(rules).NotTo(BeEmpty())
	return rules
}

func appVersion() string {
	var chart struct {
		AppVersion string `json:"appVersion"`
	}
	readYAML("Chart.yaml", &chart)
	return chart.AppVersion
}

func readYAML(name string, into any) {
	content, err := os.ReadFile(filepath.Join(chart, name))
	Expect(err).NotTo(HaveOccurred())
	Expect(yaml.Unmarshal(content, into)).To(Succeed())
}

// leavesOf are the paths of the values that have no values inside.
func leavesOf(path string, value any) []string {
	inner, ok := value.(map[string]any)
	if !ok || len(inner) == 0 {
		return []string{path}
	}
	var leaves []string
	for name, v := range inner {
		leaves = append(leaves, leavesOf(strings.TrimPrefix(path+"."+name, "."), v)...)
	}
	return leaves
}

// inSchema checks that the schema knows the values, and no others.
func inSchema(schema map[string]any, values map[string]any, path string) {
	properties, ok := schema["properties"].(map[string]any)
	if !ok {
		return // any values, such as resources or affinity
	}
	Expect(schema["additionalProperties"]).To(BeFalse(), path)
	for name, value := range values {
		Expect(properties).To(HaveKey(name), path)
		if inner, ok := value.(map[string]any); ok {
			inSchema(properties[name].(map[string]any), inner, path+"."+name)
		}
	}
}
