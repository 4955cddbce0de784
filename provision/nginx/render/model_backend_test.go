package render_test

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"wsprovision/provision/site"
)

// drawBackends draws whatever the loader accepts of a location's backends.
func drawBackends(t *rapid.T, l *site.Location) {
	https := rapid.IntRange(0, 2).Draw(t, "https") == 0
	one := func(i int) site.Backend {
		if !https && rapid.IntRange(0, 3).Draw(t, "unix") == 0 {
			return site.Backend{Socket: fmt.Sprintf("/run/app@1/%d.sock", i)}
		}
		return site.Backend{HTTPS: https,
			Host: rapid.SampledFrom([]string{"127.0.0.1", "::1", "192.0.2.7", "backend.internal",
				"localhost"}).Draw(t, "host"), Port: 2000*i + rapid.IntRange(1, 2000).Draw(t, "port")}
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "backends") {
		l.Backends = append(l.Backends, one(i))
	}
	if len(l.Backends) == 1 && l.Backends[0].Named() && !l.StripPrefix && rapid.Bool().Draw(t, "resolver") {
		l.Resolver = rapid.SampledFrom([][]string{{"127.0.0.1"}, {"127.0.0.1:5353", "[::1]"}}).Draw(t, "resolvers")
	} else {
		drawMethod(t, l)
	}
	if https {
		l.BackendTLS = rapid.SampledFrom([]*site.BackendTLS{{Name: "app.internal"}, {Name: "b", Unverified: true},
			{Unverified: true}}).Draw(t, "trust")
	}
}

func drawMethod(t *rapid.T, l *site.Location) {
	l.Balance = rapid.SampledFrom([]string{"", "", "round_robin", "least_conn", "ip_hash", "hash $remote_addr",
		"hash $host$arg_room consistent"}).Draw(t, "balance")
	l.Keepalive = rapid.SampledFrom([]int{0, 0, 1, 32}).Draw(t, "keepalive")
	for i := range l.Backends {
		b := &l.Backends[i]
		b.Weight = rapid.SampledFrom([]int{0, 0, 3}).Draw(t, "weight")
		if n := rapid.IntRange(-2, 3).Draw(t, "fails"); n >= 0 {
			b.MaxFails = &n
		}
		sticky := l.Balance == "ip_hash" || strings.HasPrefix(l.Balance, "hash")
		b.Backup = i > 0 && !sticky && rapid.Bool().Draw(t, "backup")
	}
}

// upstreamText is what stands in the location's upstream.
func upstreamText(l site.Location) string {
	lines := []string{}
	if l.Balance != "" && l.Balance != "round_robin" {
		lines = append(lines, strings.ReplaceAll(l.Balance, " ", "|"))
	}
	for _, b := range l.Backends {
		at := b.Address() + strings.ReplaceAll(b.Options(), " ", "|")
		if len(l.Backends) == 1 && b.Host != "" && strings.Trim(b.Host, "0123456789.:") != "" && b.MaxFails == nil {
			at += "|max_fails=0"
		}
		lines = append(lines, "server|"+at)
	}
	if l.Keepalive > 0 {
		lines = append(lines, fmt.Sprintf("keepalive|%d", l.Keepalive))
	}
	return strings.Join(lines, "\n")
}

// trustText is another for locations that judge certificates otherwise.
func trustText(l site.Location) string {
	if len(l.Backends) == 0 || !l.Backends[0].HTTPS {
		return ""
	}
	return fmt.Sprint(l.Trust())
}

func (m *model) upstreamOf(of site.Location) string {
	n := 0
	seen := map[string]bool{}
	for _, l := range m.Locations {
		g := upstreamText(l) + trustText(l)
		switch {
		case l.Root != "" || l.Resolver != nil || seen[g]:
		case g == upstreamText(of)+trustText(of):
			return fmt.Sprintf("wsprovision_%s_%d", m.id, n)
		default:
			seen[g] = true
			n++
		}
	}
	return "?"
}

func (m *model) upstreams() {
	done := map[string]bool{}
	for _, l := range m.Locations {
		if name := m.upstreamOf(l); l.Root == "" && l.Resolver == nil && !done[name] {
			done[name] = true
			m.block("upstream|"+name, strings.Split(upstreamText(l), "\n")...)
		}
	}
}

func (m *model) connection(l site.Location) string {
	if l.Keepalive == 0 {
		return m.of("connection")
	}
	m.share("map|"+m.of("upgrade")+"|"+m.of("keepalive"), "default|", "websocket|upgrade")
	return m.of("keepalive")
}

func (m *model) resolved(l site.Location, scheme string) {
	m.add("  resolver|%s|ipv6=off", strings.Join(l.Resolver, "|"))
	m.add("  set|%s|%s", m.of("backend"), l.Backends[0].Address())
	m.add("  proxy_pass|%s://%s", scheme, m.of("backend"))
}

func (m *model) backendTLS(l site.Location) {
	if !l.Backends[0].HTTPS {
		return
	}
	m.add("  proxy_ssl_protocols|TLSv1.2|TLSv1.3")
	name := l.Trust().Name
	if strings.Trim(name, "0123456789.:") != "" && !strings.Contains(name, ":") {
		m.add("  proxy_ssl_server_name|on")
		m.add("  proxy_ssl_name|%s", name)
	}
	if !l.Trust().Unverified {
		m.add("  proxy_ssl_verify|on")
		m.add("  proxy_ssl_verify_depth|3")
		m.add("  proxy_ssl_trusted_certificate|%s", l.Trust().CA)
	}
}
