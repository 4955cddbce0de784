package rpmdb

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFiles(t *testing.T) {
	tests := map[string]struct {
		stdout, stderr string
		want           []string
		fails          bool
	}{
		"two packages": {stdout: "/etc/nginx\n/etc/nginx/nginx.conf\n/usr/bin/sem anage\n",
			want: []string{"/etc/nginx", "/etc/nginx/nginx.conf", "/usr/bin/sem anage"}},
		"no files":           {stdout: "(contains no files)\n/usr/sbin/nginx\n", want: []string{"/usr/sbin/nginx"}},
		"one not installed":  {stdout: "package nginx is not installed\n/etc/x\n", want: []string{"/etc/x"}},
		"a broken database":  {stderr: "error: rpmdb: BDB0113 Thread/process 1/2 failed\n", fails: true},
		"something else":     {stdout: "nginx-1.20.1\n", fails: true},
		"nothing and a note": {stderr: "warning: waiting\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseFiles(tt.stdout, tt.stderr)
			if (err != nil) != tt.fails {
				t.Fatalf("error %v, want one: %v", err, tt.fails)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("files (-want +got):\n%s", d)
			}
		})
	}
}

func FuzzParseFiles(f *testing.F) {
	f.Add("/etc/nginx\n(contains no files)\n")
	f.Add("package nginx is not installed\n")
	f.Fuzz(func(t *testing.T, stdout string) {
		files, err := parseFiles(stdout, "")
		for _, file := range files {
			if err != nil || file == "" || file[0] != '/' {
				t.Errorf("%q: %q, %v", stdout, file, err)
			}
		}
	})
}
