package selinux

import (
	"context"
	"io"
	"slices"
	"strings"

	"wsprovision/selinux/policydb"
)

// Ways are what lets httpd_t connect to ports of the type http_port_t, httpd_can_network_connect aside, in words: under
// the policy that the kernel has, and under the one that the next boot loads. Where both are empty, nothing does.
type Ways struct{ Now, NextBoot []string }

// WithoutConnect reads the rules of both policies. Running is false where the kernel enforces no policy of this host's:
// Now is then nil. An error wraps ErrUnknown.
func (h Host) WithoutConnect(ctx context.Context, running bool) (w Ways, err error) {
	if running {
		if w.Now, err = h.runningWays(ctx); err != nil {
			return w, err
		}
	}
	name, err := h.policies().policyFile()
	if err != nil {
		return w, err
	}
	g, err := walk(h.system(), name, grants)
	if err != nil {
		return w, err
	}
	w.NextBoot = ways(g, map[string]bool{})
	return w, nil
}

func grants(r io.Reader) (policydb.Grants, error) {
	return policydb.ReadGrants(r, policydb.Access{Source: HTTPDomain, Target: HTTPPort, Class: "tcp_socket",
		Permission: "name_connect"})
}

func (h Host) runningWays(ctx context.Context) ([]string, error) {
	dir, err := h.system().kernel()
	if err != nil {
		return nil, err
	}
	g, err := patiently(ctx, h.sleep, func() (policydb.Grants, error) {
		return walk(h.system(), dir+"/policy", grants)
	})
	if err != nil {
		return nil, err
	}
	set := map[string]bool{}
	for name := range g.Booleans {
		if now := h.system().runningBoolean(name); now == On || now == Off {
			set[name] = now == On
		}
	}
	return ways(g, set), nil
}

func ways(g policydb.Grants, set map[string]bool) (all []string) {
	set[HTTPConnect] = false
	for _, names := range g.By(set) {
		way := "a rule without a condition"
		if len(names) > 0 {
			way = "the boolean " + strings.Join(names, " and ")
		}
		if !slices.Contains(all, way) {
			all = append(all, way)
		}
	}
	return all
}
