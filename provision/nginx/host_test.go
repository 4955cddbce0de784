package nginx

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"wsprovision/provision/nginx/nginxtest"
)

// host is a configuration of its own for the real nginx.
type host struct{ nginxtest.Host }

func newHost(t *testing.T, files map[string]string) host {
	t.Helper()
	return host{nginxtest.NewHost(t, files)}
}

func (h host) nginx() Nginx { return Nginx{Read: nginxtest.Run, Conf: h.Conf()} }

// listing describes everything below some directories, so that two of them can be compared.
func listing(t *testing.T, dirs ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			info, err := d.Info()
			if err != nil {
				return nil
			}
			all[name] = fmt.Sprintf("%s %d %d %s", info.Mode(), inode(info), info.Size(),
				info.ModTime().Format(time.RFC3339Nano))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}
