package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/systemd"
)

// addPlace registers the flags that overrule what was found out.
func (a *app) addPlace(flags *pflag.FlagSet) {
	flags.BoolVar(&a.offline, "offline", false,
		"this system is not running (a chroot, an image): defer what needs it to run")
	flags.BoolVar(&a.live, "live", false,
		"this system is running, whatever is found: use its systemd and its kernel's SELinux")
}

// where finds out where the agent runs. In the installer's own system it is
// systemd.ErrInstaller, whatever the flags say: there is nothing to provision.
func (a *app) where() (systemd.Where, error) {
	if a.offline && a.live {
		return systemd.Where{}, cmdline.Misused(errors.New("--offline and --live exclude one another"))
	}
	where, err := systemd.Detect("", os.Getenv)
	if err != nil {
		return where, err
	}
	return a.overruled(where)
}

// overruled is where the flags say that the agent runs.
func (a *app) overruled(where systemd.Where) (systemd.Where, error) {
	switch {
	case a.offline:
		where.Systemd = false
		if where.Place == systemd.Host || where.Place == systemd.Container {
			where.Place = systemd.Chroot
		}
		where.Why = "--offline is given; " + where.Why
	case a.live && where.Place == systemd.Installer:
		return where, cmdline.Misused(fmt.Errorf("--live: this is an installer's chroot (%s), and a call would "+
			"reach the "+
			"installer's systemd", where.Why))
	case a.live:
		where.Systemd = true
		if where.Place != systemd.Container {
			where.Place = systemd.Host
		}
		where.Why = "--live is given; " + where.Why
	}
	return where, nil
}
