// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/grants"
	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/plan"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// brought keeps who came into the space of a community only because one of its
// groups has them, on platforms where who is in a group has to be in the
// community. They are not the community's members: it does not take them out
// with their group. But who leaves the organisation loses what we gave them,
// and this is part of it.
//
// The passes of a community and of all its groups use one record, one at a time.
type brought struct {
	records *records
	locks   platform.Locks // by the record's name
	given   sync.Map       // when this process noted somebody last, as time.Time by the record's name
}

// staleFor is how old what a pass knows of its community's groups may be when it begins.
const staleFor = time.Minute

// with does something with the record for a community's space on the platform
// of a pass, which is nil where there is none, and keeps what that returns.
func (b *brought) with(ctx context.Context, p *pass, community model.Ref, do func(*grants.Record) (*grants.Record, *status.Problem)) *status.Problem {
	name := broughtName(p.platform, community)
	defer b.locks.Lock(name)()
	record, err := b.records.recall(ctx, name)
	if err != nil {
		return notBrought(err)
	}
	record, problem := do(record)
	if problem != nil || record == nil {
		return problem
	}
	if err := b.records.keep(ctx, name, p.platform.Name, community, record); err != nil {
		return notBrought(err)
	}
	return nil
}

func notBrought(err error) *status.Problem {
	return status.Retry(v1alpha1.ReasonGrantRecordUnavailable, err,
		"Who comes into the community with a group can't be recorded, so nothing is changed: %v.", err)
}

// broughtName is the Secret with the record for a community's space.
func broughtName(on *v1alpha1.Platform, community model.Ref) string {
	return recordName(on.Name, on.Spec.OwnerID+"|brought", community)
}

// bring notes who is about to come into the community on the way into the
// group, before that happens: whoever is to be added and is not there yet.
func (r *spaceReconciler) bring(ctx context.Context, p *pass, ops []plan.Operation) *status.Problem {
	if !p.session.Info.Nested || p.want.Parent == nil {
		return nil
	}
	var coming []string
	for _, op := range ops {
		if op.Verb == plan.AddMember {
			coming = append(coming, accounts(op.Members)...)
		}
	}
	if len(coming) == 0 {
		return nil
	}
	return r.brought.with(ctx, p, *p.want.Parent, func(record *grants.Record) (*grants.Record, *status.Problem) {
		coming = slices.DeleteFunc(coming, func(account string) bool {
			return record != nil && record.Granted(p.session.Stable(account))
		})
		if len(coming) == 0 {
			return nil, nil
		}
		seen, err := p.session.Observe(ctx, platform.Query{
			OwnerID: p.platform.Spec.OwnerID, Ref: *p.want.Parent, KnownID: p.seen.ParentID, Members: true,
		})
		if err != nil {
			return nil, r.platformProblem(p, err)
		}
		if seen.Space == nil || !seen.Complete { // who came alone can't be told
			return nil, nil
		}
		for _, account := range coming {
			if seen.Space.Members[account] == model.Present {
				continue
			}
			if record == nil {
				if record, err = r.records.begin(ctx); err != nil {
					return nil, notBrought(err)
				}
			}
			record.Give(model.Member{Account: p.session.Stable(account)}, r.clock.Now())
			r.brought.given.Store(broughtName(p.platform, *p.want.Parent), r.clock.Now())
		}
		return record, nil
	})
}

// recallBrought finds who came into a community with its groups.
func (r *spaceReconciler) recallBrought(ctx context.Context, p *pass) *status.Problem {
	if !p.session.Info.Nested || p.subject.group != nil {
		return nil
	}
	p.began = r.clock.Now()
	return r.brought.with(ctx, p, p.subject.ref, func(record *grants.Record) (*grants.Record, *status.Problem) {
		p.guests = record != nil && record.Size() > 0
		return nil, nil
	})
}

// isGuest says that an account is in the space of a community because a group brought it in.
func (r *spaceReconciler) isGuest(ctx context.Context, p *pass, account string) (is bool) {
	if !p.guests {
		return false
	}
	problem := r.brought.with(ctx, p, p.subject.ref, func(record *grants.Record) (*grants.Record, *status.Problem) {
		is = record != nil && record.Granted(p.session.Stable(account))
		return nil, nil
	})
	return is && problem == nil
}

// meetBrought forgets who is neither in the space of a community any more nor in one of its groups. Who was noted
// since the pass read its groups is in neither yet, so that it forgets nobody then.
func (r *spaceReconciler) meetBrought(ctx context.Context, p *pass) *status.Problem {
	if space := p.seen.Space; !p.guests || !p.seen.Complete || p.insideUnknown || space == nil || space.Members == nil {
		return nil
	}
	return r.brought.with(ctx, p, p.subject.ref, func(record *grants.Record) (*grants.Record, *status.Problem) {
		last, noted := r.brought.given.Load(broughtName(p.platform, p.subject.ref))
		if record == nil || noted && last.(time.Time).After(p.began.Add(-staleFor)) {
			return nil, nil
		}
		seen, inside := map[string]model.Membership{}, make([]model.Member, len(p.inside))
		for account, membership := range p.seen.Space.Members {
			seen[p.session.Stable(account)] = membership
		}
		for i, m := range p.inside {
			inside[i] = model.Member{Account: p.session.Stable(m.Account)}
		}
		record.Meet(seen, inside)
		return record, nil
	})
}
