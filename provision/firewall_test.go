package provision

import (
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/stepnames"
)

const opens = "firewall: open\n"

func opened(t testing.TB) config.Config { t.Helper(); return parse(t, oneSite+opens) }

func walled(t testing.TB) *fakeHost {
	h := newFakeHost(t)
	h.runFirewalld()
	return h
}

func walledOffline(t testing.TB) *fakeHost {
	h := bareOffline(t)
	h.installFirewalld()
	return h
}

func openedHost(t testing.TB) *fakeHost {
	h := walled(t)
	if r := h.apply(opened(t)); r.Result != engine.Changed {
		t.Fatalf("opened: %s\n%s", r.Result, summarize(r))
	}
	return h
}

// letsIn is whether the zone's file and the running firewall let a port in by an entry of its own.
func (h *fakeHost) letsIn(zone, port string) (permanent, running bool) {
	return strings.Contains(h.content("/etc/firewalld/zones/"+zone+".xml"), `port="`+port+`"`),
		strings.Contains(h.content(runningWall), zone+" "+port+"\n")
}

func (h *fakeHost) wantOpen(zone, port string, want bool) {
	h.t.Helper()
	if permanent, running := h.letsIn(zone, port); permanent != want || running != want && h.units[firewallUnit] {
		h.t.Errorf("port %s in %s: permanent %v, running %v, want %v", port, zone, permanent, running, want)
	}
}

// Ports are opened where that is asked for, in both places, and shut again: by a revert, and when nobody asks any more.
// What somebody else has opened is left.
func TestFirewall(t *testing.T) {
	bubble(t, "left alone", func(t *testing.T) {
		h := walled(t)
		r := h.apply(basic(t))
		h.wantOpen("public", "80", false)
		if _, has := statuses(r)[stepnames.Firewall]; has {
			t.Errorf("a step for it: %s", summarize(r))
		}
	})
	bubble(t, "opened, and back", func(t *testing.T) {
		h := openedHost(t)
		h.wantOpen("public", "80", true)
		h.unchanged(opened(t))
		r, err := NewRevert(h.host(Listener{}), Listener{}, false).Apply(t.Context())
		if err != nil || r.Result == engine.Failed {
			t.Fatalf("revert: %v\n%s", err, summarize(r))
		}
		h.wantOpen("public", "80", false)
	})
	bubble(t, "opened, and left from then on", func(t *testing.T) {
		h := openedHost(t)
		h.apply(basic(t))
		h.wantOpen("public", "80", false)
		h.unchanged(basic(t))
	})
	bubble(t, "another port", func(t *testing.T) {
		h := openedHost(t)
		h.apply(parse(t, strings.Replace(oneSite, "80", "8080", 1)+opens))
		h.wantOpen("public", "80", false)
		h.wantOpen("public", "8080", true)
	})
	bubble(t, "another zone, which has the service", func(t *testing.T) {
		h := openedHost(t)
		h.bound = []string{"internal"}
		c := parse(t, oneSite+"firewall: internal\n")
		h.apply(c)
		h.wantOpen("public", "80", false)
		h.wantOpen("internal", "80", false)
		h.unchanged(c)
	})
	bubble(t, "no interface in the zone", func(t *testing.T) {
		h := walled(t)
		h.bound = []string{"internal"}
		s := step(t, h.plan(opened(t)), stepnames.Firewall)
		if !strings.Contains(strings.Join(s.Warnings, "\n"), "firewall: internal") {
			t.Errorf("%v", s.Warnings)
		}
	})
	bubble(t, "an administrator's opening stays", func(t *testing.T) {
		h := walled(t)
		h.must(h.editZone("public", 80, true))
		h.write(runningWall, "public 80\n")
		h.apply(opened(t))
		if r, err := NewRevert(h.host(Listener{}), Listener{}, false).Apply(t.Context()); err != nil ||
			r.Result == engine.Failed {
			t.Fatalf("revert: %v\n%s", err, summarize(r))
		}
		h.wantOpen("public", "80", true)
	})
	bubble(t, "shut by hand since", func(t *testing.T) {
		h := openedHost(t)
		h.must(h.editZone("public", 80, false))
		if s := step(t, h.plan(opened(t)), stepnames.Firewall); s.Status != engine.Planned || len(s.Changes) != 1 {
			t.Errorf("%+v", s)
		}
		h.apply(opened(t))
		h.wantOpen("public", "80", true)
	})
	bubble(t, "a loopback listen is for this host", func(t *testing.T) {
		h := walled(t)
		h.apply(parse(t, strings.Replace(oneSite, "listen: 80", "listen: 127.0.0.1:8080", 1)+opens))
		h.wantOpen("public", "8080", false)
	})
	bubble(t, "in an installer's chroot, and its first boot", func(t *testing.T) {
		h := walledOffline(t)
		h.apply(opened(t))
		h.wantOpen("public", "80", true)
		if before := h.snapshot(); before != nil {
			h.apply(opened(t))
			h.untouched(before)
		}
	})
	for name, off := range map[string]func(h *fakeHost){
		"not installed": func(*fakeHost) {},
		"disabled": func(h *fakeHost) {
			h.installFirewalld()
			h.must(removeAll(h.path("/etc/systemd/system/multi-user.target.wants/" + firewallUnit)))
		},
	} {
		bubble(t, name, func(t *testing.T) {
			h := newFakeHost(t)
			off(h)
			r := h.apply(opened(t))
			s := step(t, r, stepnames.Firewall)
			if s.Status != engine.Unchanged || !strings.Contains(strings.Join(s.Notes, "\n"), "no port is opened") {
				t.Errorf("%s", summarize(r))
			}
			h.wantOpen("public", "80", false)
		})
	}
	bubble(t, "it does not run, and will from the next boot on", func(t *testing.T) {
		h := newFakeHost(t)
		h.installFirewalld()
		h.apply(opened(t))
		h.wantOpen("public", "80", true)
		h.unchanged(opened(t))
	})
	bubble(t, "disabled since", func(t *testing.T) {
		h := openedHost(t)
		h.units = nil
		h.must(removeAll(h.path("/etc/systemd/system/multi-user.target.wants/" + firewallUnit)))
		h.write(runningWall, "")
		if r, err := NewRevert(h.host(Listener{}), Listener{}, false).Apply(t.Context()); err != nil ||
			r.Result == engine.Failed {
			t.Fatalf("revert: %v\n%s", err, summarize(r))
		}
		h.wantOpen("public", "80", false)
	})
	bubble(t, "iptables-services is named", func(t *testing.T) {
		h := walled(t)
		h.units["iptables.service"] = true
		s := step(t, h.plan(opened(t)), stepnames.Firewall)
		if !strings.Contains(strings.Join(s.Warnings, "\n"), "iptables.service") {
			t.Errorf("%v", s.Warnings)
		}
	})
}

// A zone that firewalld does not have, or a default that is no zone, is refused before anything is changed.
func TestHostileFirewall(t *testing.T) {
	bubble(t, "no such zone", func(t *testing.T) {
		h := walled(t)
		h.fails(parse(t, oneSite+"firewall: nowhere\n"), stepnames.Firewall, "--get-zones")
	})
	bubble(t, "a default that is no zone", func(t *testing.T) {
		h := walled(t)
		h.write("/etc/firewalld/firewalld.conf", "DefaultZone=../../passwd\n")
		h.fails(opened(t), stepnames.Firewall, "no name of a zone")
	})
	bubble(t, "a zone's file that is none", func(t *testing.T) {
		h := walled(t)
		h.write(publicZone, "<zone><port")
		h.fails(opened(t), stepnames.Firewall, "public")
	})
	bubble(t, "a zone's file that is a link", func(t *testing.T) {
		h := walled(t)
		h.link("/etc/shadow", publicZone)
		h.fails(opened(t), stepnames.Firewall, "public")
	})
}
