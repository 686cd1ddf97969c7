// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// helm runs helm on the release's namespace, away from the user's own settings.
func helm(ctx context.Context, args ...string) (string, error) {
	home, err := os.MkdirTemp("", "cabildo-e2e-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(home) }()
	return run(ctx, "helm", "", []string{"HELM_CACHE_HOME=" + home, "HELM_CONFIG_HOME=" + home, "HELM_DATA_HOME=" + home},
		append(args, "--namespace", namespace)...)
}

func kubectl(ctx context.Context, input string, args ...string) (string, error) {
	return run(ctx, "kubectl", input, nil, args...)
}

// run runs a tool that make has built. The error is what it says.
func run(ctx context.Context, tool, input string, env []string, args ...string) (string, error) {
	binary, err := devenv.Binary(tool)
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, binary, args...)
	command.Env = append(os.Environ(), env...)
	command.Stdin = strings.NewReader(input)
	var out, complaint bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaint
	if err := command.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", tool, strings.Join(args, " "), err, complaint.String())
	}
	return out.String(), nil
}

// does wants what a tool was asked for to succeed.
func does(_ string, err error) {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
}

// image are the settings that name the image, as an administrator gives them.
func image() []string {
	repository, tag, ok := strings.Cut(images.cabildo, ":")
	Expect(ok).To(BeTrue(), "%s has no tag", images.cabildo)
	return []string{"--set", "image.repository=" + repository, "--set-string", "image.tag=" + tag} // a tag may be all digits
}

// install installs the release and returns when helm says that it works.
func install(ctx context.Context) {
	GinkgoHelper()
	does(helm(ctx, append([]string{"install", release, chart, "--wait", "--timeout", patience.String()}, image()...)...))
}

// managers are the Pods of the release that nobody has asked to go.
func managers(ctx context.Context) []corev1.Pod {
	GinkgoHelper()
	var pods corev1.PodList
	Expect(k8s.List(ctx, &pods, client.InNamespace(namespace), ofRelease)).To(Succeed())
	var staying []corev1.Pod
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp == nil {
			staying = append(staying, pod)
		}
	}
	return staying
}

// ofRelease selects what the chart has made.
var ofRelease = client.MatchingLabels{"app.kubernetes.io/instance": release}

// deployment is the manager's.
func deployment(ctx context.Context) *appsv1.Deployment {
	GinkgoHelper()
	d := &appsv1.Deployment{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: release}, d)).To(Succeed())
	return d
}
