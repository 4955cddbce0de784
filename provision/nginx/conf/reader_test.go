package conf

import (
	"os"
	"testing"

	"wsprovision/provision/nginx/nginxtest"
)

// TestHostileConfiguration: what stands in the place of an included file is not waited for, and read within its bound.
func TestHostileConfiguration(t *testing.T) {
	for name, put := range nginxtest.Hostile {
		root := t.TempDir()
		if err := os.MkdirAll(root+"/etc/nginx/conf.d", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := put(root + "/etc/nginx/conf.d/a.conf"); err != nil {
			t.Fatal(err)
		}
		conf := map[string][]byte{"/etc/nginx/nginx.conf": []byte("http { include /etc/nginx/conf.d/*.conf; }")}
		if _, err := Load(root, "/etc/nginx/nginx.conf", conf); err == nil && name != "device" && name != "link" {
			t.Errorf("%s: no error", name)
		}
	}
}
