package diagnose

import (
	"context"
	"fmt"
	"strings"

	"wsprovision/provision/host"
)

// nginxHangs: the kernel takes the connection, and no worker does.
func nginxHangs(ctx context.Context, e *evidence) *Diagnosis {
	if e.Check == Measured {
		return nil // that many at a time take their time
	}
	failed, silent := tlsFailure(e), silenceOf(e)
	if failed != nil && failed.Timeout {
		return hangs(e, failed.Error())
	}
	if silent == nil || !silent.Timeout || passed(e) != nil && accepting(ctx, e, true) == "" {
		return nil
	}
	return hangs(e, append([]string{e.Err.Error()}, e.asked.told()...)...)
}

func hangs(e *evidence, evidence ...string) *Diagnosis {
	for _, w := range e.master.Workers {
		evidence = append(evidence,
			fmt.Sprintf("worker %d: %s", w.PID, strings.Join(strings.Fields(stateOf(e.Host, w.PID)), " ")))
	}
	return diagnosis(NginxHangs, fmt.Sprintf("what listens on %s takes the connection and does not answer", e.address),
		do("systemctl", "restart", "nginx").note("which ends all connections"), evidence...)
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
