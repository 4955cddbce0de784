package provision

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/engine"
	"wsprovision/provision/policy"
	"wsprovision/provision/stepnames"
	"wsprovision/selinux"
	"wsprovision/selinux/policydb"
)

// Every case of a port that the backend may have, each with the record that semanage is asked for.
func TestPorts(t *testing.T) {
	tcp := func(low, high int, typ string) policydb.Port {
		return policydb.Port{Proto: "tcp", Low: low, High: high, Type: typ}
	}
	for _, tt := range []struct {
		name  string
		port  int
		local []policydb.Port
		edit  string // of semanage import, "" for none
		fails string
	}{
		{name: "in no range but the default", port: 4881, edit: "port -a -t http_port_t -p tcp 4881"},
		{name: "inside a policy range of another type", port: 3000, edit: "port -a -t http_port_t -p tcp 3000"},
		{name: "at the end of a policy range of another type", port: 3001, edit: "port -a -t http_port_t -p tcp 3001"},
		{name: "exactly, with another type", port: 8080, edit: "port -m -t http_port_t -p tcp 8080"},
		{name: "exactly, with another type (8000)", port: 8000, edit: "port -m -t http_port_t -p tcp 8000"},
		{name: "right in the policy", port: 8443},
		{name: "a local record of the type", port: 3000, local: []policydb.Port{tcp(3000, 3000, policy.HTTPPortType)}},
		{name: "a local record of another type", port: 3000, local: []policydb.Port{tcp(3000, 3000, "ssh_port_t")},
			edit: "port -m -t http_port_t -p tcp 3000"},
		{name: "inside a local range of the type", port: 3000,
			local: []policydb.Port{tcp(2990, 3010, policy.HTTPPortType)}},
		{name: "inside a local range of another type", port: 3000,
			local: []policydb.Port{tcp(2990, 3010, "ssh_port_t")}, fails: "tcp/2990-3010"},
		{name: "beside a local range", port: 3000, local: []policydb.Port{tcp(3001, 3010, "ssh_port_t")},
			edit: "port -a -t http_port_t -p tcp 3000"},
		{name: "a local record of udp", port: 3000,
			local: []policydb.Port{{Proto: "udp", Low: 3000, High: 3000, Type: "ssh_port_t"}},
			edit:  "port -a -t http_port_t -p tcp 3000"},
		{name: "right in the policy, wrong locally", port: 8443, local: []policydb.Port{tcp(8443, 8443, "ssh_port_t")},
			edit: "port -m -t http_port_t -p tcp 8443"},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := newFakeHost(t)
			h.adopting = true
			h.setLocalPorts(tt.local...)
			h.rebuild(true)
			h.web.backends[fmt.Sprintf("127.0.0.1:%d", tt.port)] = true
			c := parse(t, strings.Replace(oneSite, "3000", fmt.Sprint(tt.port), 1))
			if tt.fails != "" {
				h.fails(c, stepnames.SELinux, tt.fails, "ssh_port_t")
				return
			}
			r := h.apply(c)
			if r.Result != engine.Changed {
				t.Fatalf("%s\n%s", r.Result, summarize(r))
			}
			if got := h.stored().typeOf(tt.port); got != policy.HTTPPortType {
				t.Errorf("port %d is %s, want %s", tt.port, got, policy.HTTPPortType)
			}
			var said []string
			for _, c := range step(t, r, stepnames.SELinux).Changes {
				said = append(said, c.String())
			}
			if planned := strings.Contains(strings.Join(said, "\n"), "port tcp/"); planned != (tt.edit != "") {
				t.Errorf("changes %q, want the port among them: %v", said, tt.edit != "")
			}
			if want := len(tt.local); tt.edit == "" && len(h.localPorts()) != want {
				t.Errorf("%d local records, want %d as before", len(h.localPorts()), want)
			}
			h.unchanged(c)
		})
	}
}

// The boolean has a running and a persistent value, which differ independently.
func TestBoolean(t *testing.T) {
	for _, tt := range []struct {
		name                string
		running, persistent bool
		semanage, setsebool int
	}{
		{"off and off", false, false, 1, 0},
		{"on now, not persistently", true, false, 1, 0},
		{"persistently, but off now", false, true, 0, 1},
		{"on and on", true, true, 0, 0},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := newFakeHost(t)
			h.setLocalPorts(policydb.Port{Proto: "tcp", Low: 3000, High: 3000, Type: policy.HTTPPortType})
			if tt.persistent {
				h.setLocalBoolean(policy.ConnectBoolean, true)
			}
			h.rebuild(true)
			h.setRunning(policy.ConnectBoolean, tt.running)
			r := h.apply(basic(t))
			if r.Result != engine.Changed {
				t.Fatalf("%s\n%s", r.Result, summarize(r))
			}
			if !h.running(policy.ConnectBoolean) || !h.stored().booleans[policy.ConnectBoolean] {
				t.Errorf("running %v, stored %v; want both on", h.running(policy.ConnectBoolean),
					h.stored().booleans[policy.ConnectBoolean])
			}
			if a, b := h.count("semanage"), h.count("setsebool"); a != tt.semanage || b != tt.setsebool {
				t.Errorf("semanage ran %d times and setsebool %d, want %d and %d: %q", a, b, tt.semanage, tt.setsebool,
					h.ran)
			}
			want := 0
			for _, v := range []bool{tt.running, tt.persistent} {
				if !v {
					want++
				}
			}
			if got := len(step(t, r, stepnames.SELinux).Changes); got != want {
				t.Errorf("%d changes, want the two values apart: %d", got, want)
			}
			h.unchanged(basic(t))
		})
	}
}

// TestNoSiteWithoutSELinux: where the boolean or the label is not to be had, nginx keeps the configuration that works.
func TestNoSiteWithoutSELinux(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := withNginx(t)
		before, served := h.files(), h.served()
		h.at("before run semanage", false)
		r := h.apply(basic(t))
		for name, want := range map[string]engine.Status{stepnames.SELinux: engine.Failed,
			stepnames.Site:    engine.Skipped,
			stepnames.Service: engine.Skipped, stepnames.Proof: engine.Skipped} {
			if s := step(t, r, name); s.Status != want {
				t.Errorf("%s: %s, want %s", name, s.Status, want)
			}
		}
		if d := cmp.Diff(before, h.files()) + cmp.Diff(served, h.served()); d != "" || h.reloads > 0 {
			t.Errorf("%d reloads (-before +after):\n%s", h.reloads, d)
		}
	})
}

func TestModes(t *testing.T) {
	bubble(t, "permissive", func(t *testing.T) {
		h := newFakeHost(t)
		h.laySELinux(selinux.Permissive)
		r := h.apply(basic(t))
		if s := step(t, r, stepnames.SELinux); r.Result != engine.Changed || len(s.Warnings) != 1 ||
			!strings.Contains(s.Warnings[0], "permissive") {
			t.Errorf("%s, warnings %q\n%s", r.Result, s.Warnings, summarize(r))
		}
		if h.content(selinuxfs+"/enforce") != "0" {
			t.Errorf("the mode was changed")
		}
		h.unchanged(basic(t))
	})
	bubble(t, "disabled", func(t *testing.T) {
		h := newFakeHost(t)
		h.must(removeAll(h.path(selinuxfs)))
		h.write("/proc/self/mounts", "")
		h.laySELinux(selinux.Disabled)
		r := h.apply(basic(t))
		if s := step(t, r, stepnames.SELinux); r.Result != engine.Changed || len(s.Warnings) != 1 ||
			!strings.Contains(s.Warnings[0], "disabled") {
			t.Errorf("%s, warnings %q\n%s", r.Result, s.Warnings, summarize(r))
		}
		if !h.stored().booleans[policy.ConnectBoolean] || h.stored().typeOf(3000) != policy.HTTPPortType {
			t.Errorf("the store was not written for the day when SELinux is enabled")
		}
		h.unchanged(basic(t))
	})
	// A host from which SELinux was removed has neither store nor file contexts, and nothing that SELinux could forbid.
	bubble(t, "not installed", func(t *testing.T) {
		h := newFakeHost(t)
		h.removeSELinux()
		r := h.apply(basic(t))
		if s := step(t, r, stepnames.SELinux); r.Result != engine.Changed || len(s.Warnings) == 0 {
			t.Errorf("%s, want changed with a warning\n%s", r.Result, summarize(r))
		}
	})
}

func TestListenPorts(t *testing.T) {
	on := func(t *testing.T, port, more string) (*fakeHost, string) {
		h := withNginx(t)
		return h, strings.Replace(oneSite, "listen: 80", "listen: "+port, 1) + more
	}
	// nginx -t runs unconfined and binds what httpd_t may not.
	bubble(t, "one that httpd_t may not bind is known beforehand", func(t *testing.T) {
		h, text := on(t, "4881", "")
		h.fails(parse(t, text), stepnames.SELinux, "4881")
	})
	bubble(t, "labelled where asked for", func(t *testing.T) {
		h, text := on(t, "4881", "selinux:\n  label_listen_ports: true\n")
		c := parse(t, text)
		if r := h.apply(c); r.Result != engine.Changed {
			t.Errorf("%s\n%s", r.Result, summarize(r))
		}
		if got := h.stored().typeOf(4881); got != policy.HTTPPortType {
			t.Errorf("port 4881 is %s", got)
		}
		h.unchanged(c)
	})
}

// Without root the store is closed: plan says what it can.
func TestPlanWithoutRoot(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := provisioned(t)
		h.euid = 1000
		before := h.snapshot()
		r := h.plan(basic(t))
		if r.Result != engine.Unchanged || len(step(t, r, stepnames.Platform).Warnings) != 1 {
			t.Errorf("%s\n%s", r.Result, summarize(r))
		}
		h.untouched(before)
	})
}

// Labels that an earlier configuration asked for are named.
func TestLabelOfABackendBefore(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := provisioned(t)
		h.web.backends["127.0.0.1:8082"] = true
		r := h.apply(parse(t, strings.Replace(oneSite, "3000", "8082", 1)))
		if s := step(t, r, stepnames.SELinux); r.Result != engine.Changed ||
			!strings.Contains(strings.Join(s.Notes, "\n"), "tcp/3000 keeps the label http_port_t") {
			t.Errorf("%s, notes %q\n%s", r.Result, s.Notes, summarize(r))
		}
		h.setLocalPorts(policydb.Port{Proto: "tcp", Low: 8082, High: 8082, Type: policy.HTTPPortType})
		h.rebuild(true)
		for _, note := range step(t, h.apply(parse(t, strings.Replace(oneSite, "3000", "8082", 1))),
			stepnames.SELinux).Notes {
			if strings.Contains(note, "tcp/3000") {
				t.Errorf("the label is gone, and named: %s", note)
			}
		}
		listening := parse(t, strings.Replace(oneSite, "listen: 80", "listen: 4881", 1)+
			"selinux:\n  label_listen_ports: true\n")
		h.apply(listening)
		for _, note := range step(t, h.apply(listening), stepnames.SELinux).Notes {
			if strings.Contains(note, "tcp/3000") || strings.Contains(note, "tcp/4881") {
				t.Errorf("asked for, and named: %s", note)
			}
		}
	})
}

// What root cannot read of the store is no question of root: it fails the step, and warns in a plan by anybody else.
func TestStoreThatCannotBeRead(t *testing.T) {
	for _, file := range []string{"/etc/selinux/targeted/policy/policy.30", store + "/ports.local"} {
		for _, euid := range []int{0, 1000} {
			bubble(t, fmt.Sprintf("%s by %d", file, euid), func(t *testing.T) {
				h := provisioned(t)
				h.must(removeAll(h.path(file)))
				h.mkdir(file) // which nobody can read
				h.euid = euid
				s := step(t, h.plan(basic(t)), stepnames.SELinux)
				warned := strings.Contains(strings.Join(s.Warnings, " "), "cannot tell without root")
				if (s.Status == engine.Failed) != (euid == 0) || warned != (euid != 0) {
					t.Errorf("%s %q, warnings %q", s.Status, s.Error, s.Warnings)
				}
			})
		}
	}
}

// What is known to be refused is refused in a plan without root, too.
func TestPortRefusedWithoutRoot(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := newFakeHost(t)
		h.setLocalPorts(policydb.Port{Proto: "tcp", Low: 2990, High: 3010, Type: "ssh_port_t"})
		h.rebuild(true)
		h.euid = 1000
		if s := step(t, h.plan(basic(t)), stepnames.SELinux); s.Status != engine.Failed ||
			!strings.Contains(s.Error, "tcp/2990-3010") {
			t.Errorf("%s %q, warnings %q", s.Status, s.Error, s.Warnings)
		}
	})
}
