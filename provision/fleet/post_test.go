package fleet

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/secret"
)

// receiver is a server that answers one status after the other, and what it was sent.
type receiver struct {
	*httptest.Server
	answers []int
	sent    []*http.Request
	bodies  [][]byte
}

func newReceiver(t *testing.T, answers ...int) *receiver {
	r := &receiver{answers: answers}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.sent, r.bodies = append(r.sent, q), append(r.bodies, body)
		if code := r.answers[min(len(r.sent), len(r.answers))-1]; code != http.StatusOK {
			w.Header().Set("Location", "http://u:s3cret@elsewhere.example/?s3cret")
			w.WriteHeader(code)
			_, _ = io.WriteString(w, "password=s3cret is wrong\x1b[2J\nmore")
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func noPause(context.Context, time.Duration) error { return nil }

func TestSend(t *testing.T) {
	for name, tt := range map[string]struct {
		answers []int
		tries   int
		want    string // part of the error, "" for none
	}{
		"taken":               {[]int{200}, 1, ""},
		"busy, then taken":    {[]int{503, 429, 204}, 3, ""},
		"a wrong address":     {[]int{404}, 1, "it answers 404 Not Found password=…"},
		"not allowed":         {[]int{401}, 1, "it answers 401"},
		"a redirection":       {[]int{302}, 1, "http://…@elsewhere.example/?…, which is not followed: name"},
		"a lasting redirect":  {[]int{308}, 1, "which is not followed"},
		"broken for too long": {[]int{500}, 4, "it answers 500"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t, tt.answers...)
			r.Start()
			url := strings.Replace(r.URL, "://", "://u:s3cret@", 1) + "/in?token=s3cret"
			err := Receiver{URL: url, Host: "web1", Sleep: noPause}.Send(t.Context(), applied())
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("a secret is shown: %v", err)
			}
			if len(r.sent) < tt.tries || tt.answers[0] != 500 && len(r.sent) != tt.tries {
				t.Errorf("%d tries, want %d", len(r.sent), tt.tries)
			}
			if user, password, _ := r.sent[0].BasicAuth(); user != "u" || password != "s3cret" ||
				r.sent[0].URL.RawQuery != "token=s3cret" || r.sent[0].Header.Get("User-Agent") != "wsprovision/1.1.0" {
				t.Errorf("asked %s with %v", r.sent[0].URL, r.sent[0].Header)
			}
		})
	}
}

// TestHostileSend: what looks like a secret does not leave the host, nor is the run's own report changed by that.
func TestHostileSend(t *testing.T) {
	r := newReceiver(t, 200)
	r.Start()
	report := applied()
	s := &report.Steps[0]
	s.Notes, s.Warnings, s.Error = []string{"password=s3cret"}, []string{"http://u:s3cret@h/"}, "Bearer s3cret"
	s.Changes = []engine.Change{{Object: "file /x", From: "absent", To: "written",
		Diff: "+    proxy_set_header X-Key \"s3cret\";\n"}}
	if err := (Receiver{URL: r.URL, Host: "web1"}).Send(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	var sent engine.Report
	if err := json.Unmarshal(r.bodies[0], &sent); err != nil || strings.Contains(string(r.bodies[0]), "s3cret") {
		t.Errorf("%v: %s", err, r.bodies[0])
	}
	if err := (Receiver{URL: r.URL, ID: "first attempt's"}).Send(t.Context(), report); err != nil ||
		!strings.Contains(string(r.bodies[1]), `"id": "first attempt's"`) {
		t.Errorf("%v: %s", err, r.bodies[1])
	}
	if sent.Host != "web1" || sent.ID != "20260528T202640.123Z" || sent.Steps[0].Notes[0] != "password="+secret.Hidden {
		t.Errorf("sent %+v", sent)
	}
	if report.Host != "" || s.Notes[0] != "password=s3cret" {
		t.Errorf("the report was changed: %+v", report)
	}
}

// TLS is judged by the bundle alone: neither without one, nor with another's, is anything sent.
func TestSendTrusts(t *testing.T) {
	r := newReceiver(t, 200)
	r.StartTLS()
	bundle := filepath.Join(t.TempDir(), "ca.crt")
	t.Setenv("SSL_CERT_FILE", bundle+"2")
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw})
	if err := os.WriteFile(bundle+"2", own, 0o644); err != nil {
		t.Fatal(err)
	}
	to := Receiver{URL: r.URL, Bundle: bundle, Sleep: noPause}
	if err := to.Send(t.Context(), applied()); err == nil || len(r.sent) > 0 {
		t.Errorf("without a bundle: %v, %d sent", err, len(r.sent))
	}
	if err := os.WriteFile(bundle, own, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := to.Send(t.Context(), applied()); err != nil || len(r.sent) != 1 {
		t.Errorf("with the bundle: %v, %d sent", err, len(r.sent))
	}
}

// TestHostileReceiver: a server that takes the report and says nothing, and one that is not there, hold nobody up.
func TestHostileReceiver(t *testing.T) {
	forever := make(chan struct{})
	mute := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		_, _ = io.ReadAll(q.Body)
		<-forever
	}))
	defer mute.Close()
	defer close(forever)
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(errors.New("caught interrupt")) })
	err := Receiver{URL: mute.URL}.Send(ctx, applied())
	if err == nil || !strings.Contains(err.Error(), "caught interrupt") {
		t.Errorf("%v", err)
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	pauses := 0
	count := func(context.Context, time.Duration) error { pauses++; return nil }
	if err := (Receiver{URL: gone.URL, Sleep: count}).Send(t.Context(), applied()); err == nil || pauses != 4 {
		t.Errorf("%v after %d pauses", err, pauses)
	}
}

func TestSplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		say := func(line string) { said = append(said, line) }
		begun := time.Now()
		for range 50 {
			if err := Splay(t.Context(), time.Minute, say); err != nil {
				t.Fatal(err)
			}
		}
		if waited := time.Since(begun); waited < 10*time.Minute || waited > 40*time.Minute {
			t.Errorf("waited %s in 50 times", waited)
		}
		if len(said) != 50 || !strings.Contains(said[0], "of at most 1m before the run begins") {
			t.Errorf("said %q", said)
		}
		begun = time.Now()
		if err := Splay(t.Context(), 0, say); err != nil || time.Since(begun) != 0 || len(said) != 50 {
			t.Errorf("without a splay: %v, said %q", err, said[50:])
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errors.New("caught terminated")) })
		err := Splay(ctx, 24*time.Hour, say)
		if err == nil || !strings.Contains(err.Error(), "nothing was changed: caught terminated") ||
			time.Since(begun) > 2*time.Second {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
	})
}
