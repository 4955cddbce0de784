package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/config/reading"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-multierror"
)

var update = flag.Bool("update", false, "write golden files anew")

// load reads text as the file /c.yaml.
func load(text string, more ...func(*Input)) (Config, error) {
	in := Input{File: "/c.yaml", ReadFile: func(string) ([]byte, error) { return []byte(text), nil }}
	for _, m := range more {
		m(&in)
	}
	return Load(in)
}

// defaults is a Config in which nobody asked for anything.
func defaults() Config {
	return Config{
		EPEL:    EPEL{Source: EPELAuto, Fingerprint: EPEL7Fingerprint},
		SELinux: SELinux{Connect: ConnectBoolean},
		OnDrift: DriftFail, Firewall: FirewallLeave,
		Nginx: Nginx{StockIPv6: StockKeep},
		Wait:  Wait{YumLock: 10 * time.Minute, SemanageLock: 2 * time.Minute},
	}
}

func location(path, host string, port int) Location {
	return Location{Path: path, Backends: []Backend{{Host: host, Port: port}}, WebSocket: true,
		ReadTimeout: 24 * time.Hour, SendTimeout: 24 * time.Hour, ConnectTimeout: time.Minute}
}

func TestLoadGoodFile(t *testing.T) {
	chat, plain := location("/ws/", "127.0.0.1", 3000), location("/", "::1", 3001)
	chat.ReadTimeout = 90 * time.Minute
	plain.WebSocket, plain.ReadTimeout, plain.SendTimeout = false, time.Minute, time.Minute
	wss := location("/", "app.internal", 9000)
	wss.ConnectTimeout = 500 * time.Millisecond
	want := Config{
		Sites: []Site{
			{Name: "chat", ServerNames: []string{"ws.example.com", "*.chat.example.com"},
				Listen: []Listen{{Address: "", Port: 80}, {Address: "::", Port: 80},
					{Address: "127.0.0.1", Port: 8080}}, Locations: []Location{chat, plain}},
			{Name: "wss", ServerNames: []string{"wss.example.com"}, Listen: []Listen{{Port: 443}}, StandardListen: true,
				TLS:       &TLS{Certificate: "/etc/pki/tls/certs/wss.pem", Key: "/etc/pki/tls/private/wss.key"},
				Locations: []Location{wss}},
		},
		EPEL: EPEL{Source: EPELMirror, BaseURL: "https://mirror.example.com/epel/7/$basearch/",
			GPGKey: "/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-7", Fingerprint: EPEL7Fingerprint},
		SELinux:         SELinux{Connect: ConnectBoolean, LabelListenPorts: true},
		Firewall:        FirewallLeave,
		OnDrift:         DriftKeep,
		Nginx:           Nginx{StockIPv6: StockKeep},
		Wait:            Wait{YumLock: 0, SemanageLock: 90 * time.Second},
		ShutdownTimeout: 5 * time.Minute,
		Source:          "testdata/good.yaml",
	}
	got, err := Load(Input{File: "testdata/good.yaml"})
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Load: %v\n-want +got\n%s", err, diff)
	}
}

func TestEmptyFilesAreDefaults(t *testing.T) {
	want := defaults()
	want.Source = "/c.yaml"
	for name, text := range map[string]string{
		"no byte": "", "comment": "# nothing\n", "BOM": "\ufeff", "null": "~\n",
		"commented sections": "sites:\nepel:\nselinux:\nwait:\n",
		"CRLF":               "sites:\r\n", "no sites": "sites: []\n", "document start": "---\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := load(text)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("load(%q): %v\n%s", text, err, diff)
			}
		})
	}
}

func TestBadFileListsEveryProblem(t *testing.T) {
	_, err := Load(Input{File: "testdata/bad.yaml",
		Environ: []string{"HOME=/root", "WSPROVISION_BACKENDS=x", "WSPROVISION_ON_DRIFT="},
		Flags:   map[string]string{"wait-yum-lock": "75", "on-drifts": "keep"}})
	var problems *reading.Error
	if !errors.As(err, &problems) {
		t.Fatalf("Load: %T %v, want *Error", err, err)
	}
	golden := filepath.Join("testdata", "bad.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, readErr := os.ReadFile(golden)
	if diff := cmp.Diff(string(want), err.Error()+"\n"); readErr != nil || diff != "" {
		t.Errorf("%v\n-want +got\n%s", readErr, diff)
	}
	var all *multierror.Error
	if !errors.As(err, &all) || len(all.Errors) != len(problems.Problems) {
		t.Errorf("the *multierror.Error within has not the %d problems", len(problems.Problems))
	}
}

func TestOneProblemIsOneLine(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"key and line", "on_drift: no\n",
			`configuration /c.yaml: on_drift (line 1): "no" is none of replace, keep, fail`},
		{"the contract's example", oneSite("backend: 127.0.0.1:1a2b"),
			`configuration /c.yaml: sites[0].locations[0].backend (line 6): "127.0.0.1:1a2b": the port must be a ` +
				`number from 1 to 65535`},
		{"whole file", "\xff\xfe", "configuration /c.yaml: is not UTF-8 text: save it as UTF-8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := load(tc.text); err == nil || err.Error() != tc.want {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

// oneSite is a good site but for the last lines of its location.
func oneSite(lines ...string) string {
	return "sites:\n  - name: a\n    server_name: ws.example.com\n    locations:\n      - path: /\n        " +
		strings.Join(lines, "\n        ") + "\n"
}

func TestFileProblems(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"top is a list", "- a\n", "line 1: must be a mapping with the keys sites"},
		{"top is text", "hello\n", "must be a mapping"},
		{"two documents", "on_drift: keep\n---\non_drift: fail\n", "more than one YAML document"},
		{"second document broken", "on_drift: keep\n---\n'", "is not YAML"},
		{"first key indented", " on_drift: keep\nwait:\n  yum_lock: 5s\n", "keys of one level are indented alike"},
		{"bare wildcard", "sites:\n  - server_name: *.example.com\n", `in quotes: "*.example.com"`},
		{"tab", "wait:\n\tyum_lock: 5s\n", "does not indent with tabs"},
		{"NUL", "on_drift: \x00keep\n", "not UTF-8 text"},
		{"UTF-16", "\xff\xfeo\x00n\x00", "not UTF-8 text"},
		{"bare brackets", oneSite("backend: [::1]:3000"), `in quotes: "[::1]:3000"`},
		{"anchor", "wait: &w {yum_lock: 5s}\n", "anchors and aliases are not accepted"},
		{"alias bomb", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "anchors and aliases are not accepted"},
		{"tag", "on_drift: !!str keep\n", "YAML tags are not accepted"},
		{"merge key", "<<: {on_drift: keep}\n", "<< (line 1): is not a key here"},
		{"unknown key", "on_drfit: keep\n", "on_drfit (line 1): is not a key here: did you mean on_drift?"},
		{"lost case", "On_Drift: keep\n", "On_Drift (line 1): is not a key here: did you mean on_drift?"},
		{"hyphen", "on-drift: keep\n", "did you mean on_drift?"},
		{"nothing like it", "zebra: 1\n", "zebra (line 1): is not a key here\n"},
		{"key twice", "on_drift: keep\non_drift: fail\n", "on_drift (line 2): stands twice, first in line 1"},
		{"key of another type", "1: keep\n", "1 (line 1): is not a key here"},
		{"key is a list", "[a]: keep\n", "is not a key here"},
		{"key of the flags' site", "site: {backend: 127.0.0.1:3000}\n", "is not a key here"},
		{"section is text", "wait: 5s\n", "wait (line 1): must be a mapping with the keys yum_lock, semanage_lock"},
		{"value is a list", "on_drift: [keep]\n", "on_drift (line 1): must be a single value"},
		{"empty value", "on_drift: ''\n", "on_drift (line 1): is empty"},
		{"number for text", "on_drift: 1\n", `on_drift (line 1): "1" is not text: put it in quotes`},
		{"null value", "on_drift:\n", "on_drift (line 1): is empty"},
		{"sites is a mapping", "sites: {a: b}\n", "sites (line 1): must be a list"},
		{"site is null", "sites: [~]\n", "sites[0] (line 1): must be a mapping"},
		{"site without anything", "sites: [{}]\n", "sites[0].locations (line 1): is missing"},
		{"no backend", oneSite("websocket: true"), "sites[0].locations[0].backend (line 5): is missing"},
		{"empty backend", oneSite("backend: ''"), "backend (line 6): is empty"},
		{"bare number", oneSite("backend: a:1", "read_timeout: 75"), "read_timeout (line 7): 75 of what? write 75s"},
		{"zero timeout", oneSite("backend: a:1", "send_timeout: 0s"), `"0s" must be more than 0`},
		{"nanoseconds", oneSite("backend: a:1", "send_timeout: 75ns"), "whole milliseconds"},
		{"days", oneSite("backend: a:1", "send_timeout: 1d"), `"1d" is not a duration: write it like 24h`},
		{"too long", oneSite("backend: a:1", "send_timeout: 9000h"), "from 0s to 8760h"},
		{"overflowing duration", oneSite("backend: a:1", "send_timeout: 99999999999h"), "is not a duration"},
		{"quoted truth", oneSite("backend: a:1", "websocket: 'true'"),
			`"true" is none of true, false and only (without quotes)`},
		{"yes", oneSite("backend: a:1", "websocket: yes"), `"yes" is none of true, false and only`},
		{"tls without key", "sites: [{name: a, server_name: a.b, tls: {certificate: /a}, locations: [{path: /, " +
			"backend: a:1}]}]",
			"sites[0].tls.key (line 1): is missing"},
		{"tls empty", "sites: [{name: a, server_name: a.b, tls: , locations: [{path: /, backend: a:1}]}]",
			"sites[0].tls (line 1): must be a mapping"},
		{"mirror", "epel: {source: mirror}\n", "epel.baseurl (line 1): mirror needs epel.baseurl too"},
		{"package", "epel: {source: package, package: /a.rpm}\n",
			"epel.gpgkey (line 1): package needs epel.gpgkey too"},
		{"two addresses", "epel: {source: mirror, baseurl: 'http://a/', metalink: 'http://b/', gpgkey: /k}\n",
			"epel.metalink (line 1): stands beside epel.baseurl: one address is asked for"},
		{"a fingerprint without its key", "epel: {fingerprint: 0000000000000000000000000000000000000000}\n",
			"epel.fingerprint (line 1): is not that of the key which wsprovision has: give epel.gpgkey too"},
		{"a metalink of auto", "epel: {metalink: 'http://a/'}\n", "is not used with epel.source auto"},
		{"unused key", "epel: {source: repository, baseurl: 'http://a/'}\n",
			"epel.baseurl (line 1): is not used with epel.source repository"},
		{"unused fingerprint", "epel: {source: none, fingerprint: 91E97D7C4A5E96F17F3E888F6A2FAEA2352C64E5}\n",
			"is not used with epel.source none"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := load(tc.text); err == nil || !strings.Contains(err.Error()+"\n", tc.want) {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

// What is wrong under a misspelt key is told with the misspelling, and the key that was meant is not called missing.
func TestMisspeltKeyHidesNothing(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"locations", "sites:\n  - name: a\n    server_name: a.b\n    location:\n      - path: /\n        backend: " +
			"a:0\n",
			[]string{"sites[0].location (line 4): is not a key here: did you mean locations?",
				"sites[0].locations[0].backend (line 6)"}},
		{"sites", "site:\n  - name: A\n    server_name: a.b\n    locations: [{path: /, backend: a:1}]\n",
			[]string{"site (line 1): is not a key here: did you mean sites?", "sites[0].name (line 2)"}},
		{"a section", "weit:\n  yum_lock: 10\n", []string{"did you mean wait?", "wait.yum_lock (line 2): 10 of " +
			"what?"}},
		{"a value", oneSite("backand: a:0"), []string{"did you mean backend?", "backend (line 6)"}},
		{"beside the right one", "wait: {yum_lock: 10}\nwaits: {yum_lock: 20}\n",
			[]string{"did you mean wait?", "10 of what?"}},
		{"twice", "weit: {yum_lock: 10}\nwaits: {yum_lock: 20}\n",
			[]string{"weit (line 1)", "waits (line 2)", "10 of what?"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var problems *reading.Error
			if _, err := load(tc.text); !errors.As(err, &problems) || len(problems.Problems) != len(tc.want) {
				t.Fatalf("%v, want %d problems", err, len(tc.want))
			}
			for _, want := range tc.want {
				if !strings.Contains(problems.Error(), want) {
					t.Errorf("%s\ndoes not say %s", problems, want)
				}
			}
		})
	}
}

func TestProblemsAreCounted(t *testing.T) {
	_, err := load(strings.Repeat("zebra: 1\n", 5000))
	if lines := strings.Count(err.Error(), "\n"); lines != reading.Most+1 ||
		!strings.Contains(err.Error(), "5000 problems") {
		t.Errorf("%d lines, want %d", lines, reading.Most+1)
	}
}

func TestSitesTogether(t *testing.T) {
	site := func(name, rest string) string {
		return "  - {name: " + name + ", " + rest + ", locations: [{path: /, backend: 'a:1'}]}\n"
	}
	for _, tc := range []struct{ name, text, want string }{
		{"name twice", site("a", "server_name: a.b") + site("a", "server_name: c.d"),
			"sites[1].name (line 3): the name a is taken already by sites[0].name"},
		{"server name twice", site("a", "server_name: a.b") + site("b", "server_name: A.B"),
			"the name A.B on 80 is taken already by sites[0].server_name"},
		{"server name twice in one", site("a", "server_name: [a.b, a.b]"),
			"sites[0].server_name[1] (line 2): the name a.b stands twice"},
		{"0.0.0.0 is every address", site("a", "server_name: a.b") +
			site("b", "server_name: a.b, listen: '0.0.0.0:80'"), "the name a.b on 0.0.0.0:80"},
		{"socket twice", site("a", "server_name: a.b, listen: [80, '80']"),
			"sites[0].listen[1] (line 2): the socket 80 is taken"},
		{"tls and plain", site("a", "server_name: a.b, listen: 443") +
			site("b", "server_name: b.b, tls: {certificate: /c, key: /k}"),
			"listens on 443 with TLS, and an earlier one without"},
		{"other socket", site("a", "server_name: a.b") + site("b", "server_name: a.b, listen: 8080"), ""},
		{"other address", site("a", "server_name: a.b") + site("b", "server_name: a.b, listen: '[::]:80'"), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := load("sites:\n" + tc.text)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestRequireSites(t *testing.T) {
	c, err := load("")
	if err != nil {
		t.Fatal(err)
	}
	var problems *reading.Error
	if err := c.RequireSites("/default"); !errors.As(err, &problems) ||
		!strings.Contains(err.Error(), "/c.yaml: sites: no site is configured") {
		t.Errorf("without a site: %v", err)
	}
	c.Sites = []Site{{}}
	if err := c.RequireSites("/default"); err != nil {
		t.Errorf("with one: %v", err)
	}
}

func TestFingerprintThatYAMLTakesForANumber(t *testing.T) {
	for _, digits := range []string{strings.Repeat("1", 40), "12E4567890123456789012345678901234567890"} {
		c, err := load("epel: {source: mirror, baseurl: 'http://a/', gpgkey: /k, fingerprint: " + digits + "}\n")
		if err != nil || c.EPEL.Fingerprint != digits {
			t.Errorf("got %q, %v, want %q", c.EPEL.Fingerprint, err, digits)
		}
	}
}
