package provision

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AVC is a denial as the kernel's audit record has it (FACTS: audit.log, or
// the kernel log where auditd does not run).
type AVC struct {
	Line   string // from "avc:" on, as logged
	Time   time.Time
	Perms  []string // such as name_connect
	Comm   string
	Port   int // dest= of name_connect, src= of name_bind; 0 without
	Source string
	Target string
	Class  string
	// Permissive says that it was logged and not denied; kernels before RHEL
	// 7.3's do not say.
	Permissive bool
}

var (
	avcDenied = regexp.MustCompile(`avc: +denied +\{ ([a-z_0-9 ]+) \} for `)
	avcStamp  = regexp.MustCompile(`audit\((\d{1,12})\.(\d{3}):\d+\)`)
	avcField  = regexp.MustCompile(` (comm|src|dest|scontext|tcontext|tclass|permissive)=("[^"]*"|\S+)`)
)

// parseAVC reads one line of audit.log or of the kernel log; false is a line
// that is no denial.
func parseAVC(line string) (AVC, bool) {
	m := avcDenied.FindStringSubmatchIndex(line)
	if m == nil {
		return AVC{}, false
	}
	a := AVC{Line: line[m[0]:], Perms: strings.Fields(line[m[2]:m[3]])}
	if s := avcStamp.FindStringSubmatch(line); s != nil {
		seconds, _ := strconv.ParseInt(s[1], 10, 64)
		millis, _ := strconv.ParseInt(s[2], 10, 64)
		a.Time = time.Unix(seconds, millis*int64(time.Millisecond))
	}
	for _, f := range avcField.FindAllStringSubmatch(line, -1) {
		value := strings.Trim(f[2], `"`)
		switch f[1] {
		case "comm":
			a.Comm = value
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

const auditLog = "/var/log/audit/audit.log"

// avcs are the denials in the end of audit.log, oldest first. Without auditd
// they are in the kernel log, which the journal keeps. Reading either takes
// root; who may not has none.
func (h *Host) avcs(ctx context.Context) []AVC {
	lines := h.readTail(auditLog, 0)
	if len(lines) == 0 {
		lines = h.kernelLog(ctx)
	}
	var all []AVC
	for _, line := range lines {
		if a, ok := parseAVC(line); ok {
			all = append(all, a)
		}
	}
	return all
}

func (h *Host) kernelLog(ctx context.Context) []string {
	return h.journal(ctx, "-k", "-n", "1000")
}

// unitLog is what nginx's unit said last.
func (h *Host) unitLog(ctx context.Context) []string {
	return h.journal(ctx, "-u", nginxUnit, "-n", "20")
}

// journal asks for lines where there is a journal.
func (h *Host) journal(ctx context.Context, which ...string) []string {
	for _, dir := range []string{"/run/log/journal", "/var/log/journal"} {
		if _, err := os.Stat(h.Root + dir); err != nil {
			continue
		}
		stdout, _, status, err := h.Nginx.Read(ctx, "", append([]string{"journalctl", "--no-pager", "-q", "-o", "cat"}, which...)...)
		if err == nil && status == 0 {
			return strings.Split(stdout, "\n")
		}
	}
	return nil
}

// lastAVC is the newest denial of the permission at the port, as evidence.
func (h *Host) lastAVC(ctx context.Context, perm string, port int) (AVC, bool) {
	all := h.avcs(ctx)
	for _, a := range slices.Backward(all) {
		if a.Port == port && slices.Contains(a.Perms, perm) {
			return a, true
		}
	}
	return AVC{}, false
}
