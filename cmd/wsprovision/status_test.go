package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/cmd/wsprovision/show"
	"wsprovision/provision/engine"
	"wsprovision/provision/state"
	"wsprovision/provision/status"
	"wsprovision/provision/stepnames"
)

func TestStatusText(t *testing.T) {
	s := status.Report{State: status.Waiting, Why: "the first boot does the rest", Place: "installer",
		Evidence: "ANA_INSTALL_PATH is set", Offline: true,
		System: "CentOS Linux 7 (Core)", SELinux: status.SELinuxStatus{Configured: "Enforcing", Policy: "targeted",
			Store: "/etc/selinux/targeted/active"},
		Systemd:  status.SystemdStatus{Version: 219},
		Packages: map[string]string{"rpm": "4.11.3-48.el7.x86_64", "nginx": "1:1.20.1-10.el7.x86_64"},
		Nginx:    status.UnitStatus{AtBoot: "enabled"},
		Now: status.Judge(status.ByConfiguration, []engine.StepReport{{Name: stepnames.Service, Status: engine.Planned,
			Changes: []engine.Change{{Object: "nginx.service", From: "inactive", To: "running"}}}}, true),
		Unknown: []string{"read /var/lib/wsprovision: permission denied"},
		Report: &engine.Report{Command: "apply", Phase: state.PhaseInstall, Result: engine.Deferred,
			Started: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), Millis: 12300,
			Resumes: "apply of 2026-11-22T09:00:00Z was interrupted: the machine went down",
			Steps:   []engine.StepReport{{Name: stepnames.Platform, Status: engine.Unchanged}}}}
	const want = `provisioning  deferred, the first boot does the rest
now           not as asked, by the files in /etc/wsprovision
              service: nginx.service is inactive, and is to be running
place         installer (offline), ANA_INSTALL_PATH is set
system        CentOS Linux 7 (Core)
selinux       configured Enforcing, policy targeted, store /etc/selinux/targeted/active
systemd       219, not running here
yum           not installed
rpm           4.11.3-48.el7.x86_64
nginx         1:1.20.1-10.el7.x86_64, at boot enabled
              not known: read /var/lib/wsprovision: permission denied

apply of 2026-11-22T10:00:00Z, phase install
1/1 platform     unchanged   0.0s
apply: deferred, 12.3s: 1 unchanged; apply of 2026-11-22T09:00:00Z was interrupted: the machine went down
`
	var got bytes.Buffer
	show.Status(&screen.Screen{W: &got}, s)
	if d := cmp.Diff(want, got.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestStatusExit(t *testing.T) {
	for state, want := range map[status.State]int{status.Broken: exitFailed, status.Waiting: exitDeferred,
		status.Running: exitDeferred, status.None: exitDeferred, status.Untold: exitNoPerm} {
		if got := exitStatus(outcomeOfStatus(status.Report{State: state}, true)); got != want {
			t.Errorf("%s: exit status %d, want %d", state, got, want)
		}
	}
	for _, tt := range []struct {
		now  status.Condition
		root bool
		want int
	}{
		{status.AsAsked, true, exitOK}, {status.Differs, true, exitFailed}, {status.Differs, false, exitFailed},
		{status.Unseen, true, exitFailed}, {status.Unseen, false, exitNoPerm}, {"", true, exitFailed},
	} {
		s := status.Report{State: status.Complete, Now: status.Now{State: tt.now}}
		if got := exitStatus(outcomeOfStatus(s, tt.root)); got != tt.want {
			t.Errorf("complete, and now %q, root %v: exit status %d, want %d", tt.now, tt.root, got, tt.want)
		}
	}
}
