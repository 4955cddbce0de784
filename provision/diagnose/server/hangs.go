package server

import (
	"context"
	"fmt"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
)

// NginxHangs: the kernel takes the connection, and no worker does.
func NginxHangs(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	if e.Check == facts.Measured {
		return nil // that many at a time take their time
	}
	failed, silent := facts.TlsFailure(e), facts.SilenceOf(e)
	if failed != nil && failed.Timeout {
		return hangs(e, failed.Error())
	}
	if silent == nil || !silent.Timeout || facts.Passed(e) != nil && facts.Accepting(ctx, e, true) == "" {
		return nil
	}
	return hangs(e, append([]string{e.Err.Error()}, e.Asked.Told()...)...)
}

func hangs(e *facts.Evidence, evidence ...string) *cause.Diagnosis {
	for _, w := range e.Master.Workers {
		evidence = append(evidence,
			fmt.Sprintf("worker %d: %s", w.PID, strings.Join(strings.Fields(stateOf(e.Host, w.PID)), " ")))
	}
	return cause.New(cause.NginxHangs, fmt.Sprintf("what listens on %s takes the connection and does not answer",
		e.Address),
		cause.Do("systemctl", "restart", "nginx").Note("which ends all connections"), evidence...)
}

// stateOf is the line State of a process.
func stateOf(h *host.Host, pid int) string {
	for _, line := range host.ReadProc(h, fmt.Sprintf("/proc/%d/status", pid)) {
		if strings.HasPrefix(line, "State:") {
			return line
		}
	}
	return "State: unknown"
}
