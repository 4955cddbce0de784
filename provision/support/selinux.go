package support

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/hostfile"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/secret"
)

const (
	auditLog    = "/var/log/audit/audit.log"
	mostAudit   = 2 << 20 // of its end
	mostDenials = 500
)

// denials are the last ones of auditd's log or, where it writes none, of the kernel's.
func (g *Gatherer) denials(ctx context.Context) (string, error) {
	text, err := g.tail(ctx, auditLog, mostAudit)
	if err != nil {
		var failed error
		if text, failed = g.program(ctx, "journalctl", "--no-pager", "-q", "-k", "-n", "20000"); failed != nil {
			return "", errors.Join(err, failed)
		}
		err = nil
	}
	var found []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, "avc:") && strings.Contains(line, "denied") {
			found = append(found, line)
		}
	}
	found = found[max(0, len(found)-mostDenials):]
	if len(found) == 0 {
		return "no denial is in the log\n", err
	}
	return secret.Scrub(strings.ToValidUTF8(strings.Join(found, ""), "\ufffd")), err
}

// tail is the end of a file that grows.
func (g *Gatherer) tail(ctx context.Context, path string, most int64) (string, error) {
	file, err := hostfile.Open(g.Root + path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	from := io.NewSectionReader(file, max(0, info.Size()-most), most)
	content, err := io.ReadAll(hostfile.Until(ctx, from))
	if _, rest, cut := bytes.Cut(content, []byte("\n")); cut && info.Size() > most {
		content = rest // the first line is a half
	}
	return string(content), err
}

// labelled are paths of which the label matters.
var labelled = []string{"/usr/sbin/nginx", "/etc/nginx", host.ConfDir, "/etc/nginx/default.d", "/var/log/nginx",
	"/var/log/nginx/error.log", "/var/log/nginx/access.log", "/run/nginx.pid", "/var/lib/nginx", "/var/lib/nginx/tmp",
	"/etc/wsprovision", "/etc/wsprovision/wsprovision.yaml", "/etc/wsprovision/sites.d", host.StateDir,
	"/var/log/wsprovision", "/run/wsprovision", "/usr/sbin/wsprovision", "/.autorelabel"}

// labels are those of nginx's files, of the sites' certificates and backends, and of the agent's.
func (g *Gatherer) labels(context.Context) (string, error) {
	tree, _ := conf.Load(g.Root, host.NginxConf, nil)
	paths := slices.Concat(labelled, g.nginxFiles(tree), g.sitePaths())
	slices.Sort(paths)
	var b strings.Builder
	for _, path := range slices.Compact(paths) {
		info, err := os.Lstat(g.Root + path)
		if err != nil {
			continue
		}
		owner := "?"
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			owner = fmt.Sprintf("%d:%d", st.Uid, st.Gid)
		}
		fmt.Fprintf(&b, "%s %-9s %s %s\n", info.Mode(), owner, g.label(path, info), path)
	}
	return b.String(), nil
}

func (g *Gatherer) label(path string, info os.FileInfo) string {
	if g.Files.FileLabel == nil {
		return "-"
	}
	have, err := g.Files.FileLabel(path)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	want, err := g.Files.PolicyLabel(path, info.Mode())
	if err == nil && want != "" && host.TypeOf(want) != host.TypeOf(have) {
		have += " (the policy has " + want + ")"
	}
	if have == "" {
		return "-"
	}
	return have
}

// sitePaths are files that the configuration names.
func (g *Gatherer) sitePaths() (all []string) {
	c, err := config.Load(g.Input)
	if err != nil {
		return nil
	}
	for _, s := range c.Sites {
		if s.TLS != nil {
			all = append(all, s.TLS.Certificate, s.TLS.Key)
		}
		for _, l := range s.Locations {
			for _, b := range l.Backends {
				if b.Socket != "" {
					all = append(all, b.Socket)
				}
			}
		}
	}
	return slices.DeleteFunc(all, func(path string) bool { return path == "" })
}

// booleans are those that decide what nginx may reach.
var booleans = []string{"httpd_can_network_connect", "httpd_graceful_shutdown", "httpd_can_network_relay",
	"httpd_setrlimit", "nis_enabled"}

func (g *Gatherer) settings(ctx context.Context) (string, error) {
	var b strings.Builder
	for _, name := range booleans {
		state, err := g.SELinux.Boolean(ctx, name)
		if err != nil {
			fmt.Fprintf(&b, "boolean %s: %v\n", name, err)
			continue
		}
		fmt.Fprintf(&b, "boolean %s: running %s, persistent %s, local %s\n", name, state.Running, state.Persistent,
			state.Local)
	}
	c, err := config.Load(g.Input)
	if err != nil {
		return b.String(), err
	}
	ports := map[int]bool{}
	for _, s := range c.Sites {
		for _, l := range s.Sockets() {
			ports[l.Port] = true
		}
		for _, l := range s.Locations {
			for _, backend := range l.Backends {
				ports[backend.Port] = backend.Port > 0
			}
		}
	}
	for _, port := range slices.Sorted(maps.Keys(ports)) {
		if !ports[port] {
			continue
		}
		state, err := g.SELinux.Port(ctx, "tcp", port)
		if err != nil {
			fmt.Fprintf(&b, "port tcp/%d: %v\n", port, err)
			continue
		}
		fmt.Fprintf(&b, "port tcp/%d: %+v\n", port, state)
	}
	return b.String(), nil
}
