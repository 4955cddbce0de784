package selinux

import (
	"strings"
	"testing"
)

// TestSameType: the policy's own name of a type is what counts, where there is a policy to ask.
func TestSameType(t *testing.T) {
	h := rhel7(t, nil)
	h.Ask = func(file, context string) (string, error) {
		if file != h.system().path("sys/fs/selinux/context") {
			t.Errorf("asked %s", file)
		}
		return strings.Replace(context, "httpd_var_run_t", "httpd_runtime_t", 1) + "\x00", nil
	}
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"httpd_runtime_t", "httpd_var_run_t", true},
		{"httpd_var_run_t", "httpd_var_run_t", true},
		{"var_t", "httpd_var_run_t", false},
		{"", "httpd_var_run_t", false},
		{"<<none>>", "httpd_var_run_t", false},
		{"var_t x", "httpd_var_run_t", false},
	} {
		if got := h.SameType(tt.a, tt.b); got != tt.want {
			t.Errorf("%q and %q: %v", tt.a, tt.b, got)
		}
	}
	h.Offline = true
	if h.SameType("httpd_runtime_t", "httpd_var_run_t") || !h.SameType("var_t", "var_t") {
		t.Error("offline: the running kernel is believed")
	}
}
