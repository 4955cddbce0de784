package diagnose

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"wsprovision/provision/host"
	"wsprovision/provision/websocket"
)

// through: the request reached a location that passes it on. The same
// handshake is made with the backend itself; where that goes through, nginx
// spoils it on the way, else it is the backend's own answer.
func (q *inquiry) through(ctx context.Context) *Diagnosis {
	if !q.local() || q.gone != nil || !q.passed || !q.handshake() {
		return nil
	}
	direct := q.Target
	direct.Address = q.pass.Address()
	direct.TLS = nil
	if q.pass.Scheme == "https" {
		direct.TLS = host.LocalTLS()
	}
	err := q.directly(ctx, direct)
	if err == nil {
		return q.spoiled(ctx, direct)
	}
	return q.itself(ctx, direct, err)
}

// patience is how long the diagnosis waits for a backend that takes its connection.
const patience = 10 * time.Second

func (q *inquiry) directly(ctx context.Context, t websocket.Target) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := q.Probe(ctx, t)
	return err
}

// handshake: what failed is the handshake and not what came after it.
func (q *inquiry) handshake() bool {
	var head *websocket.HeaderError
	var accept *websocket.AcceptError
	var silent *websocket.ResponseError
	return q.status() != nil || errors.As(q.Err, &head) || errors.As(q.Err, &accept) || errors.As(q.Err, &silent)
}

func (q *inquiry) evidenceOfDirect(direct websocket.Target) string {
	return fmt.Sprintf("the same handshake made with %s directly: 101", direct.Address)
}

// spoiled: the backend takes the handshake, but not as nginx passes it on.
func (q *inquiry) spoiled(ctx context.Context, direct websocket.Target) *Diagnosis {
	evidence := []string{q.Err.Error(), q.evidenceOfDirect(direct), q.place()}
	if status := q.status(); status != nil && status.Code == http.StatusBadGateway && q.enforcing() {
		if allowed, _, err := q.SELinux.MayConnect(PortOf(direct.Address)); err == nil && !allowed {
			d := q.denied(ctx, direct.Address)
			d.Evidence = append(d.Evidence, evidence...)
			return d
		}
	}
	if d := q.headers(evidence); d != nil {
		return d
	}
	if path := q.route.Rewritten(q.pass, q.Target.Path); path != q.Target.Path {
		direct.Path = path
		if err := q.directly(ctx, direct); err != nil {
			return diagnosis(ProxyPassSlash,
				fmt.Sprintf("proxy_pass has a path of its own (%s), so that nginx asks the backend for %s in "+
					"place of %s", q.pass.URI, path, q.Target.Path),
				q.edit(q.pass.File, q.pass.Line,
					say("take the ").name(q.pass.URI).say(" after the port out of proxy_pass")),
				append(evidence, fmt.Sprintf("%s asked directly for %s: %s", direct.Address, path, err))...)
		}
	}
	if q.route.HTTPVersion() != "1.1" {
		return diagnosis(UpstreamHTTP10,
			fmt.Sprintf("nginx speaks HTTP/%s to the backend, and a WebSocket handshake is HTTP/1.1",
				q.route.HTTPVersion()),
			q.editRoute("proxy_http_version", say("add proxy_http_version 1.1;")), evidence...)
	}
	if status := q.status(); status != nil && status.Code == http.StatusForbidden && q.Target.Origin != "" {
		return q.hostHeader(evidence)
	}
	var silent *websocket.ResponseError
	if errors.As(q.Err, &silent) && silent.Timeout {
		return q.hangs(evidence...)
	}
	return nil
}

// hangs: the kernel takes the connection, and no worker does.
func (q *inquiry) hangs(evidence ...string) *Diagnosis {
	for _, w := range q.master.Workers {
		evidence = append(evidence,
			fmt.Sprintf("worker %d: %s", w.PID, strings.Join(strings.Fields(stateOf(q.Host, w.PID)), " ")))
	}
	return diagnosis(NginxHangs, fmt.Sprintf("what listens on %s takes the connection and does not answer", q.address),
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

// headers: hop-by-hop fields are not passed on unless nginx is told to.
func (q *inquiry) headers(evidence []string) *Diagnosis {
	upgrade, _ := q.route.Header("Upgrade")
	connection, _ := q.route.Header("Connection")
	var missing []string
	mend := say("add")
	if sent, known := q.tree.InHandshake(upgrade); known && !hasToken(sent, "websocket") {
		missing, mend = append(missing, "Upgrade"), mend.say(" proxy_set_header Upgrade $http_upgrade;")
	}
	if sent, known := q.tree.InHandshake(connection); known && !hasToken(sent, "upgrade") {
		missing, mend = append(missing, "Connection"), mend.say(` proxy_set_header Connection "upgrade";`)
	}
	if len(missing) == 0 {
		return nil
	}
	cause := "nginx does not pass on " + strings.Join(missing, " and ") +
		", which belong to one hop only unless they are set"
	if len(missing) == 1 {
		cause = strings.Replace(cause, "belong", "belongs", 1)
		cause = strings.Replace(cause, "they are", "it is", 1)
	}
	if q.route.HTTPVersion() != "1.1" {
		cause += "; nor does it speak HTTP/1.1 to the backend"
		mend = mend.say(" proxy_http_version 1.1;")
	}
	return diagnosis(UpgradeHeaderMissing, cause, q.editRoute("proxy_pass", mend), evidence...)
}

// hasToken reports whether a list of tokens has one, in any case (RFC 9110, section 5.6.1).
func hasToken(list, token string) bool {
	return slices.ContainsFunc(strings.Split(list, ","), func(each string) bool {
		return strings.EqualFold(strings.TrimSpace(each), token)
	})
}

// hostHeader: the backend compares Origin with Host, and gets nginx's own Host.
func (q *inquiry) hostHeader(evidence []string) *Diagnosis {
	value, set := q.route.Header("Host")
	if !set {
		value = "$proxy_host, nginx's default"
	}
	return diagnosis(OriginRefused,
		fmt.Sprintf("the backend refuses the Origin %s (403), because it compares it with Host, which nginx sets to %s", q.Target.Origin, value),
		q.editRoute("proxy_pass", say("add proxy_set_header Host $http_host;")), evidence...)
}

// itself: the backend refuses without nginx in between.
func (q *inquiry) itself(ctx context.Context, direct websocket.Target, err error) *Diagnosis {
	seen := fmt.Sprintf("%s asked directly: %s", direct.Address, err)
	var dial *websocket.DialError
	var status *websocket.StatusError
	var head *websocket.HeaderError
	var accept *websocket.AcceptError
	var silent *websocket.ResponseError
	switch {
	case errors.As(err, &dial) && errors.Is(err, syscall.ECONNREFUSED):
		return q.notListeningThere(direct.Address)
	case errors.As(err, &dial):
		return q.unreachable(direct.Address)
	case errors.As(err, &status):
		return q.refusal(ctx, direct, status, seen)
	case errors.As(err, &head) || errors.As(err, &accept):
		return diagnosis(NotAWebSocket, fmt.Sprintf("what listens on %s answers 101 and is no WebSocket server",
			direct.Address), q.whoListens(direct.Address), seen)
	case errors.As(err, &silent) && silent.Timeout:
		return diagnosis(BackendNotAnswering,
			fmt.Sprintf("the backend %s takes the connection and does not answer", direct.Address),
			say("look at the backend's own log, and restart it"), seen)
	case errors.As(err, &silent):
		return diagnosis(NotAWebSocket, fmt.Sprintf("what listens on %s does not speak HTTP", direct.Address),
			q.whoListens(direct.Address), seen)
	}
	return nil
}

func (q *inquiry) whoListens(address string) Mend {
	return do("ss", "-ltnp", fmt.Sprintf("sport = :%d", PortOf(address))).
		note("names the program: start the backend there")
}

// refusal: the backend's own status. What it would have taken is tried: the
// Origin of the site, none at all, and the path with or without its last slash.
func (q *inquiry) refusal(ctx context.Context, direct websocket.Target, status *websocket.StatusError,
	seen string) *Diagnosis {
	const log words = "the backend's own log says why"
	if status.Code == http.StatusForbidden || status.Code == http.StatusUnauthorized {
		other, what := direct, "without an Origin"
		if other.Origin = ""; direct.Origin == "" {
			other.Origin = strings.TrimSuffix("http"+strings.TrimPrefix(q.Target.String(), "ws"), q.Target.Path)
			what = "with the Origin " + other.Origin
		}
		if err := q.directly(ctx, other); err == nil || direct.Origin != "" && status.Code == http.StatusForbidden {
			cause := fmt.Sprintf("the backend %s refuses the Origin %s (%d)", direct.Address, direct.Origin,
				status.Code)
			if direct.Origin == "" {
				cause = fmt.Sprintf("the backend %s refuses a handshake without an Origin (%d)", direct.Address,
					status.Code)
				return diagnosis(OriginRefused, cause, do("wsprovision", "verify", "--origin", other.Origin), seen,
					fmt.Sprintf("%s asked directly %s: 101", direct.Address, what))
			}
			if err == nil {
				seen += "; " + what + ": 101"
			}
			return diagnosis(OriginRefused, cause, say("allow that origin in the backend's own configuration"), seen)
		}
	}
	other := direct
	path, query, _ := strings.Cut(direct.Path, "?")
	if other.Path = strings.TrimSuffix(path, "/"); other.Path == path {
		other.Path += "/"
	}
	if other.Path != "" && other.Path != direct.Path && status.Code/100 == 4 {
		if query != "" {
			other.Path += "?" + query
		}
		if err := q.directly(ctx, other); err == nil {
			return diagnosis(PathNotFound, fmt.Sprintf("the backend %s has no WebSocket at %s, but at %s",
				direct.Address, direct.Path, other.Path),
				say("use ").name(other.Path).say(" as the path of the location"), seen,
				fmt.Sprintf("%s asked directly for %s: 101", direct.Address, other.Path))
		}
	}
	if status.Code == http.StatusNotFound {
		return diagnosis(PathNotFound,
			fmt.Sprintf("the backend %s itself has nothing at %s (404)", direct.Address, direct.Path),
			say("use the path that the backend serves; "+log), seen)
	}
	return diagnosis(BackendRefused,
		fmt.Sprintf("the backend %s itself refuses the handshake at %s (%d)", direct.Address, direct.Path, status.Code),
		say(log), seen)
}
