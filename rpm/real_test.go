package rpm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/rpmtest"
)

// real is this machine's own rpm, gpg, rpmbuild and rpmsign, with a database and a keyring of the test's own. Debian 12
// has rpm 4.18: what only 4.11 says is in the recorded outputs.
type real struct {
	t    *testing.T
	dir  string
	home string // gpg's; its sockets want a short path
}

func newReal(t *testing.T) *real {
	t.Helper()
	for _, program := range []string{"rpm", "rpmbuild", "rpmsign", "gpg", "gpgconf"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("no %s: apt-get install rpm gnupg", program)
			}
			t.Skipf("no %s on this machine", program)
		}
	}
	home, err := os.MkdirTemp("", "gpg")
	if err != nil {
		t.Fatal(err)
	}
	r := &real{t: t, dir: t.TempDir(), home: home}
	t.Cleanup(func() {
		_ = r.command("gpgconf", "--kill", "all").Run()
		_ = os.RemoveAll(home)
	})
	return r
}

func (r *real) command(argv ...string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+r.home, "GNUPGHOME="+r.home)
	return cmd
}

func (r *real) must(argv ...string) string {
	r.t.Helper()
	out, err := r.command(argv...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			r.t.Fatalf("%q: %v: %s", argv, err, exit.Stderr)
		}
		r.t.Fatalf("%q: %v", argv, err)
	}
	return string(out)
}

// run is a Run for rpm, with the database of the test.
func (r *real) run(ctx context.Context, stdin string, argv ...string) (string, string, int, error) {
	argv = slices.Insert(slices.Clone(argv), 1, "--dbpath", filepath.Join(r.dir, "db"))
	cmd := r.command(argv...)
	var out, err bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &err
	e := cmd.Run()
	var exit *exec.ExitError
	if e != nil && !errors.As(e, &exit) {
		return "", "", 0, e
	}
	return out.String(), err.String(), cmd.ProcessState.ExitCode(), ctx.Err()
}

// key makes a key, exports it to NAME.asc and returns the fingerprint that gpg lists.
func (r *real) key(name, algorithm string) string {
	r.must("gpg", "--batch", "--passphrase", "", "--quick-gen-key", name+" <"+name+"@example.com>", algorithm, "sign",
		"never")
	r.write(name+".asc", r.must("gpg", "--armor", "--export", name+"@example.com"))
	for _, line := range strings.Split(r.must("gpg", "--list-keys", "--with-colons", name+"@example.com"), "\n") {
		if f := strings.Split(line, ":"); f[0] == "fpr" {
			return f[9]
		}
	}
	r.t.Fatal("gpg listed no fingerprint")
	return ""
}

func (r *real) path(name string) string { return filepath.Join(r.dir, name) }

func (r *real) write(name, text string) {
	if err := os.WriteFile(r.path(name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// build makes NAME.rpm and signs it unless by is empty.
func (r *real) build(name, by string, how ...string) string {
	r.write(name+".spec", fmt.Sprintf("Name: %s\nEpoch: 1\nVersion: 1.20.1\nRelease: 10.el7\nSummary: x\nLicense: "+
		"MIT\nBuildArch: noarch\n%%description\nx\n%%files\n", name))
	r.must("rpmbuild", "-bb", "--define", "_topdir "+r.dir, "--define", "_rpmdir "+r.dir, "--define", "_rpmfilename "+
		name+".rpm", r.path(name+".spec"))
	if by != "" {
		r.must(append(append([]string{"rpmsign", "--define", "__gpg /usr/bin/gpg", "--define", "_gpg_name " + by +
			"@example.com"}, how...), "--addsign", r.path(name+".rpm"))...)
	}
	return r.path(name + ".rpm")
}

// tamper writes a copy with one byte changed at the offset that find returns.
func (r *real) tamper(name, from string, find func([]byte) int) string {
	data, err := os.ReadFile(from)
	if err != nil {
		r.t.Fatal(err)
	}
	data[find(data)] ^= 1
	r.write(name, string(data))
	return r.path(name)
}

func TestRealRPM(t *testing.T) {
	r := newReal(t)
	h := New("", r.run, r.run)
	h.Sleep = func(context.Context, time.Duration) error { return errors.New("it waits for a lock") }
	good, other := r.key("good", "rsa4096"), r.key("other", "rsa2048")

	if keys, err := h.DB.ImportedKeys(bg); err != nil || len(keys) != 0 {
		t.Fatalf("imported at first: %v, %v", keys, err)
	}
	if err := h.ImportKey(bg, r.path("good.asc"), other); !rpmtest.Matches(err, "not just "+other) {
		t.Errorf("wrong fingerprint: %v", err)
	}
	for range 2 {
		if err := h.ImportKey(bg, r.path("good.asc"), good); err != nil {
			t.Fatal(err)
		}
	}
	if keys, err := h.DB.ImportedKeys(bg); err != nil || !slices.Equal(keys, []string{good}) {
		t.Fatalf("imported: %v, %v, want %s", keys, err, good)
	}

	both := r.build("both", "good", "--rpmv3")
	header := r.build("header", "good")
	unsigned := r.build("unsigned", "")
	bysomeone := r.build("bysomeone", "other")
	tests := []struct{ name, path, wantErr string }{
		{"header and payload signed", both, ""},
		{"header alone signed", header, "rpmsign --addsign --rpmv3"},
		{"unsigned", unsigned, "it is not signed"},
		{"by a key that is not imported", bysomeone, "signed by key " + other[32:] + ", which is not imported"},
		{"payload tampered with", r.tamper("payload.rpm", both, func(d []byte) int {
			return len(d) - 20
		}), "it is damaged: Payload"},
		{"header tampered with", r.tamper("head.rpm", header, func(d []byte) int {
			return bytes.LastIndex(d, []byte("10.el7"))
		}), "signature is not good"},
		{"not a package", r.path("good.asc"), "exit status 1: it found nothing to verify"},
		{"no such file", r.path("nosuch.rpm"), "No such file or directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := h.DB.CheckSignature(bg, tt.path, []string{good}); !rpmtest.Matches(err, tt.wantErr) {
				t.Errorf("error is %v, want %q", err, tt.wantErr)
			}
		})
	}

	if err := h.ImportKey(bg, r.path("other.asc"), other); err != nil {
		t.Fatal(err)
	}
	if err := h.DB.CheckSignature(bg, bysomeone, []string{good}); !rpmtest.Matches(err, "signed by "+other+
		" other <other@example.com>, which is not the expected key") {
		t.Errorf("by an imported key that is not expected: %v", err)
	}

	if p, err := h.DB.PackageFile(bg, both); err != nil || p.String() != "both-1:1.20.1-10.el7.noarch" {
		t.Errorf("package file: %v, %v", p, err)
	}
	if _, err := h.DB.PackageFile(bg, r.path("good.asc")); err == nil {
		t.Error("a key was read as a package")
	}
	if _, _, status, err := r.run(bg, "", "rpm", "-i", "--justdb", "--nodeps", both); err != nil || status != 0 {
		t.Fatalf("rpm -i --justdb: %d, %v", status, err)
	}
	found, err := h.DB.Installed(bg, "both", "header", "unsigned")
	if err != nil || len(found) != 1 || len(found["both"]) != 1 ||
		found["both"][0].String() != "both-1:1.20.1-10.el7.noarch" {
		t.Errorf("installed: %v, %v", found, err)
	}
	all, err := h.DB.Inventory(bg)
	if err != nil || len(all.Packages) != 1 || all.Packages["both"][0] != found["both"][0] || len(all.Keys) != 2 {
		t.Errorf("inventory: %v, %v", all, err)
	}
	if owned, err := h.DB.Owned(bg, r.path("good.asc")); err != nil || owned {
		t.Errorf("owned: %v, %v", owned, err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "db", "rpmdb.sqlite"), bytes.Repeat([]byte("broken "), 1000),
		0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := h.DB.Installed(bg, "both"); !rpmtest.Matches(err, "rpm --rebuilddb") {
		t.Errorf("a broken database: %v, %v", found, err)
	}
}

// TestReadPackageOfRPM's and rpmsign's own files are read as rpm reads them.
func TestReadPackageOfRPM(t *testing.T) {
	r := newReal(t)
	r.key("good", "rsa2048")
	for _, file := range []string{r.build("plain", ""), r.build("signed", "good", "--rpmv3")} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := rpmdb.DB{Read: r.run}.PackageFile(bg, file)
		if got, e := rpmdb.ReadPackage(content); err != nil || e != nil || got != want {
			t.Errorf("%v, %v, want %v, %v", got, e, want, err)
		}
	}
}
