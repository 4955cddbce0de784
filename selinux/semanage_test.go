package selinux

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"wsprovision/selinux/policydb"
)

// semanage behaves as RHEL 7.9's does (TestRecordedImport): one transaction, the first bad line ends it, records are
// found by exactly their range, -a looks for local ones only, and overlapping local ones fail at the end. It writes the
// store's files, and does not compile the policy.
type semanage struct {
	t      *testing.T
	host   Host
	policy []policydb.Port
	runs   []string // input of each run
	argv   [][]string
}

func (s *semanage) run(_ context.Context, stdin string, argv ...string) (stdout, stderr string, status int, err error) {
	s.runs = append(s.runs, stdin)
	s.argv = append(s.argv, argv)
	local, err := s.host.system().localPorts()
	must(s.t, err)
	booleans, err := s.host.system().localBooleans()
	must(s.t, err)
	for line := range strings.Lines(stdin) {
		if msg := s.line(strings.Fields(line), &local, booleans); msg != "" {
			return "", "ValueError: " + msg + "\n", 1, nil
		}
	}
	for i, a := range local {
		for _, b := range local[i+1:] {
			if a.Proto == b.Proto && a.Low <= b.High && b.Low <= a.High {
				return "", testdata(s.t, "rhel7-1.semanage-import-overlap.stderr"), 1, nil
			}
		}
	}
	s.write(local, booleans)
	return "", "", 0, nil
}

func (s *semanage) line(w []string, local *[]policydb.Port, booleans map[string]bool) string {
	w = slices.DeleteFunc(w, func(a string) bool { return a == "-N" })
	switch {
	case slices.Equal(w, []string{"boolean", "-D"}):
		clear(booleans)
		return ""
	case len(w) == 4 && w[0] == "boolean" && w[1] == "-m":
		if strings.HasPrefix(w[3], "no") {
			return "Boolean " + w[3] + " is not defined"
		}
		booleans[w[3]] = w[2] == "--on"
		return ""
	case len(w) == 7 && w[0] == "port" && w[2] == "-t" && w[4] == "-p":
		return s.port(w[1], w[3], w[5], w[6], local)
	case len(w) == 5 && w[0] == "port" && w[1] == "-d" && w[2] == "-p":
		return s.port(w[1], "", w[3], w[4], local)
	}
	s.t.Errorf("semanage was given %q", w)
	return "usage"
}

func (s *semanage) port(action, typ, proto, numbers string, local *[]policydb.Port) string {
	low, high, isRange := strings.Cut(numbers, "-")
	if !isRange {
		high = low
	}
	l, _ := strconv.Atoi(low)
	h, _ := strconv.Atoi(high)
	same := func(p policydb.Port) bool { return p.Proto == proto && p.Low == l && p.High == h }
	name := policydb.Port{Proto: proto, Low: l, High: h}
	ours := slices.ContainsFunc(*local, same)
	defined := ours || slices.ContainsFunc(s.policy, same)
	switch {
	case action == "-a" && ours:
		return fmt.Sprintf("Port %s already defined", name)
	case action == "-m" && !defined:
		return fmt.Sprintf("Port @%s is not defined", name)
	case action == "-d" && !defined:
		return fmt.Sprintf("Port %s is not defined", name)
	case action == "-d" && !ours:
		return fmt.Sprintf("Port %s is defined in policy, cannot be deleted", name)
	case typ == "nosuch_port_t":
		return "Type nosuch_port_t is invalid, must be a port type"
	}
	*local = slices.DeleteFunc(*local, same)
	if action != "-d" {
		*local = append(*local, policydb.Port{Proto: proto, Low: l, High: h, Type: typ})
	}
	return ""
}

func (s *semanage) write(local []policydb.Port, booleans map[string]bool) {
	var b strings.Builder
	for _, p := range local {
		fmt.Fprintf(&b, "portcon %s %s system_u:object_r:%s:s0\n", p.Proto,
			strings.Replace(p.Numbers(), "-", " - ", 1), p.Type)
	}
	write(s.t, s.host, portsLocal, b.String())
	b.Reset()
	for _, name := range slices.Sorted(maps.Keys(booleans)) {
		fmt.Fprintf(&b, "%s=%v\n", name, map[bool]int{true: 1, false: 0}[booleans[name]])
	}
	write(s.t, s.host, "etc/selinux/targeted/active/booleans.local", b.String())
}

func withSemanage(t *testing.T, files map[string]string) (Host, *semanage) {
	h := rhel7(t, files)
	s := &semanage{t: t, host: h, policy: wantPorts}
	h.Change = s.run
	return h, s
}

// Every case that a port can be in: the edit is the one that semanage accepts, and afterwards nothing is left to do.
func TestLabelPort(t *testing.T) {
	local := func(lines ...string) map[string]string {
		return map[string]string{portsLocal: strings.Join(lines, "\n") + "\n"}
	}
	tests := map[string]struct {
		files map[string]string
		port  int
		want  string // the edit; "" is nothing to do
	}{
		"default range":                      {nil, 4000, "port -a -t http_port_t -p tcp 4000"},
		"already that type in the policy":    {nil, 8443, ""},
		"exact, another type":                {nil, 8080, "port -m -t http_port_t -p tcp 8080"},
		"first of a range of another type":   {nil, 3000, "port -a -t http_port_t -p tcp 3000"},
		"last of a range of another type":    {nil, 3001, "port -a -t http_port_t -p tcp 3001"},
		"beside a range of another type":     {nil, 3002, "port -a -t http_port_t -p tcp 3002"},
		"same number of udp is another port": {nil, 53, "port -a -t http_port_t -p tcp 53"},
		"no record at all":                   {nil, 700, "port -a -t http_port_t -p tcp 700"},
		"local record of that type":          {local("portcon tcp 4000 system_u:object_r:http_port_t:s0"), 4000, ""},
		"local range of that type": {local("portcon tcp 2000 - 2010 system_u:object_r:http_port_t:s0"), 2005,
			""},
		"local record of another type": {local("portcon tcp 4000 system_u:object_r:ntop_port_t:s0"), 4000,
			"port -m -t http_port_t -p tcp 4000"},
		"redundant local record": {local("portcon tcp 8443 system_u:object_r:http_port_t:s0"), 8443, ""},
		"local record takes the type away": {local("portcon tcp 8443 system_u:object_r:ntop_port_t:s0"), 8443,
			"port -m -t http_port_t -p tcp 8443"},
		"beside a local range": {local("portcon tcp 4505 - 4515 system_u:object_r:ntop_port_t:s0"), 4516,
			"port -a -t http_port_t -p tcp 4516"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			h, s := withSemanage(t, tt.files)
			edit, before, err := h.LabelPort(ctx, "tcp", tt.port, "http_port_t")
			must(t, err)
			if edit == nil {
				if tt.want != "" || before.Stored != "http_port_t" {
					t.Fatalf("no edit of %+v, want %q", before, tt.want)
				}
				return
			}
			if got := strings.Join(edit.words(true), " "); got != tt.want {
				t.Fatalf("edit %q, want %q", got, tt.want)
			}
			must(t, h.Commit(ctx, []Edit{*edit}, true))
			edit, after, err := h.LabelPort(ctx, "tcp", tt.port, "http_port_t")
			if err != nil || edit != nil || after.Stored != "http_port_t" || len(s.runs) != 1 {
				t.Errorf("afterwards %v, %+v, %v after %d runs, want nothing to do after 1", edit, after, err,
					len(s.runs))
			}
		})
	}
}

func TestLabelPortOverlap(t *testing.T) {
	h, s := withSemanage(t, map[string]string{portsLocal: "portcon tcp 4505 - 4515 system_u:object_r:ntop_port_t:s0\n"})
	for _, port := range []int{4505, 4511, 4515} {
		_, _, err := h.LabelPort(context.Background(), "tcp", port, "http_port_t")
		var overlap *OverlapError
		if !errors.As(err, &overlap) ||
			overlap.Local != (policydb.Port{Proto: "tcp", Low: 4505, High: 4515, Type: "ntop_port_t"}) ||
			overlap.Port != port {
			t.Fatalf("tcp/%d: %v, want an OverlapError", port, err)
		}
		if want := "semanage port -m -t http_port_t -p tcp 4505-4515"; !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %q", err, want)
		}
	}
	// It is what semanage would have refused, after rebuilding the policy.
	err := h.Commit(context.Background(),
		[]Edit{AddPort(policydb.Port{Proto: "tcp", Low: 4511, High: 4511, Type: "http_port_t"})}, true)
	if err == nil || !strings.Contains(err.Error(), "port overlap between ranges 4505 - 4515") || len(s.runs) != 1 {
		t.Errorf("Commit() = %v, want semanage's words", err)
	}
}

// Who is not root cannot open the store, but the policy on disk says enough where there is nothing to do.
func TestLabelPortWithoutRoot(t *testing.T) {
	if os.Getuid() != 0 {
		cannot(t, "needs root, to become nobody")
	}
	h := rhel7(t, nil)
	must(t, os.Chmod(h.system().path("etc/selinux/targeted/active"), 0o700))
	asNobody(t, h.Root, func() {
		edit, _, err := h.LabelPort(context.Background(), "tcp", 8443, "http_port_t")
		if edit != nil || err != nil {
			t.Errorf("8443: %v, %v, want nothing to do", edit, err)
		}
		_, before, err := h.LabelPort(context.Background(), "tcp", 3000, "http_port_t")
		if !errors.Is(err, ErrUnknown) || !errors.Is(err, os.ErrPermission) || before.Stored != "ntop_port_t" {
			t.Errorf("3000: %+v, %v, want ntop_port_t and a permission error", before, err)
		}
		b, err := h.Boolean(context.Background(), "httpd_graceful_shutdown")
		if want := (Boolean{"httpd_graceful_shutdown", On, On, Unknown}); err != nil || b != want {
			t.Errorf("boolean: %+v, %v, want %+v", b, err, want)
		}
	})
}
