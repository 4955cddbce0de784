package secret

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

func TestHostileHide(t *testing.T) {
	for text, want := range map[string]string{
		"http://user:s3cret@host/x":                     "http://…@host/x",
		"https://token@host:8443/x y":                   "https://…@host:8443/x y",
		"http://user:p@s3cret@host/":                    "http://…@host/",
		"http://user:s3/cret@host/x":                    "http://…@host/x",
		"http://user:a'b\"c<d|s3cret@host/x":            "http://…@host/x",
		"http://s3cret?a#b@host/x?s3cret":               "http://…@host/x?…",
		"HTTPS://user:s3cret@host":                      "HTTPS://…@host",
		"ftp://u:s3cret@[::1]:21/":                      "ftp://…@[::1]:21/",
		"http://host/x?token=s3cret":                    "http://host/x?…",
		"http://host?s3cret, and http://b/":             "http://host?…, and http://b/",
		"http://host/x#s3cret":                          "http://host/x#…",
		"http://u:s3cret@h/r/repomd.xml: [Errno 14] x":  "http://…@h/r/repomd.xml: [Errno 14] x",
		"http://h/r?s3cret: [Errno 14] HTTP Error 401":  "http://h/r?…: [Errno 14] HTTP Error 401",
		`parse "http://u:s3cret@h/%zz": invalid`:        `parse "http://…@h/%zz": invalid`,
		"baseurl=http://a:s3cret@b/ http://c:s3cret@d/": "baseurl=http://…@b/ http://…@d/",
		"socks5h://u:s3cret@h":                          "socks5h://…@h",
		"http:/u:s3cret@h":                              "http:/…@h",
		"[r]\n+password = s3cret\n username: s3cret":    "[r]\n+password =…\n username:…",
		"proxy_password=s3cret":                         "proxy_password=…",
		"+      Authorization: Bearer s3cret":           "+      Authorization: …",
		"headers: {X-A: b, \"Cookie\": a=s3cret}\nc: d": "headers: {X-A: b, \"Cookie\": …\nc: d",
		"  x-api-token: s3cret":                         "  x-api-token: …",
	} {
		if got := Hide(text); got != want || !In(text) || strings.Contains(got, "s3cret") {
			t.Errorf("Hide(%q) is %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{
		"", "http://host/x", "http://host:8080/@scope/x", "file:///etc/pki/rpm-gpg/KEY", "mail root@host", "what? no",
		"http://host/x: [Errno 14]",
		"http://[::1]:80/a@b", "gpgcheck=1", "the password is wrong", "http://host:$port/a@b",
	} {
		if got := Hide(text); got != text || In(text) {
			t.Errorf("Hide(%q) is %q", text, got)
		}
	}
}

func TestError(t *testing.T) {
	err := Error(errors.Join(errors.New("fetch http://u:s3cret@h/"), fs.ErrNotExist))
	if strings.Contains(err.Error(), "s3cret") || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if Error(nil) != nil || Error(fs.ErrNotExist) != fs.ErrNotExist {
		t.Error("an error without credentials is another one")
	}
}

func FuzzHide(f *testing.F) {
	f.Add("http://user:pw@host/x?y=z: [Errno 14]")
	f.Add("+password = x\nhttp://a:b/c@d")
	f.Fuzz(func(t *testing.T, text string) {
		const evil = "http://u:S3CRETS3CRET@h/"
		if got := Hide(text + " " + evil + " " + text); strings.Count(got, "S3CRET") > 2*strings.Count(text, "S3CRET") {
			t.Errorf("%q", got)
		}
	})
}
