package provision

import (
	"context"
	"errors"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/selinux"
)

// TestFirstBootOvertakenByAFailure: what an administrator asked for last is what the first boot goes on with, also where his apply failed
// or was ended.
func TestFirstBootOvertakenByAFailure(t *testing.T) {
	for name, spoil := range map[string]func(h *fakeHost){
		"start fails": func(h *fakeHost) { h.at("before systemd: start nginx", false) },
		"killed":      func(h *fakeHost) { h.at("before systemd: start nginx", true) },
	} {
		bubble(t, name, func(t *testing.T) {
			h := installed(t)
			h.boot()
			h.stopNginx()
			spoil(h)
			if r := h.apply(moved(t)); r.Result != Failed || !h.exists(deferredPath) {
				t.Fatalf("the administrator's apply: %s\n%s", r.Result, summarize(r))
			}
			h.hook = nil
			if _, err := h.firstBoot(3); err != nil || !strings.Contains(h.content(site), "/socket/") || h.exists(deferredPath) {
				t.Errorf("%v\n%s", err, h.content(site))
			}
			h.unchanged(moved(t))
		})
	}
}

// Work is not struck off while files have the wrong labels.
func TestFirstBootWithoutLabels(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h, s := labelled(t)
		h.at("before label", false)
		if r := h.apply(basic(t)); step(t, r, StepLabels).Status != Failed {
			t.Fatalf("the apply in the chroot: %s\n%s", r.Result, summarize(r))
		}
		h.hook = nil
		h.boot()
		h.at("before label", false)
		if _, err := h.firstBoot(1); err == nil && !h.exists(deferredPath) {
			t.Error("struck off")
		}
		h.hook = nil
		if r := h.apply(basic(t)); r.Result != Changed || h.exists(deferredPath) {
			t.Errorf("%s\n%s", r.Result, summarize(r))
		}
		if label, err := s.FileLabel(nginxConf); err != nil || typeOf(label) != "httpd_config_t" {
			t.Errorf("%s: %q, %v", nginxConf, label, err)
		}
	})
}

// A start that failed says what it put back, and leaves what another nginx may have taken since.
func TestRefusedStartSaysWhatIsBack(t *testing.T) {
	bubble(t, "of this run", func(t *testing.T) {
		h := newFakeHost(t)
		h.web.cannotRun = "no room"
		r := h.apply(basic(t))
		if s := step(t, r, StepService); !strings.Contains(s.Error, "put back ("+site+"); nginx does not run") {
			t.Errorf("%q", s.Error)
		}
	})
	bubble(t, "of an earlier run", func(t *testing.T) {
		h := provisioned(t)
		h.at("after install "+site, true)
		h.apply(moved(t))
		h.hook = nil
		h.stopNginx()
		if !h.startNginx() { // by hand; it takes the new file
			t.Fatal("nginx does not start")
		}
		h.stopNginx()
		h.web.cannotRun = "no room"
		for _, c := range []config.Config{moved(t), basic(t)} { // unchanged, and changed once more
			if r := h.apply(c); r.Result != Failed || !strings.Contains(h.content(site), "/socket/") {
				t.Errorf("%s, the site holds\n%s\n%s", r.Result, h.content(site), summarize(r))
			}
		}
	})
}

// What was started is enabled, also where the run is ended meanwhile.
func TestEndedWhileNginxStarts(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := newFakeHost(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		h.hook = func(point string) error {
			if point == "before systemd: start nginx.service" {
				cancel(errors.New("caught terminated"))
			}
			return nil
		}
		r, err := h.newRun(basic(t)).Apply(ctx)
		if s := step(t, r, StepService); err != nil || s.Status != Changed || !h.exists(wantsNginx) {
			t.Errorf("%v, %s, enabled: %v\n%s", err, s.Status, h.exists(wantsNginx), summarize(r))
		}
	})
}

// A unit that nothing can enable is known beforehand.
func TestUnitWithoutInstallSection(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := withNginx(t)
		h.must(removeAll(h.path(wantsNginx)))
		h.write("/etc/systemd/system/"+nginxUnit, "[Service]\nExecStart=/usr/sbin/nginx\n")
		h.fails(basic(t), StepService, "WantedBy=multi-user.target")
	})
}

// Labels that an earlier configuration asked for are named.
func TestLabelOfABackendBefore(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := provisioned(t)
		h.web.backends["127.0.0.1:8082"] = true
		r := h.apply(parse(t, strings.Replace(oneSite, "3000", "8082", 1)))
		if s := step(t, r, StepSELinux); r.Result != Changed || !strings.Contains(strings.Join(s.Notes, "\n"), "tcp/3000 keeps the label http_port_t") {
			t.Errorf("%s, notes %q\n%s", r.Result, s.Notes, summarize(r))
		}
		h.setLocalPorts(selinux.Port{Proto: "tcp", Low: 8082, High: 8082, Type: httpPortType})
		h.rebuild(true)
		for _, note := range step(t, h.apply(parse(t, strings.Replace(oneSite, "3000", "8082", 1))), StepSELinux).Notes {
			if strings.Contains(note, "tcp/3000") {
				t.Errorf("the label is gone, and named: %s", note)
			}
		}
		listening := parse(t, strings.Replace(oneSite, "listen: 80", "listen: 4881", 1)+"selinux:\n  label_listen_ports: true\n")
		h.apply(listening)
		for _, note := range step(t, h.apply(listening), StepSELinux).Notes {
			if strings.Contains(note, "tcp/3000") || strings.Contains(note, "tcp/4881") {
				t.Errorf("asked for, and named: %s", note)
			}
		}
	})
}
