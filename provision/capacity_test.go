package provision

import (
	"strings"
	"testing"

	"wsprovision/provision/capacity"
	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
)

const holds = "connections: 20000\n"

func roomyConfig(t testing.TB) config.Config { t.Helper(); return parse(t, oneSite+holds) }

// narrow is a host with the kernel's own limits.
func narrow(t testing.TB) *fakeHost {
	h := newFakeHost(t)
	h.write(somaxconnPath, "128\n")
	return h
}

// serving is one on which nginx serves the site already.
func serving(t testing.TB) *fakeHost {
	h := narrow(t)
	if r := h.apply(basic(t)); r.Result != engine.Changed {
		t.Fatalf("%s\n%s", r.Result, summarize(r))
	}
	return h
}

func roomyHost(t testing.TB) *fakeHost {
	h := serving(t)
	if r := h.apply(roomyConfig(t)); r.Result != engine.Changed {
		t.Fatalf("%s\n%s", r.Result, summarize(r))
	}
	return h
}

func narrowOffline(t testing.TB) *fakeHost {
	h := bareOffline(t)
	h.write(somaxconnPath, "128\n")
	return h
}

// limits are what the host grants: by the files, by the kernel, and what nginx's processes have.
func (h *fakeHost) limits() (line, dropIn, sysctl, running bool, master, worker uint64) {
	line = strings.Contains(h.content(host.NginxConf), "    worker_connections 43213; # wsprovision: connections\n")
	dropIn = strings.Contains(h.content(capacity.DropInPath), "\n[Service]\nLimitNOFILE=43725\n")
	sysctl = strings.Contains(h.content(capacity.SysctlPath), "\nnet.core.somaxconn = 20000\n")
	running = strings.TrimSpace(h.content(somaxconnPath)) == "20000"
	if h.web.master != 0 {
		master, worker = h.filesOf(h.web.master), h.filesOf(h.web.workers[0])
	}
	return line, dropIn, sysctl, running, master, worker
}

func (h *fakeHost) wantRoom(when string) {
	h.t.Helper()
	line, dropIn, sysctl, running, master, worker := h.limits()
	if !line || !dropIn || !sysctl || !running || h.web.master != 0 && (master != 43725 || worker != 43725) {
		h.t.Errorf("%s: line %v, drop-in %v, sysctl %v, running %v, master %d, worker %d", when, line, dropIn, sysctl,
			running, master, worker)
	}
	if conf := h.content(site); strings.Count(conf, " backlog=20000;") != strings.Count(conf, "listen ") {
		h.t.Errorf("%s: the sockets have no backlog:\n%s", when, conf)
	}
}

// What holds WebSockets back is raised by a reload, without a restart, and goes back with a revert.
func TestCapacity(t *testing.T) {
	bubble(t, "on a bare host", func(t *testing.T) {
		h := narrow(t)
		if r := h.apply(roomyConfig(t)); r.Result != engine.Changed {
			t.Fatalf("%s\n%s", r.Result, summarize(r))
		}
		h.wantRoom("applied")
		h.unchanged(roomyConfig(t))
	})
	bubble(t, "under open WebSockets, and back", func(t *testing.T) {
		h := serving(t)
		master := h.web.master
		r := h.apply(roomyConfig(t))
		if r.Result != engine.Changed || h.reloads != 1 || h.starts != 0 || h.web.master != master {
			t.Fatalf("%s, %d reloads, %d starts\n%s", r.Result, h.reloads, h.starts, summarize(r))
		}
		h.wantRoom("applied")
		h.unchanged(roomyConfig(t))
		r, err := NewRevert(h.host(Listener{}), Listener{}, false).Apply(t.Context())
		if err != nil || r.Result == engine.Failed {
			t.Fatalf("revert: %v\n%s", err, summarize(r))
		}
		line, dropIn, sysctl, running, open, _ := h.limits()
		if line || dropIn || sysctl || running || open != 43725 || h.content(somaxconnPath) != "128\n" {
			t.Errorf("reverted: %v %v %v %v, master %d, somaxconn %s", line, dropIn, sysctl, running, open,
				h.content(somaxconnPath))
		}
		if notes := strings.Join(step(t, r, stepnames.Capacity).Notes, "\n"); !strings.Contains(notes, "keeps") {
			t.Errorf("the revert does not say what stays: %s", notes)
		}
	})
	bubble(t, "no longer asked for", func(t *testing.T) {
		h := roomyHost(t)
		h.apply(basic(t))
		if line, dropIn, sysctl, running, _, _ := h.limits(); line || dropIn || sysctl || running {
			t.Errorf("%v %v %v %v", line, dropIn, sysctl, running)
		}
		h.unchanged(basic(t))
	})
	bubble(t, "more", func(t *testing.T) {
		h := roomyHost(t)
		c := parse(t, oneSite+"connections: 25000\n")
		h.apply(c)
		if conf := h.content(host.NginxConf); !strings.Contains(conf, "worker_connections 53880;") {
			t.Errorf("nginx.conf is\n%s", conf)
		}
		h.unchanged(c)
		h.revertsTo(t, confOfEPEL)
	})
	bubble(t, "in an installer's chroot", func(t *testing.T) {
		h := narrowOffline(t)
		h.apply(roomyConfig(t))
		line, dropIn, sysctl, running, _, _ := h.limits()
		if !line || !dropIn || !sysctl || running {
			t.Errorf("%v %v %v %v", line, dropIn, sysctl, running)
		}
	})
	bubble(t, "prlimit is denied", func(t *testing.T) {
		h := serving(t)
		h.noPrlimit = true
		r := h.apply(roomyConfig(t))
		if r.Result != engine.Changed || !strings.Contains(summarize(r), "restart of nginx.service brings 43725") {
			t.Errorf("%s\n%s", r.Result, summarize(r))
		}
	})
	bubble(t, "prlimit is known to be denied", func(t *testing.T) {
		h := serving(t)
		h.noPrlimit = true
		h.write("/proc/self/status", "Name:\tx\nCapEff:\t0000000000000000\n")
		h.apply(roomyConfig(t))
		h.unchanged(roomyConfig(t))
	})
	bubble(t, "higher limits of an administrator's are left", func(t *testing.T) {
		h := serving(t)
		h.write(host.NginxConf, strings.Replace(confOfEPEL, "1024", "65536", 1))
		h.write("/etc/systemd/system/nginx.service.d/limits.conf", "[Service]\nLimitNOFILE=1000000\n")
		h.write("/etc/sysctl.d/50-mine.conf", "net/core/somaxconn=65535\n")
		h.write(somaxconnPath, "65535\n")
		h.apply(roomyConfig(t))
		if h.exists(capacity.DropInPath) || h.exists(capacity.SysctlPath) || h.content(somaxconnPath) != "65535\n" ||
			!strings.Contains(h.content(host.NginxConf), "65536") {
			t.Errorf("%s %s %s", h.content(capacity.DropInPath), h.content(capacity.SysctlPath),
				h.content(host.NginxConf))
		}
	})
	bubble(t, "a backend on the loopback that one address is too few for", func(t *testing.T) {
		h := serving(t)
		c := parse(t, oneSite+"connections: 60000\n")
		h.apply(c)
		conf := h.content(site)
		if !strings.Contains(conf, "proxy_bind $wsprovision_") || !strings.Contains(conf, "*      127.0.0.3;") {
			t.Errorf("%s", conf)
		}
		h.unchanged(c)
	})
}

// What is not as it is understood is refused before anything is changed.
func TestHostileCapacity(t *testing.T) {
	other := strings.Replace(oneSite, "127.0.0.1:3000", "192.0.2.7:3000", 1)
	for name, tt := range map[string]struct {
		make func(h *fakeHost)
		site string
		step string
		says string
	}{
		"two on a line": {func(h *fakeHost) {
			h.write(host.NginxConf, strings.Replace(confOfEPEL, "    worker_connections 1024;\n",
				"    use epoll; worker_connections 1024;\n", 1))
		}, oneSite + holds, stepnames.Site, "43213"},
		"none": {func(h *fakeHost) {
			h.write(host.NginxConf, strings.Replace(confOfEPEL, "    worker_connections 1024;\n", "", 1))
		}, oneSite + holds, stepnames.Site, "43213"},
		"in an included file": {func(h *fakeHost) {
			h.write(host.NginxConf, strings.Replace(confOfEPEL, "    worker_connections 1024;\n",
				"    include /etc/nginx/events.conf;\n", 1))
			h.write("/etc/nginx/events.conf", "    worker_connections 1024;\n")
		}, oneSite + holds, stepnames.Site, "/etc/nginx/events.conf"},
		"the same text twice": {func(h *fakeHost) {
			h.write(host.NginxConf, confOfEPEL+"# \n    worker_connections 1024;\n")
		}, oneSite + holds, stepnames.Site, ""},
		"worker_rlimit_nofile": {func(h *fakeHost) {
			h.write(host.NginxConf, "worker_rlimit_nofile 2048;\n"+confOfEPEL)
		}, oneSite + holds, stepnames.Capacity, "worker_rlimit_nofile 2048"},
		"nr_open": {func(h *fakeHost) { h.write("/proc/sys/fs/nr_open", "10000\n") }, oneSite + holds,
			stepnames.Capacity, "at most 4191"},
		"a drop-in behind ours": {func(h *fakeHost) {
			h.write("/etc/systemd/system/nginx.service.d/zz.conf", "[Service]\nLimitNOFILE=4096\n")
		}, oneSite + holds, stepnames.Capacity, "zz.conf"},
		"a sysctl behind ours": {func(h *fakeHost) {
			h.write("/etc/sysctl.d/zz.conf", "net.core.somaxconn = 512\n")
		}, oneSite + holds, stepnames.Capacity, "zz.conf"},
		"more than one address of another host": {func(*fakeHost) {}, other + "connections: 30000\n", stepnames.Site,
			"at most 28032"},
		"the file is somebody else's": {func(h *fakeHost) { h.write(capacity.DropInPath, "[Service]\nNice=5\n") },
			oneSite + holds, stepnames.Capacity, "--adopt"},
		"the line was edited, to less": {func(h *fakeHost) {
			h.apply(roomyConfig(h.t))
			h.write(host.NginxConf, strings.Replace(h.content(host.NginxConf), "43213", "2048", 1))
		}, oneSite + holds, stepnames.Site, "on_drift"},
	} {
		bubble(t, name, func(t *testing.T) {
			h := serving(t)
			tt.make(h)
			h.fails(parse(t, tt.site), tt.step, tt.says)
		})
	}
	bubble(t, "the line was edited, and is replaced", func(t *testing.T) {
		h := roomyHost(t)
		mine := strings.Replace(h.content(host.NginxConf), "43213", "2048", 1)
		h.write(host.NginxConf, mine)
		c := parse(t, oneSite+holds+"on_drift: replace\n")
		h.apply(c)
		h.wantRoom("replaced")
		e, _ := h.ledger().Find(state.KindLine, "connections")
		if !strings.Contains(e.Before, "2048") {
			t.Errorf("the ledger knows %q, and not what was replaced", e.Before)
		}
	})
}

// TestNarrowBacklogs: where a listen of somebody else's keeps ours from a backlog, each plan says where one is to be
// written, and not where there is one that is as large.
func TestNarrowBacklogs(t *testing.T) {
	narrower := strings.Replace(oneSite, "listen: 80", `listen: "127.0.0.1:80"`, 1)
	for name, tt := range map[string]struct{ site, theirs, says string }{
		"nobody else": {oneSite, "80", ""},
		"options": {oneSite, "80 reuseport", "on 80 511 clients can wait, not 20000: the listen in " +
			theirListen + ":2"},
		"a smaller backlog":   {oneSite, "80 backlog=1024", "on 80 1024 clients can wait, not 20000"},
		"a larger backlog":    {oneSite, "80 backlog=30000", ""},
		"on another socket":   {oneSite, "127.0.0.1:80 backlog=1024", ""},
		"every address":       {narrower, "80", "the socket of every address of port 80, which nginx opens alone"},
		"and a large backlog": {narrower, "80 backlog=20000", ""},
		"ours has options":    {narrower, "127.0.0.1:80 deferred", "has options of the socket"},
	} {
		bubble(t, name, func(t *testing.T) {
			h := serving(t)
			h.write(theirListen, "server {\n    listen "+tt.theirs+";\n    server_name theirs.example.com;\n}\n")
			c := parse(t, tt.site+holds)
			h.apply(c)
			warned := strings.Join(step(t, h.plan(c), stepnames.Capacity).Warnings, "\n")
			if tt.says == "" && warned != "" || !strings.Contains(warned, tt.says) {
				t.Errorf("warned %q, want %q", warned, tt.says)
			}
		})
	}
}

const theirListen = "/etc/nginx/conf.d/theirs.conf"
