package rpm

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wsprovision/rpm/rpmtest"
)

func server(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/key", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("0123456789")) })
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			_, _ = w.Write([]byte("0123456789"))
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/loop", http.StatusFound)
	})
	mux.HandleFunc("/once", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/key", http.StatusFound)
	})
	mux.HandleFunc("/down", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://example.com/", http.StatusFound)
	})
	mux.HandleFunc("/away", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "redirected://user:secret@x/%zz?secret")
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Second):
		}
	})
	s := httptest.NewUnstartedServer(mux)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it speaks of the client that does not know its certificate
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestFetch(t *testing.T) {
	s := server(t)
	f := newFake(t)
	f.write("/keys/k", "0123456789")
	if err := errors.Join(syscall.Mkfifo(f.root+"/keys/fifo", 0o600),
		os.Symlink("/dev/zero", f.root+"/keys/zero")); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, url, wantErr string }{
		{"https", s.URL + "/key", ""},
		{"one redirect", s.URL + "/once", ""},
		{"file", "file:///keys/k", ""},
		{"not found", s.URL + "/nosuch", "the server answered 404 Not Found"},
		{"too long without a length", s.URL + "/chunked", "more than 10 bytes"},
		{"empty", s.URL + "/empty", "empty"},
		{"redirects without end", s.URL + "/loop", "more than 5 redirects"},
		{"redirect to http", s.URL + "/down", "a redirect from https to http"},
		{"no file", "file:///nosuch", "no such file"},
		{"a directory", "file:///keys", "not a regular file"},
		{"a pipe", "file:///keys/fifo", "not a regular file"},
		{"a device", "file:///keys/zero", "not a regular file"},
		{"file on a host", "file://host/keys/k", "not an http, https or file:/// URL"},
		{"ftp", "ftp://x/y", "not an http"},
		{"path", "/keys/k", "not an http"},
		{"unreachable", "http://127.0.0.1:9/", "connection refused"},
		{"password", "http://user:secret@127.0.0.1:9/", "fetch http://…@127.0.0.1:9/: "},
		{"query", "http://127.0.0.1:9/?secret", "fetch http://127.0.0.1:9/?…: "},
		{"a redirect that cannot be followed", s.URL + "/away", "redirected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := f.host().Fetch(bg, s.Client(), tt.url, 10)
			if !rpmtest.Matches(err, tt.wantErr) || err == nil && string(got) != "0123456789" {
				t.Errorf("got %q, %v, want %q", got, err, tt.wantErr)
			}
			if err != nil && (!strings.HasPrefix(err.Error(), "fetch ") || strings.Contains(err.Error(), "secret")) {
				t.Errorf("error is %v", err)
			}
		})
	}
	if _, err := f.host().Fetch(bg, s.Client(), s.URL+"/key", 9); !rpmtest.Matches(err, "10 bytes, more than 9") {
		t.Errorf("too long with a length: %v", err)
	}
	if _, err := f.host().Fetch(bg, nil, s.URL+"/key", 10); !rpmtest.Matches(err, "certificate") {
		t.Errorf("unknown authority: %v", err)
	}
	ctx, cancel := context.WithTimeout(bg, 50*time.Millisecond)
	defer cancel()
	if _, err := f.host().Fetch(ctx, s.Client(), s.URL+"/slow", 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slow server: %v", err)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// An empty answer that comes when the time is up is not called an empty file.
func TestFetchOutOfTime(t *testing.T) {
	late := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
	})}
	ctx, cancel := context.WithTimeout(bg, time.Millisecond)
	defer cancel()
	if _, err := newFake(t).host().Fetch(ctx, late, "http://127.0.0.1/", 10); !errors.Is(err,
		context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// A server that is down for a moment is asked again as a repository is; what will not change is not.
func TestFetchTriesAgain(t *testing.T) {
	hangUp := func(w http.ResponseWriter) { panic(http.ErrAbortHandler) }
	answer := func(status int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(status) }
	}
	for _, tt := range []struct {
		name     string
		fail     func(http.ResponseWriter)
		failures int
		asked    int
		slept    time.Duration
		wantErr  string
	}{
		{"503 once", answer(503), 1, 2, 5 * time.Second, ""},
		{"cut off twice", hangUp, 2, 3, 15 * time.Second, ""},
		{"503 for ever", answer(503), 9, 3, 15 * time.Second, "the server answered 503 Service Unavailable"},
		{"404", answer(404), 9, 1, 0, "the server answered 404 Not Found"},
		{"403", answer(403), 9, 1, 0, "the server answered 403 Forbidden"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked atomic.Int32 // one connection's handler after another's, which only the network orders
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if int(asked.Add(1)) <= tt.failures {
					tt.fail(w)
					return
				}
				_, _ = w.Write([]byte("0123456789"))
			}))
			defer s.Close()
			// which would ask again by itself
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			f := newFake(t)
			got, err := f.host().Fetch(bg, client, s.URL, 10)
			if !rpmtest.Matches(err, tt.wantErr) || err == nil && string(got) != "0123456789" {
				t.Errorf("got %q, %v, want %q", got, err, tt.wantErr)
			}
			if int(asked.Load()) != tt.asked || f.slept != tt.slept || len(f.notices) != tt.asked-1 {
				t.Errorf("asked %d times, slept %s, notices %q; want %d times, %s", asked.Load(), f.slept, f.notices,
					tt.asked, tt.slept)
			}
		})
	}
}
