// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// distroless is the base that is rebuilt here, as far as a static Go binary
// without time zones or name lookups of users needs it: the certificates of
// public authorities. The real one has user names and time zones as well, and
// its makers' care for updates: what is published is built with Docker.
const distroless = "gcr.io/distroless/static:nonroot"

// bundles are where systems keep the certificates that they trust.
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", // Debian and its kin, and the place in distroless
	"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora and its kin
	"/etc/ssl/ca-bundle.pem",             // SUSE
	"/etc/ssl/cert.pem",                  // Alpine, macOS
}

// baseOf is what the base of an image brings along.
func baseOf(image string) ([]entry, error) {
	switch image {
	case "scratch":
		return nil, nil
	case distroless:
		for _, bundle := range bundles {
			if e, err := fileEntry(bundles[0], bundle); err == nil {
				return []entry{e}, nil
			}
		}
		return nil, fmt.Errorf("no certificates to trust on this machine; looked for %s", strings.Join(bundles, ", "))
	default:
		return nil, fmt.Errorf("FROM %s: only scratch and %s can be made without pulling", image, distroless)
	}
}

// entry is one file of an image.
type entry struct {
	path    string
	mode    int64
	content []byte
}

func fileEntry(to, source string) (entry, error) {
	info, err := os.Stat(source)
	if err != nil {
		return entry{}, err
	}
	if !info.Mode().IsRegular() {
		return entry{}, fmt.Errorf("%s is not a file", source)
	}
	content, err := os.ReadFile(source)
	mode := int64(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	return entry{path: to, mode: mode, content: content}, err
}

// layerOf packs files, with the folders that they lie in. Everything is root's
// and has no time, so that the same files always give the same image.
func layerOf(entries []entry) (v1.Layer, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	folders := map[string]bool{"/": true}
	var folder func(string) error
	folder = func(dir string) error {
		if folders[dir] {
			return nil
		}
		folders[dir] = true
		return errors.Join(folder(path.Dir(dir)), w.WriteHeader(&tar.Header{
			Typeflag: tar.TypeDir, Name: strings.TrimPrefix(dir, "/") + "/", Mode: 0o755,
		}))
	}
	for _, e := range entries {
		to := path.Join("/", e.path)
		if err := folder(path.Dir(to)); err != nil {
			return nil, err
		}
		if err := w.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Name: strings.TrimPrefix(to, "/"), Mode: e.mode, Size: int64(len(e.content)),
		}); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(packed.Bytes())), nil
	})
}
