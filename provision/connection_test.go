package provision

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/host"
	"wsprovision/provision/status"
	"wsprovision/provision/verify"
	"wsprovision/systemd"
)

// A systemd that does not answer is asked once by a command, and what it was asked for is said.
func TestDeadSystemdIsAskedOnce(t *testing.T) {
	for name, run := range map[string]func(*host.Host) string{
		"plan": func(h *host.Host) string {
			report, err := NewRun(h, basic(t), Listener{}).Plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return report.Err().Error()
		},
		"apply": func(h *host.Host) string {
			report, err := NewRun(h, basic(t), Listener{}).Apply(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return report.Err().Error()
		},
		"status": func(h *host.Host) string { return strings.Join(status.Of(t.Context(), h, "test").Unknown, "; ") },
		"verify": func(h *host.Host) string {
			v := verify.Verification{Host: h, Config: basic(t), Timeout: time.Second}
			v.Config.Sites = append(v.Config.Sites, v.Config.Sites[0])
			if _, err := v.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			return dead
		},
	} {
		t.Run(name, func(t *testing.T) {
			it := provisioned(t).host(Listener{})
			asked := 0
			it.Units = func(context.Context) (systemd.Units, error) { asked++; return nil, errors.New(dead) }
			if got := run(it); asked != 1 || !strings.Contains(got, dead) {
				t.Errorf("asked %d times; %q", asked, got)
			}
			host.Systemd(t.Context(), it)
			if asked != 2 {
				t.Error("the next command does not ask anew")
			}
		})
	}
}

const dead = "connect to systemd: system bus: no answer in 5s"
