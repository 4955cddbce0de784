package selinux

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestFileLabel(t *testing.T) {
	const want = "system_u:object_r:httpd_config_t:s0"
	h := rhel7(t, map[string]string{"etc/nginx/x.conf": ""})
	must(t, os.Symlink("x.conf", h.system().path("etc/nginx/link")))
	err := h.Contexts().SetFileLabel("/etc/nginx/x.conf", want)
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) {
		cannot(t, "this file system, user or kernel takes no such label: "+err.Error())
	}
	must(t, err)
	if got, err := h.Contexts().FileLabel("/etc/nginx/x.conf"); err != nil || got != want {
		t.Errorf("FileLabel() = %q, %v, want %q", got, err, want)
	}
	if got, err := h.Contexts().FileLabel("/etc/nginx/link"); err != nil || got == want {
		t.Errorf("FileLabel(link) = %q, %v, want the link's own", got, err)
	}
}

func TestFileLabelRefused(t *testing.T) {
	h := rhel7(t, nil)
	if _, err := h.Contexts().FileLabel("/nowhere"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v, want ErrNotExist", err)
	}
	if _, err := h.Contexts().FileLabel("etc/selinux/config"); err == nil {
		t.Error("a relative path was accepted")
	}
	for _, label := range []string{"", "httpd_config_t", "a:b:c\x00:s0", "a:b:c:s0\n", "::t"} {
		if err := h.Contexts().SetFileLabel("/etc/selinux/config", label); err == nil {
			t.Errorf("label %q was accepted", label)
		}
	}
}
