package provision

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"wsprovision/provision/nginx"
)

// errorLog is the end of nginx's error logs.
func (q *inquiry) errorLog() []string {
	var lines []string
	for _, name := range q.tree.ErrorLogs() {
		lines = append(lines, q.readTail(name, 0)...)
	}
	return lines
}

// lastWith is the newest line that has every one of the words, or none.
func lastWith(lines []string, words ...string) []string {
	for _, line := range slices.Backward(lines) {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			return []string{line}
		}
	}
	return nil
}

func lastEmergency(lines []string) string {
	return strings.Join(lastWith(lines, " [emerg] "), "")
}

// relevant are the lines that nginx logged of this request, and those of no
// request at all, such as that it has no connection left.
func (q *inquiry) relevant() []string {
	path := q.target.Path
	if path == "" {
		path = "/"
	}
	var all []string
	for _, line := range q.lines {
		if !strings.Contains(line, `request: "`) || strings.Contains(line, `request: "GET `+path+` `) {
			all = append(all, line)
		}
	}
	return all[max(0, len(all)-5):]
}

// logged: what nginx itself said of this request.
func (q *inquiry) logged(ctx context.Context) *Diagnosis {
	if !q.local() {
		return nil
	}
	lines := q.relevant()
	for _, line := range slices.Backward(lines) {
		if d := q.line(ctx, line); d != nil {
			d.Evidence = append([]string{line}, d.Evidence...)
			return d
		}
	}
	return nil
}

var (
	connectFailed = regexp.MustCompile(`connect\(\)(?: to (\S+))? failed \((\d+): `)
	unresolvable  = regexp.MustCompile(`(\S+) could not be resolved|no resolver defined to resolve (\S+)`)
	upstreamOf    = regexp.MustCompile(`upstream: "(?:https?)://([^/"]+)`)
)

// line explains one line of the error log, at the level error, crit or alert.
func (q *inquiry) line(ctx context.Context, line string) *Diagnosis {
	if m := connectFailed.FindStringSubmatch(line); m != nil {
		number, _ := strconv.Atoi(m[2])
		return q.connect(ctx, cmp.Or(m[1], upstreamIn(line)), number)
	}
	if m := unresolvable.FindStringSubmatch(line); m != nil {
		return q.upstreamName(m[1] + m[2])
	}
	switch {
	case strings.Contains(line, "worker_connections are not enough"):
		return q.connectionsSpent()
	case strings.Contains(line, "(24: Too many open files)"):
		return q.openFiles()
	case strings.Contains(line, "(28: No space left on device)"):
		return q.noSpace(line)
	case strings.Contains(line, "access forbidden by rule"):
		return diagnosis(ForbiddenByNginx, "a deny rule of nginx refuses this client", q.editRoute("deny", "mend allow and deny"), q.place())
	case strings.Contains(line, "upstream timed out (110: ") && strings.Contains(line, "while connecting to upstream"):
		return q.unreachable(upstreamIn(line))
	case strings.Contains(line, "upstream timed out (110: ") && strings.Contains(line, "while reading response header"):
		return diagnosis(BackendNotAnswering, fmt.Sprintf("the backend %s takes the connection and does not answer", upstreamIn(line)),
			"look at the backend's own log, and restart it")
	}
	return nil
}

func upstreamIn(line string) string {
	if m := upstreamOf.FindStringSubmatch(line); m != nil {
		return m[1]
	}
	return "of the location"
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
	return diagnosis(ConnectionsSpent, "nginx has no connection left: worker_connections is "+limit+", and each WebSocket takes two of them",
		"raise worker_connections in the events block of "+nginxConf+" (and LimitNOFILE to twice as much), then nginx -t && systemctl reload nginx", evidence)
}

func (q *inquiry) openFiles() *Diagnosis {
	evidence := ""
	if len(q.master.Workers) > 0 {
		for _, line := range q.readProc(fmt.Sprintf("/proc/%d/limits", q.master.Workers[0].PID)) {
			if strings.HasPrefix(line, "Max open files") {
				evidence = fmt.Sprintf("worker %d: %s", q.master.Workers[0].PID, strings.Join(strings.Fields(line), " "))
			}
		}
	}
	return diagnosis(OpenFilesSpent, "nginx has no file descriptor left (24: too many open files)",
		// Not worker_rlimit_nofile: SELinux denies httpd_t to set it unless httpd_setrlimit is on. A limit of the unit's is for new processes only.
		`mkdir -p /etc/systemd/system/nginx.service.d && printf '[Service]\nLimitNOFILE=65536\n' >/etc/systemd/system/nginx.service.d/limits.conf && systemctl daemon-reload && systemctl restart nginx # which ends open connections`, evidence)
}

func (q *inquiry) noSpace(line string) *Diagnosis {
	if d := q.full(); d != nil {
		return d
	}
	return diagnosis(DiskFull, "a file system that nginx writes to is full (28: no space left on device)", "df -h # make room, then systemctl reload-or-restart nginx", line)
}

var emergencyLine = regexp.MustCompile(`\[emerg\] (?:\d+#\d+: )?(.+)$`)

// emergency explains an [emerg] line: what kept nginx from starting or from taking a configuration.
func (q *inquiry) emergency(ctx context.Context, line string) *Diagnosis {
	m := emergencyLine.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	d := q.problem(ctx, problemOf(m[1]))
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
