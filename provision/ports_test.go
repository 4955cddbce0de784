package provision

import (
	"slices"
	"strings"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/stepnames"
	"wsprovision/selinux"
)

// A permissive host listens on any port; what enforcing would forbid is a warning, as it is of backends.
func TestListenPortPermissive(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := withNginx(t)
		h.laySELinux(selinux.Permissive)
		c := parse(t, strings.Replace(oneSite, "listen: 80", "listen: 8000", 1))
		r := h.apply(c)
		warned := slices.ContainsFunc(step(t, r, stepnames.SELinux).Warnings, func(w string) bool {
			return strings.Contains(w,
				"enforcing, it would not let nginx listen on port tcp/8000, which is soundd_port_t") &&
				strings.Contains(w, "--label-listen-ports")
		})
		if r.Result != engine.Changed || !warned {
			t.Errorf("%s, warned: %v\n%s", r.Result, warned, summarize(r))
		}
		h.laySELinux(selinux.Enforcing)
		h.fails(c, stepnames.SELinux, "SELinux does not let nginx listen on port tcp/8000")
	})
}

// What an installer's chroot may not refuse: what the installed host allows.
func TestListenPortsOffline(t *testing.T) {
	for _, tt := range []struct {
		name, port, mode string
		fails            string
	}{
		{"enforcing", "4881", "enforcing", "SELinux does not let nginx listen on port tcp/4881"},
		{"disabled", "4881", "disabled", ""},
		{"of the kernel's own range", "40000", "enforcing", ""},
		{"below it", "32767", "enforcing", "tcp/32767"},
		{"above it", "61000", "enforcing", "tcp/61000"},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := bareOffline(t)
			h.write("/etc/selinux/config", "SELINUX="+tt.mode+"\nSELINUXTYPE=targeted\n")
			c := parse(t, strings.Replace(oneSite, "listen: 80", "listen: "+tt.port, 1))
			if tt.fails != "" {
				h.fails(c, stepnames.SELinux, tt.fails, "--label-listen-ports")
			} else if r := h.plan(c); r.Result == engine.Failed {
				t.Errorf("%s", summarize(r))
			}
		})
	}
}
