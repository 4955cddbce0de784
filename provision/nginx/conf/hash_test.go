package conf

import (
	"fmt"
	"strings"
	"testing"

	"wsprovision/provision/nginx/nginxtest"
)

// nameOf is a host name of so many bytes.
func nameOf(length int) string {
	name := strings.Repeat(strings.Repeat("a", 9)+".", 26)[:length]
	return strings.TrimSuffix(name, ".") + strings.Repeat("a", length-len(strings.TrimSuffix(name, ".")))
}

func TestNamesBucket(t *testing.T) {
	for length, want := range map[int]int{1: 0, 46: 0, 47: 128, 110: 128, 111: 256, 238: 256, 239: 512, 255: 512} {
		if got := NamesBucket([]string{nameOf(length), "b"}); got != want {
			t.Errorf("%d bytes: want %d, got %d", length, want, got)
		}
	}
}

// TestNamesBucketIsNginxs: nginx takes the longest name of each size, refuses one that is a byte longer, and the
// directive twice.
func TestNamesBucketIsNginxs(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	two := "server { listen 38083; server_name %s; }\nserver { listen 38083; server_name b; }\n"
	size := func(n int) string { return fmt.Sprintf("server_names_hash_bucket_size %d;\n", n) }
	const tooLong, twice = "could not build server_names_hash", `"server_names_hash_bucket_size" directive is duplicate`
	for _, test := range []struct {
		name, file string
		want       string // "" for none
	}{
		{"46", fmt.Sprintf(two, nameOf(46)), ""},
		{"47", fmt.Sprintf(two, nameOf(47)), tooLong},
		{"47 alone on its socket", strings.Split(fmt.Sprintf(two, nameOf(47)), "\n")[0], ""},
		{"47 in a regular expression", fmt.Sprintf(two, "~"+nameOf(47)), ""},
		{"47 on two sockets", strings.Replace(fmt.Sprintf(two, nameOf(47)), "38083", "38084", 1), ""},
		{"110", size(128) + fmt.Sprintf(two, nameOf(110)), ""},
		{"111", size(128) + fmt.Sprintf(two, nameOf(111)), tooLong},
		{"238", size(256) + fmt.Sprintf(two, nameOf(238)), ""},
		{"239", size(256) + fmt.Sprintf(two, nameOf(239)), tooLong},
		{"253", size(512) + fmt.Sprintf(two, "*."+nameOf(253)), ""},
		{"twice", size(128) + size(128), twice},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := nginxtest.NewHost(t, map[string]string{"conf.d/a.conf": test.file})
			stderr, status := h.Check()
			if (status == 0) != (test.want == "") || !strings.Contains(stderr, test.want) {
				t.Errorf("nginx -t: %d: %s, want %q", status, stderr, test.want)
			}
			tree := load(t, "", map[string][]byte{conf: []byte("http {\n" + test.file + "}")})
			if needs := NamesBucket(tree.HashedNames()) > 0; !tree.HTTP("server_names_hash_bucket_size") &&
				needs != (test.want == tooLong) {
				t.Errorf("%q are hashed, and need a larger size: %v", tree.HashedNames(), needs)
			}
		})
	}
}
