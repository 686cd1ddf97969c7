// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"context"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// CreateFiles makes the objects of manifests, one object a file, such as those under config/.
func CreateFiles(ctx context.Context, c client.Client, files ...string) error {
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(content, object); err != nil {
			return fmt.Errorf("reading %s: %w", file, err)
		}
		if err := c.Create(ctx, object); err != nil {
			return fmt.Errorf("making what is in %s: %w", file, err)
		}
	}
	return nil
}
