package rpm

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"wsprovision/rpm/rpmtest"
)

// The proxy answers by itself, and tells who it was asked by.
func TestProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		auth, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Proxy-Authorization"), "Basic "))
		_, _ = w.Write([]byte("proxy " + string(auth) + " " + r.RequestURI))
	}))
	defer proxy.Close()
	direct := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("direct"))
	}))
	defer direct.Close()
	through := "proxy=" + proxy.URL + "\n"
	const down = "[main]\nproxy=http://u:s3cret@127.0.0.1:9\n"
	key := " " + direct.URL + "/epel/key"
	withUser := strings.Replace(proxy.URL, "//", "//me:s3cret@", 1)
	base := "[r]\nbaseurl=" + direct.URL + "/epel\n"
	for _, tt := range []struct{ name, conf, repo, noProxy, want string }{
		{name: "none", conf: "[main]\n", want: "direct"},
		{name: "no yum.conf", want: "direct"},
		{name: "yum.conf's", conf: "[main]\n" + through, want: "proxy " + key},
		{name: "with a user", conf: "[main]\n" + through + "proxy_username=me\nproxy_password=p:s3cret@/ %\n",
			want: "proxy me:p:s3cret@/ %" + key},
		{name: "a user in the URL", conf: "[main]\nproxy=" + withUser + "\n", want: "proxy me:s3cret" + key},
		{name: "said to be none", conf: "[main]\nproxy=_none_\n", want: "direct"},
		{name: "the repository's", conf: down + "proxy_username=me\n", repo: base + through, want: "proxy me:" + key},
		{name: "the repository has none", conf: "[main]\n" + through, repo: base + "proxy=_none_\n", want: "direct"},
		{name: "another repository has none", conf: "[main]\n" + through,
			repo: "[r]\nbaseurl=" + direct.URL + "/ep\nproxy=_none_\n", want: "proxy " + key},
		{name: "a disabled one has none", conf: "[main]\n" + through,
			repo: base + "enabled=0\nproxy=_none_\n", want: "proxy " + key},
		{name: "a host without", conf: "[main]\n" + through, noProxy: "example.com, 127.0.0.1", want: "direct"},
		{name: "not a URL", conf: "[main]\nproxy=socks5://u:s3cret@127.0.0.1:9\n",
			want: "! the proxy in yum's configuration is not an http or https URL"},
		{name: "down", conf: down, want: "! proxyconnect tcp: dial tcp 127.0.0.1:9"},
		{name: "a file that yum cannot read", conf: "[main]\nproxy_password s3cret\n",
			want: "! /etc/yum.conf:2: neither a [section] nor an option: \"(not shown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("no_proxy", tt.noProxy)
			t.Setenv("NO_PROXY", "")
			f := newFake(t)
			if tt.conf != "" {
				f.write("/etc/yum.conf", tt.conf)
			}
			f.write("/etc/yum.repos.d/r.repo", tt.repo)
			h := f.host()
			h.Attempts = 1
			got, err := h.Fetch(bg, nil, direct.URL+"/epel/key", 1000)
			want, fails := strings.CutPrefix(tt.want, "! ")
			if fails && (!rpmtest.Matches(err, want) || strings.Contains(err.Error(), "s3cret")) {
				t.Errorf("error is %v, want %q", err, want)
			}
			if !fails && (err != nil || string(got) != want) {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// A server that passes us on to another one does not have it told the query.
func TestHostileRedirect(t *testing.T) {
	var referer string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		referer = r.Referer() + r.Header.Get("Authorization")
		_, _ = w.Write([]byte("x"))
	}))
	defer other.Close()
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
	}))
	defer first.Close()
	address := strings.Replace(first.URL, "//", "//me:s3cret@", 1) + "/?token=s3cret"
	if _, err := newFake(t).host().Fetch(bg, nil, address, 10); err != nil || referer != "" {
		t.Errorf("%v; the other server is told %q", err, referer)
	}
}

// TestHostileYumOutput prints its URLs as they are, in what it says of them and for a person.
func TestHostileYumOutput(t *testing.T) {
	f := newFake(t)
	f.keys = []string{rpmtest.KeyFile(t, "one.asc")}
	f.write("/etc/yum.repos.d/x.repo", "[x]\nbaseurl=http://me:s3cret@mirror/x\n"+
		"gpgkey=https://me:s3cret@mirror/key?s3cret\n")
	f.yum = func([]string) (string, string, int) {
		const repomd = "http://me:s3cret@mirror/x/repodata/repomd.xml"
		return "", repomd + "?s3cret: [Errno 14] HTTP Error 401 - Unauthorized\nError: " + repomd +
			" is not what it was\n", 1
	}
	err := f.install(Wants{Packages: []string{"nginx"}})
	said := strings.Join(append(f.notices, f.ran...), "\n")
	if err == nil || strings.Contains(err.Error()+said, "s3cret") || !strings.Contains(said, "…@mirror/key?…") ||
		!strings.Contains(err.Error(), "…@mirror/x/repodata") {
		t.Errorf("%v\n%s", err, said)
	}
}
