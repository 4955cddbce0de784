package facts

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"wsprovision/selinux"
)

// Enforcing reports whether SELinux is enforcing now.
func Enforcing(e *Evidence) bool {
	status, err := e.SELinux.Status()
	return err == nil && status.Mode == selinux.Enforcing
}

// LabelCommand is what labels the port http_port_t: -m where there is a record of exactly this port, the policy's or a
// local one, which a lone "semanage port -a" refuses; else -a. A label that the store has already was written with -N
// and waits for the policy to be loaded.
func LabelCommand(ctx context.Context, e *Evidence, port int) []string {
	verb, which := "-a", strconv.Itoa(port)
	edit, before, err := e.SELinux.LabelPort(ctx, "tcp", port, selinux.HTTPPort)
	var overlap *selinux.OverlapError
	if errors.As(err, &overlap) {
		verb, which = "-m", fmt.Sprintf("%d-%d", overlap.Local.Low, overlap.Local.High)
	}
	if err == nil && edit == nil {
		return []string{"load_policy"}
	}
	if err == nil {
		for _, p := range append(before.Local, before.Policy...) {
			if p.Low == port && p.High == port {
				verb = "-m"
			}
		}
	}
	return []string{"semanage", "port", verb, "-t", selinux.HTTPPort, "-p", "tcp", which}
}
