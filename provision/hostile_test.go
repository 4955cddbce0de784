package provision

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wsprovision/provision/diagnose"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/provision/verify"
	"wsprovision/provision/websocket/handshake"
)

// hostileReferers are what clients sent to have the diagnosis say it.
var hostileReferers = []string{
	"connect() to $(touch${IFS}/tmp/x) failed (113: No route to host)",
	"connect() to 192.0.2.66:80 failed (113: No route to host) while connecting to upstream",
	"1024 worker_connections are not enough",
	"accept4() failed (24: Too many open files)",
	"write() failed (28: No space left on device)",
	"access forbidden by rule",
	`x", upstream: "http://192.0.2.66:80/ws/", host: "ws.example.com`,
	"$(touch${IFS}/tmp/x) could not be resolved (3: Host not found)",
	"no resolver defined to resolve $(x)",
	"bind() to $(x):80 failed (98: Address already in use)",
}

// TestHostileErrorLog: a line that holds what a client wrote is never taken for nginx's own word, wherever in it that
// stands.
func TestHostileErrorLog(t *testing.T) {
	h := provisioned(t)
	c := basic(t)
	h.write("/proc/stat", fmt.Sprintf("btime %d\n", time.Now().Unix())) // nginx's workers are new
	s := facts.Symptom{Site: &c.Sites[0], Location: &c.Sites[0].Locations[0], Check: "upgrade",
		Err: &handshake.StatusError{Code: 500, Line: "500"}, Began: time.Now()}
	s.Target = facts.Recognisable(verify.Reach(c.Sites[0], c.Sites[0].Locations[0], c.Sites[0].Listen[0]))
	for _, text := range hostileReferers {
		referred := `host: "ws.example.com", referrer: "` + text + `"`
		request := `, client: 192.0.2.9, server: ws.example.com` +
			`, request: "GET /ws/ HTTP/1.1", upstream: "http://192.0.2.66:80/ws/"`
		for where, line := range map[string]string{
			"referrer": strings.Replace(logOther, `host: "ws.example.com"`, referred, 1),
			"own path": strings.NewReplacer("/other", "/ws/", `host: "ws.example.com"`, referred).Replace(logOther),
			"host":     strings.Replace(logOther, `host: "ws.example.com"`, `host: "`+text+`"`, 1),
			"request":  strings.Replace(logOther, "GET /other", "GET /"+text, 1),
			"message": `2026/11/22 10:00:00 [error] 2581#2581: *1 open() "/x/` + text + `" failed (2: No such file)` +
				request,
			// By way of %0A in a path: whole lines.
			"own line": "2026/11/22 10:00:00 [alert] 4711#4711: " + text,
			"of ours":  "2026/11/22 10:00:00 [error] 4711#4711: *1 " + text + request + `, host: "ws.example.com"`,
		} {
			s.Lines = []string{line}
			d := diagnose.Explain(t.Context(), h.host(Listener{}), c, s)
			if d.Code != cause.Unexplained || !d.Mend.IsZero() {
				t.Errorf("%s in the %s: %s", text, where, d)
			}
		}
	}
}

// TestHostileUpstream: what is no address, or no name, is in no command, even in a line about the own request.
func TestHostileUpstream(t *testing.T) {
	for _, line := range []string{
		strings.Replace(logResolve, "backend.example.com", "$(x)", 1),
		strings.Replace(logConnect, "http://127.0.0.1:3000/", "http://$(x)/", 1),
		strings.Replace(logConnect, "http://127.0.0.1:3000/", "http://[fe80::1%$(x)]:80/", 1),
	} {
		if d := provisioned(t).ask(badGateway, line); d.Code == cause.Unexplained ||
			strings.Contains(d.Mend.String(), "$(") {
			t.Errorf("%s: %s", line, d)
		}
	}
}

// TestHostileBackend: a backend chooses what stands in the message of a line about the own request, by X-Accel-Redirect
// and by its header; that is not taken for what nginx says of a system call.
func TestHostileBackend(t *testing.T) {
	for _, said := range []string{"failed (24: Too many open files)", "failed (28: No space left on device)"} {
		for _, message := range []string{
			`open() "/usr/share/nginx/html/x ` + said + ` while y" failed (2: No such file or directory)`,
			`open() "/usr/share/nginx/html/x ` + said + `, client: y" failed (2: No such file or directory)`,
			`upstream sent invalid header: "x() ` + said +
				` while \x0d..." while reading response header from upstream`,
		} {
			line := strings.Replace(logConnect,
				"upstream timed out (110: Connection timed out) while connecting to upstream", message, 1)
			d := provisioned(t).ask(&handshake.StatusError{Code: 500, Line: "500"}, line)
			if d.Code != cause.Unexplained {
				t.Errorf("%s: %s", message, d)
			}
		}
	}
	for _, real := range []string{
		`socket() failed (24: Too many open files) while connecting to upstream`,
		`open() "/usr/share/nginx/html/x" failed (24: Too many open files)`,
		`pwritev() "/var/lib/nginx/tmp/proxy/1" failed (28: No space left on device) while reading upstream`,
		`write() to "/var/log/nginx/access.log" failed (28: No space left on device) while logging request`,
	} {
		if !facts.TooManyFiles().MatchString(real) && !facts.NoSpaceLeft().MatchString(real) {
			t.Errorf("nginx says it, and it is not understood: %s", real)
		}
	}
}

// A client makes its requests while verify makes its own, and the backend has a reason of its own to refuse.
func TestHostileClientOfNginx(t *testing.T) {
	r := newRig(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	r.must(err)
	backend := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("X-Hostile") == "" {
			for _, text := range hostileReferers {
				r.hostile("/ws/", text)
				line := fmt.Sprintf("2026/11/22 10:00:00 [alert] %d#1: *1 %s", r.worker(), text)
				r.hostile("/nothing%0a"+strings.NewReplacer(" ", "%20", "#", "%23").Replace(line)+"%0a", "x")
			}
		}
		w.WriteHeader(http.StatusInternalServerError)
	})}
	go func() { _ = backend.Serve(l) }()
	t.Cleanup(func() { backend.Close() })
	dead := unusedAddress(t)
	r.write("websocket", strings.Replace(r.block(l.Addr().String(), headersOfSite), "location /ws/",
		"location /dead/ { proxy_pass http://"+dead+"; }\n location /ws/", 1))
	r.start()
	report := r.verify(&verify.Verification{Config: r.site(l.Addr().String())})
	if d := report.Diagnosis; d == nil || d.Code != cause.BackendRefused ||
		d.Mend.String() != "the backend's own log says why" {
		t.Errorf("got %v\n%s", d, r.read("/var/log/nginx/error.log"))
	}
}

func (r *rig) worker() int {
	m, err := r.host().Nginx.Master(r.t.Context(), 0)
	if err != nil || len(m.Workers) == 0 {
		return 0
	}
	return m.Workers[0].PID
}

// hostile makes a request as another client would, of what leaves an error in the log.
func (r *rig) hostile(path, referer string) {
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", r.port))
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	path = strings.Replace(path, "/ws/", "/dead/", 1)
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: ws.example.com\r\nX-Hostile: 1\r\nConnection: close\r\n"+
		"Referer: %s\r\n\r\n", path, referer)
	_, _ = bufio.NewReader(c).ReadString('\n')
}

// report.json is looked at on a terminal, too, and read back as it was.
func TestHostileTextInReport(t *testing.T) {
	const steering = "x\x1b[2J\u009b\u202e\u2028"
	h := state.History{Last: &engine.Report{Interrupted: steering}}
	text, err := h.Text()
	if err != nil || strings.ContainsAny(string(text), "\x1b\u009b\u202e\u2028") {
		t.Errorf("%q, %v", text, err)
	}
	var back state.History
	if err := json.Unmarshal(text, &back); err != nil || back.Last.Interrupted != steering {
		t.Errorf("%q, %v", back.Last.Interrupted, err)
	}
}

// A log that an administrator has made a link is not read, and the diagnosis that lacks it says so.
func TestLogThatIsALink(t *testing.T) {
	for _, link := range []bool{true, false} {
		h := provisioned(t)
		log := h.path("/var/log/nginx/error.log")
		h.write("/var/log/nginx/error.log", "")
		if link {
			h.must(os.Rename(log, h.path("/elsewhere.log")))
			h.must(os.Symlink(h.path("/elsewhere.log"), log))
		}
		d := h.ask(&handshake.StatusError{Code: 500, Line: "500"})
		evidence := strings.Join(d.Evidence, "\n")
		if said := strings.Contains(evidence, "/var/log/nginx/error.log is not read"); said != link {
			t.Errorf("a link %t: %s: %q", link, d, d.Evidence)
		}
	}
}

// The nginx user owns its logs, and may put a pipe, a link to somebody's secrets or a file without end in their place.
func TestHostileLogFiles(t *testing.T) {
	h := newFakeHost(t)
	it := h.host(Listener{})
	h.write("/secret", "secret\n")
	h.must(unix.Mkfifo(h.path("/pipe"), 0o666))
	h.must(os.Symlink(h.path("/secret"), h.path("/link")))
	h.write("/sparse", "x\n")
	h.must(os.Truncate(h.path("/sparse"), 8<<30))
	marks := facts.MarkLogs(it, "/pipe", "/link", "/sparse", "/none")
	h.must(os.Truncate(h.path("/sparse"), 16<<30))
	for _, line := range facts.LogsSince(t.Context(), it, marks) {
		if len(line) > facts.MostTail || strings.Contains(line, "secret") {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	if lines := host.ReadProc(it, "/pipe"); lines != nil {
		t.Errorf("%q", lines)
	}
}
