package nginx

import (
	"net/netip"
	"strconv"
	"strings"

	"wsprovision/provision/lazy"
)

// ErrorLine is one line of nginx's error log, taken apart where nginx itself put it together (ngx_log_error_core in
// src/core/ngx_log.c, ngx_http_log_error and ngx_http_log_error_handler in src/http/ngx_http_request.c).
//
// nginx escapes nothing in it. The request line, Host and Referer are the client's text, and so is a path in the
// message of a failed open(), in which %0A is a real line end: a client can write whole lines that look like nginx's
// own. Only Of tells a line that a known request led to. Of any other line nothing may be believed that is not seen
// elsewhere.
type ErrorLine struct {
	Text  string // the whole line
	Time  string // as written, such as 2026/11/22 10:00:00, in the time zone of nginx
	Level string // emerg, alert, crit, error, warn, notice, info or debug
	PID   int
	// Connection is 0 where nginx speaks of itself and of no connection.
	Connection uint64
	// Message is nginx's own part, with its " while …" at the end and without what it adds of client and request.
	Message string
	tail    string // from ", client: " on
}

var loggedLine = lazy.Regexp(
	`^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(emerg|alert|crit|error|warn|notice|info|debug)\] ` +
		`(\d{1,9})#\d{1,10}: (?:\*(\d{1,19}) )?(.+)$`)

// ParseErrorLine reads one line without its line end; false is a line that does not begin as nginx begins its own.
func ParseErrorLine(line string) (ErrorLine, bool) {
	m := loggedLine().FindStringSubmatch(line)
	if m == nil {
		return ErrorLine{}, false
	}
	l := ErrorLine{Text: line, Time: m[1], Level: m[2], Message: m[5]}
	l.PID, _ = strconv.Atoi(m[3])
	l.Connection, _ = strconv.ParseUint(m[4], 10, 64)
	if i := strings.Index(m[5], ", client: "); i >= 0 {
		l.Message, l.tail = m[5][:i], m[5][i:]
	}
	return l, true
}

// OfItself reports whether nginx speaks of itself, and not of a connection, a client or a request.
func (l ErrorLine) OfItself() bool { return l.Connection == 0 && l.tail == "" }

// OwnRequest is what a client knows of a request that it made over HTTP/1.1.
type OwnRequest struct {
	Path string // with the query, as sent
	Host string // as sent
	// Referrer is the value of Referer; "" sent none. One that nobody can guess keeps the lines of all other clients
	// out.
	Referrer string
}

// Of reports whether the line is about that request, and which address nginx had chosen to pass it to. The address is
// not valid where the line names none, or a socket of the file system. A line that nginx has cut (NGX_MAX_ERROR_STR,
// 2048 bytes) is nobody's: its end is missing.
func (l ErrorLine) Of(r OwnRequest) (upstream netip.AddrPort, ok bool) {
	if l.Connection == 0 {
		return upstream, false
	}
	_, rest, _ := strings.Cut(l.tail, `, request: "`)
	rest, begins := strings.CutPrefix(rest, "GET "+r.Path+` HTTP/1.1"`)
	ending := `, host: "` + r.Host + `"`
	if r.Referrer != "" {
		ending += `, referrer: "` + r.Referrer + `"`
	}
	between, ends := strings.CutSuffix(rest, ending)
	if !begins || !ends {
		return upstream, false
	}
	url, passed := strings.CutPrefix(between, `, upstream: "`)
	if !passed {
		return upstream, between == ""
	}
	url, closed := strings.CutSuffix(url, `"`)
	if !closed || strings.Contains(url, `", `) {
		return upstream, false // another field, or one that a client wrote
	}
	return upstreamAddress(url), true
}

// upstreamAddress is the address in what nginx writes of an upstream: its scheme, the peer and the path.
func upstreamAddress(url string) netip.AddrPort {
	_, peer, _ := strings.Cut(url, "://")
	peer, _, _ = strings.Cut(peer, "/")
	address, err := netip.ParseAddrPort(peer)
	if err != nil || address.Addr().Zone() != "" { // nginx knows no zones, and a zone may be any text
		return netip.AddrPort{}
	}
	return address
}
