package systemd

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorded is one run of systemctl 219 in a CentOS 7.9 chroot, with no systemd at work.
type recorded struct {
	argv           []string
	stdout, stderr string
	status         string
}

func recording(t *testing.T, name string) recorded {
	t.Helper()
	read := func(what string) string {
		b, err := os.ReadFile(filepath.Join("testdata", "rhel7-1.systemctl-"+name+"."+what))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSuffix(string(b), "\n")
	}
	return recorded{strings.Fields(read("argv")), read("stdout"), read("stderr"), read("status")}
}

// In a chroot systemctl takes every request that it ignores for a success: neither its status nor its silence proves
// anything, and so nothing of ours goes by them.
func TestRecordedChroot(t *testing.T) {
	for name, ignored := range map[string]bool{
		"chroot-daemon-reload": true, "chroot-is-active": true, "chroot-reload": true,
		"chroot-enable": false, "chroot-is-enabled": false,
	} {
		r := recording(t, name)
		if said := r.stderr == "Running in chroot, ignoring request."; r.status != "0" || said != ignored {
			t.Errorf("%s: status %s, stderr %q", name, r.status, r.stderr)
		}
	}
}

func TestRecordedEnable(t *testing.T) {
	r := recording(t, "chroot-enable")
	for _, tt := range []struct {
		name  string
		links bool
		want  string
	}{
		{"done", true, ""},
		{"said, and not done", false, `enable nginx.service: done, but systemd has it as "disabled", not enabled`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := tree(t, map[string]string{"/usr/lib/systemd/system/nginx.service": nginxUnit})
			o := &Offline{Root: root, Change: func(context.Context, string, ...string) (string, string, int, error) {
				if tt.links {
					link, target, _ := strings.Cut(strings.TrimPrefix(r.stderr, "Created symlink "), ", pointing to ")
					_ = os.MkdirAll(filepath.Dir(root+link), 0o755)
					_ = os.Symlink(strings.TrimSuffix(target, "."), root+link)
				}
				return r.stdout, r.stderr, 0, nil
			}}
			if got := errText(o.Enable(t.Context(), "nginx.service")); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			st, err := o.State(t.Context(), "nginx.service")
			if says := recording(t, "chroot-is-enabled").stdout; err != nil || tt.links && st.File != says {
				t.Errorf("State has %q, %v; systemctl is-enabled says %q", st.File, err, says)
			}
		})
	}
}

func TestRecordedVersion(t *testing.T) {
	if v, err := ParseVersion(recording(t, "version").stdout); v != 219 || err != nil {
		t.Errorf("got %d, %v", v, err)
	}
}
