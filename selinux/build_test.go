package selinux

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
)

const (
	bootPolicy  = "etc/selinux/targeted/policy/policy.31"
	storePolicy = "etc/selinux/targeted/active/policy.kern"
)

func TestUnbuilt(t *testing.T) {
	const noBoot = "/etc/selinux/targeted/policy/policy.NN"
	for name, tt := range map[string]struct {
		files map[string]string
		want  string
	}{
		"built":                      {nil, ""},
		"never":                      {map[string]string{bootPolicy: "-", storePolicy: "-"}, noBoot},
		"the one that boots is lost": {map[string]string{bootPolicy: "-"}, noBoot},
		"the store's own is lost":    {map[string]string{storePolicy: "-"}, "/etc/selinux/targeted/active/policy.kern"},
		"a directory without policy": {map[string]string{bootPolicy: "-", "etc/selinux/targeted/policy/README": ""},
			noBoot},
		"no store, so nothing is due": {
			map[string]string{bootPolicy: "-", storePolicy: "-", "etc/selinux/targeted/active/": "-"}, ""},
		"RHEL 7.2": {map[string]string{storePolicy: "-", "etc/selinux/targeted/active/": "-",
			"etc/selinux/targeted/modules/active/base.pp": ""}, "/etc/selinux/targeted/modules/active/policy.kern"},
		"RHEL 7.2, built": {map[string]string{storePolicy: "-", "etc/selinux/targeted/active/": "-",
			"etc/selinux/targeted/modules/active/policy.kern": "x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := rhel7(t, tt.files)
			for _, h.Offline = range []bool{false, true} {
				if s, err := h.Status(); err != nil || s.Unbuilt != tt.want {
					t.Errorf("offline %v: unbuilt %q, %v, want %q", h.Offline, s.Unbuilt, err, tt.want)
				}
			}
		})
	}
}

func TestBuild(t *testing.T) {
	build := func(h Host, names ...string) {
		for _, name := range names {
			must(t, os.MkdirAll(h.system().path("etc/selinux/targeted/policy"), 0o755))
			write(t, h, name, testdata(t, "policy.31"))
		}
	}
	for _, tt := range []struct {
		name   string
		do     func(Host)
		stderr string
		status int
		want   string
	}{
		{"built", func(h Host) { build(h, bootPolicy, storePolicy) }, "", 0, ""},
		{"said, and not done", func(Host) {}, "", 0,
			"semodule -B: exit status 0, and there is still no /etc/selinux/targeted/policy/policy.NN"},
		{"half done", func(h Host) { build(h, bootPolicy) }, "", 0,
			"semodule -B: exit status 0, and there is still no /etc/selinux/targeted/active/policy.kern"},
		{"no policy", func(h Host) {
			build(h, bootPolicy, storePolicy)
			write(t, h, bootPolicy, "x")
		}, "", 0, "cannot tell"},
		{"no modules", func(Host) {}, "libsemanage.semanage_direct_commit: no modules\nsemodule:  Failed!\n", 1,
			"semodule -B: exit status 1: libsemanage.semanage_direct_commit: no modules / semodule:  Failed!"},
		{"locked", func(Host) {}, testdata(t, "rhel7-1.semanage-import-locked.stderr"), 1,
			"semodule -B: /etc/selinux/targeted/semanage.trans.LOCK is held by another process"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := rhel7(t, map[string]string{bootPolicy: "-", storePolicy: "-"})
			h.Change = func(_ context.Context, _ string, argv ...string) (string, string, int, error) {
				if want := []string{"semodule", "-B", "-n", "-s", "targeted"}; !slices.Equal(argv, want) {
					t.Errorf("ran %q, want %q", argv, want)
				}
				tt.do(h)
				return "", tt.stderr, tt.status, nil
			}
			if got := errText(h.Build(t.Context())); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
