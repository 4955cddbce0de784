package provision

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/stepnames"
)

// other starts a process of the fake host's that looks like an nginx.
func (h *fakeHost) other(parent int, title string) int { return h.fork(parent, title) }

// TestHostileNginx: an nginx that is not the one of nginx.service, or does not read its configuration, is named before
// anything changes.
func TestHostileNginx(t *testing.T) {
	title := func(h *fakeHost, text string) { h.write(fmt.Sprintf("/proc/%d/cmdline", h.web.master), text) }
	for _, tt := range []struct {
		name  string
		spoil func(h *fakeHost)
		fails []string
		notes string
	}{
		{"nginx.service reads another configuration", func(h *fakeHost) {
			title(h, "nginx: master process /usr/sbin/nginx -c /o.conf")
		},
			[]string{"nginx.service runs process", "reads /o.conf and not /etc/nginx/nginx.conf",
				"systemctl cat nginx.service"}, ""},
		{"a second one", func(h *fakeHost) { h.other(1, "nginx: master process /usr/sbin/nginx -c /o.conf") },
			nil, "another nginx runs and is left alone: process 2"},
		{"a container's", func(h *fakeHost) {
			pid := h.other(1, "nginx: master process nginx")
			h.must(os.Symlink("/usr", h.path(fmt.Sprintf("/proc/%d/root", pid))))
		}, nil, "runs in a container"},
		{"one that was started by hand", func(h *fakeHost) { h.stopNginx(); h.other(1, "nginx: master process nginx") },
			[]string{"nginx runs already, and not as nginx.service", "kill -QUIT 2"}, ""},
		{"workers of a killed one", func(h *fakeHost) {
			h.stopNginx()
			pid := h.other(1, "nginx: worker process")
			h.listeners(fmt.Sprintf("%d 0.0.0.0:80", pid))
		}, []string{"workers of an nginx that was killed", "listen on port 80", "kill -QUIT 2"}, ""},
		{"workers of a killed one, on another's port", func(h *fakeHost) {
			h.stopNginx()
			pid := h.other(1, "nginx: worker process")
			h.listeners(fmt.Sprintf("%d 0.0.0.0:81", pid))
		}, nil, ""},
		{"a log that would hang it", func(h *fakeHost) {
			h.must(os.Remove(h.path("/var/log/nginx/error.log")))
			h.must(syscall.Mkfifo(h.path("/var/log/nginx/error.log"), 0o600))
		}, []string{"/var/log/nginx/error.log is a pipe that nobody reads"}, ""},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := provisioned(t)
			h.write("/var/log/nginx/error.log", "")
			tt.spoil(h)
			if tt.fails != nil {
				h.fails(moved(t), stepnames.Service, tt.fails...)
				return
			}
			r := h.apply(moved(t))
			s := step(t, r, stepnames.Service)
			if r.Result != engine.Changed || !strings.Contains(strings.Join(s.Notes, "\n"), tt.notes) {
				t.Errorf("notes %q, want %q\n%s", s.Notes, tt.notes, summarize(r))
			}
		})
	}
}

// TestOrphansKeepAPort: where nginx runs, workers of an earlier one are named beside the port that a site is to have.
func TestOrphansKeepAPort(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := provisioned(t)
		pid := h.other(1, "nginx: worker process")
		h.listeners(fmt.Sprintf("%d 0.0.0.0:8008", pid))
		r := h.plan(parse(t, strings.Replace(oneSite, "80\n", "8008\n", 1)))
		s := step(t, r, stepnames.Validate)
		if s.Status != engine.Failed || !strings.Contains(s.Error, "workers of an nginx that was killed") ||
			strings.Contains(s.Error, "another port") {
			t.Errorf("%s: %s", s.Status, s.Error)
		}
	})
}

// TestHostileRevert: a revert names it too, before it takes anything away.
func TestHostileRevert(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := provisioned(t)
		h.write(fmt.Sprintf("/proc/%d/cmdline", h.web.master), "nginx: master process nginx -c /o.conf")
		r := h.run(basic(t), revert(false))
		if s := step(t, r, stepnames.Service); s.Status != engine.Failed ||
			!strings.Contains(s.Error, "reads /o.conf") ||
			!h.exists(site) {
			t.Errorf("%s %s\n%s", s.Status, s.Error, summarize(r))
		}
	})
}

// TestHostileStatus: the status names what runs beside nginx.service.
func TestHostileStatus(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := provisioned(t)
		if s := h.status(t); len(s.Nginx.Beside) != 0 {
			t.Errorf("alone: %q", s.Nginx.Beside)
		}
		h.write(fmt.Sprintf("/proc/%d/cmdline", h.web.master), "nginx: master process nginx -c /o.conf")
		for range 7 {
			h.other(1, "nginx: master process nginx -c /p.conf")
		}
		h.other(1, "nginx: worker process")
		all := strings.Join(h.status(t).Nginx.Beside, "\n")
		for _, want := range []string{"nginx.service runs process", "reads /o.conf", "another nginx runs: process",
			"2 more of them run", "1 workers of an nginx"} {
			if !strings.Contains(all, want) {
				t.Errorf("%q does not say %q", all, want)
			}
		}
	})
}
