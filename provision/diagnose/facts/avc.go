package facts

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"wsprovision/provision/host"
	"wsprovision/provision/lazy"
	"wsprovision/provision/nginx"
)

// AVC is a denial as the kernel's audit record has it (auditd's audit.log, or
// the kernel log where auditd does not run).
type AVC struct {
	Line   string // from "avc:" on, as logged
	Time   time.Time
	Perms  []string // such as name_connect
	Comm   string
	PID    int
	Port   int    // dest= of name_connect, src= of name_bind; 0 without
	Name   string // path= or name=, of a file
	Source string
	Target string
	Class  string
	// Permissive says that it was logged and not denied; kernels before RHEL
	// 7.3's do not say.
	Permissive bool
}

var (
	// As auditd writes it, with the host's name where name_format says so (auditd.conf(5)), and as the kernel's log has
	// it.
	avcDenied = lazy.Regexp(`^(?:node=\S+ )?(?:type=AVC msg=|(?:audit: )?type=1400 )audit\([0-9.:]+\): ` +
		`avc: +denied +\{ ([a-z_0-9 ]+) \} for `)
	avcStamp = lazy.Regexp(`audit\((\d{1,12})\.(\d{3}):\d+\)`)
	avcField = lazy.Regexp(` (pid|comm|path|name|src|dest|scontext|tcontext|tclass|permissive)=("[^"]*"|\S+)`)
)

// ParseAVC reads one line of audit.log or of the kernel log; false is a line
// that is no denial.
func ParseAVC(line string) (AVC, bool) {
	m := avcDenied().FindStringSubmatchIndex(line)
	if m == nil {
		return AVC{}, false
	}
	a := AVC{Line: line[strings.Index(line, "avc:"):], Perms: strings.Fields(line[m[2]:m[3]])}
	if s := avcStamp().FindStringSubmatch(line); s != nil {
		seconds, _ := strconv.ParseInt(s[1], 10, 64)
		millis, _ := strconv.ParseInt(s[2], 10, 64)
		a.Time = time.Unix(seconds, millis*int64(time.Millisecond))
	}
	for _, f := range avcField().FindAllStringSubmatch(line, -1) {
		value := strings.Trim(f[2], `"`)
		switch f[1] {
		case "pid":
			a.PID, _ = strconv.Atoi(value)
		case "comm":
			a.Comm = value
		case "path", "name":
			a.Name = value
		case "src", "dest":
			a.Port, _ = strconv.Atoi(value)
		case "scontext":
			a.Source = value
		case "tcontext":
			a.Target = value
		case "tclass":
			a.Class = value
		case "permissive":
			a.Permissive = value == "1"
		}
	}
	return a, true
}

// AuditLog is where auditd of RHEL 7 writes.
const AuditLog = "/var/log/audit/audit.log"

// UnitLog is what nginx's unit said last.
func UnitLog(ctx context.Context, h *host.Host) []string {
	return journal(ctx, h, "-u", host.NginxUnit, "-n", "20")
}

// journal asks for lines where there is a journal.
func journal(ctx context.Context, h *host.Host, which ...string) []string {
	for _, dir := range []string{"/run/log/journal", "/var/log/journal"} {
		if _, err := os.Stat(h.Root + dir); err != nil {
			continue
		}
		stdout, _, status, err := h.Nginx.Read(ctx, "", append([]string{"journalctl", "--no-pager", "-q", "-o", "cat"},
			which...)...)
		if err == nil && status == 0 {
			return strings.Split(stdout, "\n")
		}
	}
	return nil
}

// Attempt is what a denial has to be of: one of these processes, and not before a moment.
type Attempt struct {
	pids  []int
	since time.Time
}

func (t Attempt) Has(a AVC) bool {
	return !a.Time.Before(t.since) && slices.Contains(t.pids, a.PID)
}

// clockSlack is how far apart the kernel's clock of audit records, that of a process's start and nginx's may be.
const clockSlack = 2 * time.Second

// WorkersSince is what nginx's workers did since a moment.
func WorkersSince(m nginx.Master, since time.Time) Attempt {
	return Attempt{workers(m), since.Add(-clockSlack)}
}

// VerifyAttempt is what nginx's workers did since before the check.
func VerifyAttempt(e *Evidence) Attempt {
	return Attempt{workers(e.Master), e.Began.Add(-clockSlack)}
}

func workers(m nginx.Master) (pids []int) {
	for _, w := range m.Workers {
		pids = append(pids, w.PID)
	}
	return pids
}

// StartAttempt is the start of nginx that the last of these lines of its error log tells of.
func StartAttempt(lines []string) (Attempt, bool) {
	if len(lines) == 0 {
		return Attempt{}, false
	}
	l, _ := nginx.ParseErrorLine(lines[len(lines)-1])
	at, err := time.ParseInLocation("2006/01/02 15:04:05", l.Time, time.Local)
	return Attempt{[]int{l.PID}, at.Add(-clockSlack)}, err == nil
}

// LastAVC is the newest denial of the permission at the port in this attempt. Without auditd it is not in audit.log,
// which may still be there with what an earlier nginx was denied, but in the kernel's log, which the journal keeps.
// Reading either takes root; who may not has none.
func LastAVC(ctx context.Context, h *host.Host, perm string, port int, of Attempt) (AVC, bool) {
	return NewestAVC(ctx, h, func(a AVC) bool {
		return a.Port == port && slices.Contains(a.Perms, perm) && of.Has(a)
	})
}

// NewestAVC is the last denial of the audit log, or of the journal, that is wanted.
func NewestAVC(ctx context.Context, h *host.Host, wanted func(AVC) bool) (AVC, bool) {
	for _, read := range []func() []string{
		func() []string { return readTail(ctx, h, AuditLog, 0) },
		func() []string { return journal(ctx, h, "-k", "-n", "1000") },
	} {
		for _, line := range slices.Backward(read()) {
			if a, ok := ParseAVC(line); ok && wanted(a) {
				return a, true
			}
		}
	}
	return AVC{}, false
}
