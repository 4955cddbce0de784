package provision

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"wsprovision/provision/engine"
	"wsprovision/provision/policy"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
)

const (
	socketSite = "sites:\n  - name: app\n    server_name: app.example.com\n    listen: 80\n    locations:\n      - " +
		"path: /\n        backend: unix:/srv/app/app.sock\n"
	socketContext = `/srv/app(/.*)?    system_u:object_r:httpd_var_run_t:s0`
)

// withSocket is a host with a backend on a UNIX socket outside of /run, whose directory has a label of its own.
func withSocket(t testing.TB) *fakeHost {
	h := withNginx(t)
	h.mkdir("/srv/app")
	h.must(unix.Mknod(h.path("/srv/app/app.sock"), unix.S_IFSOCK|0o600, 0))
	for _, name := range []string{"/srv/app", "/srv/app/app.sock"} {
		h.must(h.host(Listener{}).SELinux.Contexts().SetFileLabel(name, "system_u:object_r:var_t:s0"))
	}
	h.web.backends["unix:/srv/app/app.sock"] = true
	return h
}

func (h *fakeHost) socketTypes() string {
	h.t.Helper()
	all := ""
	for _, name := range []string{"/srv/app", "/srv/app/app.sock"} {
		label, err := h.host(Listener{}).SELinux.Contexts().FileLabel(name)
		h.must(err)
		all += " " + strings.Split(label, ":")[2]
	}
	return all
}

// TestSocketOutsideOfRun: the directory of a socket gets a record and a label in the one transaction, the second run
// finds nothing to do, and a revert brings both back. The mode of the socket is its owner's.
func TestSocketOutsideOfRun(t *testing.T) {
	h := withSocket(t)
	if r := h.apply(parse(t, socketSite)); r.Result != engine.Changed {
		t.Fatalf("%s", summarize(r))
	}
	var st unix.Stat_t
	h.must(unix.Stat(h.path("/srv/app/app.sock"), &st))
	if got := h.socketTypes(); got != " httpd_var_run_t httpd_var_run_t" || st.Mode&0o777 != 0o600 ||
		strings.TrimSpace(h.localContexts()) != socketContext || len(h.localPorts()) > 0 {
		t.Errorf("labels %s, mode %o, records %q, ports %v", got, st.Mode, h.localContexts(), h.localPorts())
	}
	if r := h.apply(parse(t, socketSite)); r.Result != engine.Unchanged {
		t.Errorf("again: %s", summarize(r))
	}
	if r := h.run(parse(t, socketSite), revert(false)); r.Result != engine.Changed {
		t.Errorf("revert: %s", summarize(r))
	}
	if got := h.socketTypes(); got != " var_t var_t" || h.localContexts() != "" {
		t.Errorf("after the revert: labels %s, records %q", got, h.localContexts())
	}
}

// TestSocketNoLongerAskedFor: the label of a directory that no site passes to any more stays, and the plan names it.
func TestSocketNoLongerAskedFor(t *testing.T) {
	const left = "/srv/app(/.*)? keeps the label httpd_var_run_t, which an earlier configuration asked for"
	h := withSocket(t)
	h.apply(parse(t, socketSite))
	for _, test := range []struct {
		config string
		left   bool
	}{{socketSite, false}, {strings.Replace(socketSite, "/srv/app/app.sock", "/run/app.sock", 1), true}} {
		s := step(t, h.plan(parse(t, test.config)), stepnames.SELinux)
		notes := strings.Join(s.Notes, "\n")
		if strings.Contains(notes, left) != test.left ||
			strings.Contains(notes, "&& restorecon -R /srv/app") != test.left {
			t.Errorf("%s: notes %q, want of the label left %v", test.config, s.Notes, test.left)
		}
	}
}

// TestSocketThatCannotBeLabelled: what is somebody else's keeps its label, and the plan says what the policy lacks.
func TestSocketThatCannotBeLabelled(t *testing.T) {
	for _, test := range []struct {
		name string
		host func(h *fakeHost)
		want string
	}{
		{"another file", func(h *fakeHost) {
			h.write("/srv/app/app.conf", "x")
		}, "holds other files than sockets (app.conf)"},
		{"a folder", func(h *fakeHost) { h.mkdir("/srv/app/log") }, "holds other files than sockets (log)"},
		{"no directory", func(h *fakeHost) {
			h.must(unix.Rename(h.path("/srv/app"), h.path("/srv/elsewhere")))
		}, "/srv/app is not there"},
		{"a link", func(h *fakeHost) {
			h.must(unix.Rename(h.path("/srv/app"), h.path("/srv/elsewhere")))
			h.must(unix.Symlink("elsewhere", h.path("/srv/app")))
		}, "/srv/app is no directory of its own"},
		{"another's record", func(h *fakeHost) {
			h.write(store+"/file_contexts.local", "/srv/app(/.*)?    system_u:object_r:samba_share_t:s0\n")
		}, "somebody has given /srv/app(/.*)? the type samba_share_t"},
		{"a substitution", func(h *fakeHost) {
			h.write("/etc/selinux/targeted/contexts/files/file_contexts.subs_dist", "/srv /data\n")
		}, "the policy has it under the name /data/app"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := withSocket(t)
			test.host(h)
			records := h.localContexts()
			r := h.apply(parse(t, socketSite))
			if text := summarize(r); !strings.Contains(text, test.want) || !strings.Contains(text, "below /run") {
				t.Errorf("%s\nwant %s", text, test.want)
			}
			if h.localContexts() != records {
				t.Errorf("records: %q", h.localContexts())
			}
		})
	}
}

// TestSocketBelowRun: nothing is labelled there.
func TestSocketBelowRun(t *testing.T) {
	for _, dir := range []string{"/run/app", "/var/run/app", "/run"} {
		h := withNginx(t)
		h.web.backends["unix:"+dir+"/app.sock"] = true
		r := h.apply(parse(t, strings.ReplaceAll(socketSite, "/srv/app", dir)))
		if r.Result != engine.Changed || h.localContexts() != "" || strings.Contains(summarize(r), "label: ") {
			t.Errorf("%s: %s\n%s", dir, summarize(r), h.localContexts())
		}
	}
}

// TestSocketRelabelled: what somebody has labelled otherwise since is told as drift by a revert, and stays.
func TestSocketRelabelled(t *testing.T) {
	h := withSocket(t)
	h.apply(parse(t, socketSite))
	theirs := strings.Replace(socketContext, policy.SocketType, "samba_share_t", 1) + "\n"
	h.write(store+"/file_contexts.local", theirs)
	r := h.run(parse(t, socketSite), revert(false))
	if h.localContexts() != theirs || !strings.Contains(summarize(r), "samba_share_t") {
		t.Errorf("%s\n%s", summarize(r), h.localContexts())
	}
	if _, known := h.ledger().Find(state.KindContext, "/srv/app(/.*)?"); known {
		t.Error("the ledger keeps what is somebody else's")
	}
}

// TestSocketAlias: where the policy has the type by another name, which semanage and the kernel then write, it is ours.
func TestSocketAlias(t *testing.T) {
	h := withSocket(t)
	h.apply(parse(t, socketSite))
	h.write(store+"/file_contexts.local", strings.Replace(socketContext, policy.SocketType, "httpd_runtime_t", 1)+"\n")
	for _, name := range []string{"/srv/app", "/srv/app/app.sock"} {
		h.must(h.host(Listener{}).SELinux.Contexts().SetFileLabel(name, "system_u:object_r:httpd_runtime_t:s0"))
	}
	if r := h.apply(parse(t, socketSite)); r.Result != engine.Unchanged || strings.Contains(summarize(r), "no label") {
		t.Errorf("again: %s", summarize(r))
	}
	r := h.run(parse(t, socketSite), revert(false))
	if got := h.socketTypes(); got != " var_t var_t" || h.localContexts() != "" {
		t.Errorf("after the revert: labels %s, records %q\n%s", got, h.localContexts(), summarize(r))
	}
}

// TestSocketOffline: in an installer's chroot the record is written to the store, and the files are labelled.
func TestSocketOffline(t *testing.T) {
	h := withSocket(t)
	h.stopNginx()
	h.goOffline()
	r := h.apply(parse(t, socketSite))
	if r.Result != engine.Deferred || h.socketTypes() != " httpd_var_run_t httpd_var_run_t" ||
		strings.TrimSpace(h.localContexts()) != socketContext {
		t.Errorf("labels %s, records %q\n%s", h.socketTypes(), h.localContexts(), summarize(r))
	}
	if r := h.apply(parse(t, socketSite)); strings.Contains(summarize(r), "file context") {
		t.Errorf("again: %s", summarize(r))
	}
}

// TestSocketLabelIsPlanned: the record and the labels are told beforehand, and labels alone are put right.
func TestSocketLabelIsPlanned(t *testing.T) {
	h := withSocket(t)
	object := func(r *engine.Report) (all []string) {
		for _, c := range step(t, r, stepnames.SELinux).Changes {
			all = append(all, c.Object+": "+c.From+" → "+c.To)
		}
		return all
	}
	says := func(r *engine.Report, want string) {
		t.Helper()
		if got := object(r); !slices.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	c := parse(t, socketSite)
	says(h.plan(c), "file context of /srv/app(/.*)?: none → httpd_var_run_t")
	says(h.plan(c), "label of /srv/app and of 1 more files: var_t → httpd_var_run_t")
	h.must(h.apply(c).Err())
	h.must(h.host(Listener{}).SELinux.Contexts().SetFileLabel("/srv/app/app.sock", "system_u:object_r:var_t:s0"))
	says(h.plan(c), "label of /srv/app/app.sock: var_t → httpd_var_run_t")
	r := h.apply(c)
	if got := h.socketTypes(); r.Result != engine.Changed || got != " httpd_var_run_t httpd_var_run_t" ||
		h.count("semanage") > 0 {
		t.Errorf("%s, labels %s\n%s", r.Result, got, summarize(r))
	}
	h.unchanged(c)
}

// TestSocketContextsComeBack: labelling changes the type alone, and a revert brings back each whole context, of the
// directory and of what is in it; a socket that was made since keeps its user.
func TestSocketContextsComeBack(t *testing.T) {
	h := withSocket(t)
	se := h.host(Listener{}).SELinux.Contexts()
	labels := map[string]string{"/srv/app": "unconfined_u:object_r:var_t:s0:c1",
		"/srv/app/app.sock": "staff_u:object_r:user_tmp_t:s0"}
	for name, label := range labels {
		h.must(se.SetFileLabel(name, label))
	}
	h.apply(parse(t, socketSite))
	for name, label := range labels {
		want := strings.NewReplacer("var_t", policy.SocketType, "user_tmp_t", policy.SocketType).Replace(label)
		if got, err := se.FileLabel(name); err != nil || got != want {
			t.Errorf("applied: %s is %s, want %s, %v", name, got, want, err)
		}
	}
	h.must(unix.Mknod(h.path("/srv/app/new.sock"), unix.S_IFSOCK|0o600, 0))
	h.must(se.SetFileLabel("/srv/app/new.sock", "user_u:object_r:"+policy.SocketType+":s0"))
	labels["/srv/app/new.sock"] = "user_u:object_r:var_t:s0"
	h.run(parse(t, socketSite), revert(false))
	for name, want := range labels {
		if got, err := se.FileLabel(name); err != nil || got != want {
			t.Errorf("reverted: %s is %s, want %s, %v", name, got, want, err)
		}
	}
}
