package backend

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"wsprovision/provision/config"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
	"wsprovision/selinux"
)

// BackendIsDenied: nginx's connect was refused with 13, or nginx says nothing and the policy does not let it connect.
func BackendIsDenied(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	number, address, line := facts.FailedCall(e)
	if number == int(syscall.EACCES) {
		return withLine(denied(ctx, e, address), line)
	}
	if number != 0 || facts.StatusOf(e) == nil || facts.StatusOf(e).Code != http.StatusBadGateway ||
		!facts.Enforcing(e) {
		return nil
	}
	b := facts.Accepting(ctx, e, true)
	if allowed, _, err := e.SELinux.Kernel().MayConnect(facts.PortOf(b)); b == "" || err != nil || allowed {
		return nil
	}
	d := denied(ctx, e, b)
	if d != nil {
		d.Evidence = append(append(d.Evidence, e.Err.Error()),
			fmt.Sprintf("the same handshake made with %s directly: 101", b))
	}
	return d
}

// mayEnforce: this host's SELinux denies, or cannot be asked whether it does.
func mayEnforce(e *facts.Evidence) bool {
	status, err := e.SELinux.Status()
	return err != nil || status.Mode == selinux.Enforcing
}

func withLine(d *cause.Diagnosis, line string) *cause.Diagnosis {
	if d != nil && line != "" {
		d.Evidence = append([]string{line}, d.Evidence...)
	}
	return d
}

// denied: nginx's connect was refused with 13. Which of the two permissions is
// missing is read from the policy; the denial itself is the evidence.
func denied(ctx context.Context, e *facts.Evidence, address string) *cause.Diagnosis {
	port := facts.PortOf(address)
	if port == 0 {
		return nil
	}
	allowed, label, err := e.SELinux.Kernel().MayConnect(port)
	avc, logged := facts.LastAVC(ctx, e.Host, "name_connect", port, facts.VerifyAttempt(e))
	if !logged && (err == nil && allowed || !mayEnforce(e)) {
		// an old denial has been mended since; what says 13 now is not SELinux, such as a route of the type prohibit
		return nil
	}
	lacks := missing(ctx, e, port, label, err)
	if !lacks.mend.IsZero() && !passesTo(e, port) { // the nginx user can write the line that says so
		lacks.mend = cause.Say("where port ").Number(port).
			Say(" is indeed a backend, which the configuration does not say: ").Join(lacks.mend)
	}
	d := cause.New(cause.SELinuxNameConnect, fmt.Sprintf("SELinux denies nginx (httpd_t) to connect to port %d: %s",
		port,
		lacks.sentence()), lacks.mend)
	if lacks.taken != "" {
		d.Code = cause.BackendLabelTaken
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
func passesTo(e *facts.Evidence, port int) bool {
	if slices.ContainsFunc(facts.Backends(e), func(b string) bool {
		return facts.PortOf(b) == port
	}) || e.Location != nil && e.Location.PassesToPort(port) {
		return true
	}
	for _, u := range e.Tree.Upstreams() {
		if slices.ContainsFunc(u.Servers, func(s string) bool { return facts.PortOf(s) == port }) {
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
	mend           cause.Mend
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
		return "the boolean " + selinux.HTTPConnect + " is off, and the label " + selinux.HTTPPort +
			" alone does not do: " +
			l.without
	case l.label:
		return "the label " + selinux.HTTPPort + " is missing"
	}
	return "boolean and label are as they should be, so another rule of the policy is meant"
}

func missing(ctx context.Context, e *facts.Evidence, port int, label string, unknown error) lack {
	l := lack{without: withoutBoolean(ctx, e)}
	if b, err := e.SELinux.Boolean(ctx, selinux.HTTPConnect); err == nil {
		l.boolean = b.Running == selinux.Off && !byLabel(e, l.without)
		l.facts = append(l.facts, fmt.Sprintf("%s: %s now, %s at the next boot", selinux.HTTPConnect, b.Running,
			b.Persistent))
		if l.boolean {
			l.mend = l.mend.And("setsebool", "-P", selinux.HTTPConnect, "on")
		}
	}
	if unknown != nil {
		l.facts = append(l.facts, unknown.Error())
		return l
	}
	l.facts = append(l.facts, fmt.Sprintf("port tcp/%d is labelled %s", port, label))
	if l.label = label != selinux.HTTPPort; l.label {
		l.mend = l.mend.And(facts.LabelCommand(ctx, e, port)...)
	}
	if state, err := e.SELinux.Port(ctx, "tcp", port); err == nil {
		for _, p := range state.Local {
			if p.Type != selinux.HTTPPort {
				l.taken = fmt.Sprintf("semanage port -l -C: %s %s", p.Type, p)
			}
		}
	}
	return l
}

// byLabel: selinux.connect asks for the label alone, and that is enough.
func byLabel(e *facts.Evidence, without string) bool {
	return e.Config.SELinux.Connect == config.ConnectLabel && without == ""
}

// withoutBoolean is why the label alone does not let httpd_t connect; "" where it does.
func withoutBoolean(ctx context.Context, e *facts.Evidence) string {
	if allowed, err := e.SELinux.Kernel().Allowed("httpd_t", selinux.HTTPPort, "tcp_socket",
		"name_connect"); err == nil &&
		allowed {
		return ""
	}
	if b, err := e.SELinux.Boolean(ctx, selinux.HTTPGracefulShutdown); err == nil && b.Running == selinux.Off {
		return "the boolean " + selinux.HTTPGracefulShutdown + " is off too"
	}
	return "this policy has no rule for it"
}

// WouldDeny warns of what SELinux would refuse, were it enforcing, or were nginx's domain not permissive by itself.
func WouldDeny(ctx context.Context, h *host.Host, c config.Config, port int) *cause.Diagnosis {
	status, err := h.SELinux.Status()
	if err != nil || status.Mode == selinux.Disabled {
		return nil
	}
	_, label, err := h.SELinux.Kernel().MayConnect(port)
	if err != nil {
		return nil
	}
	decision, err := h.SELinux.Kernel().Decide(selinux.HTTPDomain, label, "tcp_socket", "name_connect")
	if err != nil || decision.Allowed || status.Mode != selinux.Permissive && !decision.Permissive {
		return nil
	}
	why := "SELinux is permissive; enforcing, it"
	if status.Mode != selinux.Permissive {
		why = "nginx's domain is permissive by itself (semanage permissive -l lists it); without that SELinux"
	}
	e := &facts.Evidence{Host: h, Config: c, Asked: &facts.Answers{}}
	lacks := missing(ctx, e, port, label, nil)
	d := cause.New(cause.SELinuxWouldDeny,
		fmt.Sprintf("%s would deny nginx (httpd_t) to connect to port %d: %s", why, port, lacks.sentence()),
		lacks.mend, lacks.facts...)
	// The kernel logs such a one only once for each type, so it may be older than the checks, but not than the worker.
	master, err := h.Nginx.Master(ctx, 0)
	if err != nil || len(master.Workers) == 0 {
		return d
	}
	since, err := h.Nginx.Started(master.Workers[0].Start)
	if err != nil {
		return d
	}
	if a, ok := facts.LastAVC(ctx, h, "name_connect", port, facts.WorkersSince(master, since)); ok {
		d.Evidence = append([]string{a.Line}, d.Evidence...)
	}
	return d
}

// HttpdIsDenied: SELinux keeps nginx from something else than a port, such as a socket of the file system or a file.
func HttpdIsDenied(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	l := facts.Failing(e)
	if l == nil || !strings.Contains(l.Message, " (13: ") {
		return nil
	}
	a, ok := facts.NewestAVC(ctx, e.Host, func(a facts.AVC) bool {
		return !a.Permissive && a.Port == 0 && host.TypeOf(a.Source) == selinux.HTTPDomain &&
			facts.VerifyAttempt(e).Has(a)
	})
	if !ok {
		return nil
	}
	return cause.New(cause.SELinuxDenied,
		fmt.Sprintf("SELinux denies nginx (httpd_t) %s of the %s %s, which is labelled %s",
			strings.Join(a.Perms, " "), a.Class, a.Name, host.TypeOf(a.Target)), labelMend(e, a), l.Text, a.Line)
}

// labelMend gives the backend's socket a label that httpd_t may write to (httpd_var_run_t, in RHEL 7's file_contexts
// that of /var/run/httpd.*). semanage takes only the policy's own name of the path ("conflicts with equivalency rule").
func labelMend(e *facts.Evidence, a facts.AVC) cause.Mend {
	if socket := socketFile(e); socket != "" && a.Class == "sock_file" {
		known, err := e.SELinux.Contexts().Known(socket)
		if err != nil {
			known = socket
		}
		return cause.Do("semanage", "fcontext", "-a", "-t", "httpd_var_run_t", regexp.QuoteMeta(known)).
			And("restorecon", "-v", socket).Note("and the same where the backend creates it anew")
	}
	return cause.Say("give it a label that httpd_t may use (restorecon -v, or semanage fcontext), or the rule by a " +
		"module of its own: ausearch -m avc -c nginx | audit2allow -M nginx-local")
}
