package rpmdb

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBroughtWith(t *testing.T) {
	const listing = "1700000000\tglibc\n1700000000\tbash\n" +
		"1732500000\tnginx\n1732500000\tnginx-filesystem\n1732500000\topenssl-libs\n" +
		"1732500001\tgpg-pubkey\n1732600000\ttmux\n1732700000\tkernel\n1700000000\tkernel\n(none)\tgpg-pubkey\n"
	for _, tt := range []struct {
		name, stdout, stderr string
		since                time.Time
		of                   []string
		want                 string
		fails                string
	}{
		{name: "one transaction", stdout: listing, of: []string{"nginx"}, want: "nginx nginx-filesystem openssl-libs"},
		{name: "two", stdout: listing, of: []string{"nginx", "tmux"}, want: "nginx nginx-filesystem openssl-libs tmux"},
		{name: "one of two that is older", since: time.Unix(1732550000, 0), stdout: listing,
			of: []string{"nginx", "tmux"}, want: "tmux"},
		{name: "within the second", since: time.Unix(1732500000, 9e8), stdout: listing, of: []string{"nginx"},
			want: "nginx nginx-filesystem openssl-libs"},
		{name: "not there", stdout: listing, of: []string{"httpd"}},
		{name: "odd packages beside it",
			stdout: "1732500000 nginx\nyesterday\tbash\n1732500000\tr&d\n1732500000\tnginx\n", of: []string{"nginx"},
			want: "nginx"},
		{name: "a damaged header beside it", stdout: listing,
			stderr: "error: rpmdb: damaged header #12 retrieved -- skipping.\n",
			of:     []string{"tmux"}, want: "tmux"},
		{name: "a broken database", stderr: "error: cannot open Packages database in /var/lib/rpm\n",
			of: []string{"nginx"}, fails: "rpm --rebuilddb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := DB{Read: func(context.Context, string, ...string) (string, string, int, error) {
				return tt.stdout, tt.stderr, 0, nil
			}}
			got, err := h.BroughtWith(context.Background(), tt.since, tt.of...)
			if (err != nil) != (tt.fails != "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
				t.Fatalf("error is %v, want %q", err, tt.fails)
			}
			if d := cmp.Diff(tt.want, strings.Join(got, " ")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
