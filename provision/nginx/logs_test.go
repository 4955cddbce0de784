package nginx

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/nginxtest"
)

func appendTo(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func line(text string) string { return "2026/11/22 18:00:00 [" + text + "\n" }

func TestLogsAreFollowed(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(t *testing.T, log string)
		want string
	}{
		{"nothing", func(t *testing.T, log string) {}, ""},
		{"levels", func(t *testing.T, log string) {
			appendTo(t, log, line("crit] 1#1: c")+line("error] 1#1: e")+line("notice] 1#1: n")+line("alert] 1#1: a")+
				"rubbish [emerg]\n")
		}, "c a"},
		{"a connection's trouble", func(t *testing.T, log string) {
			appendTo(t, log, line("crit] 1#1: *7 connect() to 127.0.0.1:3000 failed (13: Permission denied)"))
		}, ""},
		{"truncated", func(t *testing.T, log string) {
			if err := os.Truncate(log, 0); err != nil {
				t.Fatal(err)
			}
			appendTo(t, log, line("emerg] 1#1: t"))
		}, "t"},
		{"rotated", func(t *testing.T, log string) {
			appendTo(t, log, line("emerg] 1#1: before"))
			if err := os.Rename(log, log+"-20261122"); err != nil {
				t.Fatal(err)
			}
			appendTo(t, log, line("emerg] 1#1: after"))
		}, "before after"},
		{"rotated, no new one yet", func(t *testing.T, log string) {
			if err := os.Rename(log, log+".1"); err != nil {
				t.Fatal(err)
			}
			appendTo(t, log+".1", line("emerg] 1#1: late"))
		}, "late"},
		{"half a line", func(t *testing.T, log string) {
			appendTo(t, log, strings.TrimSpace(line("emerg] 1#1: half")))
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := Nginx{Root: t.TempDir()}
			log := filepath.Join(n.Root, "e.log")
			appendTo(t, log, line("emerg] 1#1: old and long enough to be longer than what comes"))
			mark := n.MarkLogs([]string{"/e.log", "/absent.log"})
			test.do(t, log)
			seen, err := mark.Complaints(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range seen {
				got = append(got, l.Text[strings.LastIndexByte(l.Text, ':')+2:])
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("want %q, got %q", test.want, got)
			}
		})
	}
}

// TestComplaintsOfAProcess: lines of others are none of the master's, and what is said five times is told once.
func TestComplaintsOfAProcess(t *testing.T) {
	n := Nginx{Root: t.TempDir()}
	mark := n.MarkLogs([]string{"/e.log"})
	appendTo(t, n.Root+"/e.log", line("emerg] 7#7: of nginx -t")+strings.Repeat(line("emerg] 10#10: bind() failed"), 5)+
		line("emerg] 10#10: "+strings.Repeat("x", 2*longestLine))+line("emerg] 10#10: still could not bind()"))
	for pid, want := range map[int]int{10: 2, 7: 1, 0: 3, 1: 0} {
		seen, err := mark.Complaints(t.Context(), pid)
		if err != nil || len(seen) != want {
			t.Errorf("process %d: %q, %v, want %d lines", pid, seen, err, want)
		}
	}
}

// TestHostileLogs: whatever stands in a log's place, at the mark or put there after it, its lines are read or not,
// within a bound, and those of the other log are.
func TestHostileLogs(t *testing.T) {
	for name, put := range nginxtest.Hostile {
		for _, late := range []bool{false, true} {
			n := Nginx{Root: t.TempDir()}
			hostile, whole := filepath.Join(n.Root, "e.log"), filepath.Join(n.Root, "f.log")
			appendTo(t, whole, line("emerg] 1#1: old"))
			if late {
				appendTo(t, hostile, line("emerg] 1#1: old"))
			} else if err := put(hostile); err != nil {
				t.Fatal(err)
			}
			mark := n.MarkLogs([]string{"/e.log", "/f.log"})
			if late {
				if err := errors.Join(os.Remove(hostile), put(hostile)); err != nil {
					t.Fatal(err)
				}
			}
			appendTo(t, whole, line("emerg] 1#1: new"))
			seen, _ := mark.Complaints(t.Context(), 1)
			if len(seen) != 1 || !strings.HasSuffix(seen[0].String(), "f.log: 2026/11/22 18:00:00 [emerg] 1#1: new") {
				t.Errorf("%s, late %t: %q, want the one line of f.log", name, late, seen)
			}
		}
	}
}

// TestHostileLogGrows: a log that is written to as fast as it is read ends by its bound, and with its context.
func TestHostileLogGrows(t *testing.T) {
	n := Nginx{Root: t.TempDir()}
	mark := n.MarkLogs([]string{"/e.log"})
	appendTo(t, n.Root+"/e.log", line("emerg] 1#1: first"))
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		block := strings.Repeat(line("info] 1#1: noise"), 1<<14)
		f, err := os.OpenFile(n.Root+"/e.log", os.O_APPEND|os.O_WRONLY, 0)
		for size := 0; err == nil && size < 256<<20; size += len(block) {
			select {
			case <-done:
				_ = f.Close()
				return
			default:
				_, err = f.WriteString(block)
			}
		}
	}()
	seen, _ := mark.Complaints(t.Context(), 1)
	close(done)
	<-stopped
	if len(seen) != 1 {
		t.Errorf("%q, want the first line", seen)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mark.Complaints(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v, want %v", err, context.Canceled)
	}
}

// TestHostilePipe: a log that would hang nginx is told before nginx opens it, and one that somebody reads is none.
func TestHostilePipe(t *testing.T) {
	n := Nginx{Root: t.TempDir()}
	const text = "error_log /e.log; http { access_log /a.log; server { access_log off; } }"
	tree, err := conf.Load("", "/n.conf", map[string][]byte{"/n.conf": []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, n.Root+"/e.log", "")
	if err := n.CheckLogs(tree); err != nil {
		t.Errorf("plain logs: %v", err)
	}
	if err := syscall.Mkfifo(n.Root+"/a.log", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := n.CheckLogs(tree); err == nil || !strings.Contains(err.Error(), "/a.log is a pipe that nobody reads") {
		t.Errorf("a pipe: %v", err)
	}
	reader, err := os.OpenFile(n.Root+"/a.log", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := n.CheckLogs(tree); err != nil {
		t.Errorf("a pipe with a reader: %v", err)
	}
}

func FuzzLogLines(f *testing.F) {
	f.Add([]byte(line("emerg] 1#1: x")), []byte("\n"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		text := string(slices.Concat(first, second))
		scanned, split := complaints{said: map[string]bool{}}, complaints{said: map[string]bool{}}
		if err := scanned.scan("x", io.MultiReader(bytes.NewReader(first), bytes.NewReader(second))); err != nil {
			t.Error(err)
		}
		for l := range strings.Lines(text) {
			if strings.HasSuffix(l, "\n") && len(l) <= longestLine {
				split.line("x", strings.TrimSuffix(l, "\n"))
			}
		}
		if !slices.Equal(scanned.lines, split.lines) {
			t.Errorf("%q, line by line %q", scanned.lines, split.lines)
		}
	})
}
