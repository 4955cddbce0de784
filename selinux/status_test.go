package selinux

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStatus(t *testing.T) {
	const store = "/etc/selinux/targeted/active"
	tests := map[string]struct {
		files   map[string]string
		offline bool
		want    Status
	}{
		"enforcing": {nil, false, Status{Enforcing, Enforcing, "targeted", true, store, ""}},
		"permissive now": {map[string]string{"sys/fs/selinux/enforce": "0"}, false,
			Status{Permissive, Enforcing, "targeted", true, store, ""}},
		"offline, the kernel is the installer's": {nil, true, Status{"", Enforcing, "targeted", false, store, ""}},
		"booted with selinux=0": {map[string]string{"proc/self/mounts": "proc /proc proc rw 0 0\n"}, false,
			Status{Disabled, Enforcing, "targeted", false, store, ""}},
		"read-only selinuxfs of a container": {
			map[string]string{"proc/self/mounts": "selinuxfs /sys/fs/selinux selinuxfs ro,relatime 0 0\n"}, false,
			Status{Disabled, Enforcing, "targeted", false, store, ""}},
		"no configuration": {map[string]string{"etc/selinux/config": "-"}, false,
			Status{Disabled, "", "targeted", true, store, ""}},
		"empty configuration of an installer": {map[string]string{"etc/selinux/config": ""}, false,
			Status{Enforcing, "", "targeted", true, store, ""}},
		"store of RHEL 7.2": {map[string]string{"etc/selinux/targeted/active/": "-",
			"etc/selinux/targeted/modules/active/": ""}, false,
			Status{Enforcing, Enforcing, "targeted", true, "/etc/selinux/targeted/modules/active", ""}},
		"store of RHEL 7.3, migrated": {map[string]string{"etc/selinux/targeted/modules/active/README.migrated": ""},
			false,
			Status{Enforcing, Enforcing, "targeted", true, store, ""}},
		"store of Debian": {
			map[string]string{"etc/selinux/config": "SELINUX=permissive\nSELINUXTYPE=default\n",
				"var/lib/selinux/default/active/": ""}, false,
			Status{Enforcing, Permissive, "default", true, "/var/lib/selinux/default/active", ""}},
		"store-root": {map[string]string{"etc/selinux/semanage.conf": "store-root = /srv/se\n",
			"srv/se/targeted/active/": ""}, false,
			Status{Enforcing, Enforcing, "targeted", true, "/srv/se/targeted/active", ""}},
		"no store": {map[string]string{"etc/selinux/targeted/active/": "-"}, false,
			Status{Enforcing, Enforcing, "targeted", true, "", ""}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := rhel7(t, tt.files)
			h.Offline = tt.offline
			got, err := h.Status()
			got.Unbuilt = "" // TestUnbuilt's
			if err != nil || got != tt.want {
				t.Errorf("Status() = %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestStatusCannotTell(t *testing.T) {
	tests := map[string]map[string]string{
		"mode is noise":           {"sys/fs/selinux/enforce": "2"},
		"policy leaves directory": {"etc/selinux/config": "SELINUXTYPE=../../tmp\n"},
		"policy without a name":   {"etc/selinux/config": "SELINUXTYPE=\n"},
		"store-root is relative":  {"etc/selinux/semanage.conf": "store-root = here\n"},
	}
	for name, files := range tests {
		t.Run(name, func(t *testing.T) {
			if got, err := rhel7(t, files).Status(); !errors.Is(err, ErrUnknown) {
				t.Errorf("Status() = %+v, %v, want ErrUnknown", got, err)
			}
		})
	}
}

func TestParseConfig(t *testing.T) {
	tests := map[string]struct {
		text string
		want config
	}{
		"plain": {"SELINUX=enforcing\nSELINUXTYPE=mls\n", config{true, Enforcing, "mls"}},
		"first valid mode counts": {"SELINUX=on\nSELINUX=Permissive\nSELINUX=enforcing\n",
			config{true, Permissive, "targeted"}},
		"comment after the mode":         {"SELINUX=disabled # oh\n", config{true, Disabled, "targeted"}},
		"mode after white space is none": {" SELINUX=enforcing\n", config{true, "", "targeted"}},
		"last type counts, trimmed": {"SELINUXTYPE=mls\n  selinuxtype=minimum \t\n",
			config{true, "", "minimum"}},
		"commented out":                     {"#SELINUX=enforcing\n# SELINUXTYPE=mls\n", config{true, "", "targeted"}},
		"no newline at the end of the file": {"SELINUX=enforcing", config{true, Enforcing, "targeted"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseConfig(tt.text)
			if err != nil || got != tt.want {
				t.Errorf("parseConfig(%q) = %+v, %v, want %+v", tt.text, got, err, tt.want)
			}
		})
	}
}

func TestMounts(t *testing.T) {
	text := "selinuxfs /sys/fs/selinux selinuxfs rw,relatime 0 0\nselinuxfs /sys/fs/selinux selinuxfs ro,relatime 0 0\n"
	dir, rw := parseMounts(text)
	if diff := cmp.Diff([]any{"/sys/fs/selinux", false}, []any{dir, rw}); diff != "" {
		t.Error(diff)
	}
}
