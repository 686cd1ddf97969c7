// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package peribolos

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/cabildo-dev/cabildo/internal/importer"
	"github.com/cabildo-dev/cabildo/internal/importer/strictyaml"
)

// orgFile is what makes a folder an organisation.
const orgFile = "org.yaml"

// ReadDir reads one organisation: the folder itself where it has an org.yaml,
// or else the one of its sub-folders that org names, which may be left out
// where there is only one. Links that lead out of the folder are not followed.
func ReadDir(dir, org string) (*Org, error) {
	name, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the organisation: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the organisation: %w", err)
	}
	defer func() { _ = root.Close() }()
	return Read(root.FS(), filepath.Base(name), org)
}

// Read reads the *.yaml files of one organisation, as ReadDir says; name is
// that of the whole folder. What it does not understand is an error that names
// file and line: an unknown key, a value of the wrong type, a team that is
// declared twice. All errors of all files come together.
func Read(fsys fs.FS, name, org string) (*Org, error) {
	r := &reader{org: &Org{}}
	folder, err := r.pick(fsys, name, org)
	if err != nil {
		return nil, fmt.Errorf("reading the organisation: %w", err)
	}
	err = fs.WalkDir(fsys, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside := folder == "." || file == folder || strings.HasPrefix(file, folder+"/")
		switch {
		case entry.IsDir():
			if !inside && slices.Contains(r.org.Others, file) {
				return fs.SkipDir
			}
			return nil
		case path.Ext(file) == ".yaml" && inside:
			content, err := fs.ReadFile(fsys, file)
			if err != nil {
				return err
			}
			r.read(file, content, file == path.Join(folder, orgFile))
		case slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(file)):
			r.org.Unread = append(r.org.Unread, file)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the organisation: %w", err)
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return r.org, nil
}

// reader collects what the files declare, and what is wrong with them.
type reader struct {
	strictyaml.Reader

	org *Org
}

// pick finds the folder of the organisation.
func (r *reader) pick(fsys fs.FS, name, org string) (string, error) {
	if _, err := fs.Stat(fsys, orgFile); err == nil {
		if org != "" && org != name {
			return "", fmt.Errorf("the folder %s is an organisation itself and not %s: leave --org out, or name the folder above", name, org)
		}
		r.org.Name = importer.Name{Position: importer.Position{File: orgFile}, Name: name}
		return ".", nil
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return "", err
	}
	var orgs []string
	for _, entry := range entries {
		if _, err := fs.Stat(fsys, path.Join(entry.Name(), orgFile)); err == nil {
			orgs = append(orgs, entry.Name())
		}
	}
	switch {
	case len(orgs) == 0:
		return "", errors.New("no " + orgFile + " in the folder or right below it: name the folder of an organisation")
	case org == "" && len(orgs) == 1:
		org = orgs[0]
	case org == "":
		return "", fmt.Errorf("the folder has several organisations: say --org with one of %s", strings.Join(orgs, ", "))
	case !slices.Contains(orgs, org):
		return "", fmt.Errorf("no organisation %q in the folder: there are %s", org, strings.Join(orgs, ", "))
	}
	r.org.Name = importer.Name{Position: importer.Position{File: path.Join(org, orgFile)}, Name: org}
	r.org.Others = slices.DeleteFunc(orgs, func(o string) bool { return o == org })
	return org, nil
}

type file struct {
	*strictyaml.File

	org *Org
}

func (r *reader) read(name string, content []byte, main bool) {
	f := &file{File: r.File(name), org: r.org}
	fields := strictyaml.Fields{"teams": f.teams(&r.org.Teams)}
	if main {
		fields["name"] = f.OptionalText(&r.org.Title)
		fields["description"] = f.OptionalText(&r.org.Description)
		fields["admins"] = f.Names(&r.org.Admins)
		fields["members"] = f.Names(&r.org.Members)
		fields["repos"] = f.Entries(func(key importer.Name, _ *yaml.Node) { r.org.Repos = append(r.org.Repos, key) })
		for _, setting := range []string{
			"billing_email", "company", "email", "location", "default_repository_permission",
			"has_organization_projects", "has_repository_projects", "members_can_create_repositories",
		} {
			fields[setting] = func(what string, n *yaml.Node) {
				var value string
				f.OptionalText(&value)(what, n)
				r.org.Settings = append(r.org.Settings, importer.Name{Position: f.At(n), Name: setting})
			}
		}
	}
	f.Document(content, fields)
}

func (f *file) teams(target *[]Team) strictyaml.Read {
	return f.Entries(func(key importer.Name, n *yaml.Node) {
		t := Team{Name: key}
		f.Declare("team", key.Name, key.Position)
		switch {
		case n.Kind == yaml.AliasNode:
			// A team may have teams, so an alias could make a file of a few lines endless.
			f.Fail(f.At(n), "team %s must be a mapping, not %s", key.Name, strictyaml.Describe(n))
			return
		case !strictyaml.IsNull(n):
			f.Mapping(n, "a team", strictyaml.Fields{
				"description": f.OptionalText(&t.Description),
				"privacy":     f.privacy(&t.Privacy),
				"maintainers": f.Names(&t.Maintainers),
				"members":     f.Names(&t.Members),
				"previously":  f.Names(&t.Previously),
				"repos": f.Entries(func(repo importer.Name, permission *yaml.Node) {
					var may string
					f.Text(&may)("what the team may do in "+repo.Name, permission)
					repo.Name += ": " + may
					t.Repos = append(t.Repos, repo)
				}),
				"teams": f.teams(&t.Teams),
			})
		}
		*target = append(*target, t)
	})
}

// The values of privacy.
const (
	secret = "secret"
	closed = "closed"
)

func (f *file) privacy(target *importer.Name) strictyaml.Read {
	return func(what string, n *yaml.Node) {
		f.Noted(target)(what, n)
		if p := target.Name; p != "" && p != secret && p != closed {
			f.Fail(f.At(n), "%s must be %s or %s, not %q", what, secret, closed, p)
		}
	}
}
