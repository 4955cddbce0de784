package nginx

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsprovision/provision/nginx/nginxtest"
)

func TestConfOf(t *testing.T) {
	for args, want := range map[string]string{
		"nginx":                               "",
		"/usr/sbin/nginx -g daemon off;":      "",
		"nginx -c /a.conf":                    "/a.conf",
		"nginx -c/a.conf":                     "/a.conf",
		"nginx -q -g daemon off; -c /a.conf":  "/a.conf",
		"nginx -g daemon off; pid /x; -qc /a": "/a",
		"nginx -c a.conf":                     "/usr/share/nginx/a.conf",
		"nginx -p /srv/ -c conf/a.conf":       "/srv/conf/a.conf",
		"nginx -c a.conf -p /srv":             "/srv/a.conf",
		"nginx -p /srv":                       "",
		"nginx -e /x.log -c /a -c /b":         "/b",
		"nginx -c":                            "",
		"":                                    "",
	} {
		if got := confOf(masterTitle + " " + args); got != want {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
}

// TestHostileMaster: a master that is not ours is told from it, however it comes to be where ours is looked for.
func TestHostileMaster(t *testing.T) {
	for _, tt := range []struct {
		name, title string
		links       map[string]string // of the process, in /proc
		status      string
		told        string // by the pid file alone; "" is ours
		main        string // where it is nginx.service's
	}{
		{"ours", "/usr/sbin/nginx", map[string]string{"exe": "/usr/sbin/nginx", "root": "/"}, "Uid:\t0\t0\t0\t0\n", "",
			""},
		{"ours, updated", "/usr/sbin/nginx", map[string]string{"exe": "/usr/sbin/nginx (deleted)"}, "", "", ""},
		{"ours, named", "/usr/sbin/nginx -c /etc/nginx/nginx.conf", nil, "", "", ""},
		{"nothing can be seen", "nginx", nil, "", "", ""},
		{"another configuration", "nginx -c /o/n.conf", nil, "", "reads /o/n.conf and not", "reads /o/n.conf and not"},
		{"another program", "nginx", map[string]string{"exe": "/opt/nginx"}, "", "is /opt/nginx and not",
			"is /opt/nginx and not"},
		{"a container", "nginx", map[string]string{"root": "/usr"}, "", "runs in a container", "runs in a container"},
		{"its own pids", "nginx", map[string]string{"ns/pid": "pid:[2]"}, "", "runs in a container",
			"runs in a container"},
		{"another user", "nginx", nil, "Name:\tnginx\nUid:\t9\t999\t9\t9\n", "is run by user 999", ""},
	} {
		n := fakeProc(t, map[int][2]string{10: {statLine(10, 1, 100), masterTitle + " " + tt.title}})
		write := func(name, content string) {
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755),
				os.WriteFile(name, []byte(content), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		write(n.Root+"/run/nginx.pid", "10\n")
		if tt.status != "" {
			write(n.Proc+"/10/status", tt.status)
		}
		links := map[string]string{"self/ns/pid": "pid:[1]"}
		for name, to := range tt.links {
			links["10/"+name] = to
		}
		for name, to := range links {
			name = n.Proc + "/" + name
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.Symlink(to, name)); err != nil {
				t.Fatal(err)
			}
		}
		for pid, want := range map[int]string{0: tt.told, 10: tt.main} {
			_, err := n.Master(t.Context(), pid)
			var other *OtherError
			if want == "" && err != nil || want != "" && (!errors.As(err, &other) || !errors.Is(err, ErrNotRunning)) {
				t.Errorf("%s, asked for %d: %v, want %q", tt.name, pid, err, want)
			} else if want != "" && (!strings.Contains(err.Error(), want) ||
				!strings.Contains(err.Error(), "process 10 (")) {
				t.Errorf("%s, asked for %d: %q does not say %q", tt.name, pid, err, want)
			}
		}
		others, err := n.Others(t.Context(), 0)
		if err != nil || len(others) != 1 || others[0].Same != (tt.told == "") {
			t.Errorf("%s: others %+v, %v", tt.name, others, err)
		}
		if others, _ := n.Others(t.Context(), 10); len(others) != 0 {
			t.Errorf("%s: others than it %+v", tt.name, others)
		}
	}
}

// TestMasterByAnotherPath: a unit may name our configuration through a link, or spell it otherwise; it is ours all the
// same.
func TestMasterByAnotherPath(t *testing.T) {
	for name, ours := range map[string]bool{
		"/srv/nginx/nginx.conf": true, "/etc/nginx/main.conf": true, "/etc//nginx/../nginx/nginx.conf": true,
		"/etc/nginx/copy.conf": false, "/etc/nginx/none.conf": false,
		"/srv/nginx.conf": false, // whose relative includes are others
	} {
		n := fakeProc(t, map[int][2]string{10: {statLine(10, 1, 100), masterTitle + " nginx -c " + name}})
		etc := n.Root + "/etc/nginx"
		if err := errors.Join(os.MkdirAll(n.Root+"/srv", 0o755), os.MkdirAll(etc, 0o755),
			os.Symlink("../etc/nginx", n.Root+"/srv/nginx"),
			os.WriteFile(etc+"/nginx.conf", nil, 0o644), os.WriteFile(etc+"/copy.conf", nil, 0o644),
			os.Symlink("nginx.conf", etc+"/main.conf"),
			os.Symlink("../etc/nginx/nginx.conf", n.Root+"/srv/nginx.conf")); err != nil {
			t.Fatal(err)
		}
		_, err := n.Master(t.Context(), 10)
		if other := (*OtherError)(nil); errors.As(err, &other) == ours {
			t.Errorf("-c %s: %v, want ours %t", name, err, ours)
		}
	}
}

// TestHostilePidFile: a pid file that somebody else may write is not waited for, and leads to no process that is no
// master.
func TestHostilePidFile(t *testing.T) {
	for name, put := range nginxtest.Hostile {
		n := fakeProc(t, map[int][2]string{10: {statLine(10, 1, 100), "sleep"}})
		file := n.Root + "/run/nginx.pid"
		if err := errors.Join(os.Mkdir(n.Root+"/run", 0o755), put(file)); err != nil {
			t.Fatal(err)
		}
		if m, err := n.Master(t.Context(), 0); err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

// TestSecondNginx: two real ones on this host, each known by its own configuration and named to the other.
func TestSecondNginx(t *testing.T) {
	nginxtest.NeedNginx(t, true)
	first := newHost(t, map[string]string{"conf.d/a.conf": nginxtest.Serve(nginxtest.FreePort(t), "one")})
	second := newHost(t, map[string]string{"conf.d/a.conf": nginxtest.Serve(nginxtest.FreePort(t), "two")})
	first.Start()
	second.Start()
	ours, theirs := first.mark().Master, second.mark().Master
	others, err := first.nginx().Others(t.Context(), ours.PID)
	found := false
	for _, o := range others {
		found = found || o.PID == theirs.PID && !o.Same &&
			strings.Contains(o.String(), "reads "+second.Conf()+" and not "+first.Conf())
	}
	if err != nil || !found {
		t.Errorf("%v, %v: the second, %d, is not named", others, err, theirs.PID)
	}
	first.Write("run/nginx.pid", "")
	first.Must(os.WriteFile(first.Path("run/nginx.pid"), []byte(first.Read(second.Path("run/nginx.pid"))), 0o644))
	var other *OtherError
	if _, err := first.nginx().Master(t.Context(), 0); !errors.As(err, &other) || other.Other.PID != theirs.PID {
		t.Errorf("by a pid file that names the second: %v", err)
	}
}
