package selinux

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRunningChanges(t *testing.T) {
	ctx := context.Background()
	h := rhel7(t, nil)
	var ran [][]string
	h.Change = func(_ context.Context, _ string, argv ...string) (string, string, int, error) {
		ran = append(ran, argv)
		return "", "", 0, nil
	}
	must(t, h.SetRunning(ctx, "httpd_can_network_connect", true))
	must(t, h.LoadPolicy(ctx))
	if diff := cmp.Diff([][]string{{"setsebool", "httpd_can_network_connect", "on"}, {"load_policy"}},
		ran); diff != "" {
		t.Errorf("ran (-want +got):\n%s", diff)
	}
	h.Change = says("", "setsebool:  SELinux is disabled.\n", 1)
	if err := h.SetRunning(ctx, "a", true); err == nil ||
		!strings.HasSuffix(err.Error(), "exit status 1: setsebool:  SELinux is disabled.") {
		t.Errorf("got %v, want setsebool's words", err)
	}
}

func TestRunningChangesRefused(t *testing.T) {
	h := rhel7(t, nil) // fails the test if a program runs
	if err := h.SetRunning(context.Background(), "-P", true); err == nil {
		t.Error("an option was accepted as a name")
	}
	h.Offline = true
	if err := h.LoadPolicy(context.Background()); !errors.Is(err, ErrUnknown) {
		t.Errorf("offline: %v, want ErrUnknown", err)
	}
}
