package rpm

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/yumerr"

	"golang.org/x/sys/unix"
)

func TestFullFileSystem(t *testing.T) {
	const curl = "Error downloading packages:\n  x: Download failed: Curl error (23): Failed writing\n"
	plenty := unix.Statfs_t{Bsize: 4096, Bavail: 1 << 20, Files: 10, Ffree: 5}
	full := unix.Statfs_t{Bsize: 4096, Bavail: 3, Files: 10, Ffree: 5}
	noInode := unix.Statfs_t{Bsize: 4096, Bavail: 1 << 20, Files: 10}
	readOnly := unix.Statfs_t{Bsize: 4096, Bavail: 1 << 20, Flags: unix.ST_RDONLY}
	tests := []struct {
		name, conf, stderr string
		disks              map[string]unix.Statfs_t // by the beginning of the path; "" is the rest
		want               string
	}{
		{name: "the directory that yum names", stderr: "Insufficient space in download directory " +
			"/srv/cache/epel/packages\n    * free   12 k\n",
			disks: map[string]unix.Statfs_t{"/srv": full, "": plenty},
			want: "free space on the file system /, on which /srv/cache/epel/packages is: it has 12 kB free (df " +
				"/srv/cache/epel/packages)"},
		{name: "the file system that rpm names", stderr: "Transaction check error:\n  installing package nginx " +
			"needs 2MB on the /usr filesystem\n",
			disks: map[string]unix.Statfs_t{"": full}, want: "free space on the file system /, on which /usr is: it " +
				"has 12 kB free (df /usr)"},
		{name: "the file that rpm was writing", disks: map[string]unix.Statfs_t{"": full},
			stderr: "error: unpacking of archive failed on file /usr/sbin/nginx;5f: cpio: write failed - No space " +
				"left on device\n",
			want: "on which /usr/sbin/nginx is"},
		{name: "the cache as configured", conf: "[main]\ncachedir=/srv/yum/$basearch/$releasever\n", stderr: curl,
			disks: map[string]unix.Statfs_t{"/srv/yum/x86_64": full, "": plenty},
			want:  "free space on the file system /, on which /srv/yum/x86_64 is: it has 12 kB free"},
		{name: "the cache by default, full", stderr: curl, disks: map[string]unix.Statfs_t{"/var/cache": full,
			"": plenty}, want: "on which /var/cache/yum is: it has 12 kB free"},
		{name: "not the cache but rpm's database", stderr: curl,
			disks: map[string]unix.Statfs_t{"/var/lib/rpm": full, "": plenty},
			want:  "on which /var/lib/rpm is: it has 12 kB free"},
		{name: "not the cache but yum's database", conf: "[main]\npersistdir=/srv/yumdb\n",
			stderr: "Error: database or disk is full\n",
			disks:  map[string]unix.Statfs_t{"/srv/yumdb": full, "": plenty},
			want:   "on which /srv/yumdb is: it has 12 kB free"},
		{name: "no inode", stderr: curl, disks: map[string]unix.Statfs_t{"/var/cache": noInode, "": plenty},
			want: "the file system /, on which /var/cache/yum is, has no inode left: remove files there (df -i " +
				"/var/cache/yum)"},
		{name: "read-only", stderr: "[Errno 30] Read-only file system\n",
			disks: map[string]unix.Statfs_t{"/var/cache": readOnly, "": plenty},
			want: "the file system /, on which /var/cache/yum is, is mounted read-only: mount it read-write " +
				"(findmnt -T /var/cache/yum shows it)"},
		{name: "freed meanwhile", stderr: curl, disks: map[string]unix.Statfs_t{"": plenty},
			want: "on which /var/cache/yum is: it has 4096 MB free"},
		{name: "cannot be asked", stderr: curl, want: "free space on the file system of /var/cache/yum"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			for _, dir := range []string{"/srv/cache/x", "/srv/yum/x86_64/x", "/srv/yumdb/x", "/var/cache/yum/x",
				"/var/lib/yum/x", "/var/lib/rpm/x", "/usr/sbin/nginx"} {
				f.write(dir, "")
			}
			if tt.conf != "" {
				f.write("/etc/yum.conf", tt.conf)
			}
			h := f.host()
			h.Disk.freeSpace = func(path string, to *unix.Statfs_t) error {
				best, found := "", false
				for at, disk := range tt.disks {
					if strings.HasPrefix(path, filepath.Join(f.root, at)) && (!found || len(at) > len(best)) {
						best, found, *to = at, true, disk
					}
				}
				if !found {
					return errors.New("no answer")
				}
				return nil
			}
			e := h.refusal(yumerr.Output{Status: 1, Stdout: "", Stderr: tt.stderr}, []string{"nginx"}, nil,
				rpmdb.Inventory{}, Limits{})
			if !strings.Contains(e.Next, tt.want) || strings.Count(e.Next, "file system") > 3 {
				t.Errorf("%s: %q, want %q", e.Kind, e.Next, tt.want)
			}
		})
	}
}

// The kernel's own word is taken where no test stands in: the directory need not be there yet.
func TestRealSpace(t *testing.T) {
	h := New(t.TempDir(), nil, nil)
	r := h.Disk.room("/var/cache/yum")
	if !r.known || r.mount != "/" || r.free == 0 {
		t.Errorf("%+v, want something free on /", r)
	}
}
