package selinux

import (
	"errors"
	"io/fs"
	"testing"
)

func TestDefaultLabel(t *testing.T) {
	const prefix = "system_u:object_r:"
	const base = "etc/selinux/targeted/contexts/files/file_contexts"
	extra := map[string]string{
		base + ".homedirs": "/home/[^/]+/.*\tunconfined_u:object_r:user_home_t:s0\n",
		base + ".local": "/srv/exact\tsystem_u:object_r:exact_t:s0\n/srv/.*\tsystem_u:object_r:local_t:s0\n/" +
			"etc/nginx/secret -- system_u:object_r:secret_t:s0\n",
		base + ".subs": "/opt/nginx /etc/nginx\n# comment /etc\n/nothing\n/web /\n",
	}
	tests := map[string]struct {
		path string
		mode fs.FileMode
		want string
	}{
		"last match wins":                        {"/etc/nginx/conf.d/ws.conf", 0o644, "httpd_config_t:s0"},
		"the directory itself":                   {"/etc/nginx", fs.ModeDir, "httpd_config_t:s0"},
		"not a longer name":                      {"/etc/nginx2", fs.ModeDir, "etc_t:s0"},
		"duplicate and final slashes":            {"//etc//nginx/", fs.ModeDir, "httpd_config_t:s0"},
		"kind fits":                              {"/etc", fs.ModeDir, "etc_t:s0"},
		"kind does not fit":                      {"/etc", 0, "etc_runtime_t:s0"},
		"device kinds":                           {"/dev/sda", fs.ModeDevice, "fixed_disk_device_t:s0"},
		"character device":                       {"/dev/tty", fs.ModeDevice | fs.ModeCharDevice, "device_t:s0"},
		"exact before patterns":                  {"/usr/sbin/nginx", 0o755, "httpd_exec_t:s0"},
		"exact of another kind":                  {"/usr/sbin/nginx", fs.ModeSymlink, "usr_t:s0"},
		"escaped dot is not a pattern":           {"/usr/lib/systemd/system/nginx.service", 0, "httpd_unit_file_t:s0"},
		"escaped dot is a dot":                   {"/usr/lib/systemd/system/nginx_service", 0, "usr_t:s0"},
		"group in the middle":                    {"/usr/games/bin/x", 0, "bin_t:s0"},
		"substituted by the distribution":        {"/run/nginx.pid", 0, "httpd_var_run_t:s0"},
		"substitution ends at a component":       {"/running", 0, "etc_runtime_t:s0"},
		"none is none":                           {"/run/other.pid", 0, ""},
		"substituted by the administrator":       {"/opt/nginx/nginx.conf", 0, "httpd_config_t:s0"},
		"substituted to the root":                {"/web/usr/sbin/nginx", 0, "httpd_exec_t:s0"},
		"exact in local, before a later pattern": {"/srv/exact", 0, "exact_t:s0"},
		"local":                                  {"/srv/x", 0, "local_t:s0"},
		"local after the policy's":               {"/etc/nginx/secret", 0, "secret_t:s0"},
		"only the general":                       {"/unheard/of", 0, "default_t:s0"},
		"nothing matches the root of all":        {"/", fs.ModeDir, "default_t:s0"},
	}
	h := rhel7(t, extra)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := tt.want
			if want != "" {
				want = prefix + want
			}
			got, err := h.Contexts().DefaultLabel(tt.path, tt.mode)
			if err != nil || got != want {
				t.Errorf("DefaultLabel(%q, %v) = %q, %v, want %q", tt.path, tt.mode, got, err, want)
			}
		})
	}
	if got, err := h.Contexts().DefaultLabel("/home/bob/x", 0); err != nil ||
		got != "unconfined_u:object_r:user_home_t:s0" {
		t.Errorf("home directory: %q, %v", got, err)
	}
}

// What was asked once is answered from memory, until one of the files is another.
func TestDefaultLabelKept(t *testing.T) {
	const local = "etc/selinux/targeted/contexts/files/file_contexts.local"
	h := rhel7(t, nil)
	h.Cache = new(Cache)
	for _, step := range []struct{ write, want string }{
		{"", "default_t"}, {"", "default_t"}, {"/srv/x\tsystem_u:object_r:local_t:s0\n", "local_t"},
		{"/srv/x\tsystem_u:object_r:other_local_t:s0\n", "other_local_t"},
	} {
		if step.write != "" {
			write(t, h, local, step.write)
		}
		if got, err := h.Contexts().DefaultLabel("/srv/x", 0); err != nil ||
			got != "system_u:object_r:"+step.want+":s0" {
			t.Errorf("after %q: %q, %v, want %s", step.write, got, err, step.want)
		}
	}
	if got, err := h.Contexts().DefaultLabel("/srv/x", fs.ModeDir); err != nil ||
		got != "system_u:object_r:other_local_t:s0" {
		t.Errorf("a directory: %q, %v", got, err)
	}
}

func TestDefaultLabelCannotTell(t *testing.T) {
	const base = "etc/selinux/targeted/contexts/files/file_contexts"
	tests := map[string]map[string]string{
		"no file_contexts":              {base: "-"},
		"one field":                     {base: "/etc/nginx\n"},
		"unknown kind":                  {base: "/srv -x system_u:object_r:etc_t:s0\n"},
		"look-ahead, which RE2 lacks":   {base: "/etc/(?!x).* system_u:object_r:etc_t:s0\n"},
		"broken expression":             {base + ".local": "/etc/ngin[x system_u:object_r:etc_t:s0\n"},
		"a directory instead of a file": {base + ".homedirs/": ""},
	}
	for name, files := range tests {
		t.Run(name, func(t *testing.T) {
			if got, err := rhel7(t, files).Contexts().DefaultLabel("/etc/nginx", fs.ModeDir); !errors.Is(err,
				ErrUnknown) {
				t.Errorf("DefaultLabel() = %q, %v, want ErrUnknown", got, err)
			}
		})
	}
	// What cannot match the path is not compiled, so it is nobody's trouble.
	h := rhel7(t, map[string]string{base: "/etc/.* system_u:object_r:etc_t:s0\n/etc/other/(?!x).* " +
		"system_u:object_r:no_t:s0\n"})
	if got, err := h.Contexts().DefaultLabel("/etc/nginx", 0); err != nil || got != "system_u:object_r:etc_t:s0" {
		t.Errorf("DefaultLabel() = %q, %v, want etc_t", got, err)
	}
	if _, err := (Host{}).Contexts().DefaultLabel("etc/nginx", 0); err == nil {
		t.Error("a relative path was accepted")
	}
}

// The fixed beginning only saves compiling; it must never reject what the expression would match.
func TestFixed(t *testing.T) {
	tests := map[string]string{
		"/nginx(/.*)?":   "/nginx",
		"/a?quota":       "/",
		"/ab*":           "/a",
		"/ab{0,2}":       "/a",
		"/ab+":           "/ab",
		`/a\.b`:          "/a",
		"/abc":           "/abc",
		"/a(b|c)":        "/a",
		"/a|b":           "",
		"/a[|]b":         "", // not told apart from an alternative, which costs only time
		`/a\|b`:          "/a",
		"/a(b)|c":        "",
		"?":              "",
		"/x(y(z|q))?r|s": "",
	}
	for spec, want := range tests {
		if got := string(fixed([]byte(spec))); got != want {
			t.Errorf("fixed(%q) = %q, want %q", spec, got, want)
		}
	}
}

// An alternative outside a group binds as in libselinux: ^/a or b$ of what follows the stem.
func TestMatchesOuterAlternative(t *testing.T) {
	tests := map[string]bool{"/etc/a/more": true, "/etc/x/b": true, "/etc/x/c": false, "/usr/a": false}
	for path, want := range tests {
		m := matcher{path: []byte(path), stem: pathStem(path)}
		got, err := newSpec([]byte("/etc/a|b")).matches(&m)
		if err != nil || got != want {
			t.Errorf("/etc/a|b matches %s: %v, %v, want %v", path, got, err, want)
		}
	}
}

func BenchmarkDefaultLabel(b *testing.B) {
	h := Host{} // the machine's own policy, if it has one
	if _, err := h.Contexts().DefaultLabel("/etc/nginx/conf.d/websocket.conf", 0); errors.Is(err, fs.ErrNotExist) {
		b.Skip("this machine has no SELinux policy")
	} else if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = h.Contexts().DefaultLabel("/etc/nginx/conf.d/websocket.conf", 0)
	}
}
