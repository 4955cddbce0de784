package diagnose

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
)

// connectionsAreSpent: a worker had none left while this was tried.
func connectionsAreSpent(_ context.Context, e *evidence) *Diagnosis {
	line := cmp.Or(lastSaid(ofNginx(e), notEnough), lastSaid(ofRequest(e), notEnough))
	if line == "" {
		line = moreThanThereAre(e)
	}
	if line == "" || statusOf(e) != nil && !nginxFailed(e) {
		return nil
	}
	limit := "512, nginx's default"
	evidence := ""
	for _, d := range e.tree.Directives() {
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
			say(thenReload), line, evidence)
}

// moreThanThereAre: so many were opened at a time that nginx's workers have not two connections for each. From 1.19.3
// on nginx closes idle ones before it says so in its log (ngx_drain_connections), at the level warn.
func moreThanThereAre(e *evidence) string {
	limit, workers := workerConnections(e), len(e.master.Workers)
	if e.Check != Measured || silenceOf(e) == nil || silenceOf(e).Timeout || workers == 0 ||
		2*e.Load.Concurrency <= limit*workers {
		return ""
	}
	return fmt.Sprintf("%d at a time take %d connections of nginx's, and its %d workers have %d", e.Load.Concurrency,
		2*e.Load.Concurrency, workers, limit*workers)
}

func workerConnections(e *evidence) int {
	for _, d := range e.tree.Directives() {
		for _, inner := range d.Body {
			if d.Name == "events" && inner.Name == "worker_connections" && len(inner.Args) == 1 {
				n, err := strconv.Atoi(inner.Args[0])
				if err != nil {
					return math.MaxInt32
				}
				return n
			}
		}
	}
	return 512 // ngx_event_core_module's default
}

// openFilesAreSpent: a worker could open no socket while this was tried.
func openFilesAreSpent(_ context.Context, e *evidence) *Diagnosis {
	number, _, line := failedCall(e)
	if number != int(syscall.EMFILE) {
		line = ""
		if l := failing(e); l != nil && TooManyFiles.MatchString(l.Message) {
			line = l.Text
		}
		if silent := silenceOf(e); silent != nil {
			line = cmp.Or(line, lastSaid(ofNginx(e), TooManyFiles))
		}
	}
	if line == "" {
		return nil
	}
	return openFiles(e, line)
}

// noRoomToWrite: nginx could not write what it had to for this request.
func noRoomToWrite(_ context.Context, e *evidence) *Diagnosis {
	l := failing(e)
	if l == nil || !NoSpaceLeft.MatchString(l.Message) {
		return nil
	}
	return noSpace(e, l.Text)
}

// dropIns are the directory for an administrator's own lines of nginx's unit (systemd.unit(5)).
const dropIns = "/etc/systemd/system/nginx.service.d"

func openFiles(e *evidence, line string) *Diagnosis {
	evidence := ""
	if len(e.master.Workers) > 0 {
		for _, line := range host.ReadProc(e.Host, fmt.Sprintf("/proc/%d/limits", e.master.Workers[0].PID)) {
			if strings.HasPrefix(line, "Max open files") {
				evidence = fmt.Sprintf("worker %d: %s", e.master.Workers[0].PID,
					strings.Join(strings.Fields(line), " "))
			}
		}
	}
	return diagnosis(OpenFilesSpent, "nginx has no file descriptor left (24: too many open files)",
		// Not worker_rlimit_nofile: SELinux denies httpd_t to set it unless httpd_setrlimit is on. A limit of the
		// unit's is for new processes only.
		do("mkdir", "-p", dropIns).and("printf", `[Service]\nLimitNOFILE=65536\n`).into(dropIns+"/limits.conf").
			and("systemctl", "daemon-reload").and("systemctl", "restart", "nginx").note("which ends open connections"),
		line, evidence)
}

func noSpace(e *evidence, line string) *Diagnosis {
	if d := fullDisk(e); d != nil {
		d.Evidence = append([]string{line}, d.Evidence...)
		return d
	}
	return diagnosis(DiskFull, "a file system that nginx writes to is full (28: no space left on device)",
		do("df", "-h").note("make room, then systemctl reload-or-restart nginx"), line)
}

// lastSaid is the newest of the lines whose message is that, or "".
func lastSaid(lines []nginx.ErrorLine, message *regexp.Regexp) string {
	for _, l := range slices.Backward(lines) {
		if message.MatchString(l.Message) {
			return l.Text
		}
	}
	return ""
}
