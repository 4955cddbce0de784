package selinux

import (
	"context"
	"slices"
	"strings"
	"testing"

	"wsprovision/selinux/policydb"
)

// recorded is one run of a RHEL 7.9 program (policycoreutils-python 2.5-29, libsemanage 2.5-14), without selinuxfs.
type recorded struct {
	input          string // of semanage import
	stdout, stderr string
	status         int
}

func recording(t *testing.T, name string) recorded {
	t.Helper()
	read := func(what string) string { return testdata(t, "rhel7-1."+name+"."+what) }
	r := recorded{stdout: read("stdout"), stderr: read("stderr")}
	_, text, _ := strings.Cut(read("argv"), `printf "`)
	text, _, _ = strings.Cut(text, `" |`)
	r.input = strings.ReplaceAll(text, `\n`, "\n")
	r.status = slices.Index([]string{"0", "1", "2"}, strings.TrimSpace(read("status")))
	if r.status < 0 {
		t.Fatalf("%s: no status", name)
	}
	return r
}

// Each recorded import is what Commit asks for, and what semanage said of it then is what Commit says now. The
// stand-in for semanage that the other tests have answers alike.
func TestRecordedImport(t *testing.T) {
	http := func(low, high int) policydb.Port {
		return policydb.Port{Proto: "tcp", Low: low, High: high, Type: "http_port_t"}
	}
	local3000 := "portcon tcp 3000 system_u:object_r:http_port_t:s0\n"
	for _, tt := range []struct {
		name  string
		local string // ports.local before
		edits []Edit
		want  string
	}{
		{"first", "", []Edit{SetBoolean("httpd_can_network_connect", true), AddPort(http(3000, 3000))}, ""},
		{"again", local3000, []Edit{AddPort(http(3000, 3000))},
			"exit status 1: ValueError: Port tcp/3000 already defined"},
		{"policy-record", "", []Edit{AddPort(http(8080, 8080))}, ""},
		{"modify-absent", "", []Edit{ModifyPort(http(3002, 3002))},
			"exit status 1: ValueError: Port @tcp/3002 is not defined"},
		{"bad-boolean", "", []Edit{SetBoolean("nosuch_boolean", true)},
			"exit status 1: ValueError: Boolean nosuch_boolean is not defined"},
		{"bad-type", "", []Edit{AddPort(policydb.Port{Proto: "tcp", Low: 4000, High: 4000, Type: "nosuch_port_t"})},
			"exit status 1: ERROR: could not find datum for type nosuch_port_t / ValueError: Type nosuch_port_t is " +
				"invalid, must be a port type"},
		{"overlap", "", []Edit{AddPort(http(4505, 4515)), AddPort(http(4511, 4511))},
			"exit status 1: libsemanage.semanage_port_validate_local: port overlap between ranges 4505 - 4515 (tcp) " +
				"<--> 4511 - 4511 (tcp). (No such file or directory). / OSError: No such file or directory"},
		{"locked", "", []Edit{AddPort(http(4600, 4600))}, "/etc/selinux/targeted/semanage.trans.LOCK is held by " +
			"another process, waited 0s: libsemanage.semanage_get_lock: Could not get direct transaction lock at " +
			"/etc/selinux/targeted/semanage.trans.LOCK. (Resource temporarily unavailable). / OSError: Resource " +
			"temporarily unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := recording(t, "semanage-import-"+tt.name)
			h, fake := withSemanage(t, map[string]string{portsLocal: tt.local})
			var input string
			h.Change = func(_ context.Context, stdin string, _ ...string) (string, string, int, error) {
				input = stdin
				return r.stdout, r.stderr, r.status, nil
			}
			err := h.Commit(t.Context(), tt.edits, false)
			if got := strings.TrimPrefix(errText(err), "semanage import: "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if input != r.input {
				t.Errorf("semanage was given %q, and then %q", input, r.input)
			}
			if tt.name == "locked" {
				return
			}
			_, stderr, status, _ := fake.run(t.Context(), r.input)
			if status != r.status || !strings.HasSuffix(r.stderr, stderr) {
				t.Errorf("the stand-in says %d %q, semanage said %d %q", status, stderr, r.status, r.stderr)
			}
		})
	}
}

// A comment is no line for semanage: none is ever written, and its usage on stdout is no error's text.
func TestRecordedBadLine(t *testing.T) {
	r := recording(t, "semanage-import-bad-line")
	h := rhel7(t, nil)
	h.Change = says(r.stdout, r.stderr, r.status)
	err := h.Commit(t.Context(), []Edit{SetBoolean("a", true)}, false)
	if want := "semanage import: exit status 2: no message"; errText(err) != want {
		t.Errorf("got %q, want %q", errText(err), want)
	}
}

// What only the lone `semanage port -a` refuses: an import takes the same (TestRecordedImport, policy-record).
func TestRecordedPortOutsideAnImport(t *testing.T) {
	r := recording(t, "semanage-port-a-policy-record")
	if r.status != 1 || r.stderr != "ValueError: Port tcp/8443 already defined\n" {
		t.Errorf("recorded: %d %q", r.status, r.stderr)
	}
}

// The files of the store, as libsemanage 2.5 wrote them.
func TestRecordedStore(t *testing.T) {
	h := rhel7(t, map[string]string{
		portsLocal: testdata(t, "rhel7-1.ports.local"),
		"etc/selinux/targeted/active/booleans.local": testdata(t, "rhel7-1.booleans.local"),
	})
	ports, err := h.system().localPorts()
	http := func(port int) policydb.Port {
		return policydb.Port{Proto: "tcp", Low: port, High: port, Type: "http_port_t"}
	}
	if want := []policydb.Port{http(3000), http(8080)}; err != nil || !slices.Equal(ports, want) {
		t.Errorf("ports %v, %v, want %v", ports, err, want)
	}
	booleans, err := h.system().localBooleans()
	if err != nil || len(booleans) != 1 || !booleans["httpd_can_network_connect"] {
		t.Errorf("booleans %v, %v", booleans, err)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
