package nginx

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const failed = "nginx: configuration file /etc/nginx/nginx.conf test failed\n"

const successful = "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file " +
	"/etc/nginx/nginx.conf test is successful\n"

var outputs = []struct {
	name, stderr string
	status       int
	want         []Problem
	fatal        bool
}{
	{"success", successful, 0, nil, false},
	{"file and line", "nginx: [emerg] unknown directive \"x\" in /etc/nginx/conf.d/a.conf:3\n" + failed, 1,
		[]Problem{{"emerg", `unknown directive "x"`, "/etc/nginx/conf.d/a.conf", 3}}, true},
	{"no place", "nginx: [emerg] open() \"/x/nginx.pid\" failed (2: No such file or directory)\n" + failed, 1,
		[]Problem{{"emerg", `open() "/x/nginx.pid" failed (2: No such file or directory)`, "", 0}}, true},
	{"conflicting name", "nginx: [warn] conflicting server name \"a\" on 0.0.0.0:80, ignored\n" + successful, 0,
		[]Problem{{"error", `conflicting server name "a" on 0.0.0.0:80, ignored`, "", 0}}, true},
	{"warning", "nginx: [warn] the \"ssl\" directive is deprecated in /etc/nginx/x:1\n" + successful, 0,
		[]Problem{{"warn", `the "ssl" directive is deprecated`, "/etc/nginx/x", 1}}, false},
	{"log on stderr", "2026/11/22 18:00:00 [emerg] 12#12: unexpected \"}\" in /a b:7\nnginx: [emerg] unexpected " +
		"\"}\" in /a b:7\n" + failed, 1, []Problem{{"emerg", `unexpected "}"`, "/a b", 7}}, true},
	{"\" in \" twice", "nginx: [emerg] unexpected \"x in /y:1\" in /z:2\n" + failed, 1,
		[]Problem{{"emerg", `unexpected "x in /y:1"`, "/z", 2}}, true},
	{"foreign line", "loaded something\n" + successful, 0, []Problem{{"unknown", "loaded something", "", 0}}, false},
	{"status without words", "", 1, []Problem{{"emerg", `nginx -t ended with status 1 and said ""`, "", 0}}, true},
	{"status and success", successful, 1,
		[]Problem{{"emerg", `nginx -t ended with status 1 and said "nginx: configuration file ` +
			`/etc/nginx/nginx.conf test is successful"`, "", 0}}, true},
	{"no verdict", "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\n", 0,
		[]Problem{{"emerg", `nginx -t ended with status 0 and said "nginx: the configuration file ` +
			`/etc/nginx/nginx.conf syntax is ok"`, "", 0}}, true},
}

func TestParseTest(t *testing.T) {
	for _, test := range outputs {
		t.Run(test.name, func(t *testing.T) {
			got := parseTest(test.stderr, test.status)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
			if slices.ContainsFunc(got, Problem.Fatal) != test.fatal {
				t.Errorf("fatal: want %v", test.fatal)
			}
		})
	}
	p := Problem{"emerg", `host not found in upstream "x:3000"`, "/a", 3}
	if !p.Unresolved() || p.String() != `[emerg] host not found in upstream "x:3000" in /a:3` {
		t.Errorf("%v", p)
	}
}

func TestNoFamily(t *testing.T) {
	for message, want := range map[string]string{
		"socket() [::]:80 failed (97: Address family not supported by protocol)":        "[::]:80",
		"socket() 0.0.0.0:80 failed (24: Too many open files)":                          "",
		"bind() to [::]:80 failed (98: Address already in use)":                         "",
		`unknown directive "socket() [::]:80 failed (97: Address family not supported"`: "",
	} {
		if got := (Problem{Level: "emerg", Message: message}).NoFamily(); got != want {
			t.Errorf("%s: %q, want %q", message, got, want)
		}
	}
}

func FuzzParseTest(f *testing.F) {
	for _, test := range outputs {
		f.Add(test.stderr, test.status)
	}
	f.Fuzz(func(t *testing.T, stderr string, status int) {
		found := parseTest(stderr, status)
		if status != 0 && !slices.ContainsFunc(found, Problem.Fatal) {
			t.Error("a failed test without a fatal problem")
		}
		if strings.HasPrefix(stderr, "nginx: [emerg] x") && !slices.ContainsFunc(found, Problem.Fatal) {
			t.Error("an emerg was lost")
		}
	})
}
