package main

import (
	"errors"
	"io"
	"testing"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/systemd"
)

// The flags overrule what was found; no flag lets a call of an installer's chroot reach the installer's systemd.
func TestOverruled(t *testing.T) {
	for name, tt := range map[string]struct {
		offline, live bool
		found         systemd.Where
		want          systemd.Where
		usage         bool
	}{
		"a host": {false, false, systemd.Where{Place: systemd.Host, Systemd: true, Why: "w"},
			systemd.Where{Place: systemd.Host, Systemd: true, Why: "w"}, false},
		"a host, offline": {true, false, systemd.Where{Place: systemd.Host, Systemd: true, Why: "w"},
			systemd.Where{Place: systemd.Chroot, Why: "--offline is given; w"}, false},
		"a container, offline": {true, false, systemd.Where{Place: systemd.Container, Systemd: true, Why: "w"},
			systemd.Where{Place: systemd.Chroot, Why: "--offline is given; w"}, false},
		"an installer's chroot, offline": {true, false, systemd.Where{Place: systemd.Installer, Why: "w"},
			systemd.Where{Place: systemd.Installer, Why: "--offline is given; w"}, false},
		"a chroot, live": {false, true, systemd.Where{Place: systemd.Chroot, Why: "w"},
			systemd.Where{Place: systemd.Host, Systemd: true, Why: "--live is given; w"}, false},
		"a container, live": {false, true, systemd.Where{Place: systemd.Container, Why: "w"},
			systemd.Where{Place: systemd.Container, Systemd: true, Why: "--live is given; w"}, false},
		"an installer's chroot, live": {false, true, systemd.Where{Place: systemd.Installer, Why: "w"},
			systemd.Where{Place: systemd.Installer, Why: "w"}, true},
	} {
		a := newApp(nil, io.Discard, io.Discard)
		a.offline, a.live = tt.offline, tt.live
		got, err := a.overruled(tt.found)
		if got != tt.want || errors.As(err, new(cmdline.Error)) != tt.usage || (err != nil) != tt.usage {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	a := newApp(nil, io.Discard, io.Discard)
	a.offline, a.live = true, true
	if _, err := a.where(); exitStatus(err) != exitUsage {
		t.Errorf("both flags: %v", err)
	}
}
