// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"github.com/cabildo-dev/cabildo/api/v1alpha1"
	"github.com/cabildo-dev/cabildo/internal/platform"
	"github.com/cabildo-dev/cabildo/internal/status"
)

// claim says whether the pass may work on the space that it sees, or make one.
// It takes a space over when the declaration says so and nobody owns it.
func claim(p *pass) *status.Problem {
	seen := &p.seen
	switch {
	case seen.Space != nil:
		return controllable(p)
	case !seen.Complete:
		return status.Wait(v1alpha1.ReasonViewIncomplete,
			"Platform %s has not told everything yet (%s), so it can't be known whether the space exists. Nothing is made until it has.", p.platform.Name, seen.Why)
	case p.want.Parent != nil && seen.ParentID == "":
		return status.Wait(v1alpha1.ReasonCommunityNotReady,
			"Community %s has no space on Platform %s yet; the group's follows it.", p.subject.community.Name, p.platform.Name)
	case seen.Replaced != nil && !p.replacementSettled():
		return replaced(p)
	case seen.Holder != nil:
		return adopt(p, seen.Holder)
	case seen.Lost && p.subject.object.GetAnnotations()[v1alpha1.RecreateAnnotation] != p.subject.known(p.platform.Name).SpaceID:
		id := p.subject.known(p.platform.Name).SpaceID
		return status.Stall(v1alpha1.ReasonSpaceLost,
			"Space %s is gone from Platform %s, or its account %s was removed from it. Invite the account back and give it its power, or have a new space made with the annotation %s: %q.",
			id, p.platform.Name, p.session.Info.Account, v1alpha1.RecreateAnnotation, id)
	default:
		return nil
	}
}

// replacementSettled says that a person has decided what comes of a space that somebody else
// upgraded: the successor is adopted, or a new space is made.
func (p *pass) replacementSettled() bool {
	by, holder := p.seen.Replaced, p.seen.Holder
	adopted := holder != nil && holder.ID == by.New && holder.Space != nil && p.effective.Management.Adoption == v1alpha1.AdoptIfUnowned
	return adopted || p.subject.object.GetAnnotations()[v1alpha1.RecreateAnnotation] == by.Old
}

// replaced says of a space that somebody else upgraded what can be done.
func replaced(p *pass) *status.Problem {
	by, us := p.seen.Replaced, p.session.Info.Account
	return status.Stall(v1alpha1.ReasonSpaceReplaced,
		"Space %[1]s on Platform %[2]s was upgraded to %[3]s by %[4]s. Cabildo's account %[5]s did not do it, so %[3]s is not Cabildo's, and %[1]s is closed. Choose one: "+
			"(1) Adopt %[3]s: have the name lead there, invite %[5]s, give it the highest power alone, and set management.adoption: IfUnowned; not possible in a room of version 12. "+
			"(2) Have a new space: set the annotation %[6]s: %[1]q, and another spaceName while the name leads to %[3]s.",
		by.Old, p.platform.Name, by.New, by.By, us, v1alpha1.RecreateAnnotation)
}

// adopt takes over the space that holds the wanted name, where that is allowed.
func adopt(p *pass, holder *platform.Holder) *status.Problem {
	if problem := nameTaken(p, holder); problem.Reason != v1alpha1.ReasonNameTaken ||
		p.effective.Management.Adoption != v1alpha1.AdoptIfUnowned {
		return problem
	}
	if holder.Space == nil {
		return status.Stall(v1alpha1.ReasonCannotControl,
			"Space %s has the name %q, and whose it is can't be seen, because the account %s is not in it. If it is nobody's, invite the account and give it the highest power.",
			holder.ID, p.want.Address, p.session.Info.Account)
	}
	p.seen.Space = holder.Space
	p.seen.Holder = nil
	return controllable(p)
}

// nameTaken says who has the wanted name, and what to do about it.
func nameTaken(p *pass, holder *platform.Holder) *status.Problem {
	name, on := p.want.Address, p.platform.Name
	space := "space " + holder.ID
	if holder.Space != nil && holder.Space.Archived { // where archived spaces keep their names
		space = "the archived " + space
	}
	switch mark := holder.Mark; {
	case holder.ID == p.subject.object.GetAnnotations()[v1alpha1.RecreateAnnotation]:
		return status.Stall(v1alpha1.ReasonNameTaken,
			"The name %q on Platform %s still leads to the lost space %s. Have an administrator of the server take the name off it, or choose another spaceName.", name, on, holder.ID)
	case mark == nil:
		return status.Stall(v1alpha1.ReasonNameTaken,
			"The name %q on Platform %s leads to %s, which nobody is known to own. Choose another spaceName, or set management.adoption: IfUnowned to take that space over.", name, on, space)
	case mark.Released:
		return status.Stall(v1alpha1.ReasonNameTaken,
			"The name %q on Platform %s leads to %s, which %s of installation %s left behind. Set management.adoption: IfUnowned to take it over, or choose another spaceName.", name, on, space, mark.Ref, mark.OwnerID)
	case mark.OwnerID != p.platform.Spec.OwnerID:
		return status.Stall(v1alpha1.ReasonOwnedByAnotherInstallation,
			"The name %q on Platform %s leads to %s, which belongs to the installation %s. Choose another spaceName, or have it released there.", name, on, space, mark.OwnerID)
	default:
		return status.Stall(v1alpha1.ReasonClaimedByAnotherResource,
			"The name %q on Platform %s belongs to %s. Choose another spaceName.", name, on, mark.Ref)
	}
}

func controllable(p *pass) *status.Problem {
	if why := p.seen.Space.Control; why != "" {
		return status.Stall(v1alpha1.ReasonCannotControl, "Space %s on Platform %s can't be governed: %s", p.seen.Space.ID, p.platform.Name, why)
	}
	return nil
}
