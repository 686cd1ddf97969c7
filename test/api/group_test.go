// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

var _ = DescribeTable("Group", groups().check, groups().entries())

var _ = It("Group can be listed by its community", func(ctx context.Context) {
	for name, community := range map[string]string{"listed": "engineering", "not-listed": "sales"} {
		group := groups().object(minimalGroup, set("metadata.name", name), set("spec.communityRef.name", community))
		Expect(strict.Create(ctx, group)).To(Succeed())
		DeferCleanup(strict.Delete, group)
	}
	var list v1alpha1.GroupList
	Expect(strict.List(ctx, &list, client.InNamespace(namespace), client.MatchingFields{"spec.communityRef.name": "engineering"})).To(Succeed())
	Expect(list.Items).To(HaveLen(1))
	Expect(list.Items[0].Name).To(Equal("listed"))
})

const fullGroup = `
spec:
  communityRef: {name: engineering}
  displayName: Go
  spaceName: golang
  purpose: Everything about Go at Example.
  visibility: Internal
  join: Open
  standing: Unofficial
  members:` + members + `
  guidelines: {configMapKeyRef: {name: guidelines, key: go.md}, roleCards: Shown}
  branding: {avatarURL: "mxc://example.com/abc", icon: "data:image/png;base64,iVBORw0KGgo="}
  moderation:` + moderation + `
  management:` + management + `
  suspend: false
`

const minimalGroup = `
spec:
  communityRef: {name: engineering}
  displayName: Go
`

func groups() kind {
	return kind{name: "Group", minimal: minimalGroup, full: fullGroup, rows: slices.Concat(
		required("spec", "spec.communityRef", "spec.displayName"),
		communityRef(), displayName(), groupName(), purpose(), visibility(),
		choice("spec.join", "people who come in by", "Open", "Request", "Invite"),
		standing(), memberSources(), memberOfItself(), guidelines(), branding(), moderationRows("spec.moderation"), managementRows(), suspend(),
		misspelt("spec.community", "spec.displayname", "spec.owners"),
	)}
}

func communityRef() []row {
	return append(reference("spec.communityRef"),
		later(refuses("a move to another community", "communityRef is immutable; make another Group", set("spec.communityRef.name", "sales"))),
		later(accepts("another display name", set("spec.displayName", "Golang"))),
	)
}

func groupName() []row {
	const says = "where spaceName is left out, metadata.name is the name in addresses and has at most 64 characters and no dots; set spec.spaceName"
	inherits := remove("spec.spaceName")
	named := func(name string) edit { return set("metadata.name", name) }
	return append(spaceName("spec.spaceName"),
		accepts("a metadata.name of 64 characters as the name in addresses", inherits, named(strings.Repeat("a", 64))),
		refuses("a metadata.name of 65 characters as the name in addresses", says, inherits, named(strings.Repeat("a", 65))),
		refuses("a metadata.name with a dot as the name in addresses", says, inherits, named("go.lang")),
		accepts("a metadata.name with a dot beside a spaceName", named("go.lang")),
		later(accepts("another space name", set("spec.spaceName", "gophers"))),
	)
}

func memberOfItself() []row {
	return []row{
		accepts("another group as a source of members", set("spec.members", from("[{group: {name: another}}]"))),
		refuses("the group itself as a source of its members", "a group can't be a source of its own members; name another group",
			set("spec.members", from("[{group: {name: sample}}]"))),
	}
}
