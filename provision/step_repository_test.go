package provision

import (
	"strings"
	"syscall"
	"testing"
)

// A key's path may lead anywhere: what is no file is neither waited for nor read without end.
func TestKeyThatIsNoFile(t *testing.T) {
	for name, lay := range map[string]func(h *fakeHost, path string){
		"a pipe":   func(h *fakeHost, path string) { h.must(syscall.Mkfifo(h.path(path), 0o600)) },
		"a device": func(h *fakeHost, path string) { h.link("/dev/zero", path) },
	} {
		bubble(t, name, func(t *testing.T) {
			h := newFakeHost(t)
			h.mkdir("/root")
			lay(h, "/root/epel.key")
			r := h.apply(parse(t, oneSite+"epel: {source: mirror, baseurl: 'http://mirror.example.com/7', gpgkey: /root/epel.key}\n"))
			if s := step(t, r, StepRepository); s.Status != Failed || !strings.Contains(s.Error, "/root/epel.key: not a regular file") {
				t.Errorf("%s %q, want failed: not a regular file", s.Status, s.Error)
			}
		})
	}
}
