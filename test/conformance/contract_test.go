// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// contract is what every adapter keeps, in the order of the page.
var contract = []chapter{
	making, normal, settings, permissions, guidelines, access, members, roles, addresses, ownership, ending, drift, trouble,
}

// chapter is a part of the contract.
type chapter struct {
	title string
	rows  []row
}

func section(title string, rows ...[]row) chapter {
	c := chapter{title: title}
	for _, some := range rows {
		c.rows = append(c.rows, some...)
	}
	return c
}

// row is one feature: a line of the page, and a spec on each server.
type row struct {
	name   string
	labels Labels
	at     types.CodeLocation
	body   func(context.Context, *stage)
}

// feature says what an adapter does, in words that are no platform's. What
// comes after the name is a Label, or the body of the spec.
func feature(name string, args ...any) []row {
	r := row{name: name, at: types.NewCodeLocation(1)}
	for _, arg := range args {
		switch arg := arg.(type) {
		case Labels:
			r.labels = append(r.labels, arg...)
		case func(context.Context, *stage):
			r.body = arg
		default:
			panic(fmt.Sprintf("a feature takes no %T", arg))
		}
	}
	return []row{r}
}

// ofBoth is a feature of communities and one of groups, which are different
// things on some platforms. The name says space for either.
func ofBoth(name string, args ...any) []row {
	at := types.NewCodeLocation(1)
	var rows []row
	for _, kind := range []model.Kind{model.KindCommunity, model.KindGroup} {
		r := row{name: strings.Replace(name, "space", strings.ToLower(string(kind)), 1), at: at}
		for _, arg := range args {
			switch arg := arg.(type) {
			case Labels:
				r.labels = append(r.labels, arg...)
			case func(context.Context, *stage, model.Kind):
				r.body = func(ctx context.Context, s *stage) { arg(ctx, s, kind) }
			default:
				panic(fmt.Sprintf("a feature takes no %T", arg))
			}
		}
		rows = append(rows, r)
	}
	return rows
}
