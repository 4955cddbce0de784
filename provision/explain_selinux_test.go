package provision

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/diagnose"
	"wsprovision/provision/diagnose/backend"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/engine"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/policy"
	"wsprovision/provision/stepnames"
	"wsprovision/provision/verify"
	"wsprovision/provision/websocket/handshake"
	"wsprovision/selinux"
	"wsprovision/selinux/policydb"
	"wsprovision/systemd"
)

// Recorded on EL7, but for host, port and time.
const (
	avcConnect = `type=AVC msg=audit(1554992273.902:517150): avc:  denied  { name_connect } for  pid=2581 ` +
		`comm="nginx" dest=%d scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:object_r:ntop_port_t:s0 ` +
		`tclass=tcp_socket permissive=0`
	avcBind = `type=AVC msg=audit(1721415874.099:841): avc:  denied  { name_bind } for  pid=3028 comm="nginx" ` +
		`src=4881 scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:object_r:unreserved_port_t:s0 ` +
		`tclass=tcp_socket permissive=0`
	avcKernel = `type=1400 audit(1554992273.902:5): avc:  denied  { name_connect } for  pid=2581 comm="nginx" ` +
		`dest=3000 scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:object_r:ntop_port_t:s0 tclass=tcp_socket`

	logDenied = `2026/11/22 10:00:00 [crit] 2581#2581: *1 connect() to 127.0.0.1:3000 failed (13: Permission ` +
		`denied) while connecting to upstream, client: 127.0.0.1, server: ws.example.com, request: "GET /ws/ ` +
		`HTTP/1.1", upstream: "http://127.0.0.1:3000/ws/", host: "ws.example.com"`
	logRefused = `2026/11/22 10:00:00 [error] 2581#2581: *1 connect() failed (111: Connection refused) while ` +
		`connecting to upstream, client: 127.0.0.1, server: ws.example.com, request: "GET /ws/ HTTP/1.1", ` +
		`upstream: "http://127.0.0.1:3000/ws/", host: "ws.example.com"`
	logPorts = `2026/11/22 10:00:00 [crit] 2581#2581: *1 connect() to 127.0.0.1:3000 failed (99: Cannot assign ` +
		`requested address) while connecting to upstream, client: 127.0.0.1, server: ws.example.com, request: ` +
		`"GET /ws/ HTTP/1.1", upstream: "http://127.0.0.1:3000/ws/", host: "ws.example.com"`
	logOther = `2026/11/22 10:00:00 [error] 2581#2581: *1 connect() failed (111: Connection refused) while ` +
		`connecting to upstream, client: 192.0.2.9, server: ws.example.com, request: "GET /other HTTP/1.1", ` +
		`upstream: "http://127.0.0.1:4000/other", host: "ws.example.com"`
	logSpent   = `2026/11/22 10:00:00 [alert] 2002#2002: 1024 worker_connections are not enough`
	logFiles   = `2026/11/22 10:00:00 [crit] 2002#2002: accept4() failed (24: Too many open files)`
	logConnect = `2026/11/22 10:00:00 [error] 2581#2581: *1 upstream timed out (110: Connection timed out) while ` +
		`connecting to upstream, client: 127.0.0.1, server: ws.example.com, request: "GET /ws/ HTTP/1.1", ` +
		`upstream: "http://127.0.0.1:3000/ws/", host: "ws.example.com"`
	logSpace = `2026/11/22 10:00:00 [crit] 2581#2581: *1 pwrite() "/var/lib/nginx/tmp/proxy/1/00/0000000001" ` +
		`failed (28: No space left on device) while reading upstream, client: 127.0.0.1, server: ws.example.com, ` +
		`request: "GET /ws/ HTTP/1.1", upstream: "http://127.0.0.1:3000/ws/", host: "ws.example.com"`
	logResolve = `2026/11/22 10:00:00 [error] 2581#2581: *1 backend.example.com could not be resolved (3: Host ` +
		`not found), client: 127.0.0.1, server: ws.example.com, request: "GET /ws/ HTTP/1.1", host: "ws.example.com"`
)

var badGateway = &handshake.StatusError{Code: 502, Line: "HTTP/1.1 502 Bad Gateway"}

// ask explains a failure of the one site on the host, as nginx logged it.
func (h *fakeHost) ask(err error, lines ...string) cause.Diagnosis {
	h.t.Helper()
	return h.askAs(basic(h.t), err, lines...)
}

// askAs is ask of a configuration.
func (h *fakeHost) askAs(c config.Config, err error, lines ...string) cause.Diagnosis {
	h.t.Helper()
	h.write("/proc/stat", fmt.Sprintf("btime %d\n", time.Now().Unix())) // nginx's workers are new
	s := facts.Symptom{Site: &c.Sites[0], Location: &c.Sites[0].Locations[0], Check: "upgrade", Err: err,
		Lines: lines,
		Began: time.Now()}
	s.Target = verify.Reach(c.Sites[0], c.Sites[0].Locations[0], c.Sites[0].Listen[0])
	host := h.host(Listener{})
	host.Units = func(context.Context) (systemd.Units, error) { return &systemd.Offline{Root: h.root}, nil }
	d := diagnose.Explain(h.t.Context(), host, c, s)
	hosttest.Pasteable(h.t, string(d.Code), d.Mend.String())
	return d
}

func TestExplainSELinux(t *testing.T) {
	tests := []struct {
		name  string
		make  func(h *fakeHost)
		lines []string
		want  cause.Code
		cause string
		mend  string
		proof string // in the evidence
	}{
		{"neither boolean nor label", func(h *fakeHost) {}, []string{logDenied}, cause.SELinuxNameConnect,
			"both the boolean httpd_can_network_connect and the label http_port_t are missing",
			"setsebool -P httpd_can_network_connect on && semanage port -a -t http_port_t -p tcp 3000",
			"avc:  denied  { name_connect }"},
		{"label without boolean", func(h *fakeHost) {
			h.localPort("http_port_t", 3000)
		}, []string{logDenied}, cause.SELinuxNameConnect, ": the boolean httpd_can_network_connect is off",
			"setsebool -P httpd_can_network_connect on", "tcp/3000 is labelled http_port_t"},
		{"another label of somebody's", func(h *fakeHost) {
			h.localPort("ssh_port_t", 3000)
		}, []string{logDenied}, cause.BackendLabelTaken, "somebody has labelled it ssh_port_t",
			"semanage port -m -t http_port_t -p tcp 3000", "ssh_port_t"},
		{"nginx logs nothing", func(h *fakeHost) {}, nil, cause.SELinuxNameConnect, "both", "setsebool -P",
			"the same handshake made with 127.0.0.1:3000 directly: 101"},
		{"a line of another request", func(h *fakeHost) {}, []string{logOther}, cause.SELinuxNameConnect, "both",
			"setsebool -P", "avc:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := servedHost(t)
			h.write(facts.AuditLog, "type=LOGIN msg=audit(1.000:1): pid=1\n"+avcBind+"\n"+ofNow(3000)+"\n"+
				ofNow(3001)+"\n")
			tt.make(h)
			h.rebuild(true)
			h.setRunning(policy.ConnectBoolean, false)
			h.answerAccess(false)
			d := h.ask(badGateway, tt.lines...)
			if d.Code != tt.want || !strings.Contains(d.Cause, tt.cause) ||
				!strings.Contains(d.Mend.String(), tt.mend) {
				t.Errorf("got %s\nwant %s, …%s…, …%s…", d, tt.want, tt.cause, tt.mend)
			}
			if evidence := strings.Join(d.Evidence, "\n"); !strings.Contains(evidence, tt.proof) ||
				strings.Contains(evidence, "dest=3001") {
				t.Errorf("evidence:\n%s\nwant …%s…", evidence, tt.proof)
			}
		})
	}
}

// TestExplainConnectByLabel: where the site goes without the blanket boolean, what mends it does too, as far as the
// policy lets the label do.
func TestExplainConnectByLabel(t *testing.T) {
	const boolean = "setsebool -P httpd_can_network_connect on && "
	const label = "semanage port -a -t http_port_t -p tcp 3000"
	for name, tt := range map[string]struct {
		connect string
		does    bool
		cause   string
		mend    string
	}{
		"by label":                   {"label", true, "the label http_port_t is missing", label},
		"by boolean":                 {"boolean", true, "either would do", boolean + label},
		"by label, which is too few": {"label", false, "the label alone would not do", boolean + label},
	} {
		t.Run(name, func(t *testing.T) {
			h := servedHost(t)
			h.write(facts.AuditLog, ofNow(3000)+"\n")
			h.rebuild(true)
			h.setRunning(policy.ConnectBoolean, false)
			h.answerAccess(false)
			h.labelDoes = tt.does
			d := h.askAs(parse(t, oneSite+"selinux: {connect: "+tt.connect+"}\n"), badGateway, logDenied)
			if d.Code != cause.SELinuxNameConnect || d.Mend.String() != tt.mend ||
				!strings.Contains(d.Cause, tt.cause) {
				t.Errorf("%s\nwant %s, to be mended by %s", d, tt.cause, tt.mend)
			}
		})
	}
}

// TestHostileDeniedPort: nginx's user can write a line about verify's own request, and have a worker denied. The port
// in it is relabelled by no command that stands for itself, unless a configuration names it as a backend's.
func TestHostileDeniedPort(t *testing.T) {
	for upstreams, named := range map[string]bool{
		"": false, "upstream u { server 127.0.0.1:1; server 127.0.0.1:3001; }\n": true,
	} {
		h := servedHost(t)
		h.write(facts.AuditLog, ofNow(3001)+"\n")
		h.write("/etc/nginx/conf.d/upstreams.conf", upstreams)
		h.rebuild(true)
		h.setRunning(policy.ConnectBoolean, false)
		h.answerAccess(false)
		d := h.ask(badGateway, strings.ReplaceAll(logDenied, ":3000", ":3001"))
		command := strings.HasPrefix(d.Mend.String(), "setsebool")
		if d.Code != cause.SELinuxNameConnect || command != named ||
			!named && !strings.HasPrefix(d.Mend.String(), "where port 3001 is indeed a backend") {
			t.Errorf("upstreams %q: %s", upstreams, d)
		}
	}
}

// ofNow is a denial of a worker of the fake host's nginx, of now.
func ofNow(port int) string {
	now := fmt.Sprintf("audit(%d.902:517150)", time.Now().Unix())
	return strings.NewReplacer("audit(1554992273.902:517150)", now, "pid=2581",
		"pid=2002").Replace(fmt.Sprintf(avcConnect, port))
}

// With auditd stopped an old audit.log stays, with what an earlier nginx was denied: the kernel's log has what counts.
func TestDenialOfAnEarlierNginx(t *testing.T) {
	stale := strings.Replace(ofNow(3000), "pid=2002", "pid=2581", 1) // of now, and of another process
	old := strings.Replace(fmt.Sprintf(avcConnect, 3000), "pid=2581", "pid=2002", 1)
	for name, tt := range map[string]struct{ audit, kernel, want string }{
		"only an earlier one's": {old, "", ""},
		"another process's":     {stale, "", ""},
		"the kernel's log":      {old, ofNow(3000), ofNow(3000)},
		"audit.log":             {ofNow(3000), "", ofNow(3000)},
	} {
		t.Run(name, func(t *testing.T) {
			h := servedHost(t)
			h.write(facts.AuditLog, tt.audit+"\n")
			h.kernel = strings.Replace(tt.kernel, "type=AVC msg=", "type=1400 ", 1) + "\n"
			h.must(os.MkdirAll(h.path("/run/log/journal"), 0o755))
			h.rebuild(true)
			h.setRunning(policy.ConnectBoolean, false)
			h.answerAccess(false)
			evidence := strings.Join(h.ask(badGateway, logDenied).Evidence, "\n")
			_, want, _ := strings.Cut(tt.want, "avc:")
			if got := strings.Count(evidence, "avc:"); (got > 0) != (tt.want != "") ||
				!strings.Contains(evidence, want) {
				t.Errorf("evidence:\n%s\nwant %q", evidence, want)
			}
		})
	}
}

// A denial that has been mended since is no cause of a 13 of today, such as a route of the type prohibit gives.
func TestOldDenialIsNoCause(t *testing.T) {
	h := provisioned(t)
	h.write(facts.AuditLog, fmt.Sprintf(avcConnect, 3000)+"\n")
	h.answerAccess(true)
	if d := h.ask(badGateway, logDenied); d.Code == cause.SELinuxNameConnect {
		t.Errorf("got %s, and SELinux allows it", d)
	}
}

// semanage -N leaves the label in the store; adding it once more would fail.
func TestLabelInTheStoreOnly(t *testing.T) {
	h := servedHost(t)
	h.rebuild(true)
	h.localPort("http_port_t", 3000)
	h.rebuild(false)
	h.setRunning(policy.ConnectBoolean, false)
	h.answerAccess(false)
	if d := h.ask(badGateway, logDenied); d.Code != cause.SELinuxNameConnect ||
		!strings.HasSuffix(d.Mend.String(), " && load_policy") {
		t.Errorf("got %s, want it to be mended by load_policy", d)
	}
}

// localPort puts a record into the store, as semanage does.
func (h *fakeHost) localPort(typ string, port int) {
	h.setLocalPorts(policydb.Port{Proto: "tcp", Low: port, High: port, Type: typ})
}

// servedHost is provisioned, with its site at /ws/, but for what SELinux needs.
func servedHost(t *testing.T) *fakeHost {
	t.Helper()
	h := newFakeHost(t)
	if r := h.apply(basic(t)); r.Result != engine.Changed {
		t.Fatalf("the first apply: %s\n%s", r.Result, summarize(r))
	}
	h.write(store+"/ports.local", "")
	h.write(store+"/booleans.local", "")
	return h
}

func TestWouldDeny(t *testing.T) {
	h := servedHost(t)
	h.rebuild(true)
	h.setRunning(policy.ConnectBoolean, false)
	h.answerAccess(false)
	if d := backend.WouldDeny(t.Context(), h.host(Listener{}), config.Config{}, 3000); d != nil {
		t.Errorf("enforcing: %s, want none: what is denied fails", d)
	}
	h.permissiveDomain = true
	if d := backend.WouldDeny(t.Context(), h.host(Listener{}), config.Config{}, 3000); d == nil ||
		!strings.Contains(d.Cause, "domain is permissive by itself") {
		t.Errorf("a permissive domain: %v, want %s", d, cause.SELinuxWouldDeny)
	}
	if s := step(t, h.plan(basic(t)), stepnames.SELinux); !slices.ContainsFunc(s.Warnings, func(w string) bool {
		return strings.Contains(w, "httpd_t, is permissive by itself")
	}) {
		t.Errorf("the plan warns of no permissive domain: %q", s.Warnings)
	}
	h.permissiveDomain = false
	h.write(selinuxfs+"/enforce", "0")
	d := backend.WouldDeny(t.Context(), h.host(Listener{}), config.Config{}, 3000)
	if d == nil || d.Code != cause.SELinuxWouldDeny || !strings.Contains(d.Cause, "permissive") {
		t.Errorf("permissive: %v, want %s", d, cause.SELinuxWouldDeny)
	}
	h.answerAccess(true)
	if d := backend.WouldDeny(t.Context(), h.host(Listener{}), config.Config{}, 3000); d != nil {
		t.Errorf("allowed: %s, want none", d)
	}
}

func TestExplainLogLines(t *testing.T) {
	timeout := &handshake.ResponseError{Waited: time.Second, Timeout: true, Err: syscall.ETIMEDOUT}
	cut := &handshake.ResponseError{Err: syscall.ECONNRESET}
	tests := []struct {
		name  string
		err   error
		line  string
		want  cause.Code
		cause string
	}{
		{"111", badGateway, strings.Replace(logRefused, "connect() failed", "connect() to 127.0.0.1:3000 failed", 1),
			cause.BackendNotRunning, "127.0.0.1:3000 is not running"},
		{"111 as nginx 1.20 logs it", badGateway, logRefused, cause.BackendNotRunning,
			"127.0.0.1:3000 is not running"},
		{"connections", cut, logSpent, cause.ConnectionsSpent, "worker_connections is 1024"},
		{"descriptors", timeout, logFiles, cause.OpenFilesSpent, "no file descriptor left"},
		{"unreachable", badGateway, logConnect, cause.BackendUnreachable, "127.0.0.1:3000"},
		{"disk", badGateway, logSpace, cause.DiskFull, "no space left"},
		{"resolver", badGateway, logResolve, cause.UpstreamUnresolved, "backend.example.com"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := provisioned(t)
			h.web.backends["127.0.0.1:3000"] = tt.want != cause.BackendNotRunning
			d := h.ask(tt.err, logOther, tt.line)
			if d.Code != tt.want || !strings.Contains(d.Cause, tt.cause) || !slices.Contains(d.Evidence, tt.line) {
				t.Errorf("got %s %q\nwant %s, …%s…", d, d.Evidence, tt.want, tt.cause)
			}
		})
	}
}

// A host on which all is well again by the time of the diagnosis has no cause, and none is made up.
func TestUnexplained(t *testing.T) {
	h := provisioned(t)
	d := h.ask(&handshake.StatusError{Code: 500, Line: "HTTP/1.1 500 Internal Server Error"}, logOther)
	if d.Code != cause.Unexplained || !strings.Contains(d.Cause, "500") {
		t.Errorf("got %s, want %s", d, cause.Unexplained)
	}
}

func TestParseAVC(t *testing.T) {
	for name, line := range map[string]string{"audit.log": fmt.Sprintf(avcConnect, 3000), "kernel log": avcKernel} {
		a, ok := facts.ParseAVC(line)
		if !ok || a.Port != 3000 || a.Comm != "nginx" || !slices.Equal(a.Perms, []string{"name_connect"}) ||
			a.Time.Unix() != 1554992273 || a.Permissive || a.Class != "tcp_socket" {
			t.Errorf("%s: %+v, %v", name, a, ok)
		}
	}
	if a, _ := facts.ParseAVC(avcBind); a.Port != 4881 || a.Target != "system_u:object_r:unreserved_port_t:s0" {
		t.Errorf("name_bind: %+v", a)
	}
	for _, line := range []string{"", "type=LOGIN msg=audit(1.000:1)", "avc:  granted  { name_connect } for  pid=1"} {
		if a, ok := facts.ParseAVC(line); ok {
			t.Errorf("parseAVC(%q) = %+v, want none", line, a)
		}
	}
}

func FuzzParseAVC(f *testing.F) {
	for _, line := range []string{fmt.Sprintf(avcConnect, 3000), avcBind, avcKernel, "",
		`avc:  denied  { x } for  comm="`} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		a, ok := facts.ParseAVC(line)
		if ok && (len(a.Perms) == 0 || !strings.HasPrefix(a.Line, "avc:") || !strings.HasSuffix(line, a.Line)) {
			t.Errorf("parseAVC(%q) = %+v", line, a)
		}
	})
}

// A permissive host is not denied anything, whatever the policy says.
func TestPermissiveIsNotDenied(t *testing.T) {
	h := servedHost(t)
	h.write(selinuxfs+"/enforce", "0")
	h.rebuild(true)
	h.setRunning(policy.ConnectBoolean, false)
	h.answerAccess(false)
	if d := h.ask(badGateway, logRefused); d.Code != cause.BackendNotRunning {
		t.Errorf("got %s, want %s", d, cause.BackendNotRunning)
	}
	if status, err := h.host(Listener{}).SELinux.Status(); err != nil || status.Mode != selinux.Permissive {
		t.Errorf("mode %s, %v, want permissive", status.Mode, err)
	}
}
