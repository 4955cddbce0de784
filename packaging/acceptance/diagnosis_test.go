//go:build acceptance

package acceptance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"wsprovision/packaging/acceptance/vm"
)

// verdict is what a scenario needs of verify's JSON.
type verdict struct {
	Result  string `json:"result"`
	Targets []struct {
		URL       string     `json:"url"`
		Address   string     `json:"address"`
		Result    string     `json:"result"`
		Echo      bool       `json:"with_echo"`
		Diagnosis *diagnosed `json:"diagnosis"`
		Checks    []struct{ Name, Result, Error string }
		Timing    struct {
			Count, Failed int
			Handshake     percentiles `json:"handshake_ms"`
			RoundTrip     percentiles `json:"round_trip_ms"`
		}
	} `json:"targets"`
	Warnings []diagnosed `json:"warnings"`
}

type diagnosed struct {
	Code, Cause, Mend string
	Evidence          []string
}

type percentiles struct{ P50, P90, P99, Max float64 }

// all are the diagnoses of all targets, each code once.
func (v verdict) all() []diagnosed {
	var all []diagnosed
	for _, t := range v.Targets {
		if d := t.Diagnosis; d != nil && !slices.ContainsFunc(all, func(o diagnosed) bool { return o.Code == d.Code }) {
			all = append(all, *d)
		}
	}
	return all
}

func codes(all []diagnosed) string {
	var names []string
	for _, d := range all {
		names = append(names, d.Code)
	}
	return strings.Join(names, " ")
}

// checks are the names of the checks with that result, of the last target that has any.
func (v verdict) checks(result string) string {
	var names []string
	for _, t := range slices.Backward(v.Targets) {
		for _, c := range t.Checks {
			if c.Result == result {
				names = append(names, c.Name)
			}
		}
		if len(names) > 0 {
			break
		}
	}
	return strings.Join(names, " ")
}

const verifyCommand = "wsprovision verify --output json "

// watched runs a command between two looks at what nobody who only reads changes, and complains on stderr of what
// changed. It is one command, and starts few programs: there are many causes, and the machine is slow.
const watched = `state() { cat /sys/fs/selinux/enforce /sys/fs/selinux/booleans/*; pgrep -x nginx; }
touch /root/.began
before=$(state)
%s
status=$?
[ "$(state)" = "$before" ] || echo "CHANGED: SELinux, or nginx's processes" >&2
find /etc/nginx /etc/selinux /etc/systemd /var/lib/selinux /var/lib/wsprovision -newer /root/.began -printf ` +
	`'CHANGED: %%p\n' >&2
exit $status`

// verify requires besides that nothing on the host is changed by it.
func (m *machine) verify(t testing.TB, flags string) verdict {
	t.Helper()
	r := m.try(fmt.Sprintf(watched, verifyCommand+flags), nil)
	if strings.Contains(r.stderr, "CHANGED: ") {
		t.Errorf("verify %s: it is to read only:\n%s", flags, r.stderr)
	}
	return readVerdict(t, flags, r)
}

func readVerdict(t testing.TB, flags string, r result) verdict {
	t.Helper()
	var v verdict
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil {
		t.Fatalf("verify %s: exit status %d, %v:\n%s", flags, r.status, err, r.output)
	}
	if want := map[string]int{"ok": 0, "failed": 1}[v.Result]; r.status != want {
		t.Errorf("verify %s: %s, exit status %d, want %d", flags, v.Result, r.status, want)
	}
	return v
}

// Every cause of a failing WebSocket is brought about, and named, and no other.
func TestDiagnosis(t *testing.T) {
	t.Parallel()
	everyCodeIsProduced(t)
	m := start(t, workshop)
	silence := m.beginSilence(t)
	var at *state // what the machine is in, as long as nothing was done to it
	brought := broughtQuickly(t)
	for _, tt := range causes {
		if code := tt.want + tt.warning; !*allRows && tt.make != "" && brought[code] {
			continue
		} else if tt.make != "" {
			brought[code] = true // another cause of the same code is for make test-all
		}
		if tt.from == nil {
			tt.from = workshop
		}
		if tt.verify == "" {
			tt.verify = theSite
		}
		if silence != nil && (tt.from != workshop || tt.make != "") {
			t.Run("silence", silence)
			silence, at = nil, &state{}
		}
		t.Run(tt.name, func(t *testing.T) {
			if silence == nil && at != tt.from {
				m.stayedEnforcing(t)
				m.enter(t, tt.from)
			}
			at = tt.from
			if tt.make != "" || tt.mends {
				at = &state{}
			}
			m.diagnose(t, tt)
		})
	}
}

func (m *machine) diagnose(t *testing.T, tt cause) {
	out := ""
	m.mayBePermissive = strings.Contains(tt.make, "setenforce 0")
	if tt.make != "" {
		out, _ = m.run(tt.make)
	}
	v := m.verify(t, tt.verify)
	tt.judge(t, v)
	if tt.also != nil {
		tt.also(t, m, v)
	}
	if tt.mends {
		m.mended(t, tt, append(v.all(), v.Warnings...))
	}
	if t.Failed() {
		t.Logf("%s\n%s\n%+v", tt.make, out, v)
		for _, d := range append(v.all(), v.Warnings...) {
			t.Logf("%s: %s\nmend: %s\n  %s", d.Code, d.Cause, d.Mend, strings.Join(d.Evidence, "\n  "))
		}
	}
}

func (tt cause) judge(t testing.TB, v verdict) {
	t.Helper()
	if got := codes(v.all()); got != tt.want || (v.Result == "ok") != (tt.want == "") {
		t.Errorf("%s, diagnosis %q, want %q", v.Result, got, tt.want)
	}
	if got := codes(v.Warnings); got != tt.warning {
		t.Errorf("warnings %q, want %q", got, tt.warning)
	}
	if first, _, _ := strings.Cut(v.checks("failed"), " "); tt.check != "" && first != tt.check {
		t.Errorf("the first check that failed is %q, want %q", first, tt.check)
	}
	for _, d := range append(v.all(), v.Warnings...) {
		evidence := strings.Join(d.Evidence, "\n")
		if !strings.Contains(d.Cause, tt.cause) || d.Mend == "" && d.Code != "unexplained" ||
			!strings.Contains(d.Mend, tt.mend) {
			t.Errorf("%s, want …%s… and to mend it …%s…", d.Code, tt.cause, tt.mend)
		}
		for proof := range strings.SplitSeq(tt.proof, " & ") {
			if !strings.Contains(evidence, proof) {
				t.Errorf("%s, want evidence of …%s…:\n%s", d.Code, proof, evidence)
			}
		}
	}
}

// mended runs the commands that are to mend it.
func (m *machine) mended(t testing.TB, tt cause, all []diagnosed) {
	t.Helper()
	through := vm.Handshake(m.Web(), "ws.example.com", "/ws/")
	if tt.outside && onHost(t, through) == "101" {
		t.Error("from outside it goes through before it is mended")
	}
	for _, d := range all {
		if out, status := m.run(d.Mend); status != 0 {
			t.Errorf("%s: exit status %d\n%s", d.Mend, status, out)
		}
	}
	if v := m.verify(t, tt.verify); v.Result != "ok" || len(v.Warnings) > 0 {
		t.Errorf("mended, and verify says %s %+v %+v", v.Result, v.all(), v.Warnings)
	}
	if got := onHost(t, through); tt.outside && got != "101" {
		t.Errorf("mended, and from outside the answer is %s, want 101", got)
	}
}

// beginSilence has two WebSockets be silent while other things are looked at: one as configured, and one in a location
// with nginx's own default. What it returns waits for them.
func (m *machine) beginSilence(t *testing.T) (end func(*testing.T)) {
	t.Helper()
	const configured, byDefault = theSite + "--idle 70s", theSite + "--path /default/ --idle 70s"
	m.must(t, "sed -n '/location .ws/,/^    }/p' "+siteFile+
		" | sed 's,/ws/,/default/,; /proxy_read_timeout/d' >/root/location; sed -i '$d' "+siteFile+
		"; (cat /root/location; echo '}') >>"+siteFile+"; "+reload)
	endConfigured, endDefault := m.begin(t, verifyCommand+configured), m.begin(t, verifyCommand+byDefault)
	return func(t *testing.T) {
		v := readVerdict(t, configured, endConfigured(2*time.Minute))
		cause{}.judge(t, v)
		if !strings.HasSuffix(v.checks("ok"), " idle") {
			t.Errorf("checks %s, want idle too", v.checks("ok"))
		}
		v = readVerdict(t, byDefault, endDefault(2*time.Minute))
		cause{want: "proxy-read-timeout", check: "idle", cause: "after 60 s",
			proof: "idle connection was cut after & location /default/"}.judge(t, v)
	}
}

// checksAre requires that these, and no others, were made and went well.
func checksAre(want string) func(testing.TB, *machine, verdict) {
	return func(t testing.TB, _ *machine, v verdict) {
		t.Helper()
		if got := v.checks("ok"); got != want {
			t.Errorf("checks that are ok: %s, want %s", got, want)
		}
	}
}

func timed(t testing.TB, _ *machine, v verdict) {
	t.Helper()
	timing := v.Targets[0].Timing
	for _, p := range []percentiles{timing.Handshake, timing.RoundTrip} {
		if timing.Count != 40 || timing.Failed != 0 || p.P50 <= 0 || p.P50 > p.P90 || p.P90 > p.P99 || p.P99 > p.Max {
			t.Errorf("timing %+v", timing)
		}
	}
}

// placedAt requires the line of the site's file that grep finds.
func placedAt(pattern string) func(testing.TB, *machine, verdict) {
	return func(t testing.TB, m *machine, v verdict) {
		t.Helper()
		place := siteFile + ":" + m.must(t, "grep -n '"+pattern+"' "+siteFile+" | cut -d: -f1")
		if d := v.all(); len(d) != 1 || !strings.Contains(d[0].Cause+" ", place+" ") {
			t.Errorf("%+v, want it at %s", d, place)
		}
	}
}

// plansWarning: plan, too, says that what SELinux would deny nginx is only logged.
func plansWarning(t testing.TB, m *machine, _ verdict) {
	t.Helper()
	out, _ := m.run("wsprovision plan " + theSite)
	if !strings.Contains(out, "httpd_t, is permissive by itself") {
		t.Errorf("plan does not say that nginx's domain is permissive:\n%s", out)
	}
}

// refusesCertificate: plan and apply say that nginx cannot read the certificate, and nothing is changed or reloaded.
func refusesCertificate(t testing.TB, m *machine, _ verdict) {
	t.Helper()
	const look = "pgrep -f '[n]ginx: worker'; cat " + siteFile
	before := m.must(t, look+"; sed 's,path: /,path: /new/,' /root/tls.yaml >/root/new.yaml")
	for _, command := range []string{"plan", "apply"} {
		out, status := m.run("wsprovision " + command + " --config /root/new.yaml")
		if status == 0 || !strings.Contains(out, "SELinux keeps nginx from reading /etc/nginx/tls/cert.pem") {
			t.Errorf("%s: exit status %d, want it refused for the certificate:\n%s", command, status, out)
		}
	}
	if after := m.must(t, look); after != before {
		t.Errorf("a refused apply changed the host:\n%s\nbefore:\n%s", after, before)
	}
}

// broughtQuickly are the codes whose situations "make diagnoses" brings about with nginx alone: those of its table.
func broughtQuickly(t testing.TB) map[string]bool {
	t.Helper()
	brought := map[string]bool{}
	table, err := os.ReadFile("DIAGNOSES.md")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\|[^|]*\| ([a-z0-9-]+): `).FindAllSubmatch(table, -1) {
		brought[string(m[1])] = true
	}
	return brought
}

// everyCodeIsProduced requires a cause for every code of the manual page, here or in packaging/diagnosis, whose table
// DIAGNOSES.md is.
func everyCodeIsProduced(t testing.TB) {
	t.Helper()
	// by beginSilence, and where the table says that none is named
	produced := map[string]bool{"proxy-read-timeout": true, "unexplained": true}
	for _, tt := range causes {
		produced[tt.want], produced[tt.warning] = true, true
	}
	_, section, _ := strings.Cut(string(readFile(t, "../wsprovision.8")), ".SH DIAGNOSES\n")
	section, _, _ = strings.Cut(section, "\n.SH ")
	found := regexp.MustCompile(`(?m)^([a-z0-9.\\-]+)\t[^\t]+\tT\{$`).FindAllStringSubmatch(section, -1)
	if len(found) < 40 {
		t.Fatalf("%d codes in the manual page", len(found))
	}
	for _, m := range regexp.MustCompile(`(?m)^\| .*? \| (?:it goes through, with the warning `+
		`)?([a-z0-9.-]+)(?::| \|)`).FindAllStringSubmatch(
		string(readFile(t, "DIAGNOSES.md")), -1) {
		produced[m[1]] = true
	}
	for _, m := range found {
		if code := strings.ReplaceAll(m[1], `\-`, "-"); !produced[code] {
			t.Errorf("%s is in the manual page, and no cause of it is made here", code)
		}
	}
}
