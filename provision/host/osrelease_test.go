package host

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOSRelease(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       OSRelease
		supported  bool
	}{
		{"CentOS 7", "NAME=\"CentOS Linux\"\nID=\"centos\"\nID_LIKE=\"rhel " +
			"fedora\"\nVERSION_ID=\"7\"\nPRETTY_NAME=\"CentOS Linux 7 (Core)\"\n\n",
			OSRelease{ID: "centos", VersionID: "7", PrettyName: "CentOS Linux 7 (Core)",
				IDLike: []string{"rhel", "fedora"}}, true},
		{"bare values", "ID=ol\nVERSION_ID=7.9\n", OSRelease{ID: "ol", VersionID: "7.9"}, true},
		{"single quotes", "ID='scientific'\nVERSION_ID='7.9'\n", OSRelease{ID: "scientific", VersionID: "7.9"}, true},
		{"comments and escapes", "# ID=debian\n  ID=\"r\\hel\"\nVERSION_ID=\"7\"\nPRETTY_NAME=\"a \\\"b\\\" \\$c\"\n",
			OSRelease{ID: "rhel", VersionID: "7", PrettyName: `a "b" $c`}, true},
		{"the last one wins", "ID=debian\nID=rhel\nVERSION_ID=7\n", OSRelease{ID: "rhel", VersionID: "7"}, true},
		{"RHEL 8", "ID=\"rhel\"\nVERSION_ID=\"8.1\"\n", OSRelease{ID: "rhel", VersionID: "8.1"}, false},
		{"RHEL 70", "ID=\"rhel\"\nVERSION_ID=\"70\"\n", OSRelease{ID: "rhel", VersionID: "70"}, false},
		{"Fedora 7", "ID=fedora\nID_LIKE=rhel\nVERSION_ID=7\n",
			OSRelease{ID: "fedora", VersionID: "7", IDLike: []string{"rhel"}}, false},
		{"nothing", "", OSRelease{}, false},
	} {
		got := parseOSRelease(tt.text)
		if d := cmp.Diff(tt.want, got); d != "" || got.Supported() != tt.supported {
			t.Errorf("%s: supported %v, want %v (-want +got):\n%s", tt.name, got.Supported(), tt.supported, d)
		}
	}
}

func TestReadOSRelease(t *testing.T) {
	root := t.TempDir()
	if _, err := ReadOSRelease(root); err == nil || !strings.Contains(err.Error(), "which system this is") {
		t.Errorf("no file: %v", err)
	}
	for _, dir := range []string{"/usr/lib", "/etc"} { // the later one wins
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root+dir+"/os-release", []byte("ID="+strings.Trim(dir, "/")[:3]+"\n"),
			0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadOSRelease(root); err != nil || got.ID != strings.Trim(dir, "/")[:3] {
			t.Errorf("%s: %+v, %v", dir, got, err)
		}
	}
}

func FuzzOSRelease(f *testing.F) {
	f.Add("ID=\"rhel\"\nVERSION_ID=\"7.9\"\nPRETTY_NAME=\"Red Hat Enterprise Linux\"\n")
	f.Add("ID='x\\'\nID=\"\\\n\"=\n#")
	f.Fuzz(func(t *testing.T, text string) {
		r := parseOSRelease(text)
		if r.Supported() && (!strings.Contains(text, "ID=") || !strings.Contains(text, "7")) {
			t.Errorf("%q is taken for %+v", text, r)
		}
		_ = r.String()
	})
}
