package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"wsprovision/cmd/wsprovision/ending"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
)

// TestHostileSecondSignal: whatever a run hangs at, a second signal ends it: at once where nothing is under way, else
// when that is done, which is named.
func TestHostileSecondSignal(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change time.Duration // how long a change is under way for at the signal
		before int           // changes made before it
		says   []string
	}{
		{"nothing was changed", 0, 0, []string{"nothing was changed"}},
		{"between two changes", 0, 2, []string{"after 2 changes, the last of them: install /etc/x",
			"wsprovision status"}},
		{"in the middle of one", time.Minute, 1, []string{"is done: run yum -y install nginx", "after 2 changes"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said bytes.Buffer
				status, ended := make(chan int, 1), make(chan struct{})
				var answer bytes.Buffer
				a := newApp(nil, &answer, io.Discard)
				a.output, a.seam = "json", &host.Seam{}
				a.ender = &ending.Ender{Seam: a.seam, Say: func(line string) {
					said.WriteString(line + "\n")
				}, Exit: func() { status <- exitFailed }}
				out := a.newOutput("apply")
				out.cutShort()
				out.listener().Started(1, 2, "packages")
				out.listener().Finished(1, 2, engine.StepReport{Name: "packages", Status: engine.Changed})
				out.listener().Started(2, 2, "site")
				for range tt.before {
					_ = a.seam.Do("install /etc/x", func() error { return nil })
				}
				if tt.change > 0 {
					go func() {
						defer close(ended)
						_ = a.seam.Do("run yum -y install nginx", func() error { time.Sleep(tt.change); return nil })
					}()
					synctest.Wait()
				}
				began := time.Now()
				a.ender.Again(syscall.SIGINT)
				a.ender.Again(syscall.SIGINT)
				code := <-status
				if took := time.Since(began); code != exitFailed || took != tt.change+ending.EndGrace {
					t.Errorf("exit status %d after %s", code, took)
				}
				for _, want := range tt.says {
					if !strings.Contains(said.String(), want) {
						t.Errorf("%q does not say %q", said.String(), want)
					}
				}
				var r engine.Report
				if err := json.Unmarshal(answer.Bytes(), &r); err != nil ||
					r.Result != engine.Failed ||
					len(r.Steps) != 2 || r.Steps[1].Status != engine.Failed ||
					!strings.Contains(r.Interrupted, "caught interrupt again") {
					t.Errorf("%+v, %v", r, err)
				}
				if tt.change > 0 {
					<-ended
				}
			})
		})
	}
}

// TestSignals: the first signal ends the context, and every later one is handed on.
func TestSignals(t *testing.T) {
	handleHangUp(t)
	later := make(chan string, 2)
	ctx, stop := ending.UntilSignalled(t.Context(), func(s os.Signal) { later <- s.String() })
	defer stop()
	send := func(s syscall.Signal) {
		if err := syscall.Kill(syscall.Getpid(), s); err != nil {
			t.Fatal(err)
		}
	}
	send(syscall.SIGINT)
	<-ctx.Done()
	if got := context.Cause(ctx).Error(); got != "caught interrupt" {
		t.Errorf("cause %q", got)
	}
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		send(s)
		if got := <-later; got != s.String() {
			t.Errorf("handed on %s, want %s", got, s)
		}
	}
}
