package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/websocket"
)

// serving is a WebSocket echo on a port of the loopback, in the place of nginx.
func serving(t *testing.T) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- websocket.Serve(ctx, l, websocket.Limits{}, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().(*net.TCPAddr).Port
}

// silent is a port of the loopback on which nobody listens.
func silent(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func load(t *testing.T, text string) config.Config {
	t.Helper()
	c, err := config.Load(config.Input{File: "/c.yaml", ReadFile: func(string) ([]byte, error) {
		return []byte(text), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// oneSite listens on the port, has a WebSocket on /ws/ with the backend, and something else on /.
func oneSite(t *testing.T, port, backend int) config.Config {
	t.Helper()
	return load(t, fmt.Sprintf("sites: [{name: chat, server_name: [chat.example.com], listen: '127.0.0.1:%d', "+
		"locations: [{path: /ws/, backend: '127.0.0.1:%d'}, {path: /, backend: '127.0.0.1:%[2]d', websocket: "+
		"false}]}]\n", port, backend))
}

// verifying makes no diagnosis: there is no host to look at.
func verifying(t *testing.T, c config.Config) *Verification {
	t.Helper()
	return &Verification{Host: &host.Host{Root: t.TempDir()}, Config: c, Agent: "1.2.3", Mute: true,
		Timeout: 5 * time.Second}
}

// What goes through is told of each WebSocket location, and of no other, as it comes and in the report.
func TestVerified(t *testing.T) {
	port, backend := serving(t), silent(t)
	v := verifying(t, oneSite(t, port, backend))
	var finished []string
	v.Finished = func(t TargetReport) { finished = append(finished, t.URL) }
	r, err := v.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	url := fmt.Sprintf("ws://chat.example.com:%d/ws/", port)
	if r.Result != OK || r.Version != Version || r.Agent != "1.2.3" || len(r.Targets) != 1 || r.Interrupted != "" ||
		!cmp.Equal(finished, []string{url}) {
		t.Fatalf("%+v, told of %q", r, finished)
	}
	target := r.Targets[0]
	if target.URL != url || target.Address != fmt.Sprintf("127.0.0.1:%d", port) || target.Site != "chat" ||
		target.Backend != fmt.Sprintf("127.0.0.1:%d", backend) || target.Echo || target.Timing != nil ||
		target.Result != OK || target.Diagnosis != nil {
		t.Errorf("%+v", target)
	}
	names := map[string]string{}
	for _, c := range target.Checks {
		names[c.Name] = c.Result
		if (c.Result == Skipped) != (c.Why != "") || c.Error != "" {
			t.Errorf("%+v", c)
		}
	}
	if names["upgrade"] != OK || names["ping"] != OK {
		t.Errorf("checks %v", names)
	}
}

// A target that fails has its first failure's check, and the whole has failed.
func TestNotVerified(t *testing.T) {
	r, err := verifying(t, oneSite(t, silent(t), silent(t))).Run(t.Context())
	if err != nil || r.Result != Failed || len(r.Targets) != 1 || r.Targets[0].Result != Failed {
		t.Fatalf("%+v, %v", r, err)
	}
	failed := 0
	for _, c := range r.Targets[0].Checks {
		if c.Result == Failed {
			failed++
			if !strings.Contains(c.Error, "refused") {
				t.Errorf("%+v", c)
			}
		}
	}
	if failed == 0 {
		t.Errorf("%+v", r.Targets[0].Checks)
	}
}

// A run that is ended says so, and has not verified what it did not come to.
func TestVerifyEnded(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("SIGTERM"))
	r, err := verifying(t, oneSite(t, serving(t), silent(t))).Run(ctx)
	if err != nil || r.Result != Failed || r.Interrupted != "SIGTERM" || len(r.Targets) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// The agent's own echo stands in for a backend of this host that does not run, and for no other; then it is gone.
func TestStandIn(t *testing.T) {
	running, absent := serving(t), silent(t)
	for _, tt := range []struct {
		name    string
		backend int
		stands  bool
	}{{"it runs", running, false}, {"it does not", absent, true}} {
		v := verifying(t, oneSite(t, serving(t), tt.backend))
		v.WithEcho = true
		heard := false
		v.Finished = func(TargetReport) {
			c, err := net.DialTimeout("tcp", "127.0.0.1:"+strconv.Itoa(tt.backend), time.Second)
			if heard = err == nil; heard {
				c.Close()
			}
		}
		r, err := v.Run(t.Context())
		if err != nil || r.Result != OK || r.Targets[0].Echo != tt.stands || heard == tt.stands {
			t.Errorf("%s: %+v, %v; somebody listens afterwards: %v", tt.name, r, err, heard)
		}
	}
	for _, b := range []config.Backend{{Host: "192.0.2.1", Port: 1}, {Host: "127.0.0.1", Port: absent, HTTPS: true},
		{Socket: "/run/app.sock"}} {
		if stop, err := verifying(t, config.Config{}).standIn(t.Context(), b); stop != nil || err != nil {
			t.Errorf("%v: %v; want nobody to stand in", b, err)
		}
	}
}

// Many connections are measured once the checks have passed, and their failure is one of the target.
func TestVerifyLoad(t *testing.T) {
	v := verifying(t, oneSite(t, serving(t), silent(t)))
	v.Load = websocket.Load{Count: 7, Concurrency: 3}
	r, err := v.Run(t.Context())
	if err != nil || r.Result != OK || r.Targets[0].Timing == nil {
		t.Fatalf("%+v, %v", r, err)
	}
	timing := r.Targets[0].Timing
	if timing.Count != 7 || timing.Failed != 0 || timing.Error != "" || timing.Elapsed <= 0 ||
		timing.Handshake.P50 <= 0 || timing.Handshake.Max < timing.Handshake.P50 || timing.RoundTrip.P99 <= 0 {
		t.Errorf("%+v", timing)
	}
	text, err := json.Marshal(timingReport(websocket.Timing{Count: 2, Failed: 1, Elapsed: time.Second},
		errors.New("cut")))
	const want = `{"count":2,"failed":1,"elapsed_ms":1000,"handshake_ms":{"p50":0,"p90":0,"p99":0,"max":0},` +
		`"round_trip_ms":{"p50":0,"p90":0,"p99":0,"max":0},"error":"cut"}`
	if string(text) != want || err != nil {
		t.Errorf("%s, %v", text, err)
	}
	v = verifying(t, oneSite(t, silent(t), silent(t)))
	v.Load = websocket.Load{Count: 7, Concurrency: 3}
	if r, err := v.Run(t.Context()); err != nil || r.Targets[0].Timing != nil {
		t.Errorf("measured although the checks failed: %+v, %v", r, err)
	}
}

// What nothing can be asked of is not verified; where that is all, there is nothing to verify.
func TestNothingToVerify(t *testing.T) {
	for _, more := range []string{"path: /, websocket: false", "path: '^/x', match: regex"} {
		c := load(t, "sites: [{name: a, server_name: a.example.com, listen: 80, locations: [{backend: "+
			"'127.0.0.1:1', "+more+"}]}]\n")
		if r, err := verifying(t, c).Run(t.Context()); r != nil || err == nil ||
			!strings.Contains(err.Error(), "nothing to verify") {
			t.Errorf("%s: %+v, %v", more, r, err)
		}
	}
	v := verifying(t, config.Config{})
	v.URL = "http://h/"
	if r, err := v.Run(t.Context()); r != nil || err == nil {
		t.Errorf("%s: %+v, %v", v.URL, r, err)
	}
}
