package facts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"wsprovision/provision/hostfile"
	"wsprovision/provision/lazy"
	"wsprovision/provision/nginx"
)

// ErrorLog is the end of nginx's error logs.
func ErrorLog(ctx context.Context, e *Evidence) []string {
	var lines []string
	for _, name := range e.Tree.Paths().ErrorLogs() {
		lines = append(lines, readTail(ctx, e.Host, name, 0)...)
	}
	return lines
}

// PassedOver says of error logs that are no plain files, an administrator's links too, that nothing was read of them.
func PassedOver(e *Evidence) (all []string) {
	for _, name := range e.Tree.Paths().ErrorLogs() {
		file, err := hostfile.Open(e.Root + name)
		if err == nil {
			_ = file.Close()
		}
		if errors.Is(err, hostfile.ErrNotRegular) {
			all = append(all, fmt.Sprintf("%s is not read, because it is no plain file but a link, a pipe or a "+
				"device: see what it says of this request", name))
		}
	}
	return all
}

// LastBind is the newest line in which nginx said that it may not have the port: 13 is EACCES, 98 EADDRINUSE.
func LastBind(lines []string, port, number int) []string {
	for _, line := range slices.Backward(lines) {
		l, _ := nginx.ParseErrorLine(line)
		if at, errno, ok := BindOf(l.Message); ok && l.OfItself() && int(at.Port()) == port && errno == number {
			return []string{line}
		}
	}
	return nil
}

// bindFailed is ngx_open_listening_sockets' word (src/core/ngx_connection.c).
var bindFailed = lazy.Regexp(`^bind\(\) to (\S+) failed \((\d{1,3}): `)

// BindOf is the socket that nginx could not bind, and the errno.
func BindOf(message string) (at netip.AddrPort, errno int, ok bool) {
	m := bindFailed().FindStringSubmatch(message)
	if m == nil {
		return at, 0, false
	}
	at, err := netip.ParseAddrPort(m[1])
	if err != nil || at.Addr().Zone() != "" {
		return at, 0, false
	}
	errno, _ = strconv.Atoi(m[2])
	return at, errno, true
}

// EmergencyOf is what nginx said at the level emerg, of itself: in its log, or on stderr, which systemd keeps. "" is no
// such line.
func EmergencyOf(line string) string {
	if l, ok := nginx.ParseErrorLine(line); ok && l.OfItself() && l.Level == "emerg" {
		return l.Message
	}
	message, _ := strings.CutPrefix(line, "nginx: [emerg] ")
	if message == line {
		return ""
	}
	return message
}

// LastEmergency is the newest line of that kind, or none.
func LastEmergency(lines []string) string {
	for _, line := range slices.Backward(lines) {
		if EmergencyOf(line) != "" {
			return line
		}
	}
	return ""
}

// OfRequest are the lines that nginx logged of this very request.
func OfRequest(e *Evidence) []nginx.ErrorLine {
	return parsed(e, func(l nginx.ErrorLine) bool {
		_, mine := l.Of(ownRequest(e))
		return mine
	})
}

func ownRequest(e *Evidence) nginx.OwnRequest {
	return nginx.OwnRequest{Path: cmp.Or(e.Target.Path, "/"), Host: HostSent(e),
		Referrer: e.Target.Header.Get("Referer")}
}

// OfNginx are the lines in which this nginx speaks of itself, such as that it has no connection left. Whose number is
// not of a process of this nginx did not come from it.
func OfNginx(e *Evidence) []nginx.ErrorLine {
	return parsed(e, func(l nginx.ErrorLine) bool {
		return l.OfItself() && (l.PID == e.Master.PID ||
			slices.ContainsFunc(e.Master.Workers, func(w nginx.Worker) bool { return w.PID == l.PID }))
	})
}

func parsed(e *Evidence, wanted func(nginx.ErrorLine) bool) []nginx.ErrorLine {
	var all []nginx.ErrorLine
	for _, line := range e.Lines {
		if l, ok := nginx.ParseErrorLine(line); ok && wanted(l) {
			all = append(all, l)
		}
	}
	return all
}

// Relevant are the newest lines of this request and of nginx itself, as evidence.
func Relevant(e *Evidence) []string {
	var all []string
	for _, l := range append(OfNginx(e), OfRequest(e)...) {
		all = append(all, l.Text)
	}
	return all[max(0, len(all)-5):]
}

// callFailed begins what nginx says of a system call, such as: open() "/a", write() to "/a", accept4(). A backend
// chooses a path by X-Accel-Redirect, and text in what nginx says of its header; that never ends what is in quotes as a
// call's name.
const callFailed = `^\w+\(\)(?: (?:to )?"[^"]*")? failed \(`

// What nginx says, from its beginning to its end: src/event/ngx_event_connect.c, src/http/ngx_http_upstream.c, and
// ngx_get_connection in src/core/ngx_connection.c.
var (
	connectFailed = lazy.Regexp(
		`^(?:connect|socket)\(\)(?: to \S+)? failed \((\d{1,3}): [^()]*\) while connecting to upstream$`)
	BindFailedFor = lazy.Regexp(
		`^bind\(\S+\) failed \((\d{1,3}): [^()]*\) while connecting to upstream$`)
	Unresolvable = lazy.Regexp(
		`^(?:(\S+) could not be resolved \((\d+): [^()]*\)|no resolver defined to resolve (\S+))(?: while .*)?$`)
	NotEnough      = lazy.Regexp(`^\d+ worker_connections are not enough(?: while .*)?$`)
	TooManyFiles   = lazy.Regexp(callFailed + `24: Too many open files\)(?: while [^"()]*)?$`)
	NoSpaceLeft    = lazy.Regexp(callFailed + `28: No space left on device\)(?: while [^"()]*)?$`)
	ConnectTimeout = lazy.Regexp(`^upstream timed out \(110: [^()]*\) while connecting to upstream$`)
	AnswerTimeout  = lazy.Regexp(
		`^upstream timed out \(110: [^()]*\) while reading response header from upstream$`)
	SilentTimeout = lazy.Regexp(`^upstream timed out \(110: [^()]*\) while proxying upgraded connection$`)
)

// lastTry are the lines of the last of the requests, in order: a client that tries many has several.
func lastTry(e *Evidence) []nginx.ErrorLine {
	all := OfRequest(e)
	if len(all) == 0 {
		return nil
	}
	last := all[len(all)-1]
	return slices.DeleteFunc(all, func(l nginx.ErrorLine) bool {
		return l.Connection != last.Connection || l.PID != last.PID
	})
}

// NginxFailed: nginx made the answer itself, because it got none from a backend that counts. A line about a backend
// explains no other answer: nginx goes on to the next one, and logs nothing of one that answers.
func NginxFailed(e *Evidence) bool {
	status := StatusOf(e)
	if status == nil {
		return SilenceOf(e) != nil
	}
	return slices.Contains([]int{500, 502, 503, 504}, status.Code) && len(lastTry(e)) > 0
}

// Failing is the line that says why nginx got no answer, nil where nothing says so.
func Failing(e *Evidence) *nginx.ErrorLine {
	lines := lastTry(e)
	if !NginxFailed(e) || len(lines) == 0 {
		return nil
	}
	return &lines[len(lines)-1]
}

// FailedCall is the errno of the socket() or connect() that failed last, and the backend that it was for.
func FailedCall(e *Evidence) (number int, address string, line string) {
	l := Failing(e)
	if l == nil {
		return 0, "", ""
	}
	m := connectFailed().FindStringSubmatch(l.Message)
	if m == nil {
		return 0, "", ""
	}
	number, _ = strconv.Atoi(m[1])
	return number, UpstreamOf(e, *l), l.Text
}

// UpstreamOf is the address of the backend that the line is about. Where the line has none, as with a socket of the
// file system, it is the one that the configuration passes to; "" where that has several.
func UpstreamOf(e *Evidence, l nginx.ErrorLine) string {
	upstream, _ := l.Of(ownRequest(e))
	if upstream.IsValid() {
		return upstream.String()
	}
	if all := Backends(e); len(all) == 1 {
		return all[0]
	}
	return ""
}

var positionTail = lazy.Regexp(`^(.+) in (/.*):(\d{1,9})$`)

// ProblemOf is the problem that a message of nginx -t or of its log tells, with its place.
func ProblemOf(message string) nginx.Problem {
	p := nginx.Problem{Level: "emerg", Message: message}
	if m := positionTail().FindStringSubmatch(message); m != nil {
		p.Message, p.File = m[1], m[2]
		p.Line, _ = strconv.Atoi(m[3])
	}
	return p
}

// LastSaid is the newest of the lines whose message is that, or "".
func LastSaid(lines []nginx.ErrorLine, message func() *regexp.Regexp) string {
	for _, l := range slices.Backward(lines) {
		if message().MatchString(l.Message) {
			return l.Text
		}
	}
	return ""
}
