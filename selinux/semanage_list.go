package selinux

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// listedPorts asks semanage, which takes half a second. The list says nothing of the order; narrowest first is the kernel's, but for
// local records, which listedPorts' callers look up first.
func (h Host) listedPorts(ctx context.Context, why error) ([]Port, error) {
	out, err := h.list(ctx, why, "semanage", "port", "-l")
	if err != nil {
		return nil, err
	}
	ports, err := parsePortList(out)
	narrowestFirst(ports)
	return ports, err
}

// listedBoolean asks semanage, which needs selinuxfs for this (it crashes without, in 2.5).
func (h Host) listedBoolean(ctx context.Context, name string, why error) (Setting, error) {
	out, err := h.list(ctx, why, "semanage", "boolean", "-l")
	if err != nil {
		return Unknown, err
	}
	booleans, err := parseBooleanList(out)
	if err != nil {
		return Unknown, err
	}
	on, ok := booleans[name]
	if !ok {
		return Undefined, nil
	}
	return setting(on), nil
}

func (h Host) list(ctx context.Context, why error, argv ...string) (string, error) {
	if h.Read == nil {
		return "", why
	}
	out, stderr, status, err := h.Read(ctx, "", argv...)
	if err != nil {
		return "", fmt.Errorf("%w; %s: %w", why, strings.Join(argv, " "), err)
	}
	if status != 0 {
		return "", fmt.Errorf("%w; %s: exit status %d: %s", why, strings.Join(argv, " "), status, lastLines(stderr))
	}
	return out, nil
}

// parsePortList reads the table of `semanage port -l`. A type may stand on several lines, and a port twice on one:
//
//	SELinux Port Type              Proto    Port Number
//
//	http_port_t                    tcp      80, 81, 443, 488, 8008-8009
func parsePortList(text string) ([]Port, error) {
	var ports []Port
	seen := map[Port]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "SELinux Port Type ") {
			continue
		}
		f := strings.Fields(line)
		if len(f) < 3 {
			return nil, fmt.Errorf("%w: semanage port -l: %q", ErrUnknown, line)
		}
		for i, item := range f[2:] {
			comma := strings.HasSuffix(item, ",")
			low, high, isRange := strings.Cut(strings.TrimSuffix(item, ","), "-")
			if !isRange {
				high = low
			}
			p, err := newPort(f[1], low, high, f[0])
			if err != nil || comma == (i == len(f)-3) {
				return nil, fmt.Errorf("%w: semanage port -l: %q", ErrUnknown, line)
			}
			if !seen[p] {
				seen[p] = true
				ports = append(ports, p)
			}
		}
	}
	if len(ports) == 0 {
		return nil, fmt.Errorf("%w: semanage port -l lists no port", ErrUnknown)
	}
	return ports, nil
}

// name (running, persistent) description
var booleanLine = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)\s+\((?:on|off)\s*,\s*(on|off)\s*\)(?:\s|$)`)

// parseBooleanList reads the table of `semanage boolean -l`, of which the second value is the persistent one:
//
//	httpd_can_network_connect      (off  ,  off)  Allow httpd to can network connect
func parseBooleanList(text string) (map[string]bool, error) {
	booleans := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "SELinux boolean ") {
			continue
		}
		m := booleanLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("%w: semanage boolean -l: %q", ErrUnknown, line)
		}
		booleans[m[1]] = m[2] == "on"
	}
	if len(booleans) == 0 {
		return nil, fmt.Errorf("%w: semanage boolean -l lists no boolean", ErrUnknown)
	}
	return booleans, nil
}

// lastLines is the end of what a program said, on one line. A Python traceback ends with what matters.
func lastLines(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return "no message"
	}
	return strings.Join(lines[max(0, len(lines)-3):], " / ")
}
