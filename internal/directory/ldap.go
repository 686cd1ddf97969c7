// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

// LDAP says how a directory is reached over LDAP, and what is where in it. No
// value that a tenant or the directory itself gives goes into a filter: all
// people and groups are read, and looked up here.
type LDAP struct {
	// URL is ldaps:// or ldap://; with StartTLS an ldap:// connection is made safe before anything is said.
	URL      string
	StartTLS bool
	// CABundle is PEM; empty for the system's authorities.
	CABundle string
	// BindDN and Password are empty for an anonymous bind.
	BindDN, Password string
	People           LDAPPeople
	Groups           *LDAPGroups
	// PageSize is how many entries are asked for at once, Timeout how long one answer may take.
	PageSize int
	Timeout  time.Duration
}

// LDAPPeople says where people are, and which of their attributes is what.
type LDAPPeople struct {
	BaseDN, Filter                   string
	ID, Username, Email, DisplayName string
	// Attributes are further ones: our name to theirs.
	Attributes map[string]string
	// Disabled is the attribute that says that somebody is not let in any more, when it has one of DisabledValues; * is any value.
	Disabled       string
	DisabledValues []string
}

// LDAPGroups says where groups are. Members hold DNs, or usernames.
type LDAPGroups struct {
	BaseDN, Filter, Name, Members string
	Usernames                     bool
}

// maxEntries is the most people, and the most groups, that are read.
const maxEntries = 500_000

// Read reads all people and groups. An error is an *Error, and nothing was read whole then.
func (l LDAP) Read(ctx context.Context) (Reading, error) {
	conn, err := l.connect(ctx)
	if err != nil {
		return Reading{}, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()

	var r Reading
	for name := range l.People.Attributes {
		r.Attributes = append(r.Attributes, name)
	}
	values := map[string]int{}
	err = l.search(conn, "people", l.People.BaseDN, l.People.Filter, l.People.ID, l.People.asked(), &r, func(e *ldap.Entry) error {
		r.People = append(r.People, l.People.entry(e, values))
		return nil
	})
	if err != nil {
		return Reading{}, err
	}
	for _, name := range slices.Sorted(slices.Values(r.Attributes)) {
		if values[name] == 0 && len(r.People) > 0 {
			r.Notes = append(r.Notes, fmt.Sprintf("Nobody has the attribute %s, which %s is mapped to; correct it, or let the account read it.", l.People.Attributes[name], name))
		}
	}
	if l.Groups == nil {
		return r, nil
	}
	err = l.search(conn, "groups", l.Groups.BaseDN, l.Groups.Filter, l.Groups.Name, []string{l.Groups.Name, l.Groups.Members}, &r, func(e *ldap.Entry) error {
		members, err := l.members(conn, e)
		if err != nil {
			return err
		}
		g := GroupEntry{Key: foldDN(e.DN), Name: e.GetEqualFoldAttributeValue(l.Groups.Name)}
		if l.Groups.Usernames {
			g.Usernames = members
		} else {
			for i := range members {
				members[i] = foldDN(members[i])
			}
			g.Members = members
		}
		r.Groups = append(r.Groups, g)
		return nil
	})
	if err != nil {
		return Reading{}, err
	}
	return r, nil
}

func (l LDAP) connect(ctx context.Context) (*ldap.Conn, error) {
	fail := func(kind ErrorKind, doing string, err error) (*ldap.Conn, error) {
		return nil, &Error{Kind: kind, Doing: doing, Err: err}
	}
	at, err := url.Parse(l.URL)
	if err != nil {
		return fail(Invalid, "reading the URL", errors.New("it is none; correct it"))
	}
	certificates := &tls.Config{ServerName: at.Hostname(), MinVersion: tls.VersionTLS12}
	if l.CABundle != "" {
		certificates.RootCAs = x509.NewCertPool()
		if !certificates.RootCAs.AppendCertsFromPEM([]byte(l.CABundle)) {
			return fail(Invalid, "reading caBundle", errors.New("there is no certificate in it; put the authority's PEM there"))
		}
	}
	deadline := time.Now().Add(l.Timeout)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	conn, err := ldap.DialURL(l.URL, ldap.DialWithDialer(&net.Dialer{Deadline: deadline}), ldap.DialWithTLSConfig(certificates))
	if err != nil {
		return fail(Unavailable, "connecting to "+at.Host, onTheWay(err))
	}
	conn.SetTimeout(l.Timeout)
	if l.StartTLS {
		if err := conn.StartTLS(certificates); err != nil {
			_ = conn.Close()
			return fail(Unavailable, "making the connection to "+at.Host+" safe with StartTLS", onTheWay(err))
		}
	}
	if l.BindDN == "" {
		err = conn.UnauthenticatedBind("")
	} else {
		err = conn.Bind(l.BindDN, l.Password)
	}
	if err != nil {
		_ = conn.Close()
		switch {
		case ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication,
			ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax, ldap.ErrorEmptyPassword):
			return fail(Unauthorized, "binding to "+at.Host, errors.New("it refuses the account or its password"))
		case ldap.IsErrorAnyOf(err, ldap.LDAPResultConfidentialityRequired):
			return fail(Unauthorized, "binding to "+at.Host, errors.New("it wants a safe connection; use ldaps:// or startTLS: Required"))
		default:
			return fail(Unavailable, "binding to "+at.Host, onTheWay(err))
		}
	}
	return conn, nil
}

// onTheWay says what kept a request from its answer, always in the same words
// for the same trouble, and never in those of the other side.
func onTheWay(err error) error {
	var certificate *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	var lookup *net.DNSError
	var slow interface{ Timeout() bool }
	text := ""
	switch {
	case errors.As(err, &certificate):
		return fmt.Errorf("its certificate is not to be trusted: %w; correct the certificate or caBundle", certificate.Err)
	case errors.As(err, &header):
		text = "it does not speak TLS there; correct the port, or use ldap:// with startTLS: Required"
	case errors.As(err, &lookup) && lookup.IsNotFound:
		text = "there is no server of the name " + lookup.Name
	case errors.As(err, &slow) && slow.Timeout(), strings.Contains(err.Error(), "timed out"):
		text = "there was no answer in time"
	case strings.Contains(err.Error(), "refused"):
		text = "the connection was refused"
	case strings.Contains(err.Error(), "certificate"):
		text = "its certificate is not to be trusted; correct the certificate or caBundle"
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultProtocolError, ldap.LDAPResultUnavailable, ldap.LDAPResultOperationsError) || strings.Contains(err.Error(), "TLS"):
		text = "it can't or won't make the connection safe"
	default:
		text = "the connection broke off"
	}
	return errors.New(text)
}

// attributeName is what RFC 4512 calls a descr or a numericoid; nothing in it has a meaning in a filter.
var attributeName = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)+)$`)

// filterOf is the filter that finds entries that have an attribute and match another filter.
func filterOf(own, has string) (string, error) {
	if !attributeName.MatchString(has) {
		return "", fmt.Errorf("%q is not the name of an attribute", has)
	}
	filter := "(" + has + "=*)"
	if own != "" {
		if _, err := ldap.CompileFilter(own); err != nil {
			return "", fmt.Errorf("the filter %q is none: %w", own, err)
		}
		filter = "(&" + own + filter + ")"
	}
	if _, err := ldap.CompileFilter(filter); err != nil {
		return "", fmt.Errorf("the filter %q is none: %w", own, err)
	}
	return filter, nil
}

// search reads page by page, and gives each entry on as it comes.
func (l LDAP) search(conn *ldap.Conn, what, base, own, has string, attributes []string, r *Reading, take func(*ldap.Entry) error) error {
	doing := "reading " + what + " under " + base
	filter, err := filterOf(own, has)
	if err != nil {
		return &Error{Kind: Invalid, Doing: doing, Err: fmt.Errorf("%w; correct it", err)}
	}
	for _, a := range attributes {
		if !attributeName.MatchString(a) {
			return &Error{Kind: Invalid, Doing: doing, Err: fmt.Errorf("%q is not the name of an attribute; correct it", a)}
		}
	}
	page := ldap.NewControlPaging(uint32(l.PageSize))
	request := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, int(l.Timeout.Seconds()), false,
		filter, attributes, []ldap.Control{page})
	for count, elsewhere := 0, 0; ; {
		answer, err := conn.Search(request)
		if err != nil {
			return &Error{Kind: kindOf(err), Doing: doing, Err: inWords(err)}
		}
		if count += len(answer.Entries); count > maxEntries {
			return &Error{Kind: Incomplete, Doing: doing, Err: fmt.Errorf("there are more than %d; narrow the filter", maxEntries)}
		}
		for _, e := range answer.Entries {
			if err := take(e); err != nil {
				return err
			}
		}
		elsewhere += len(answer.Referrals)
		next, _ := ldap.FindControl(answer.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if next == nil || len(next.Cookie) == 0 {
			if elsewhere > 0 {
				r.Notes = append(r.Notes, fmt.Sprintf("%d parts under %s are on other servers and are not read; choose a base DN without them.", elsewhere, base))
			}
			return nil
		}
		page.SetCookie(next.Cookie)
	}
}

func kindOf(err error) ErrorKind {
	switch {
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded, ldap.LDAPResultTimeLimitExceeded,
		ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultReferral):
		return Incomplete
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultUndefinedAttributeType, ldap.ErrorFilterCompile):
		return Invalid
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultStrongAuthRequired):
		return Unauthorized
	default:
		return Unavailable
	}
}

func inWords(err error) error {
	switch {
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded, ldap.LDAPResultUnwillingToPerform):
		return errors.New("the server gives only a part; raise its limit for this account, or lower pageSize")
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultTimeLimitExceeded):
		return errors.New("the server took too long and gave only a part; index the attributes of the filter there, or raise timeout")
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultReferral):
		return errors.New("it is on another server; name that one in url")
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchObject):
		return errors.New("there is no such entry, or the account may not see it; correct baseDN")
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidDNSyntax):
		return errors.New("that is not a DN; correct baseDN")
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultStrongAuthRequired):
		return errors.New("the account may not read there; let it, or name one that may")
	default:
		return onTheWay(err)
	}
}

func (p LDAPPeople) asked() []string {
	list := []string{p.ID, p.Username}
	for _, a := range []string{p.Email, p.DisplayName, p.Disabled} {
		if a != "" {
			list = append(list, a)
		}
	}
	for _, a := range p.Attributes {
		list = append(list, a)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// entry takes an entry as a person, and counts who has which further attribute.
func (p LDAPPeople) entry(e *ldap.Entry, values map[string]int) Entry {
	first := func(attribute string) string {
		if attribute == "" {
			return ""
		}
		return e.GetEqualFoldAttributeValue(attribute)
	}
	id := first(p.ID)
	if !utf8.ValidString(id) { // such as objectGUID
		id = hex.EncodeToString([]byte(id))
	}
	entry := Entry{Key: foldDN(e.DN), Person: Person{ID: id, Username: first(p.Username), Email: first(p.Email), DisplayName: first(p.DisplayName)}}
	if p.Disabled != "" {
		for _, value := range e.GetEqualFoldAttributeValues(p.Disabled) {
			entry.Disabled = entry.Disabled || slices.ContainsFunc(p.DisabledValues, func(v string) bool { return v == "*" || strings.EqualFold(v, value) })
		}
	}
	for name, theirs := range p.Attributes {
		for _, value := range e.GetEqualFoldAttributeValues(theirs) {
			values[name]++
			entry.Attributes = append(entry.Attributes, Attribute{name, value})
		}
	}
	slices.SortFunc(entry.Attributes, func(a, b Attribute) int { return strings.Compare(a.Name+"\x00"+a.Value, b.Name+"\x00"+b.Value) })
	return entry
}

// members are the values of the members attribute. Active Directory gives the
// first of many alone, as member;range=0-1499, and has to be asked for the rest.
func (l LDAP) members(conn *ldap.Conn, e *ldap.Entry) ([]string, error) {
	list := slices.Clone(e.GetEqualFoldAttributeValues(l.Groups.Members))
	for part := e; ; {
		var values []string
		next := -1
		for _, a := range part.Attributes {
			if end, ok := rangeEnd(a.Name, l.Groups.Members); ok {
				values, next = a.Values, end+1
			}
		}
		list = append(list, values...)
		if next <= 0 {
			return list, nil
		}
		attribute := l.Groups.Members + ";range=" + strconv.Itoa(next) + "-*"
		answer, err := conn.Search(ldap.NewSearchRequest(e.DN, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, int(l.Timeout.Seconds()), false,
			"(objectClass=*)", []string{attribute}, nil))
		if err != nil || len(answer.Entries) != 1 || len(answer.Entries[0].Attributes) == 0 {
			return nil, &Error{Kind: Incomplete, Doing: "reading all members of " + e.DN, Err: errors.New("the server gives only a part; it is tried again")}
		}
		part = answer.Entries[0]
	}
}

// rangeEnd is the last place in member;range=0-1499; -1 where it is *, and there are no more.
func rangeEnd(attribute, members string) (int, bool) {
	name, options, _ := strings.Cut(attribute, ";")
	if !strings.EqualFold(name, members) || len(options) < len("range=") || !strings.EqualFold(options[:len("range=")], "range=") {
		return 0, false
	}
	_, end, ok := strings.Cut(options, "-")
	if !ok {
		return 0, false
	}
	if end == "*" {
		return -1, true
	}
	n, err := strconv.Atoi(end)
	return n, err == nil && n >= 0
}

// foldDN makes DNs equal that name the same entry.
func foldDN(dn string) string {
	if parsed, err := ldap.ParseDN(dn); err == nil {
		dn = parsed.String()
	}
	return strings.ToLower(dn)
}
