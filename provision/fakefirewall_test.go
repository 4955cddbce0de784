package provision

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wsprovision/firewalld"
	"wsprovision/provision/running"
)

// The files of a firewalld, and a stand-in for what runs: a line "ZONE PORT" for each opening.
const (
	publicZone   = "/etc/firewalld/zones/public.xml"
	internalZone = "/etc/firewalld/zones/internal.xml"
	runningWall  = "/run/fake-firewalld"
	firewallUnit = "firewalld.service"
)

// installFirewalld is EL7's: the default zone has ssh alone.
func (h *fakeHost) installFirewalld() {
	h.write("/usr/lib/firewalld/zones/public.xml", "<zone><service name=\"ssh\"/></zone>\n")
	h.write("/usr/lib/firewalld/zones/internal.xml", "<zone><service name=\"ssh\"/><service name=\"http\"/></zone>\n")
	h.write("/usr/lib/firewalld/services/ssh.xml", "<service><port protocol=\"tcp\" port=\"22\"/></service>\n")
	h.write("/usr/lib/firewalld/services/http.xml", "<service><port protocol=\"tcp\" port=\"80\"/></service>\n")
	h.write("/etc/firewalld/firewalld.conf", "# firewalld config file\nDefaultZone=public\n")
	h.write("/usr/lib/systemd/system/"+firewallUnit, "[Install]\nWantedBy=multi-user.target\n")
	h.link("/usr/lib/systemd/system/"+firewallUnit, "/etc/systemd/system/multi-user.target.wants/"+firewallUnit)
}

// runFirewalld starts it with what its files have.
func (h *fakeHost) runFirewalld() {
	h.installFirewalld()
	h.units = map[string]bool{firewallUnit: true}
	h.write(runningWall, "")
}

// fakeWall is a firewalld that runs.
type fakeWall struct {
	firewalld.Offline
	h      *fakeHost
	mutate func(string, func() error) error
}

func (w *fakeWall) Zone(ctx context.Context, zone string) (firewalld.Zone, error) {
	z, err := w.Offline.Zone(ctx, zone)
	if err != nil {
		return z, err
	}
	now := firewalld.Admits{Services: z.Permanent.Services}
	for line := range strings.Lines(w.h.content(runningWall)) {
		name, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		if port, _ := strconv.Atoi(number); name == zone {
			now.Ports = append(now.Ports, firewalld.Span{Low: port, High: port})
		}
	}
	z.Running = &now
	return z, nil
}

func (w *fakeWall) Bound(context.Context) ([]string, error) { return w.h.bound, nil }

func (w *fakeWall) Open(_ context.Context, in firewalld.Place, zone string, port int) error {
	return w.change(in, zone, port, true)
}

func (w *fakeWall) Shut(_ context.Context, in firewalld.Place, zone string, port int) error {
	return w.change(in, zone, port, false)
}

func (w *fakeWall) change(in firewalld.Place, zone string, port int, open bool) error {
	return w.mutate(fmt.Sprintf("firewalld: %v %d in %s (%s)", open, port, zone, in), func() error {
		if in == firewalld.Permanent {
			return w.h.editZone(zone, port, open)
		}
		lines := strings.SplitAfter(w.h.content(runningWall), "\n")
		line := fmt.Sprintf("%s %d\n", zone, port)
		if slices.Contains(lines, line) == open {
			return fmt.Errorf("already so: %s", line)
		}
		lines = slices.DeleteFunc(lines, func(l string) bool { return l == line })
		if open {
			lines = append(lines, line)
		}
		w.h.write(runningWall, strings.Join(lines, ""))
		return nil
	})
}

// editZone writes the zone's file as firewalld does: whole, and in /etc.
func (h *fakeHost) editZone(zone string, port int, open bool) error {
	path := "/etc/firewalld/zones/" + zone + ".xml"
	text := h.content(path)
	if text == "" {
		text = h.content("/usr/lib/firewalld/zones/" + zone + ".xml")
	}
	tag := fmt.Sprintf("<port protocol=\"tcp\" port=\"%d\"/>", port)
	if strings.Contains(text, tag) == open {
		return fmt.Errorf("already so: %s", tag)
	}
	if open {
		text = strings.Replace(text, "</zone>", tag+"</zone>", 1)
	} else {
		text = strings.Replace(text, tag, "", 1)
	}
	h.write(path, text)
	return nil
}

// offlineCmd is firewall-offline-cmd --zone=ZONE --add-port=N/tcp, or --remove-port, which exits 0 for what it only
// warns of.
func (h *fakeHost) offlineCmd(args []string) (stdout, stderr string, status int, err error) {
	zone, found := strings.CutPrefix(args[0], "--zone=")
	option, value, _ := strings.Cut(args[1], "=")
	port, bad := strconv.Atoi(strings.TrimSuffix(value, "/tcp"))
	if !found || bad != nil || option != "--add-port" && option != "--remove-port" {
		h.t.Errorf("firewall-offline-cmd %q", args)
	}
	if err := h.editZone(zone, port, option == "--add-port"); err != nil {
		return "", "Warning: ALREADY_ENABLED\n", 0, nil
	}
	return "success\n", "", 0, nil
}

func (h *fakeHost) firewall(mutate func(string, func() error) error, change running.Run) func(context.Context,
	bool) (firewalld.Firewall, error) {
	return func(_ context.Context, running bool) (firewalld.Firewall, error) {
		off := firewalld.Offline{Root: h.root, Change: change}
		if !running {
			return &off, nil
		}
		return &fakeWall{off, h, mutate}, nil
	}
}
