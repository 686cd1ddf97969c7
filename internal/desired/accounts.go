// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package desired

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
)

// Profile is what a platform's directory says of a person.
type Profile struct {
	Email, DisplayName string
	// Attributes have the first value of each that the person has.
	Attributes map[string]string
}

// Profiles look people up by username; nil where a platform has no directory.
type Profiles func(username string) (Profile, bool)

// Accounts maps people to accounts as the platform says, or, where it says
// Email, to e-mail addresses in lower case. Several people with one account
// become one member with the highest role. Of whom the directory does not say
// what it takes is in nameless.
func Accounts(p *v1alpha1.Platform, people []Declared, profiles Profiles) (members []model.Member, nameless []string, err error) {
	account, err := accountOf(p, profiles)
	if err != nil {
		return nil, nil, err
	}
	byAccount := map[string]model.Member{}
	for _, d := range people {
		name, err := account(d.Person)
		if errors.Is(err, errNameless) {
			nameless = append(nameless, d.Person)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		m := byAccount[name]
		byAccount[name] = model.Member{Account: name, Role: max(m.Role, d.Role), Readd: m.Readd || d.Readd}
	}
	return slices.SortedFunc(maps.Values(byAccount), byName), nameless, nil
}

func byName(a, b model.Member) int { return cmp.Compare(a.Account, b.Account) }

// Resolve puts accounts in the place of the addresses that Accounts made of
// people. Whose address leads to no account is in nameless.
func Resolve(members []model.Member, accounts map[string]string) (resolved []model.Member, nameless []string) {
	byAccount := map[string]model.Member{}
	for _, m := range members {
		account, known := accounts[m.Account]
		if !known {
			nameless = append(nameless, m.Account)
			continue
		}
		same := byAccount[account]
		byAccount[account] = model.Member{Account: account, Role: max(m.Role, same.Role), Readd: m.Readd || same.Readd}
	}
	return slices.SortedFunc(maps.Values(byAccount), byName), nameless
}

// Match is how a platform's people are accounts.
func Match(p *v1alpha1.Platform) v1alpha1.AccountMatch {
	if p.Spec.Accounts == nil {
		return v1alpha1.MatchUsername
	}
	return cmp.Or(p.Spec.Accounts.Match, v1alpha1.MatchUsername)
}

// errNameless says that a directory does not tell what makes a person's account.
var errNameless = errors.New("not in the directory, or without what makes an account")

// accountOf is how a person is an account. On Matrix a username is the lower-case local part of a user ID.
func accountOf(p *v1alpha1.Platform, profiles Profiles) (func(person string) (string, error), error) {
	switch Match(p) {
	case v1alpha1.MatchEmail:
		return func(person string) (string, error) {
			if profiles != nil {
				if profile, known := profiles(person); known && profile.Email != "" {
					return strings.ToLower(profile.Email), nil
				}
			}
			return "", errNameless
		}, nil
	case v1alpha1.MatchTemplate:
		return templated(p, profiles)
	default:
		if p.Spec.Matrix == nil {
			return func(person string) (string, error) { return person, nil }, nil
		}
		return func(person string) (string, error) {
			return "@" + strings.ToLower(person) + ":" + p.Spec.Matrix.ServerName, nil
		}, nil
	}
}

// templated makes accounts with the platform's template: of the username, and
// of what the directory says where there is one.
func templated(p *v1alpha1.Platform, profiles Profiles) (func(person string) (string, error), error) {
	t, err := template.New("accounts.template").Option("missingkey=error").Parse(p.Spec.Accounts.Template)
	if err != nil {
		return nil, fmt.Errorf("parsing accounts.template of Platform %s: %w", p.Name, err)
	}
	return func(person string) (string, error) {
		var account strings.Builder
		err := t.Execute(&account, fieldsOf(person, profiles))
		switch {
		case err == nil:
			return account.String(), nil
		case profiles != nil:
			return "", errNameless
		default:
			return "", fmt.Errorf("making an account with accounts.template of Platform %s: %w", p.Name, err)
		}
	}, nil
}

// fieldsOf is what a template can use of a person. What is not known is not there, so that no account is made without it.
func fieldsOf(person string, profiles Profiles) map[string]any {
	fields := map[string]any{"username": person}
	if profiles == nil {
		return fields
	}
	profile, known := profiles(person)
	if !known {
		return fields
	}
	fields["attributes"] = profile.Attributes
	for name, value := range map[string]string{"email": profile.Email, "displayName": profile.DisplayName} {
		if value != "" {
			fields[name] = value
		}
	}
	return fields
}
