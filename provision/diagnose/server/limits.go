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
	"wsprovision/provision/nginx/conf"
)

// WorkersWereFull: a worker was seen with as many connections, or files, as it may have, while many WebSockets were
// tried. Of the last sixteenth of its connections nginx takes those that are idle (ngx_drain_connections).
func WorkersWereFull(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	limit, p := workerConnections(e), e.Peak
	switch {
	case e.Check != facts.Measured || p.Sockets == 0:
		return nil
	case p.Sockets >= limit-limit/16-slack:
		return connectionsSpent(e, "")
	case p.Limit > 0 && p.Descriptors >= p.Limit-slack:
		return openFiles(e, p.String())
	}
	return nil
}

// slack are connections that come and go while they are counted.
const slack = 4

// ConnectionsAreSpent: a worker had none left while this was tried.
func ConnectionsAreSpent(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	line := cmp.Or(facts.LastSaid(facts.OfNginx(e), facts.NotEnough),
		facts.LastSaid(facts.OfRequest(e), facts.NotEnough))
	if line == "" || facts.StatusOf(e) != nil && !facts.NginxFailed(e) {
		return nil
	}
	return connectionsSpent(e, line)
}

func connectionsSpent(e *facts.Evidence, line string) *cause.Diagnosis {
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
			Say(facts.ThenReload), line, evidence, e.Peak.String(), e.Err.Error())
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
		if l := facts.Failing(e); l != nil && facts.TooManyFiles().MatchString(l.Message) {
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
	if l == nil || !facts.NoSpaceLeft().MatchString(l.Message) {
		return nil
	}
	return noSpace(e, l.Text)
}

// dropIns are the directory for an administrator's own lines of nginx's unit (systemd.unit(5)).
const dropIns = "/etc/systemd/system/nginx.service.d"

func openFiles(e *facts.Evidence, line string) *cause.Diagnosis {
	if d := workerFiles(e); d != nil {
		return cause.New(cause.OpenFilesSpent, fmt.Sprintf("nginx has no file descriptor left (24: too many open "+
			"files): worker_rlimit_nofile is %s", strings.Join(d.Args, " ")),
			cause.Say("raise worker_rlimit_nofile in ").
				Line(d.File, d.Line).Say(", or take it out").Say(facts.ThenReload), line)
	}
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

// workerFiles is the directive that sets the limit of files, which goes before the unit's; nil where there is none.
func workerFiles(e *facts.Evidence) *conf.Directive {
	for _, d := range e.Tree.Directives() {
		if d.Name == "worker_rlimit_nofile" {
			return &d
		}
	}
	return nil
}
