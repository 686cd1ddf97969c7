// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"strings"

	"github.com/cabildo-dev/cabildo/hack/devenv"
)

func username(i int) string { return fmt.Sprintf("u%05d", i%people) }
func team(i int) string     { return fmt.Sprintf("team-%03d", i%teams) }
func area(i int) string     { return fmt.Sprintf("area-%02d", i%areas) }

// crew is a group of its own, of those who are let go.
const crew = "crew"

// company is a directory of many people. Everybody is in two teams, and every tenth team is in the one before it.
func company() string {
	var b strings.Builder
	fmt.Fprintf(&b, "dn: %s\nobjectClass: domain\ndc: example\n\n", devenv.SlapdSuffix)
	for _, unit := range []string{"people", "teams", "crews"} {
		fmt.Fprintf(&b, "dn: ou=%[1]s,%[2]s\nobjectClass: organizationalUnit\nou: %[1]s\n\n", unit, devenv.SlapdSuffix)
	}
	for i := range people {
		fmt.Fprintf(&b, "dn: uid=%[1]s,ou=people,%[2]s\nobjectClass: inetOrgPerson\nuid: %[1]s\ncn: Person %[3]d\nsn: %[3]d\n"+
			"mail: %[1]s@example.com\nemployeeNumber: e%[3]d\ndepartmentNumber: %[4]s\n\n", username(i), devenv.SlapdSuffix, i, area(i))
	}
	for i := range teams {
		fmt.Fprintf(&b, "dn: cn=%[1]s,ou=teams,%[2]s\nobjectClass: groupOfNames\ncn: %[1]s\n", team(i), devenv.SlapdSuffix)
		for n := range inTeam {
			fmt.Fprintf(&b, "member: uid=%s,ou=people,%s\n", username(i*inTeam/2+n), devenv.SlapdSuffix)
		}
		if i%10 == 0 {
			fmt.Fprintf(&b, "member: cn=%s,ou=teams,%s\n", team(i+1), devenv.SlapdSuffix)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "dn: cn=%[1]s,ou=crews,%[2]s\nobjectClass: groupOfNames\ncn: %[1]s\n", crew, devenv.SlapdSuffix)
	for i := range inCrew {
		fmt.Fprintf(&b, "member: uid=%s,ou=people,%s\n", username(i), devenv.SlapdSuffix)
	}
	b.WriteString("\n")
	return b.String()
}
