package provision

import (
	"os"
	"slices"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
)

// The line of EPEL's nginx.conf, and what becomes of it.
const (
	removesStock = "nginx:\n  stock_ipv6: remove\n"
	stockListens = "        listen       80;\n        listen       [::]:80;\n"
	takenOut     = "        # listen       [::]:80; # taken out by wsprovision (nginx.stock_ipv6)\n"
)

var stockConf = strings.Replace(confOfEPEL, "        listen 80;\n", stockListens, 1)

func withoutStockLine(t testing.TB) config.Config { t.Helper(); return parse(t, oneSite+removesStock) }

// stockHost is a bare host to which nginx comes with EPEL's nginx.conf.
func stockHost(t testing.TB) *fakeHost {
	h := newFakeHost(t)
	h.web.conf = stockConf
	return h
}

func stockOffline(t testing.TB) *fakeHost {
	h := bareOffline(t)
	h.web.conf = stockConf
	return h
}

func withoutLine(t testing.TB) *fakeHost {
	h := stockHost(t)
	if r := h.apply(withoutStockLine(t)); r.Result != engine.Changed {
		t.Fatalf("without the line: %s\n%s", r.Result, summarize(r))
	}
	return h
}

// stockTaken is a host with the line, on which a new configuration cannot be taken.
func stockTaken(t testing.TB) *fakeHost {
	h := stockHost(t)
	if r := h.apply(basic(t)); r.Result != engine.Changed {
		t.Fatalf("%s\n%s", r.Result, summarize(r))
	}
	h.web.taken, h.web.late = []int{8008}, true
	return h
}

// hasNoIPv6 is a kernel that was booted with ipv6.disable=1.
func (h *fakeHost) hasNoIPv6() {
	h.web.noIPv6 = true
	_ = os.Remove(h.path("/proc/net/if_inet6"))
}

func TestLineOfNginxConf(t *testing.T) {
	without := strings.Replace(stockConf, "        listen       [::]:80;\n", takenOut, 1)
	bubble(t, "a host without IPv6, made and reverted", func(t *testing.T) {
		h := stockHost(t)
		h.hasNoIPv6()
		r := h.apply(withoutStockLine(t))
		if r.Result != engine.Changed || h.content(host.NginxConf) != without {
			t.Fatalf("%s: nginx.conf is\n%s\n%s", r.Result, h.content(host.NginxConf), summarize(r))
		}
		h.unchanged(withoutStockLine(t))
		h.revertsTo(t, without) // with the line nginx would not start
	})
	bubble(t, "other lines edited since stay, and are no drift", func(t *testing.T) {
		h := withoutLine(t)
		h.write(host.NginxConf, strings.Replace(without, "1024", "4096", 1))
		h.unchanged(withoutStockLine(t))
		h.revertsTo(t, strings.Replace(stockConf, "1024", "4096", 1))
	})
	bubble(t, "no longer asked for", func(t *testing.T) {
		h := withoutLine(t)
		r := h.apply(basic(t))
		if r.Result != engine.Changed || h.content(host.NginxConf) != stockConf || h.reloads != 1 {
			t.Errorf("%s\n%s\n%s", r.Result, h.content(host.NginxConf), summarize(r))
		}
		h.knowsNoLine(t)
	})
	bubble(t, "the line itself edited since", func(t *testing.T) {
		h := withoutLine(t)
		mine := strings.Replace(without, takenOut, "        # mine\n", 1)
		h.write(host.NginxConf, mine)
		h.revertsTo(t, mine)
	})
	bubble(t, "the plan shows it", func(t *testing.T) {
		h := stockHost(t)
		h.apply(basic(t))
		s := step(t, h.plan(withoutStockLine(t)), stepnames.Site)
		if len(s.Changes) != 1 || !strings.Contains(s.Changes[0].Diff, "-        listen       [::]:80;\n+"+takenOut) {
			t.Errorf("%+v", s.Changes)
		}
	})
	bubble(t, "a reload that fails brings it back", func(t *testing.T) {
		h := stockTaken(t)
		h.write(host.NginxConf, strings.Replace(stockConf, "1024", "4096", 1))
		before := h.content(host.NginxConf)
		r := h.apply(parse(t, strings.Replace(oneSite, "80", "8008", 1)+removesStock))
		if r.Result != engine.Failed || h.content(host.NginxConf) != before {
			t.Errorf("%s\n%s\n%s", r.Result, h.content(host.NginxConf), summarize(r))
		}
		h.knowsNoLine(t)
	})
}

// revertsTo reverts and compares what is left of nginx.conf.
func (h *fakeHost) revertsTo(t *testing.T, want string) {
	t.Helper()
	r, err := NewRevert(h.host(Listener{}), Listener{}, false).Apply(t.Context())
	if err != nil || r.Result == engine.Failed || h.content(host.NginxConf) != want {
		t.Errorf("revert: %v %s\nnginx.conf is\n%s\n%s", err, r.Result, h.content(host.NginxConf), summarize(r))
	}
	h.knowsNoLine(t)
}

func (h *fakeHost) knowsNoLine(t *testing.T) {
	t.Helper()
	l, err := state.ReadLedger(&host.Files{Root: h.root, Seam: &host.Seam{}})
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(l.Entries, func(e state.Entry) bool { return e.Kind == state.KindLine }) {
		t.Errorf("the ledger still knows the line: %+v", l.Entries)
	}
}

// A line that is not as EPEL has it is refused before anything is changed, and none is nothing to do.
func TestHostileLineOfNginxConf(t *testing.T) {
	for name, tt := range map[string]struct {
		line    string // in place of EPEL's two
		refused bool
	}{
		"none":                {"        listen 80;\n", false},
		"with default_server": {"        listen 80;\n        listen [::]:80 default_server;\n", false},
		"a comment":           {"        listen 80; # listen [::]:80;\n", false},
		"a tab, and CR":       {"        listen 80;\n\tlisten [::]:80;\r\n", false},
		"two on one line":     {"        listen 80; listen [::]:80;\n", true},
		"over two lines":      {"        listen 80;\n        listen\n        [::]:80;\n", true},
		"both families":       {"        listen [::]:80 ipv6only=off;\n", true},
		"alone":               {"        listen [::]:80;\n", true},
		"with a comment":      {"        listen 80;\n        listen [::]:80; # mine\n", true},
		"quoted":              {"        listen 80;\n        listen \"[::]:80\";\n", true},
		"the same text in a comment's place": {"        listen 80;\n        listen [::]:80;\n" +
			"        location /x { return 200 '\n        listen [::]:80;\n'; }\n", true},
	} {
		bubble(t, name, func(t *testing.T) {
			h := stockHost(t)
			h.apply(basic(t))
			conf := strings.Replace(stockConf, stockListens, tt.line, 1)
			h.write(host.NginxConf, conf)
			before := h.snapshot()
			r := h.apply(withoutStockLine(t))
			if refused := r.Result == engine.Failed; refused != tt.refused {
				t.Errorf("refused: %v\n%s", refused, summarize(r))
			}
			if tt.refused {
				h.untouched(before)
				return
			}
			h.unchanged(withoutStockLine(t))
			h.revertsTo(t, conf)
		})
	}
	bubble(t, "a link", func(t *testing.T) {
		h := stockHost(t)
		h.apply(basic(t))
		h.must(os.Rename(h.path(host.NginxConf), h.path("/etc/nginx/real.conf")))
		h.link("real.conf", host.NginxConf)
		r := h.apply(withoutStockLine(t))
		if r.Result != engine.Failed || h.content("/etc/nginx/real.conf") != stockConf {
			t.Errorf("%s\n%s", r.Result, summarize(r))
		}
	})
}

// On a kernel without IPv6 EPEL's nginx.conf is refused before EPEL, packages and policy are changed, and a key lets
// the run go through. With the sysctl alone nginx has its sockets, and starts.
func TestStockListenWithoutIPv6(t *testing.T) {
	bubble(t, "kept", func(t *testing.T) {
		h := stockHost(t)
		h.hasNoIPv6()
		h.fails(basic(t), stepnames.Validate, "nginx.stock_ipv6: remove")
	})
	bubble(t, "kept, and nginx is there", func(t *testing.T) {
		h := stockHost(t)
		h.apply(withoutStockLine(t))
		h.hasNoIPv6()
		h.fails(basic(t), stepnames.Validate, "nginx.stock_ipv6: remove does it")
	})
	bubble(t, "no addresses, by sysctl", func(t *testing.T) {
		h := stockHost(t)
		h.write("/proc/net/if_inet6", "")
		if r := h.apply(basic(t)); r.Result != engine.Changed {
			t.Errorf("%s\n%s", r.Result, summarize(r))
		}
	})
}
