// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/hack/devenv"
)

// What the samples have in the place of the real homeserver.
const (
	sampleURL        = "https://matrix.example.com"
	sampleServerName = "example.com"
	sampleToken      = "put-the-token-here"
)

// makePeople makes an account for everybody whom the manifests name.
func (d *demo) makePeople(ctx context.Context) error {
	files, err := filepath.Glob(filepath.Join(d.samples, "*.yaml"))
	if err != nil {
		return fmt.Errorf("listing the samples: %w", err)
	}
	people := map[string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading the samples: %w", err)
		}
		var manifest any
		if err := yaml.Unmarshal(content, &manifest); err != nil {
			return fmt.Errorf("reading %s: %w", file, err)
		}
		collect(manifest, people)
	}
	d.people = slices.Sorted(maps.Keys(people))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for _, name := range d.people {
		group.Go(func() error {
			_, err := d.Homeserver.CreatePerson(ctx, name, password, display(name))
			return err
		})
	}
	return group.Wait()
}

// collect gathers the values of every field person.
func collect(value any, into map[string]bool) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			if name, ok := inner.(string); ok && key == "person" {
				into[name] = true
			}
			collect(inner, into)
		}
	case []any:
		for _, inner := range value {
			collect(inner, into)
		}
	}
}

// display is a person's name as people write it: ana.ruiz is Ana Ruiz.
func display(username string) string {
	words := strings.Split(username, ".")
	for i, word := range words {
		if word != "" {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, " ")
}

// apply renders the platform for the homeserver that runs, and applies everything with kubectl.
func (d *demo) apply(ctx context.Context) error {
	rendered := strings.NewReplacer(
		sampleURL, d.Homeserver.URL,
		"serverName: "+sampleServerName, "serverName: "+d.Homeserver.ServerName,
		sampleToken, d.Homeserver.ASToken,
	)
	var manifests strings.Builder
	for _, name := range []string{"platform-secret.yaml", "platform.yaml"} {
		content, err := os.ReadFile(filepath.Join(d.samples, name))
		if err != nil {
			return fmt.Errorf("reading the samples: %w", err)
		}
		manifests.WriteString(rendered.Replace(string(content)))
		manifests.WriteString("\n---\n")
	}
	if err := d.kubectl(ctx, manifests.String(), "apply", "-f", "-"); err != nil {
		return err
	}
	return d.kubectl(ctx, "", "apply", "-k", d.samples)
}

func (d *demo) kubectl(ctx context.Context, input string, args ...string) error {
	kubectl, err := devenv.Binary("kubectl")
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, kubectl, args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+d.Plane.Kubeconfig())
	command.Stdin = strings.NewReader(input)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// readyTime bounds the wait; a usual one takes seconds.
const readyTime = 3 * time.Minute

// waitReady waits until the platform, the communities and the groups are Ready on the generation that was applied.
func (d *demo) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	for {
		waiting, err := unready(ctx, d.Cluster)
		if err == nil && len(waiting) == 0 {
			return nil
		}
		select {
		case <-time.After(250 * time.Millisecond):
		case <-d.Manager.Done():
			return fmt.Errorf("the manager ended by itself; its log was %s", d.Manager.LogFile())
		case <-ctx.Done():
			return fmt.Errorf("not Ready in %s: %s", readyTime, strings.Join(waiting, "; "))
		}
	}
}

// unready says what is not Ready, and why.
func unready(ctx context.Context, c client.Reader) ([]string, error) {
	var waiting []string
	for _, list := range []client.ObjectList{&v1alpha1.PlatformList{}, &v1alpha1.CommunityList{}, &v1alpha1.GroupList{}} {
		if err := c.List(ctx, list); err != nil {
			return nil, fmt.Errorf("reading what is Ready: %w", err)
		}
		err := meta.EachListItem(list, func(o runtime.Object) error {
			object, ok := o.(client.Object)
			if !ok {
				return fmt.Errorf("%T is no object", o)
			}
			if why := whyUnready(object); why != "" {
				waiting = append(waiting, fmt.Sprintf("%T %s/%s: %s", o, object.GetNamespace(), object.GetName(), why))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return waiting, nil
}

func whyUnready(o client.Object) string {
	conditions := (&v1alpha1.PlatformStatus{}).Conditions
	switch o := o.(type) {
	case *v1alpha1.Platform:
		conditions = o.Status.Conditions
	case *v1alpha1.Community:
		conditions = o.Status.Conditions
	case *v1alpha1.Group:
		conditions = o.Status.Conditions
	}
	switch ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); {
	case ready == nil:
		return "nothing was said yet"
	case ready.Status != "True" || ready.ObservedGeneration != o.GetGeneration():
		return ready.Reason + ": " + ready.Message
	default:
		return ""
	}
}
