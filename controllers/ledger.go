// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// refusals remember what a server said that it can't set, which no capability
// told before it was tried: it is not tried again while the same server is
// asked for the same of the same space.
type refusals struct{ said sync.Map } // refusal by setting of a space

// unsettable is a setting of a space.
type unsettable struct{ platform, space, field string }

// refusal is what was asked for, of which server and of a space as it was seen, and why that can't be.
type refusal struct{ asked, why string }

func (p *pass) asked(field plan.Field) (unsettable, string) {
	// What isn't about permission and access would only have it tried again with every new topic.
	wanted, is := p.want.Settings, p.seen.Space.Settings
	of := func(s model.Settings) model.Settings {
		return model.Settings{Join: s.Join, Listed: s.Listed, History: s.History, Guests: s.Guests, Servers: s.Servers, Permissions: s.Permissions}
	}
	return unsettable{p.platform.Name, p.seen.Space.ID, string(field)}, fmt.Sprint(p.session.Info.Server, of(wanted), of(is))
}

// skip takes out what the server is known to refuse, and notes why.
func (r *refusals) skip(p *pass, ops []plan.Operation) []plan.Operation {
	return slices.DeleteFunc(ops, func(op plan.Operation) bool {
		if op.Verb != plan.Set || p.seen.Space == nil || p.effective.Moderation.OnUnsupported == v1alpha1.BlockUnsupported {
			return false
		}
		of, asked := p.asked(op.Field)
		before, known := r.said.Load(of)
		if !known || before.(refusal).asked != asked {
			return false
		}
		p.refuse(op.Field, before.(refusal).why)
		return true
	})
}

// refused notes that a server can't set something. Where that is fatal, or is about something else, it is not noted.
func (r *refusals) refused(p *pass, op plan.Operation, err error) bool {
	var answer *platform.Error
	if op.Verb != plan.Set || p.seen.Space == nil || !errors.As(err, &answer) || answer.Kind != platform.NotSupported ||
		p.effective.Moderation.OnUnsupported == v1alpha1.BlockUnsupported {
		return false
	}
	p.refuse(op.Field, answer.Doing)
	p.refusedNow = append(p.refusedNow, op.Field)
	return true
}

// remember keeps what was refused in a pass, with how the space was seen after it.
func (r *refusals) remember(p *pass) {
	for _, field := range p.refusedNow {
		of, asked := p.asked(field)
		r.said.Store(of, refusal{asked, p.cannot[field]})
	}
}

func (p *pass) refuse(field plan.Field, why string) {
	if p.cannot == nil {
		p.cannot = map[plan.Field]string{}
	}
	p.cannot[field] = why
}

// ledger says what is in force of the settings. What the server refused to set
// is no drift: it is Unsupported, with what the server said.
func (p *pass) ledger() []v1alpha1.LedgerEntry {
	if p.seen.Space == nil {
		return nil
	}
	entries := status.Ledger(p.effective, p.want.Settings, &p.seen.Space.Settings, p.losses)
	for i, e := range entries {
		if why, refused := p.cannot[fieldOf(e.Setting)]; refused && e.State == v1alpha1.SettingDrifted {
			entries[i].State, entries[i].Reason = v1alpha1.SettingUnsupported, why
		}
	}
	if d := p.delegation(); d != nil && len(entries) > 0 {
		entries = append(entries, v1alpha1.LedgerEntry{
			Setting: "membership", Wanted: string(p.effective.Management.Membership),
			State: v1alpha1.SettingDelegated, Reason: d.By + " decides who is in the space",
		})
	}
	return entries
}

// delegation is what else on the platform decides who is in the space; nil when nothing does.
func (p *pass) delegation() *model.Delegation {
	if p.seen.Space == nil {
		return nil
	}
	return p.seen.Space.Delegated
}

// delegated says who is not in the space as declared because something else
// decides that; empty when nothing is held back for it.
func (p *pass) delegated() string {
	d := p.delegation()
	if d == nil {
		return ""
	}
	var said, out []string
	for _, h := range p.held {
		if h.Why == plan.Delegated && h.Operation.Verb == plan.AddMember {
			out = append(out, h.Operation.Members[0].Account)
		}
	}
	if len(out) > 0 {
		said = append(said, fmt.Sprintf("declared and not in it: %s (%d in all)", status.Sample(out), len(out)))
	}
	if taken := plan.Describe(p.held, plan.Delegated); taken != "" {
		said = append(said, "not as declared: "+taken)
	}
	if len(said) == 0 {
		return ""
	}
	return fmt.Sprintf("On Platform %s %s decides who is in the space, so Cabildo changes none of that; %s. Change it there, or take it off the space.",
		p.platform.Name, d.By, strings.Join(said, "; "))
}

// fieldOf is the field with which a setting of the API is set.
func fieldOf(setting string) plan.Field {
	switch setting {
	case "guests":
		return plan.FieldGuests
	case "history":
		return plan.FieldHistory
	case "blockedServers":
		return plan.FieldServers
	case "join":
		return plan.FieldJoin
	case "visibility":
		return plan.FieldListed
	default:
		return plan.FieldPermissions
	}
}

// offLedger says which settings are not as they are wanted on a platform, besides what normalising lost; empty when all are.
func (p *pass) offLedger() (reason, said string) {
	var drifted, cannot []string
	for _, e := range p.ledger() {
		_, refused := p.cannot[fieldOf(e.Setting)]
		switch {
		case e.State == v1alpha1.SettingDrifted:
			drifted = append(drifted, fmt.Sprintf("%s is %s and should be %s", e.Setting, e.Seen, e.Wanted))
		case refused && e.State == v1alpha1.SettingUnsupported:
			cannot = append(cannot, fmt.Sprintf("%s is %s and should be %s: %s", e.Setting, e.Seen, e.Wanted, e.Reason))
		}
	}
	switch {
	case len(drifted) > 0:
		return v1alpha1.ReasonDrifted, fmt.Sprintf("%s: %s.", p.platform.Name, strings.Join(append(drifted, cannot...), ", "))
	case len(cannot) > 0:
		return v1alpha1.ReasonSettingsUnsupported, fmt.Sprintf("%s: %s.", p.platform.Name, strings.Join(cannot, ", "))
	default:
		return "", ""
	}
}

// describeLosses counts what a platform can't hold, and says it one by one.
func describeLosses(name string, losses []platform.Loss) string {
	counts := map[platform.SupportState]int{}
	var each strings.Builder
	for _, l := range losses {
		state := cmp.Or(l.State, platform.Unsupported)
		counts[state]++
		fmt.Fprintf(&each, " %s (%s): %s.", l.Setting, state, l.Message)
	}
	var summary []string
	for _, state := range []platform.SupportState{platform.Unsupported, platform.Unlicensed, platform.Delegated, platform.Partial} {
		if n := counts[state]; n > 0 {
			summary = append(summary, fmt.Sprintf("%d %s", n, state))
		}
	}
	return fmt.Sprintf("%s: %s.%s", name, strings.Join(summary, ", "), each.String())
}
