package server

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"syscall"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
)

// ConnectionsAreSpent: a worker had none left while this was tried.
func ConnectionsAreSpent(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	line := cmp.Or(facts.LastSaid(facts.OfNginx(e), facts.NotEnough),
		facts.LastSaid(facts.OfRequest(e), facts.NotEnough))
	if line == "" {
		line = moreThanThereAre(e)
	}
	if line == "" || facts.StatusOf(e) != nil && !facts.NginxFailed(e) {
		return nil
	}
	limit := "512, nginx's default"
	evidence := ""
	for _, d := range e.Tree.Directives() {
		for _, inner := range d.Body {
			if d.Name == "events" && inner.Name == "worker_connections" && len(inner.Args) == 1 {
				limit = inner.Args[0]
				evidence = fmt.Sprintf("worker_connections %s in %s:%d", limit, inner.File, inner.Line)
			}
		}
	}
	return cause.New(cause.ConnectionsSpent, "nginx has no connection left: worker_connections is "+limit+
		", and each WebSocket takes two of them",
		cause.Say("raise worker_connections in the events block of "+host.NginxConf+
			" (and LimitNOFILE to twice as much; the key connections raises both)").
			Say(facts.ThenReload), line, evidence)
}

// moreThanThereAre: so many were opened at a time that nginx's workers have not two connections for each. From 1.19.3
// on nginx closes idle ones before it says so in its log (ngx_drain_connections), at the level warn.
func moreThanThereAre(e *facts.Evidence) string {
	limit, workers := workerConnections(e), len(e.Master.Workers)
	if e.Check != facts.Measured || facts.SilenceOf(e) == nil || facts.SilenceOf(e).Timeout || workers == 0 ||
		2*e.Load.Concurrency <= limit*workers {
		return ""
	}
	return fmt.Sprintf("%d at a time take %d connections of nginx's, and its %d workers have %d", e.Load.Concurrency,
		2*e.Load.Concurrency, workers, limit*workers)
}

func workerConnections(e *facts.Evidence) int {
	for _, d := range e.Tree.Directives() {
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

// OpenFilesAreSpent: a worker could open no socket while this was tried.
func OpenFilesAreSpent(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	number, _, line := facts.FailedCall(e)
	if number != int(syscall.EMFILE) {
		line = ""
		if l := facts.Failing(e); l != nil && facts.TooManyFiles.MatchString(l.Message) {
			line = l.Text
		}
		if silent := facts.SilenceOf(e); silent != nil {
			line = cmp.Or(line, facts.LastSaid(facts.OfNginx(e), facts.TooManyFiles))
		}
	}
	if line == "" {
		return nil
	}
	return openFiles(e, line)
}

// NoRoomToWrite: nginx could not write what it had to for this request.
func NoRoomToWrite(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	l := facts.Failing(e)
	if l == nil || !facts.NoSpaceLeft.MatchString(l.Message) {
		return nil
	}
	return noSpace(e, l.Text)
}

// dropIns are the directory for an administrator's own lines of nginx's unit (systemd.unit(5)).
const dropIns = "/etc/systemd/system/nginx.service.d"

func openFiles(e *facts.Evidence, line string) *cause.Diagnosis {
	evidence := ""
	if len(e.Master.Workers) > 0 {
		for _, line := range host.ReadProc(e.Host, fmt.Sprintf("/proc/%d/limits", e.Master.Workers[0].PID)) {
			if strings.HasPrefix(line, "Max open files") {
				evidence = fmt.Sprintf("worker %d: %s", e.Master.Workers[0].PID,
					strings.Join(strings.Fields(line), " "))
			}
		}
	}
	return cause.New(cause.OpenFilesSpent, "nginx has no file descriptor left (24: too many open files)",
		// Not worker_rlimit_nofile: SELinux denies httpd_t to set it unless httpd_setrlimit is on. A limit of the
		// unit's is for new processes only.
		cause.Do("mkdir", "-p", dropIns).And("printf", `[Service]\nLimitNOFILE=65536\n`).Into(dropIns+"/limits.conf").
			And("systemctl", "daemon-reload").And("systemctl", "restart", "nginx").Note("which ends open "+
			"connections, as the key connections does not"),
		line, evidence)
}

func noSpace(e *facts.Evidence, line string) *cause.Diagnosis {
	if d := fullDisk(e); d != nil {
		d.Evidence = append([]string{line}, d.Evidence...)
		return d
	}
	return cause.New(cause.DiskFull, "a file system that nginx writes to is full (28: no space left on device)",
		cause.Do("df", "-h").Note("make room, then systemctl reload-or-restart nginx"), line)
}
