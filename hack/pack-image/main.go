// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

// pack-image makes an image where there is no Docker: it packs what the last
// stage of a Dockerfile says, around binaries that make has built, and writes
// an archive as `docker save` does. kind, containerd, podman and docker load it.
//
// It runs nothing and pulls nothing, so it knows few instructions, and refuses
// a Dockerfile with any other: what it makes is never less than what was asked.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pack-image:", err)
		os.Exit(1)
	}
}

func run() error {
	var (
		dockerfile = flag.String("file", "Dockerfile", "the Dockerfile")
		folder     = flag.String("context", ".", "the folder that COPY copies from")
		image      = flag.String("name", "", "the image's name with its tag")
		arch       = flag.String("arch", runtime.GOARCH, "the architecture that the binaries are for")
		output     = flag.String("output", "", "the archive to write")
		built      = files{}
	)
	flag.Var(built, "built", "a file of an earlier stage and where it is here, as /path=file; may be repeated")
	flag.Parse()
	if *image == "" || *output == "" {
		return errors.New("-name and -output are needed")
	}
	tag, err := name.NewTag(*image)
	if err != nil {
		return fmt.Errorf("-name: %w", err)
	}
	stage, err := lastStage(*dockerfile)
	if err != nil {
		return err
	}
	packed, err := stage.pack(sources{context: *folder, built: built}, *arch)
	if err != nil {
		return fmt.Errorf("%s: %w", *dockerfile, err)
	}
	// The name appears only when the archive is whole.
	partial := *output + ".partial"
	if err := tarball.WriteToFile(partial, tag, packed); err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", *output, err), os.Remove(partial))
	}
	return os.Rename(partial, *output)
}

// files are files by their path in an earlier stage.
type files map[string]string

func (f files) String() string { return "" }

func (f files) Set(value string) error {
	path, file, ok := strings.Cut(value, "=")
	if !ok {
		return errors.New("want /path=file")
	}
	f[path] = file
	return nil
}
