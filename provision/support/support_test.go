package support

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/status"
	"wsprovision/systemd"
)

// gatherer looks at a tree of its own. No program of the machine's is run.
func gatherer(t *testing.T, files map[string]string) *Gatherer {
	t.Helper()
	h := host.New(systemd.Where{Place: systemd.Chroot}, nil, nil, &host.Seam{})
	h.Root = t.TempDir()
	h.Files = &host.Files{Root: h.Root, Seam: &host.Seam{}}
	h.Nginx.Root, h.SELinux.Root = h.Root, h.Root
	h.Nginx.Read = func(_ context.Context, _ string, argv ...string) (string, string, int, error) {
		if argv[0] == "rpm" {
			return "nginx-1.20.1-10.el7.x86_64\n", "", 0, nil
		}
		return "said token=s3cret", "", 1, nil
	}
	h.Units = func(context.Context) (systemd.Units, error) { return nil, errors.New("systemd does not answer") }
	for name, text := range files {
		path := h.Root + name
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text),
			0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return &Gatherer{Host: h, Agent: "1.1.0", Build: map[string]string{"version": "1.1.0"},
		Input: config.Input{DefaultFile: h.Root + "/etc/wsprovision/wsprovision.yaml", SitesDir: "/none"},
		Status: func(context.Context) status.Report {
			return status.Report{Now: status.Now{Steps: []engine.StepReport{{Error: "password=s3cret"}}}}
		}}
}

// unpacked are the files of an archive.
func unpacked(t *testing.T, content []byte) map[string]string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for r := tar.NewReader(z); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil || header.Mode != 0o600 || header.Typeflag != tar.TypeReg {
			t.Fatalf("%s: mode %o, %v", header.Name, header.Mode, err)
		}
		all[strings.TrimPrefix(header.Name, "wsprovision-support/")] = string(text)
	}
}

// TestHostileArchive: whatever holds a secret on the host, it is not in the archive; what helps is.
func TestHostileArchive(t *testing.T) {
	const avc = "type=AVC msg=audit(1.000:1): avc:  denied  { name_connect } for  pid=1 comm=\"nginx\" dest=3000\n"
	g := gatherer(t, map[string]string{
		"/etc/os-release": "ID=\"rhel\"\n", "/proc/version": "Linux version 3.10.0\n",
		"/etc/nginx/nginx.conf": "events {}\nhttp { include /etc/nginx/conf.d/*.conf; }\n",
		"/etc/nginx/conf.d/a.conf": "server { # s3cret\n listen 80; location / {\n" +
			"proxy_pass http://u:s3cret@127.0.0.1:3000;\n" +
			"proxy_set_header Authorization\n\"Basic s3cret\"; auth_basic_user_file /etc/nginx/users; } }\n",
		"/etc/nginx/users":                  "bob:$apr1$s3cret$s3cret\n",
		"/etc/pki/tls/private/a.key":        "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n",
		"/etc/wsprovision/wsprovision.yaml": "report_url: https://u:s3cret@h/?s3cret\nepel:\n  source: none\n",
		"/var/log/audit/audit.log":          strings.Repeat("x\n", mostAudit) + avc,
		"/var/lib/wsprovision/ledger.json": `{"ledger_version": 1, "entries": [{"kind": "file", ` +
			`"name": "/etc/nginx/conf.d/` +
			`b.conf", "before": "0", "left": "1", "bytes": "czNjcmV0"}]}`,
		"/var/log/wsprovision/20261130T170000.123Z.json": `{"report_version": 1, "command": "apply", ` +
			`"steps": [{"name": ` +
			`"server-block", "status": "changed", "changes": [{"object": "file /x", "from": "absent", ` +
			`"to": "written", ` +
			`"diff": "+    proxy_set_header X-Key \"s3cret\";\n"}]}]}`,
	})
	a := g.Gather(t.Context(), time.Unix(1790000000, 0))
	content, err := a.Pack()
	if err != nil {
		t.Fatal(err)
	}
	all := unpacked(t, content)
	for name, text := range all {
		if strings.Contains(text, "s3cret") || strings.Contains(text, "czNjcmV0") {
			t.Errorf("%s holds a secret:\n%s", name, text)
		}
	}
	for name, want := range map[string]string{
		"os-release": "rhel", "kernel": "3.10.0", "version.json": "1.1.0", "packages": "nginx-1.20.1",
		"configuration/wsprovision.yaml": "report_url: https://…@h/?…",
		"configuration/effective.yaml":   "on_drift: fail",
		"nginx/nginx-T":                  "# configuration file /etc/nginx/conf.d/a.conf:\nserver {\n    listen 80;\n",
		"selinux/denials":                avc, "selinux/labels": "/etc/nginx/conf.d/a.conf",
		"state/ledger.json":                 "/etc/nginx/conf.d/b.conf",
		"reports/20261130T170000.123Z.json": "proxy_set_header X-Key …;", "units/journal": "said token=…",
		"status.json": "password=…", "CONTENTS": "units/nginx.service.json",
	} {
		if !strings.Contains(all[name], want) {
			t.Errorf("%s does not hold %q:\n%s", name, want, all[name])
		}
	}
	if !strings.Contains(all["CONTENTS"], "lacking: systemd does not answer") || len(a.Lacking()) < 2 ||
		a.Hidden() < 5 {
		t.Errorf("%d places hidden, lacking %v\n%s", a.Hidden(), a.Lacking(), all["CONTENTS"])
	}
}

// TestHostileBrokenHost: what hangs, panics or is endless costs its own part and no other.
func TestHostileBrokenHost(t *testing.T) {
	g := gatherer(t, map[string]string{
		"/etc/nginx/nginx.conf": "events {\nhttp { include /etc/nginx/none.conf;\n" +
			"proxy_set_header A \"s3cret\"; \n",
		"/etc/nginx/conf.d/b.conf":          "server { listen 8080; }\n",
		"/etc/wsprovision/wsprovision.yaml": "sites: [\n", "/var/lib/wsprovision/ledger.json": "{",
		"/var/lib/wsprovision/report.json": "not JSON", "/var/log/wsprovision/1.json": strings.Repeat("[", 1<<20),
	})
	if err := unix.Mkfifo(g.Root+"/etc/os-release", 0o600); err != nil {
		t.Fatal(err)
	}
	forever := make(chan struct{})
	defer close(forever)
	g.Nginx.Read = func(ctx context.Context, _ string, argv ...string) (string, string, int, error) {
		switch argv[0] {
		case "journalctl":
			<-forever
		case "rpm":
			return strings.Repeat("long\n", mostPart), "", 0, nil
		}
		panic("no such program")
	}
	g.Status = func(context.Context) status.Report { <-forever; return status.Report{} }
	g.PartTime = time.Second
	a := g.Gather(t.Context(), time.Unix(1790000000, 0))
	content, err := a.Pack()
	if err != nil {
		t.Fatal(err)
	}
	all := unpacked(t, content)
	if !strings.Contains(all["nginx/nginx-T"], "listen 8080") || strings.Contains(all["nginx/nginx-T"], "s3cret") {
		t.Errorf("of a broken configuration: %s", all["nginx/nginx-T"])
	}
	lacking := map[string]string{}
	for _, p := range a.Lacking() {
		lacking[p.Name] = p.Lacking
	}
	for name, want := range map[string]string{"os-release": "not a regular file",
		"units/journal": "did not come within",
		"status.json":   "did not come within", "nginx/nginx-V": "a fault of wsprovision's",
		"packages":                     "only the last",
		"configuration/effective.yaml": "is not YAML", "state/ledger.json": "ledger.json", "reports/1.json": "1.json",
		"state/report.json": "report.json", "state/deferred.yaml": "there is none", "nginx/nginx-T": "nginx.conf"} {
		if !strings.Contains(lacking[name], want) {
			t.Errorf("%s: lacking %q, want %q", name, lacking[name], want)
		}
	}
	if len(all["packages"]) > mostPart {
		t.Errorf("a part of %d bytes", len(all["packages"]))
	}
}
