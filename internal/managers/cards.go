// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package managers

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// Cards tell who looks after a community, in Markdown: each manager in force
// that counts, by role and name, with what the role is for. Empty when there is none.
func Cards(c *v1alpha1.Community, list []v1alpha1.CommunityManager, namespaces map[string]map[string]string, rules Rules, now time.Time) string {
	var shown []*v1alpha1.CommunityManager
	for i := range list {
		m := &list[i]
		if InTerm(m, now) && Names(m, c) && Consents(c, m.Namespace, namespaces[m.Namespace]) &&
			rules.Appointed(m) && rules.trained(m.Spec.Person) == Yes && !rules.left(m.Spec.Person) {
			shown = append(shown, m)
		}
	}
	slices.SortFunc(shown, func(a, b *v1alpha1.CommunityManager) int {
		return cmp.Or(cmp.Compare(slices.Index(ranks, a.Spec.Role), slices.Index(ranks, b.Spec.Role)),
			strings.Compare(a.Spec.Person, b.Spec.Person), strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name))
	})
	if len(shown) == 0 {
		return ""
	}
	var text strings.Builder
	text.WriteString("## Who looks after this space\n\n")
	for _, m := range shown {
		fmt.Fprintf(&text, "- **%s**, %s. %s %s.%s\n", m.Spec.Person, m.Spec.Role, ended(m.Spec.Purpose),
			strings.Join(m.Spec.Responsibilities, ", "), meanwhile(m, rules, now))
	}
	return text.String()
}

// ranks are the roles in the order in which they are shown.
var ranks = []v1alpha1.ManagerRole{v1alpha1.ManagerLead, v1alpha1.ManagerManager, v1alpha1.ManagerModerator, v1alpha1.ManagerAmbassador}

// ended is a sentence with its full stop, on one line.
func ended(sentence string) string {
	sentence = strings.Join(strings.Fields(sentence), " ")
	if strings.HasSuffix(sentence, ".") || strings.HasSuffix(sentence, "!") || strings.HasSuffix(sentence, "?") {
		return sentence
	}
	return sentence + "."
}

// meanwhile says who acts for a manager who is away.
func meanwhile(m *v1alpha1.CommunityManager, rules Rules, now time.Time) string {
	deputies := rules.deputies(m)
	switch {
	case !OnLeave(m, now):
		return ""
	case len(deputies) == 0:
		return " Away."
	default:
		return " Away; meanwhile: " + strings.Join(deputies, ", ") + "."
	}
}
