package selinux

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// contextHost is a root with a configuration, a store and these substitutions.
func contextHost(t *testing.T, local, substitutions string) Host {
	t.Helper()
	h := Host{Root: t.TempDir()}
	for name, text := range map[string]string{
		"/etc/selinux/config":                                          "SELINUX=enforcing\nSELINUXTYPE=targeted\n",
		"/etc/selinux/targeted/active/file_contexts.local":             local,
		"/etc/selinux/targeted/contexts/files/file_contexts.subs_dist": substitutions,
	} {
		name = filepath.Join(h.Root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// TestHostileContext: no directory becomes more than one word and its own regular expression, and one that semanage
// would refuse is refused before.
func TestHostileContext(t *testing.T) {
	h := contextHost(t, "", "/run /var/run\n")
	for dir, want := range map[string]string{
		"/srv/app": "/srv/app(/.*)?", "/srv/a.b": `/srv/a\.b(/.*)?`, "/run/app": "! /var/run/app", "/": "!", "": "!",
		"srv": "!", "/srv/": "!", "/srv/../x": "!", "/srv/a b": "!", "/srv/a'b": "!", "/srv/a*": "!", "/srv/(a)": "!",
		`/srv/a\b`: "!", "/srv/a\nport -d": "!", "/srv/a+b": "!",
	} {
		got, err := h.Contexts().Below(dir)
		if refused := strings.HasPrefix(want, "!"); refused != (err != nil) || !refused && got != want ||
			refused && len(want) > 1 && !strings.Contains(err.Error(), want[2:]) {
			t.Errorf("%q: %q %v, want %s", dir, got, err, want)
		}
		if err == nil && (Context{Spec: got}).Directory() != dir {
			t.Errorf("%q is %q again", dir, Context{Spec: got}.Directory())
		}
	}
	for _, c := range []Context{{"/srv/a b(/.*)?", "var_t"}, {"/srv/a", "var_t"}, {"/srv/a(/.*)?", "var_t x"},
		{"/srv/a(/.*)?", ""}, {"/srv/a'(/.*)?", "var_t"}, {"(/.*)?", "var_t"}} {
		if _, err := h.importLines([]Edit{AddContext(c)}, true); err == nil {
			t.Errorf("%q is taken", c)
		}
	}
}

// TestContextLines: records come behind deletions and ports, each line with its own -N.
func TestContextLines(t *testing.T) {
	h := contextHost(t, "", "")
	c := Context{"/srv/app(/.*)?", "httpd_var_run_t"}
	got, err := h.importLines([]Edit{AddContext(c), SetBoolean("b", true),
		DeleteContext(Context{Spec: "/srv/b(/.*)?"})},
		false)
	want := []string{"fcontext -d -N /srv/b(/.*)?", "boolean -m -N --on b",
		"fcontext -a -N -t httpd_var_run_t /srv/app(/.*)?"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q %v, want %q", got, err, want)
	}
}

func TestLocalContext(t *testing.T) {
	h := contextHost(t, "# made by libsemanage\n\n/srv/a(/.*)?    system_u:object_r:var_t:s0\n"+
		"/srv/b(/.*)?  -s  system_u:object_r:tmp_t:s0\n/srv/c(/.*)?  <<none>>\n", "")
	for spec, want := range map[string]string{"/srv/c(/.*)?": "<<none>>", "/srv/a(/.*)?": "var_t",
		"/srv/b(/.*)?": "tmp_t", "/srv/a": "", "/srv/x(/.*)?": ""} {
		if got, err := h.Contexts().LocalContext(spec); got != want || err != nil {
			t.Errorf("%s: %q %v, want %q", spec, got, err, want)
		}
	}
}
