package diagnose

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"wsprovision/provision/host"
	"wsprovision/selinux"
)

func (q *inquiry) enforcing() bool {
	status, err := q.SELinux.Status()
	return err == nil && status.Mode == selinux.Enforcing
}

// denied: nginx's connect was refused with 13. Which of the two permissions is
// missing is read from the policy; the denial itself is the evidence.
func (q *inquiry) denied(ctx context.Context, address string) *Diagnosis {
	port := PortOf(address)
	if port == 0 {
		return nil
	}
	allowed, label, err := q.SELinux.MayConnect(port)
	avc, logged := lastAVC(ctx, q.Host, "name_connect", port, q.verifyAttempt())
	if err == nil && allowed && !logged {
		// an old denial has been mended since; what says 13 now is not SELinux, such as a route of the type prohibit
		return nil
	}
	lacks := q.missing(ctx, port, label, err)
	if !lacks.mend.IsZero() && !q.passesTo(port) { // the nginx user can write the line that says so
		lacks.mend = say("where port ").number(port).
			say(" is indeed a backend, which the configuration does not say: ").join(lacks.mend)
	}
	d := diagnosis(SELinuxNameConnect, fmt.Sprintf("SELinux denies nginx (httpd_t) to connect to port %d: %s", port,
		lacks.sentence()), lacks.mend)
	if lacks.taken != "" {
		d.Code = BackendLabelTaken
		d.Cause = fmt.Sprintf("SELinux denies nginx (httpd_t) to connect to port %d: somebody has labelled it %s "+
			"(%s), and %s", port, label, lacks.taken, lacks.sentence())
	}
	if logged {
		d.Evidence = append(d.Evidence, avc.Line)
	}
	d.Evidence = append(d.Evidence, lacks.facts...)
	return d
}

// passesTo reports whether a configuration names the port of a backend, nginx's or the agent's.
func (q *inquiry) passesTo(port int) bool {
	if q.passed && q.pass.Port == port || q.Location != nil && q.Location.Backend.Port == port {
		return true
	}
	for _, u := range q.tree.Upstreams() {
		if slices.ContainsFunc(u.Servers, func(s string) bool { return PortOf(s) == port }) {
			return true
		}
	}
	return false
}

// lack is what keeps httpd_t from a backend's port. The boolean alone lets it connect to every port; the label alone is
// enough only while selinux.HTTPGracefulShutdown is on.
type lack struct {
	boolean, label bool   // missing
	without        string // why the label alone is not enough; "" where it is
	taken          string // the local record that gives the port another type
	mend           Mend
	facts          []string
}

func (l lack) sentence() string {
	switch {
	case l.boolean && l.label && l.without == "":
		return "both the boolean " + selinux.HTTPConnect + " and the label " + selinux.HTTPPort +
			" are missing, and either would do"
	case l.boolean && l.label:
		return "both the boolean " + selinux.HTTPConnect + " and the label " + selinux.HTTPPort +
			" are missing, and the label alone would not do: " + l.without
	case l.boolean:
		return "the boolean " + selinux.HTTPConnect + " is off, and the label " + selinux.HTTPPort + " alone does not do: " +
			l.without
	case l.label:
		return "the label " + selinux.HTTPPort + " is missing"
	}
	return "boolean and label are as they should be, so another rule of the policy is meant"
}

func (q *inquiry) missing(ctx context.Context, port int, label string, unknown error) lack {
	var l lack
	if b, err := q.SELinux.Boolean(ctx, selinux.HTTPConnect); err == nil {
		l.boolean = b.Running == selinux.Off
		l.facts = append(l.facts, fmt.Sprintf("%s: %s now, %s at the next boot", selinux.HTTPConnect, b.Running,
			b.Persistent))
		if l.boolean {
			l.mend = l.mend.and("setsebool", "-P", selinux.HTTPConnect, "on")
		}
	}
	l.without = q.withoutBoolean(ctx)
	if unknown != nil {
		l.facts = append(l.facts, unknown.Error())
		return l
	}
	l.facts = append(l.facts, fmt.Sprintf("port tcp/%d is labelled %s", port, label))
	if l.label = label != selinux.HTTPPort; l.label {
		l.mend = l.mend.and(q.labelCommand(ctx, port)...)
	}
	if state, err := q.SELinux.Port(ctx, "tcp", port); err == nil {
		for _, p := range state.Local {
			if p.Type != selinux.HTTPPort {
				l.taken = fmt.Sprintf("semanage port -l -C: %s %s", p.Type, p)
			}
		}
	}
	return l
}

// withoutBoolean is why the label alone does not let httpd_t connect; "" where it does.
func (q *inquiry) withoutBoolean(ctx context.Context) string {
	if allowed, err := q.SELinux.Allowed("httpd_t", selinux.HTTPPort, "tcp_socket", "name_connect"); err == nil && allowed {
		return ""
	}
	if b, err := q.SELinux.Boolean(ctx, selinux.HTTPGracefulShutdown); err == nil && b.Running == selinux.Off {
		return "the boolean " + selinux.HTTPGracefulShutdown + " is off too"
	}
	return "this policy has no rule for it"
}

// labelCommand is what labels the port http_port_t: -m where there is a record of exactly this port, the policy's or a
// local one, which a lone "semanage port -a" refuses; else -a. A label that the store has already was written with -N
// and waits for the policy to be loaded.
func (q *inquiry) labelCommand(ctx context.Context, port int) []string {
	verb, which := "-a", strconv.Itoa(port)
	edit, before, err := q.SELinux.LabelPort(ctx, "tcp", port, selinux.HTTPPort)
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

func PortOf(address string) int {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 1 || n > 65535 {
		return 0
	}
	return n
}

// wouldDeny warns on a permissive host of what enforcing would refuse.
func WouldDeny(ctx context.Context, h *host.Host, port int) *Diagnosis {
	status, err := h.SELinux.Status()
	if err != nil || status.Mode != selinux.Permissive {
		return nil
	}
	allowed, label, err := h.SELinux.MayConnect(port)
	if err != nil || allowed {
		return nil
	}
	q := &inquiry{Host: h}
	lacks := q.missing(ctx, port, label, nil)
	d := diagnosis(SELinuxWouldDeny,
		fmt.Sprintf("SELinux is permissive; enforcing, it would deny nginx (httpd_t) to connect to port %d: %s", port,
			lacks.sentence()), lacks.mend, lacks.facts...)
	// The kernel logs such a one only once for each type, so it may be older than the checks, but not than the worker.
	master, err := h.Nginx.Master(ctx, 0)
	if err != nil || len(master.Workers) == 0 {
		return d
	}
	since, err := h.Nginx.Started(master.Workers[0].Start)
	if err != nil {
		return d
	}
	if a, ok := lastAVC(ctx, h, "name_connect", port, attempt{workers(master), since.Add(-clockSlack)}); ok {
		d.Evidence = append([]string{a.Line}, d.Evidence...)
	}
	return d
}
