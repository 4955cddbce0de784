package hostfile

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// TestHostileOpen: whatever stands in a file's place, opening it comes back at once with an error that names the path.
func TestHostileOpen(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("plain"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(at("fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"link": "plain", "link-to-fifo": "fifo", "loop": "loop"} {
		if err := os.Symlink(to, at(name)); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := net.Listen("unix", at("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, tt := range []struct {
		name       string
		open       func(string) (*os.File, error)
		ok         bool
		notRegular bool
	}{
		{"plain", Open, true, false},
		{"fifo", Open, false, true},
		{"link", Open, false, true},
		{"link-to-fifo", Open, false, true},
		{"loop", Open, false, true},
		{"socket", Open, false, false},
		{".", Open, false, true},
		{"absent", Open, false, false},
		{"plain", OpenLinked, true, false},
		{"link", OpenLinked, true, false},
		{"link-to-fifo", OpenLinked, false, true},
		{"loop", OpenLinked, false, false},
	} {
		file, err := tt.open(at(tt.name))
		if file != nil {
			file.Close()
		}
		if ok := err == nil; ok != tt.ok || errors.Is(err, ErrNotRegular) != tt.notRegular {
			t.Errorf("open %s = %v, want success %t, not regular %t", tt.name, err, tt.ok, tt.notRegular)
		}
		if err != nil && !strings.Contains(err.Error(), at(tt.name)) {
			t.Errorf("open %s: %q does not name the path", tt.name, err)
		}
	}
	if _, err := Open(at("absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open of what is absent = %v, want %v", err, fs.ErrNotExist)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if got, err := Read(ctx, name, 10); err != nil || string(got) != "0123456789" {
		t.Errorf("Read of all = %q, %v", got, err)
	}
	if _, err := Read(ctx, name, 9); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Read of more than its limit = %v, want %v", err, ErrTooLarge)
	}
	if _, err := Read(ctx, link, 10); !errors.Is(err, ErrNotRegular) {
		t.Errorf("Read of a link = %v, want %v", err, ErrNotRegular)
	}
	if got, err := ReadLinked(ctx, link, 10); err != nil || len(got) != 10 {
		t.Errorf("ReadLinked = %q, %v", got, err)
	}
	if got, err := Head(ctx, name, 99); err != nil || len(got) != 10 {
		t.Errorf("Head of less than its limit = %q, %v", got, err)
	}
	if got, err := Head(ctx, name, 3); err != nil || string(got) != "012" {
		t.Errorf("Head = %q, %v, want the first three bytes", got, err)
	}
	if got, err := Read(ctx, "/proc/self/status", 1<<20); err != nil || len(got) == 0 {
		t.Errorf("Read of /proc, which tells a size of 0 = %d bytes, %v", len(got), err)
	}
}

// TestReadEnds: a sparse file of terabytes is not read to its end, and an ended context ends a read.
func TestReadEnds(t *testing.T) {
	name := filepath.Join(t.TempDir(), "sparse")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, 1<<40); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(t.Context(), name, 1<<16); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Read of a terabyte = %v, want %v", err, ErrTooLarge)
	}
	if got, err := Head(t.Context(), name, 1<<16); err != nil || len(got) != 1<<16 {
		t.Errorf("Head of a terabyte = %d bytes, %v", len(got), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, name, 1<<42); !errors.Is(err, context.Canceled) {
		t.Errorf("Read with an ended context = %v, want %v", err, context.Canceled)
	}
	if _, err := Head(ctx, name, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("Head with an ended context = %v, want %v", err, context.Canceled)
	}
}

// TestHostileReadWaits: a read that the kernel does not come back from is given up after a time, and with its context.
func TestHostileReadWaits(t *testing.T) {
	// stands for the memory of a process, in a file system whose server does not answer
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	never := func() (*os.File, error) { return reader, nil }
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := take(ctx, "/proc/1/cmdline", 10, never); !errors.Is(err, context.Canceled) {
		t.Errorf("a read that waits, its context ended = %v, want %v", err, context.Canceled)
	}
	synctest.Test(t, func(t *testing.T) {
		forever := make(chan struct{})
		defer close(forever)
		_, err := take(t.Context(), "/proc/1/cmdline", 10, func() (*os.File, error) {
			<-forever
			return nil, fs.ErrClosed
		})
		if !errors.Is(err, ErrNoAnswer) {
			t.Errorf("a read that waits = %v, want %v", err, ErrNoAnswer)
		}
	})
}
