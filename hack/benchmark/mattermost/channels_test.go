// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package mattermost

import (
	"testing"

	mm "github.com/mattermost/mattermost/server/public/model"
	. "github.com/onsi/gomega"
)

func oneTown() *town {
	return &town{displayName: "Town", open: true, members: map[string]bool{"ana": true}, guidelines: "Be kind.", channels: []channel{{
		name: "square", displayName: "Square", header: "Meet", purpose: "Meet", kind: mm.ChannelTypeOpen,
		members: map[string]bool{"ana": false}, guidelines: "Be kind.",
	}}}
}

func TestTownsThatAreTheSameDoNotDiffer(t *testing.T) {
	NewWithT(t).Expect(differences(oneTown(), oneTown())).To(BeEmpty())
}

func TestEveryDifferenceOfATownIsTold(t *testing.T) {
	for what, change := range map[string]func(*town){
		"description":            func(t *town) { t.description = "Another" },
		"whether it is open":     func(t *town) { t.open = false },
		"team: the guidelines":   func(t *town) { t.guidelines = "" },
		"team: who is in it":     func(t *town) { t.members["ana"] = false },
		"header":                 func(t *town) { t.channels[0].header = "Part" },
		"purpose":                func(t *town) { t.channels[0].purpose = "Part" },
		"type":                   func(t *town) { t.channels[0].kind = mm.ChannelTypePrivate },
		"square: the guidelines": func(t *town) { t.channels[0].guidelines = "Be quick." },
		"square: who is in it":   func(t *town) { t.channels[0].members["ana"] = true },
	} {
		t.Run(what, func(t *testing.T) {
			changed := oneTown()
			change(changed)
			NewWithT(t).Expect(differences(oneTown(), changed)).To(ConsistOf(ContainSubstring(what)))
		})
	}
}

func TestAChannelThatIsMissingOrTooMuchIsTold(t *testing.T) {
	g := NewWithT(t)
	empty := oneTown()
	empty.channels = nil
	g.Expect(differences(oneTown(), empty)).NotTo(BeEmpty())
	g.Expect(differences(empty, oneTown())).NotTo(BeEmpty())
}

func TestPagesAreReadUntilOneIsNotFull(t *testing.T) {
	g := NewWithT(t)
	asked := 0
	all, err := pages(func(page int) ([]int, error) {
		asked++
		if page < 2 {
			return make([]int, perPage), nil
		}
		return nil, nil
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(all).To(HaveLen(2 * perPage))
	g.Expect(asked).To(Equal(3))
}
