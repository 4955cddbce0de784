package nginx

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"wsprovision/provision/nginx/conf"

	"github.com/google/go-cmp/cmp"
)

// recorded is what EPEL 7's nginx 1.20.1 wrote on standard error, run on CentOS 7.9, and its exit status.
func recorded(t *testing.T, name string) (stderr string, status int) {
	t.Helper()
	stderrText, err := os.ReadFile("testdata/rhel7-" + name + ".nginx.stderr")
	if err != nil {
		t.Fatal(err)
	}
	statusText, err := os.ReadFile("testdata/rhel7-" + name + ".nginx.status")
	if err != nil {
		t.Fatal(err)
	}
	status, err = strconv.Atoi(strings.TrimSpace(string(statusText)))
	if err != nil {
		t.Fatal(err)
	}
	return string(stderrText), status
}

// TestRecordedRuns has a row for every recorded nginx -t. Of a socket that is shared with and without proxy_protocol
// nginx 1.20.1 says nothing.
func TestRecordedRuns(t *testing.T) {
	const file = "/etc/nginx/conf.d/x.conf"
	want := map[string][]Problem{
		"t":                nil,
		"t-proxy-protocol": nil,
		"t-conflict":       {{"error", `conflicting server name "a" on 0.0.0.0:80, ignored`, "", 0}},
		"t-brace":          {{"emerg", `unexpected end of file, expecting "}"`, file, 2}},
		"t-host-not-found": {{"emerg", `host not found in upstream "nosuch.invalid:1"`, file, 1}},
		"t-map-in-server":  {{"emerg", `"map" directive is not allowed here`, file, 1}},
		"t-unknown":        {{"emerg", `unknown directive "foo"`, file, 1}},
		"t-no-certificate": {{"emerg",
			`cannot load certificate "/etc/nope.pem": BIO_new_file() failed (SSL: error:02001002:system library:` +
				`fopen:No such file or directory:fopen('/etc/nope.pem','r') error:2006D080:BIO ` +
				`routines:BIO_new_file:no such file)`, "", 0}},
	}
	for name, problems := range want {
		stderr, status := recorded(t, name)
		if diff := cmp.Diff(problems, parseTest(stderr, status)); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", name, diff)
		}
	}
	files, err := filepath.Glob("testdata/rhel7-t*.nginx.stderr")
	if err != nil || len(files) != len(want) {
		t.Errorf("%d recorded runs of nginx -t, %d rows: %v", len(files), len(want), err)
	}
}

func TestRecordedBuild(t *testing.T) {
	text, status := recorded(t, "V")
	got, err := parseBuild(text)
	want := conf.EPEL()
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		want.Temporary = append(want.Temporary, "/var/lib/nginx/tmp/"+kind)
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || status != 0 {
		t.Errorf("%v\n%s", err, diff)
	}
}

// TestHostileDirectory: a directory that the nginx user has filled is no reason to take the host's memory.
func TestHostileDirectory(t *testing.T) {
	dir := t.TempDir()
	for i := range mostEntries + 1 {
		if err := os.Symlink("x", filepath.Join(dir, strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := (&cover{dir: dir}).entries(); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%v", err)
	}
	if all, err := (&cover{dir: t.TempDir()}).entries(); err != nil || len(all) != 0 {
		t.Errorf("an empty one: %v, %v", all, err)
	}
}
