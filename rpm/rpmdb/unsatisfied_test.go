package rpmdb

import (
	"context"
	"strings"
	"testing"

	"wsprovision/rpm/rpmtest"
)

// TestUnsatisfied's own words are in lib/verify.c and lib/rpmprob.c of 4.11.
func TestUnsatisfied(t *testing.T) {
	const (
		head    = "Unsatisfied dependencies for nginx-1:1.20.1-10.el7.x86_64:\n"
		of      = " is needed by (installed) nginx-1:1.20.1-10.el7.x86_64\n"
		library = "nginx lack libssl.so.1.1()(64bit), which an earlier transaction failed to bring: yum install"
	)
	for _, tt := range []struct{ stdout, want, fails string }{
		{stdout: ""},
		{stdout: head + "\tnginx-filesystem = 1:1.20.1-10.el7" + of + "\tnginx-filesystem" + of + "\tgd" + of,
			want: "gd nginx-filesystem"},
		{stdout: head + "\tlibssl.so.1.1()(64bit)" + of, fails: library},
	} {
		h := DB{Read: func(context.Context, string, ...string) (string, string, int, error) {
			return tt.stdout,
				"", 1, nil
		}}
		got, err := h.Unsatisfied(context.Background(), "nginx")
		if strings.Join(got, " ") != tt.want || !rpmtest.Matches(err, tt.fails) {
			t.Errorf("%q, %v; want %q, %q", got, err, tt.want, tt.fails)
		}
	}
}
