// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"time"

	"github.com/cabildo-dev/cabildo/internal/model"
	"github.com/cabildo-dev/cabildo/internal/platform"
)

// server is a chat platform that the specs run on. It opens adapters, and does
// what people and administrators do there without Cabildo. What it does and
// reads goes past the adapter, so that the two can disagree.
type server interface {
	// software is what runs there, for the page. The adapter's own word comes beside it.
	software() string
	// open opens an adapter, which does not talk to the server yet.
	open(context.Context, opening) (platform.Adapter, wire, error)
	// person is the nth person of a spec, from 0: somebody with an account who is in none of its spaces yet.
	person(ctx context.Context, nth int) (person, error)
	// nobody is an account that there is not, in the platform's form.
	nobody() string
	// picture is what a space on this server can have as its picture.
	picture() string
	// administrator is somebody with all the power that there is over Cabildo's spaces.
	administrator() administrator
	// stop ends what was started for the specs.
	stop()
}

// opening says how an adapter is opened. The zero value is Cabildo as it is
// installed on this server.
type opening struct {
	ownerID string
	// token is another one than Cabildo's.
	token string
	// elsewhere is Cabildo with another account.
	elsewhere bool
}

// wire is what lies between one adapter and its server: it counts, and breaks
// when it is told to.
type wire interface {
	// reads and writes are how many requests of each were sent, what waits for news apart.
	reads() int
	writes() int
	// lose lets the nth write from now happen, and loses its answer. lost says whether it has come to that.
	lose(n int)
	lost() bool
	// fail refuses the nth read from now, as a server in trouble does.
	fail(n int)
	// slow makes every answer to a write come so late.
	slow(time.Duration)
	// cut ends all connections and lets no other be made, until mend.
	cut()
	// mend takes back all of the above.
	mend()
}

// person is somebody with an account of their own. What they may not do is an
// error; an error of the way there is one too, so the specs look at what came of it.
type person interface {
	account() string
	join(ctx context.Context, space string) error
	// ask asks to come in.
	ask(ctx context.Context, space string) error
	leave(ctx context.Context, space string) error
	// read is what they find when they open the space.
	read(ctx context.Context, space string) (sight, error)
	// try does what an action is the word for; about is what to say, or an account to invite or to remove. That all
	// were mentioned no server refuses: nobody is told then.
	try(ctx context.Context, action model.Action, space, about string) error
	// take makes a space of their own, with an address.
	take(ctx context.Context, kind model.Kind, address, parent string) (space string, err error)
	// forge makes a space like take, with all that shows of whose another space is, where Cabildo can see it.
	forge(ctx context.Context, kind model.Kind, address, parent, from string) (space string, err error)
}

// administrator does by hand what Cabildo would, or what is done to it.
type administrator interface {
	read(ctx context.Context, space string) (sight, error)
	// count is how many open spaces have a display name.
	count(ctx context.Context, name string) (int, error)
	rename(ctx context.Context, space, name string) error
	archive(ctx context.Context, space string) error
	// shut lets nobody in who is not invited, open everybody.
	shut(ctx context.Context, space string) error
	open(ctx context.Context, space string) error
	add(ctx context.Context, space, account string) error
	remove(ctx context.Context, space, account string) error
	ban(ctx context.Context, space, account string) error
	promote(ctx context.Context, space, account string, role model.Role) error
	// callAccount gives an account another name, which nobody has.
	callAccount(ctx context.Context, account, name string) error
	// unpin takes down all that is pinned.
	unpin(ctx context.Context, space string) error
	// take makes a space that nobody owns and Cabildo can govern.
	take(ctx context.Context, kind model.Kind, address, parent string) (space string, err error)
	// lose takes a space away from Cabildo.
	lose(ctx context.Context, space string) error
}

// sight is how a space looks to somebody who opens it.
type sight struct {
	name, topic string
	// pinned are the texts that are pinned, as they are now.
	pinned []string
	// said are the texts that people posted, as far as they are shown.
	said []string
	// members are who is in it and what they are, Cabildo's own account apart.
	members map[string]model.Role
}
