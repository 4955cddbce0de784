package proxy

import (
	"context"
	"errors"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/managed"
	"wsprovision/provision/nginx"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/render"
	"wsprovision/provision/packages"
	"wsprovision/provision/site"
	"wsprovision/provision/state"
	"wsprovision/rpm"
)

// on is a host with these files.
func on(t *testing.T, files map[string]string) *host.Host {
	t.Helper()
	root := hosttest.Tree(t, files)
	return &host.Host{Root: root, Files: &host.Files{Root: root, Seam: &host.Seam{}}}
}

// What keeps IPv6 out is named where it stands: a site's listen, the stock line, or a line of somebody's.
func TestRemoval(t *testing.T) {
	v := &Candidate{Host: &host.Host{Root: t.TempDir()}, Config: config.Config{Sites: []config.Site{{Name: "chat"}}}}
	listen := func(file string, args ...string) conf.Directive {
		return conf.Directive{Name: "listen", Args: args, File: file, Line: 7}
	}
	for _, tt := range []struct {
		d    conf.Directive
		want string
	}{
		{listen(host.ConfDir+"/chat.conf", "[::]:80"), "[::]:80 from the listen of the site chat"},
		{listen(host.NginxConf, "[::]:80"),
			`"listen [::]:80;" in /etc/nginx/nginx.conf:7 (nginx.stock_ipv6: remove does it)`},
		{listen(host.NginxConf, "[::]:81"), `"listen [::]:81;" in /etc/nginx/nginx.conf:7`},
		{listen(host.ConfDir+"/x.conf", "[::]:80", "ssl"), `"listen [::]:80 ssl;" in /etc/nginx/conf.d/x.conf:7`},
	} {
		if got := v.removal("[::]:80", tt.d); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

// Another nginx than EPEL 7's is asked what it can; one that is not there, or does not answer, counts as that.
func TestBuildOf(t *testing.T) {
	const newer = "nginx version: nginx/1.27.4\nbuilt with OpenSSL 1.1.1\nconfigure arguments: --with-http_v2_module\n"
	for name, tt := range map[string]struct {
		there   bool
		version string
		says    string
		err     error
		want    string
		asked   bool
	}{
		"not there":           {false, "1.27.4", newer, nil, render.EPEL7.Version.String(), false},
		"EPEL 7's":            {true, render.EPEL7.Version.String(), newer, nil, render.EPEL7.Version.String(), false},
		"another":             {true, "1.27.4", newer, nil, "1.27.4", true},
		"no package":          {true, "", newer, nil, "1.27.4", true},
		"it does not answer":  {true, "1.27.4", "", errors.New("no"), render.EPEL7.Version.String(), true},
		"not understood":      {true, "1.27.4", "hello\n", nil, render.EPEL7.Version.String(), true},
		"not there, no other": {false, "", "", nil, render.EPEL7.Version.String(), false},
	} {
		files := map[string]string{"/etc/x": ""}
		if tt.there {
			files["/usr/sbin/nginx"] = "ELF"
		}
		h, asked := on(t, files), false
		read := func(_ context.Context, _ string, argv ...string) (string, string, int, error) {
			switch {
			case argv[0] == "/usr/sbin/nginx":
				asked = true
				return "", tt.says, 0, tt.err
			case tt.version == "":
				return "package nginx is not installed\n", "", 1, nil
			}
			out := "package policycoreutils-python is not installed\npackage epel-release is not installed\n"
			return "nginx\t1\t" + tt.version + "\t1.el7\tx86_64\n" + out, "", 2, nil
		}
		h.Nginx = nginx.Nginx{Root: h.Root, Read: read, Program: "/usr/sbin/nginx"}
		h.RPM = rpm.New(h.Root, read, nil)
		got := BuildOf(t.Context(), h, (&packages.Packages{Host: h}).NginxVersion)
		if got.Version.String() != tt.want || asked != tt.asked {
			t.Errorf("%s: %s, asked %v", name, got.Version, asked)
		}
	}
}

// A default_server of somebody else's keeps ours from its socket; one of ours does not, nor one of a UNIX socket.
func TestForeignDefaults(t *testing.T) {
	h := on(t, map[string]string{
		host.NginxConf: "events {}\nhttp {\n server { listen 80 default_server; listen 81; }\n" +
			" server { listen [::]:80 default_server; listen unix:/run/x default_server; }\n include " +
			"conf.d/*.conf;\n}\n",
		host.ConfDir + "/ours.conf": "server { listen 82 default_server; }\n",
		host.ConfDir + "/theirs.conf": "server { listen 127.0.0.1:83 default_server; listen 84 quic default_server; " +
			"}\n",
	})
	ledger := state.NewLedger(h.Files)
	ledger.Entries = []state.Entry{{Kind: state.KindFile, Name: host.ConfDir + "/ours.conf"}}
	s := &Sites{Host: h, Ledger: ledger, Managed: &managed.Files{Ledger: ledger}, Survey: &Survey{Host: h}}
	got := strings.Join(s.foreignDefaults(), " ")
	want := strings.Join([]string{site.Listen{Port: 80}.Socket(), site.Listen{Address: "::", Port: 80}.Socket(),
		site.Listen{Address: "127.0.0.1", Port: 83}.Socket()}, " ")
	if got != want && got != strings.Replace(want, site.Listen{Port: 80}.Socket(), site.Listen{Address: "0.0.0.0",
		Port: 80}.Socket(), 1) {
		t.Errorf("%s, want %s", got, want)
	}
}
