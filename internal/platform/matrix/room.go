// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"unique"

	"github.com/cabildo-dev/cabildo/internal/model"
)

// room is what we keep of a room: its state, folded. It is small, because a
// server may have ten thousand of them. The view's lock guards it.
type room struct {
	id string

	// From m.room.create, which never changes.
	version   string
	creator   string
	creators  []string // others whom version 12 counts as creators
	createdAt int64    // milliseconds
	key       string

	name, topic, avatar string
	join                joinRules
	history, guests     string
	acl                 *serverACL
	powers              *powers // nil while there are none
	owner               ownerContent
	ownerSender         string
	archived            bool
	alias               string
	altAliases          []string
	pins                []string
	guidelines          guidelinesContent
	// gone are the guidelines' message or edit that somebody redacted.
	gone map[string]struct{}
	// replacement is the room that this one was upgraded to, according to replacedBy at replacedAt (milliseconds).
	replacement, replacedBy string
	replacedAt              int64
	// predecessor is the room that was upgraded to this one, as the one who made this one says.
	predecessor string
	children    map[string]struct{} // rooms that this space names as its own
	parents     map[string]struct{} // spaces that this room names as its own
	members     map[string]member
	// current is the event that each piece of state comes from, members apart.
	current map[stateKey]version
	// readAt is when our server's newest state was sent that a reading of the whole state had, in
	// milliseconds by its clock; zero when it was never read.
	readAt int64

	// mark is whose the room is; the view computes it after every change.
	mark *model.Mark
}

type stateKey struct{ kind, key string }

// version is the event that a piece of state comes from.
type version struct {
	id string
	at int64 // when it was sent, in milliseconds (origin_server_ts)
}

// member is how an account stands to the room.
type member struct {
	state membership
	// byUs: we brought the account into this state.
	byUs bool
	// at is when it came into this state, in milliseconds.
	at int64
}

// membership is model.Membership in one byte.
type membership uint8

const (
	unknown membership = iota
	present
	invited
	asking
	left
	removed
	banned
)

var memberships = [...]model.Membership{
	present: model.Present, invited: model.Invited, asking: model.Asking,
	left: model.Left, removed: model.Removed, banned: model.Banned,
}

type serverACL struct {
	Allow      []string `json:"allow"`
	Deny       []string `json:"deny"`
	IPLiterals bool     `json:"allow_ip_literals"`
}

type guidelinesContent struct {
	// Event is the message that is pinned.
	Event string `json:"event_id,omitempty"`
	// Edit is the edit that gave it its present text; empty when it was never edited.
	Edit string `json:"edit_id,omitempty"`
	// Digest is model.Digest of its text.
	Digest string `json:"sha256,omitempty"`
}

func newRoom(id string) *room {
	return &room{
		id: id, children: map[string]struct{}{}, parents: map[string]struct{}{},
		members: map[string]member{}, current: map[stateKey]version{},
	}
}

// copy is for reading without the view's lock. The children are left out.
func (r *room) copy() *room {
	c := *r
	c.children, c.parents = nil, maps.Clone(r.parents)
	c.members, c.current, c.gone = maps.Clone(r.members), maps.Clone(r.current), maps.Clone(r.gone)
	return &c
}

// intern keeps one copy of a string that many rooms hold.
func intern(s string) string { return unique.Make(s).Value() }

// effect is what came of a state event.
type effect int

const (
	// unchanged: the room is as it was.
	unchanged effect = iota
	// folded: the room changed.
	folded
	// outdated: the event is older than what we have of the same state, and was left out.
	outdated
)

// standing is what is known of a state event that comes.
type standing int

const (
	// isNew: it did not come before.
	isNew standing = iota
	// isOld: it came before.
	isOld
	// isSure: it is what the server goes by, whatever came before.
	isSure
)

// fold takes one state event in.
//
// Events that are sent at the same time fork a room's history, and the state
// that a server tells of may be that of one branch: it goes back behind what it
// told before (Synapse). So what is older than what we have changes nothing. As
// clocks of other servers differ, it is a reason to read the room's state.
func (r *room) fold(e event, us string, is standing) effect {
	if e.StateKey == nil {
		return unchanged
	}
	if e.Type == typeMember {
		return r.foldMember(e, us, is)
	}
	at := stateKey{kind: intern(e.Type), key: intern(*e.StateKey)}
	has := r.current[at]
	if has.id == e.ID && e.ID != "" {
		return unchanged
	}
	if older := r.older(e, has.at, us, is); older != folded {
		return older
	}
	r.current[at] = version{id: e.ID, at: e.Timestamp}
	r.take(e, us)
	return folded
}

// older says what comes of an event, as far as that follows from when it was
// sent: folded when it is not older than what was sent at a time.
func (r *room) older(e event, than int64, us string, is standing) effect {
	switch {
	case is == isSure, than == 0, is == isNew && e.Timestamp >= than:
		return folded
	case e.Timestamp <= r.readAt && serverOf(e.Sender) == serverOf(us): // that the state was read since then has decided
		return unchanged
	default:
		return outdated
	}
}

// regressed says whether the room is older than another picture of it, or lacks something that was there.
func (r *room) regressed(before *room) bool {
	for at, was := range before.current {
		if is, there := r.current[at]; !there || is.at < was.at {
			return true
		}
	}
	for account, was := range before.members {
		if is, there := r.members[account]; !there || is.at < was.at {
			return true
		}
	}
	return false
}

// take reads the content of a state event into the room.
func (r *room) take(e event, us string) {
	switch e.Type {
	case typeChild, typeParent:
		r.takeLink(e)
		return
	}
	if *e.StateKey != "" {
		return // a state of this type that nobody reads
	}
	switch e.Type {
	case typeCreate:
		r.takeCreate(e)
	case typePowers:
		r.powers = parsePowers(e.Content)
	case typeName:
		r.name = decode[struct{ Name string }](e.Content).Name
	case typeTopic:
		r.topic = decode[struct{ Topic string }](e.Content).Topic
	case typeAvatar:
		r.avatar = decode[struct{ URL string }](e.Content).URL
	case typeJoinRules:
		r.join = parseJoinRules(e.Content)
	case typeHistory:
		r.history = intern(decode[historyContent](e.Content).Visibility)
	case typeGuests:
		r.guests = intern(decode[guestsContent](e.Content).Access)
	case typeServerACL:
		r.acl = parseServerACL(e.Content)
	case typeAlias:
		alias := decode[aliasContent](e.Content)
		r.alias, r.altAliases = alias.Alias, alias.Alternatives
	case typePins:
		r.pins = decode[struct{ Pinned []string }](e.Content).Pinned
	case typeTombstone:
		r.replacement = decode[struct {
			Room string `json:"replacement_room"`
		}](e.Content).Room
		r.replacedBy, r.replacedAt = intern(e.Sender), e.Timestamp
	case typeOwner:
		r.owner, r.ownerSender = decode[ownerContent](e.Content), intern(e.Sender)
	case typeGuidelines:
		r.guidelines = guidelinesContent{}
		if e.Sender == us {
			r.guidelines = decode[guidelinesContent](e.Content)
		}
	case typeArchived:
		r.archived = e.Sender == us && decode[archivedContent](e.Content).Archived
	}
}

func (r *room) takeCreate(e event) {
	content := decode[struct {
		Version  string   `json:"room_version"`
		Creators []string `json:"additional_creators"`
		Key      string   `json:"dev.cabildo.key"`
		Before   struct {
			Room string `json:"room_id"`
		} `json:"predecessor"`
	}](e.Content)
	r.version = intern(content.Version)
	if r.version == "" {
		r.version = "1" // what a room without a version is
	}
	r.creator, r.createdAt, r.key, r.predecessor = intern(e.Sender), e.Timestamp, content.Key, content.Before.Room
	if r.privilegedCreators() {
		r.creators = content.Creators
	}
}

func (r *room) takeLink(e event) {
	links := r.children
	if e.Type == typeParent {
		links = r.parents
	}
	if via := decode[struct{ Via []string }](e.Content).Via; len(via) > 0 {
		links[intern(*e.StateKey)] = struct{}{}
	} else {
		delete(links, *e.StateKey)
	}
}

func (r *room) foldMember(e event, us string, is standing) effect {
	content := decode[struct{ Membership string }](e.Content)
	m := member{byUs: e.Sender == us, at: e.Timestamp}
	switch content.Membership {
	case "join":
		m.state = present
	case "invite":
		m.state = invited
	case "knock":
		m.state = asking
	case "ban":
		m.state = banned
	case "leave":
		m.state = removed
		if e.Sender == *e.StateKey {
			m.state = left
		}
	default:
		return unchanged
	}
	was, known := r.members[*e.StateKey]
	if was == m {
		return unchanged
	}
	if older := r.older(e, was.at, us, is); older != folded {
		return older
	}
	r.members[intern(*e.StateKey)] = m
	if known && was.state == m.state {
		return unchanged
	}
	return folded
}

// redact takes away what a redaction takes from our picture of the room.
func (r *room) redact(id, us string) bool {
	if id == "" {
		return false
	}
	if id == r.guidelines.Event || id == r.guidelines.Edit {
		r.lose(id)
		return true
	}
	for at, current := range r.current {
		if current.id != id {
			continue
		}
		switch at.kind {
		case typeCreate, typeJoinRules, typeHistory:
			return false // what we read of these is protected
		case typePowers:
			p := r.levels().clone()
			p.notifyRoom = 50
			if r.versionNumber() < 11 {
				p.invite = 0
			}
			r.powers = p
			return true
		}
		r.take(event{Type: at.kind, StateKey: &at.key, ID: id, Sender: us}, us)
		return true
	}
	return false
}

// lose notes that a message of the guidelines is there no more.
func (r *room) lose(id string) {
	if r.gone == nil {
		r.gone = map[string]struct{}{}
	}
	r.gone[id] = struct{}{}
}

// versionNumber is the room's version, or 0 for one that we don't know.
func (r *room) versionNumber() int {
	number, err := strconv.Atoi(r.version)
	if err != nil || number < 1 || number > newestVersion {
		return 0
	}
	return number
}

// privilegedCreators says whether creators are above all power levels.
func (r *room) privilegedCreators() bool { return r.versionNumber() >= 12 }

func (r *room) isCreator(user string) bool {
	return r.privilegedCreators() && (user == r.creator || slices.Contains(r.creators, user))
}

// levels are the room's power levels, said or not.
func (r *room) levels() *powers {
	if r.powers == nil {
		return unsetPowers(r.creator, r.privilegedCreators())
	}
	return r.powers
}

// power is the power of an account.
func (r *room) power(user string) int {
	if r.isCreator(user) {
		return powerCreator
	}
	p := r.levels()
	if power, said := p.users[user]; said {
		return power
	}
	return p.usersDefault
}

// strongest is the most power that anybody but the account has.
func (r *room) strongest(but string) int {
	most := math.MinInt
	for _, creator := range append([]string{r.creator}, r.creators...) {
		if creator != but && r.privilegedCreators() {
			return powerCreator
		}
	}
	p := r.levels()
	for user, power := range p.users {
		if user != but {
			most = max(most, power)
		}
	}
	return max(most, p.usersDefault)
}
