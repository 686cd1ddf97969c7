// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package chaos_test

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/cabildo-dev/cabildo/api/v1alpha1"
)

// chat is a real chat server, and the eyes of somebody who looks at it past
// the proxy and does by hand what people do.
type chat interface {
	// String names the platform.
	String() string
	// url is where the server is.
	url() string
	close() error

	// kind sorts a request.
	kind(r *http.Request) kind
	// limit names what a 429 to a request is about: whoever comes under the same one has to wait. It is empty where a
	// 429 is about everybody.
	limit(r *http.Request) string
	// made is the ID of the space that an answer says was made; empty for any other answer.
	made(r *http.Request, body []byte) string
	// tooMany is the body with which the server refuses too many requests.
	tooMany() string

	// declare fills in what a Platform at a URL and its Secret have of this platform.
	declare(p *v1alpha1.PlatformSpec, url string) (secret map[string]string)

	// foreign makes a space that is not the world's, with somebody in it who is also a member of the world.
	foreign(ctx context.Context, world string) (space string, err error)
	// rival makes one that has the name which the world's group coffee is to have, beside the space of its community.
	rival(ctx context.Context, world, community string) (space string, err error)
	// comeIn has pat, whom nobody declares, come into a space.
	comeIn(ctx context.Context, space string) error

	// picture is how a space is: a line for each setting, member and message.
	picture(ctx context.Context, space string) (picture, error)
	// takenOut names everybody who was ever removed from a space.
	takenOut(ctx context.Context, space string) ([]string, error)
	// unknown are spaces of a world, open ones, that are not among those that are known.
	unknown(ctx context.Context, world string, known []string) ([]string, error)
}

// people have accounts on every server. pat is nobody's member.
var people = []string{"ana", "kim", "lea", "noa", "omar", "pat"}

// picture is what there is on a server, in lines that are the same in every
// run where the same is there.
type picture []string

func (p picture) with(own, general string) picture {
	for i, line := range p {
		p[i] = strings.ReplaceAll(line, own, general)
	}
	return p
}

// differs says what is other than in another picture.
func (p picture) differs(from picture) (lines []string) {
	for _, line := range p {
		if !slices.Contains(from, line) {
			lines = append(lines, "there is, and should not be: "+line)
		}
	}
	for _, line := range from {
		if !slices.Contains(p, line) {
			lines = append(lines, "there should be, and is not: "+line)
		}
	}
	if len(lines) == 0 && len(p) != len(from) {
		lines = append(lines, "something is there more often, or less, than it should be")
	}
	return lines
}
