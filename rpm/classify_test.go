package rpm

import (
	"strings"
	"testing"
	"time"

	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/rpmtest"
	"wsprovision/rpm/yumerr"
)

const keyLine = "Public key for gperftools-libs-2.6.1-1.el7.x86_64.rpm is not installed\n"

// The kind whose evidence comes last decides, stderr's before stdout's, and what yum says of every run decides nothing.
func TestClassifyByPlace(t *testing.T) {
	const download = "\n\nError downloading packages:\n  1:nginx-1.20.1-10.el7.x86_64: [Errno 256] No more mirrors " +
		"to try.\n\n"
	for _, tt := range []struct {
		name, stdout, stderr string
		kind                 yumerr.Kind
		text                 string
	}{
		{"a key that is imported is no failure", keyLine + "Running transaction\n", "Error: something else\n",
			yumerr.Unknown, "Error: something else"},
		{"a key that is not there", "", "\n\n" + keyLine, yumerr.BadKey, "gperftools"},
		{"progress is no evidence", keyLine + "Package x.rpm is not signed\nNo space left on device\nYou need to be " +
			"root to perform this command.\n", "", yumerr.Unknown, ""},
		{"a name tolerated, then a mirror", "No package nonexist available.\n" + keyLine, download, yumerr.Unreachable,
			"1:nginx"},
		{"a mirror that was passed over, then a conflict", keyLine,
			"http://a/x.rpm: [Errno 14] curl#7 - \"x\"\nTrying other mirror.\n\n\nTransaction check error:\n" +
				"  file /a from install of a-1-1.noarch conflicts with file from package b-1-1.noarch\n\nError " +
				"Summary\n", yumerr.Conflict, "conflicts with file from package b-1-1.noarch"},
		{"a lock that was waited for, then a mirror", "",
			"Existing lock /var/run/yum.pid: another copy is running as pid 7.\n" +
				"Another app is currently holding the yum lock; waiting for it to exit...\n" + download,
			yumerr.Unreachable,
			"1:nginx"},
		{"the boilerplate, then the disk", "", " One of the configured repositories failed (x),\n\nInsufficient " +
			"space in download directory /c\n", yumerr.NoSpace, "/c"},
		{"a mirror that could not be written down", "", "http://a/x.rpm: [Errno 14] curl#23 - \"Failed writing " +
			"body\"\nTrying other mirror.\n" + download, yumerr.Unwritable, "curl#23"},
		{"no room for a mirror's file", "", "http://a/x.rpm: [Errno 5] [Errno 28] No space left on device: " +
			"'/c/x.rpm'\nTrying other mirror.\n" + download, yumerr.NoSpace, "Errno 28"},
		{"an index by another key", "", "http://a/repodata/repomd.xml: [Errno -1] repomd.xml signature could not be " +
			"verified for epel\nTrying other mirror.\n" +
			"failure: repodata/repomd.xml from epel: [Errno 256] No more mirrors to try.\n", yumerr.BadKey,
			"signature could not be verified"},
		{"two packages in conflict", "", "Error: nginx-mod conflicts with nginx-1.20\n", yumerr.Conflict, "nginx-mod"},
		{"the log of rpm", "error: unpacking of archive failed on file /usr/x;5: cpio: write failed - No space left " +
			"on device\n", "", yumerr.NoSpace, "/usr/x"},
		{"noise alone", "Running transaction\n", "warning: x: NOKEY\nImporting GPG key 0x1:\n Userid     : " +
			"\"x\"\n** Found 1 pre-existing rpmdb problem(s), 'yum check' output follows:\n" +
			"kmod-20-28.el7.x86_64 has missing requires of /usr/bin/nm\n", yumerr.Unknown, "Running transaction"},
	} {
		e := yumerr.Classify(yumerr.Output{Status: 1, Stdout: tt.stdout, Stderr: tt.stderr})
		if e.Kind != tt.kind || !strings.Contains(e.Text, tt.text) {
			t.Errorf("%s: %s %q, want %s %q", tt.name, e.Kind, e.Text, tt.kind, tt.text)
		}
	}
}

// A mirror chooses its reason phrase, and an administrator a repository's name: neither decides the kind, or is shown
// with a password.
func TestHostileMirrorWords(t *testing.T) {
	for _, words := range []string{
		"Public key for x.rpm is not installed", "No space left on device", "[Errno 28] No space left on device",
		"curl#23 - x", "Package x.rpm is not signed",
		"You need to be root to perform this command", "There are unfinished",
		"repomd.xml signature could not be verified for x", "DB_RUNRECOVERY", "Error: Package: x (y)",
	} {
		for name, stderr := range map[string]string{
			"a reason phrase": "http://a/x.rpm: [Errno 14] HTTP Error 404 - " + words +
				"\nTrying other mirror.\n\n\nError downloading packages:\n  x: [Errno 256] No more mirrors to try.\n",
			"another end": "http://a/x.rpm: [Errno 14] HTTP Error 404 - " + words + "\nTrying other mirror.\n\n\n" +
				"Error: something else\n",
			"a repository": " One of the configured repositories failed (" + words +
				"),\n and yum\n\nfailure: repodata/repomd.xml from x: [Errno 256] No more mirrors to try.\n",
		} {
			want := yumerr.Unreachable
			if name == "another end" {
				want = yumerr.Unknown
			}
			if e := yumerr.Classify(yumerr.Output{Status: 1, Stdout: "", Stderr: stderr}); e.Kind != want {
				t.Errorf("%s %q makes it %s", name, words, e.Kind)
			}
		}
	}
	e := yumerr.Classify(yumerr.Output{Status: 1, Stdout: "",
		Stderr: "https://joe:secret@a/x.rpm?token=hidden: [Errno 14] HTTP Error 404 - Not " +
			"Found\n\n\nError downloading packages:\n  x: [Errno 256] No more mirrors to try.\n"})
	if strings.Contains(e.Text, "secret") || strings.Contains(e.Text, "hidden") || !strings.Contains(e.Text,
		"https://…@a/x.rpm?…: ") {
		t.Errorf("text %q, want the address without its secrets", e.Text)
	}
}

func TestMirrorAdvice(t *testing.T) {
	const end = "\n\nError downloading packages:\n  x: [Errno 256] No more mirrors to try.\n"
	for said, want := range map[string]string{
		"http://a/x.rpm: [Errno 14] HTTP Error 404 - Not Found\n" +
			end: "the mirror has not got what its own index names",
		"http://a/repodata/repomd.xml: [Errno 14] HTTP Error 404 - Not Found\nfailure: repodata/repomd.xml from x: " +
			"y": "no repository at that address",
		"http://a/x.rpm: [Errno 14] HTTP Error 403 - Forbidden\n" +
			end: "the server refuses",
		"https://a/x.rpm: [Errno 14] curl#60 - \"Peer's Certificate has expired.\"\n" +
			end: "by this host's clock, which says 20",
		"https://a/x.rpm: [Errno 14] curl#60 - \"The certificate issuer's certificate has expired.  Check your " +
			"system date " +
			"and time.\"\n" + end: "by this host's clock, which says 20",
		"https://a/x.rpm: [Errno 14] curl#60 - \"Peer's certificate issuer has been marked as not trusted by the " +
			"user.\"\n" + end: "yum update ca-certificates",
		"https://a/x.rpm: [Errno 14] curl#60 - \"Peer's Certificate issuer is not recognized.\"\n" +
			end: "/etc/pki/ca-trust/source/anchors",
		"https://a/x.rpm: [Errno 14] curl#58 - \"unable to load client key: -8178 (SEC_ERROR_BAD_KEY)\"\n" +
			end: "sslclientkey=",
		"https://a/x.rpm: [Errno 14] curl#77 - \"Problem with the SSL CA cert (path? access rights?)\"\n" +
			end: "sslcacert=",
		"https://a/x.rpm: [Errno 14] curl#51 - \"Unable to communicate securely with peer: requested domain name " +
			"does " +
			"not match the server's certificate.\"\n" + end: "of another name",
		"https://a/x.rpm: [Errno 14] curl#35 - \"Cannot communicate securely with peer: no common encryption " +
			"algorithm(s).\"\n" + end: "no TLS comes about",
		"https://a/x.rpm: [Errno 14] curl#56 - \"Received HTTP code 407 from proxy after CONNECT\"\n" +
			end: "proxy_username=",
		"GPG key retrieval failed: [Errno 14] curl#37 - \"Couldn't open file " +
			"/etc/pki/rpm-gpg/RPM-GPG-KEY-house\"\n": "there is no key file /etc/pki/rpm-gpg/RPM-GPG-KEY-house",
		"http://a/x.rpm: [Errno 14] HTTP Error 407 - Proxy Authentication Required\n" +
			end: "proxy_username=",
		"http://a/x.rpm: [Errno 14] curl#6 - \"Could not resolve host: a\"\n" +
			end: "the name does not resolve",
		"http://a/x.rpm: [Errno 14] curl#7 - \"Couldn't connect\"\n" +
			end: "look at its baseurl, the network and the proxy",
	} {
		e := New(t.TempDir(), nil, nil).refusal(yumerr.Output{Status: 1, Stdout: "", Stderr: said}, []string{"nginx"},
			nil, rpmdb.Inventory{}, Limits{})
		if !strings.Contains(e.Next, want) {
			t.Errorf("%q: advice %q, want %q", said, e.Next, want)
		}
	}
}

// A dependency that failed is not "everything is there": yum says Complete!, and what was asked for is installed.
func TestFailedDependency(t *testing.T) {
	const failed = "Installed:\n  nginx.x86_64 1:1.20.1-10.el7                                                  " +
		"\n\nFailed:\n" +
		"  nginx-filesystem.noarch 1:1.20.1-10.el7    openssl11-libs.x86_64 1:1.1.1k-5.el7   \n\nComplete!\n"
	for _, tt := range []struct {
		name, stdout string
		brings       string
		status       int
		want         string
	}{
		{"two of them", failed, "", 1, "nginx-filesystem-1:1.20.1-10.el7.noarch, " +
			"openssl11-libs-1:1.1.1k-5.el7.x86_64 failed and are not installed"},
		{"and yum's status is 0", failed, "", 0, "failed and are not installed"},
		{"after Complete!", "Complete!\n\nFailed:\n  nginx-filesystem.noarch 1:1.20.1-10.el7\n", "", 1,
			"nginx-filesystem-1:1.20.1-10.el7.noarch failed and is not installed"},
		{"as dnf writes it", "Failed:\n  nginx-filesystem-1:1.20.1-10.el7.noarch   \n\nError: Transaction failed\n",
			"", 1, "nginx-filesystem-1:1.20.1-10.el7.noarch failed"},
		{"an update of one that is there", "Failed:\n  nginx-filesystem.noarch 1:1.20.1-10.el7\n",
			"nginx-filesystem\t1\t1.16.1\t3.el7\tnoarch", 1, "nginx-filesystem-1:1.20.1-10.el7.noarch failed"},
		{"rpm has it all the same", "Failed:\n  nginx-filesystem.noarch 1:1.20.1-10.el7\n",
			"nginx-filesystem\t1\t1.20.1\t10.el7\tnoarch", 1, ""},
		{"a script's words", "Failed:\n  to start the daemon, see systemctl status\n", "", 0, ""},
	} {
		f := newFake(t)
		f.yum = func([]string) (string, string, int) {
			f.installed["nginx"] = "1\t1.20.1\t10.el7\tx86_64"
			if name, rest, ok := strings.Cut(tt.brings, "\t"); ok {
				f.installed[name] = rest
			}
			return tt.stdout, "", tt.status
		}
		err := f.install(Wants{Packages: []string{"nginx"}})
		if !rpmtest.Matches(err, tt.want) || len(f.ran) != 1 || f.slept != time.Duration(0) {
			t.Errorf("%s: %v after %d runs, want %q", tt.name, err, len(f.ran), tt.want)
		}
	}
}

// The program that ends an interrupted transaction is in a package of its own.
func TestUnfinishedTransaction(t *testing.T) {
	for installed, want := range map[bool]bool{false: true, true: false} {
		f := newFake(t)
		if installed {
			f.installed["yum-utils"] = "(none)\t1.1.31\t54.el7_8\tnoarch"
		}
		f.yum = f.brings("rhel7-unfinished-transaction", 0, "nginx")
		if err := f.install(Wants{Packages: []string{"nginx"}}); err != nil {
			t.Error(err)
		}
		said := strings.Join(f.notices, "\n")
		if !strings.Contains(said, "yum-complete-transaction --cleanup-only") || strings.Contains(said,
			"yum install yum-utils") != want || strings.Contains(said, "key") {
			t.Errorf("yum-utils installed: %t, notices %q", installed, said)
		}
	}
}

// What a mirror answered has its advice over https and ftp as over http: urlgrabber writes the scheme before "Error".
func TestAdviceOverEveryScheme(t *testing.T) {
	for word, want := range map[string]string{
		"https://m/7/repodata/repomd.xml: [Errno 14] HTTPS Error 404 - Not Found": "no repository at that address",
		"ftp://m/7/repodata/repomd.xml: [Errno 14] FTP Error 550 - Not Found":     "no repository at that address",
		"https://m/7/x.rpm: [Errno 14] HTTPS Error 404 - Not Found":               "what its own index names",
		"https://m/7/x.rpm: [Errno 14] HTTPS Error 403 - Forbidden":               "the server refuses",
		"http://m/7/x.rpm: [Errno 14] HTTP Error 401 - Unauthorized":              "the server refuses",
		"https://m/7/x.rpm: [Errno 14] HTTPS Error 503 - Unavailable":             "could not be reached",
		"http://m/7/x.rpm: [Errno -1] Package does not match intended download. Suggestion: run yum clean " +
			"metadata": "what its own index names",
	} {
		said := yumerr.Output{Status: 1, Stdout: "", Stderr: word +
			"\nTrying other mirror.\n\n\nError downloading packages:\n  x: [Errno 256] No more mirrors to try.\n\n"}
		e := New(t.TempDir(), nil, nil).explain(yumerr.Classify(said), said, []string{"x"}, rpmdb.Inventory{})
		if e.Kind != yumerr.Unreachable || !strings.Contains(e.Next, want) {
			t.Errorf("%s: %s, %q, want %q", word, e.Kind, e.Next, want)
		}
	}
}

// The end of a summary says nothing.
func TestLastWordsOfASummary(t *testing.T) {
	said := yumerr.Output{Status: 1, Stdout: "",
		Stderr: "\n\nTransaction check error:\n  package nginx-1:1.22-1.x86_64 (which is newer than " +
			"nginx-1:1.20.1-10.el7.x86_64) is already installed\n\nError Summary\n-------------\n\n"}
	if e := yumerr.Classify(said); !strings.HasPrefix(e.Text, "Transaction check error:") ||
		strings.Contains(e.Text, "---") {
		t.Errorf("%q", e.Text)
	}
}
