package diagnose

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

	"wsprovision/provision/host"
	"wsprovision/provision/hostfile"
	"wsprovision/provision/nginx"
)

// errorLog is the end of nginx's error logs.
func (q *inquiry) errorLog(ctx context.Context) []string {
	var lines []string
	for _, name := range q.tree.ErrorLogs() {
		lines = append(lines, readTail(ctx, q.Host, name, 0)...)
	}
	return lines
}

// passedOver says of error logs that are no plain files, an administrator's links too, that nothing was read of them.
func (q *inquiry) passedOver() (all []string) {
	for _, name := range q.tree.ErrorLogs() {
		file, err := hostfile.Open(q.Root + name)
		if err == nil {
			_ = file.Close()
		}
		if errors.Is(err, hostfile.ErrNotRegular) {
			all = append(all, fmt.Sprintf("%s is not read, because it is no plain file but a link, a pipe or a device: "+
				"see what it says of this request", name))
		}
	}
	return all
}

// lastBind is the newest line in which nginx said that it may not have the port: 13 is EACCES, 98 EADDRINUSE.
func lastBind(lines []string, port, number int) []string {
	for _, line := range slices.Backward(lines) {
		l, _ := nginx.ParseErrorLine(line)
		if at, errno, ok := bindOf(l.Message); ok && l.OfItself() && int(at.Port()) == port && errno == number {
			return []string{line}
		}
	}
	return nil
}

// bindFailed is ngx_open_listening_sockets' word (src/core/ngx_connection.c).
var bindFailed = regexp.MustCompile(`^bind\(\) to (\S+) failed \((\d{1,3}): `)

func bindOf(message string) (at netip.AddrPort, errno int, ok bool) {
	m := bindFailed.FindStringSubmatch(message)
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

// emergencyOf is what nginx said at the level emerg, of itself: in its log, or on stderr, which systemd keeps. "" is no
// such line.
func emergencyOf(line string) string {
	if l, ok := nginx.ParseErrorLine(line); ok && l.OfItself() && l.Level == "emerg" {
		return l.Message
	}
	message, _ := strings.CutPrefix(line, "nginx: [emerg] ")
	if message == line {
		return ""
	}
	return message
}

// lastEmergency is the newest line of that kind, or none.
func lastEmergency(lines []string) string {
	for _, line := range slices.Backward(lines) {
		if emergencyOf(line) != "" {
			return line
		}
	}
	return ""
}

// ofRequest are the lines that nginx logged of this very request.
func (q *inquiry) ofRequest() []nginx.ErrorLine {
	return q.parsed(func(l nginx.ErrorLine) bool {
		_, mine := l.Of(q.ownRequest())
		return mine
	})
}

func (q *inquiry) ownRequest() nginx.OwnRequest {
	return nginx.OwnRequest{Path: cmp.Or(q.Target.Path, "/"), Host: q.host(), Referrer: q.Target.Header.Get("Referer")}
}

// ofNginx are the lines in which this nginx speaks of itself, such as that it has no connection left. Whose number is
// not of a process of this nginx did not come from it.
func (q *inquiry) ofNginx() []nginx.ErrorLine {
	return q.parsed(func(l nginx.ErrorLine) bool {
		return l.OfItself() && (l.PID == q.master.PID ||
			slices.ContainsFunc(q.master.Workers, func(w nginx.Worker) bool { return w.PID == l.PID }))
	})
}

func (q *inquiry) parsed(wanted func(nginx.ErrorLine) bool) []nginx.ErrorLine {
	var all []nginx.ErrorLine
	for _, line := range q.Lines {
		if l, ok := nginx.ParseErrorLine(line); ok && wanted(l) {
			all = append(all, l)
		}
	}
	return all
}

// relevant are the newest lines of this request and of nginx itself, as evidence.
func (q *inquiry) relevant() []string {
	var all []string
	for _, l := range append(q.ofNginx(), q.ofRequest()...) {
		all = append(all, l.Text)
	}
	return all[max(0, len(all)-5):]
}

// logged: what nginx itself said of this request.
func (q *inquiry) logged(ctx context.Context) *Diagnosis {
	if !q.local() {
		return nil
	}
	for _, l := range slices.Backward(q.ofRequest()) {
		if d := q.line(ctx, l); d != nil {
			d.Evidence = append([]string{l.Text}, d.Evidence...)
			return d
		}
	}
	return nil
}

// callFailed begins what nginx says of a system call, such as: open() "/a", write() to "/a", accept4(). A backend
// chooses a path by X-Accel-Redirect, and text in what nginx says of its header; that never ends what is in quotes as a
// call's name.
const callFailed = `^\w+\(\)(?: (?:to )?"[^"]*")? failed \(`

// What nginx says, from its beginning to its end: src/event/ngx_event_connect.c, src/http/ngx_http_upstream.c, and
// ngx_get_connection in src/core/ngx_connection.c.
var (
	connectFailed = regexp.MustCompile(
		`^connect\(\)(?: to \S+)? failed \((\d{1,3}): [^()]*\) while connecting to upstream$`)
	unresolvable = regexp.MustCompile(
		`^(?:(\S+) could not be resolved \(\d+: [^()]*\)|no resolver defined to resolve (\S+))(?: while .*)?$`)
	notEnough      = regexp.MustCompile(`^\d+ worker_connections are not enough(?: while .*)?$`)
	TooManyFiles   = regexp.MustCompile(callFailed + `24: Too many open files\)(?: while [^"()]*)?$`)
	NoSpaceLeft    = regexp.MustCompile(callFailed + `28: No space left on device\)(?: while [^"()]*)?$`)
	ruleForbids    = regexp.MustCompile(`^access forbidden by rule$`)
	connectTimeout = regexp.MustCompile(`^upstream timed out \(110: [^()]*\) while connecting to upstream$`)
	answerTimeout  = regexp.MustCompile(
		`^upstream timed out \(110: [^()]*\) while reading response header from upstream$`)
	silentTimeout = regexp.MustCompile(`^upstream timed out \(110: [^()]*\) while proxying upgraded connection$`)
)

// line explains one line about this request, at the level error, crit or alert.
func (q *inquiry) line(ctx context.Context, l nginx.ErrorLine) *Diagnosis {
	if m := connectFailed.FindStringSubmatch(l.Message); m != nil {
		number, _ := strconv.Atoi(m[1])
		return q.connect(ctx, q.upstreamOf(l), number)
	}
	if m := unresolvable.FindStringSubmatch(l.Message); m != nil {
		return q.upstreamName(m[1] + m[2])
	}
	switch {
	case notEnough.MatchString(l.Message):
		return q.connectionsSpent()
	case TooManyFiles.MatchString(l.Message):
		return q.openFiles()
	case NoSpaceLeft.MatchString(l.Message):
		return q.noSpace(l.Text)
	case ruleForbids.MatchString(l.Message):
		return diagnosis(ForbiddenByNginx, "a deny rule of nginx refuses this client",
			q.editRoute("deny", say("mend allow and deny")), q.place())
	case connectTimeout.MatchString(l.Message):
		return q.unreachable(q.upstreamOf(l))
	case answerTimeout.MatchString(l.Message):
		return diagnosis(BackendNotAnswering,
			fmt.Sprintf("the backend %s takes the connection and does not answer", q.upstreamOf(l)),
			say("look at the backend's own log, and restart it"))
	}
	return nil
}

// upstreamOf is the address of the backend that the line is about. Where the line has none, as with a socket of the
// file system, it is what the configuration passes to.
func (q *inquiry) upstreamOf(l nginx.ErrorLine) string {
	upstream, _ := l.Of(q.ownRequest())
	switch {
	case upstream.IsValid():
		return upstream.String()
	case q.passed:
		return q.pass.Address()
	}
	return "of the location" // no command takes it: it is no address
}

// connect: nginx's connect(2) to the backend failed with this errno.
func (q *inquiry) connect(ctx context.Context, address string, number int) *Diagnosis {
	switch number {
	case 111:
		return q.notListeningThere(address)
	case 13:
		return q.denied(ctx, address)
	case 99:
		return q.noLocalPort(address)
	case 24:
		return q.openFiles()
	case 101, 110, 113:
		return q.unreachable(address)
	}
	return nil
}

func (q *inquiry) connectionsSpent() *Diagnosis {
	limit := "512, nginx's default"
	evidence := ""
	for _, d := range q.tree.Directives() {
		for _, inner := range d.Body {
			if d.Name == "events" && inner.Name == "worker_connections" && len(inner.Args) == 1 {
				limit = inner.Args[0]
				evidence = fmt.Sprintf("worker_connections %s in %s:%d", limit, inner.File, inner.Line)
			}
		}
	}
	return diagnosis(ConnectionsSpent, "nginx has no connection left: worker_connections is "+limit+
		", and each WebSocket takes two of them",
		say("raise worker_connections in the events block of "+host.NginxConf+" (and LimitNOFILE to twice as much)").
			say(thenReload), evidence)
}

// dropIns are the directory for an administrator's own lines of nginx's unit (systemd.unit(5)).
const dropIns = "/etc/systemd/system/nginx.service.d"

func (q *inquiry) openFiles() *Diagnosis {
	evidence := ""
	if len(q.master.Workers) > 0 {
		for _, line := range host.ReadProc(q.Host, fmt.Sprintf("/proc/%d/limits", q.master.Workers[0].PID)) {
			if strings.HasPrefix(line, "Max open files") {
				evidence = fmt.Sprintf("worker %d: %s", q.master.Workers[0].PID,
					strings.Join(strings.Fields(line), " "))
			}
		}
	}
	return diagnosis(OpenFilesSpent, "nginx has no file descriptor left (24: too many open files)",
		// Not worker_rlimit_nofile: SELinux denies httpd_t to set it unless httpd_setrlimit is on. A limit of the
		// unit's is for new processes only.
		do("mkdir", "-p", dropIns).and("printf", `[Service]\nLimitNOFILE=65536\n`).into(dropIns+"/limits.conf").
			and("systemctl", "daemon-reload").and("systemctl", "restart", "nginx").note("which ends open connections"),
		evidence)
}

func (q *inquiry) noSpace(line string) *Diagnosis {
	if d := q.full(); d != nil {
		return d
	}
	return diagnosis(DiskFull, "a file system that nginx writes to is full (28: no space left on device)",
		do("df", "-h").note("make room, then systemctl reload-or-restart nginx"), line)
}

// emergency explains an [emerg] line: what kept nginx from starting, although nginx -t takes its configuration now.
// What such a line says of the configuration's text is therefore out of date, or not nginx's.
func (q *inquiry) emergency(ctx context.Context, line string) *Diagnosis {
	d := q.notSyntax(ctx, problemOf(emergencyOf(line)))
	if d != nil {
		d.Evidence = append([]string{line}, d.Evidence...)
	}
	return d
}

var positionTail = regexp.MustCompile(`^(.+) in (/.*):(\d{1,9})$`)

func problemOf(message string) nginx.Problem {
	p := nginx.Problem{Level: "emerg", Message: message}
	if m := positionTail.FindStringSubmatch(message); m != nil {
		p.Message, p.File = m[1], m[2]
		p.Line, _ = strconv.Atoi(m[3])
	}
	return p
}
