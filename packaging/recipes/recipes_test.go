// Package recipes holds packaging/RECIPES.md to what it says: each site is loaded, rendered and taken by the real
// nginx, what stands below it is that rendering, and the servers that Debian has are reached through it by their own
// handshake.
package recipes

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/nginx/nginxtest"
	"wsprovision/provision/site"
)

var update = flag.Bool("update", false, "write the renderings in packaging/RECIPES.md anew")

const (
	page      = "../RECIPES.md"
	realNginx = "/usr/sbin/nginx"
)

// recipe is a block of YAML and the block of nginx's behind it.
var recipe = regexp.MustCompile("(?s)```yaml\n(.*?)```\n\n```nginx\n(.*?)```")

// heading begins a part of the page.
var heading = regexp.MustCompile(`(?m)^## `)

func load(t *testing.T, text string) site.Site {
	t.Helper()
	c, err := config.Load(config.Input{File: "/recipe.yaml", ReadFile: func(string) ([]byte, error) {
		return []byte(text), nil
	}})
	if err != nil || len(c.Sites) != 1 {
		t.Fatalf("%v\n%s", err, text)
	}
	return c.Sites[0]
}

func rendered(t *testing.T, s site.Site) string {
	t.Helper()
	content, err := nginxtest.Alone(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestRecipes: the page has what each of its sites renders to, and the real nginx takes it.
func TestRecipes(t *testing.T) {
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	want := recipe.ReplaceAllStringFunc(string(content), func(block string) string {
		text := recipe.FindStringSubmatch(block)[1]
		one := rendered(t, load(t, text))
		taken(t, one)
		n++
		return "```yaml\n" + text + "```\n\n```nginx\n" + one + "```"
	})
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(content) {
		t.Errorf("%s is not what its sites render to: go test ./packaging/recipes -update writes it", page)
	}
	if blocks := strings.Count(want, "```yaml"); n != blocks || n < 10 {
		t.Errorf("%d recipes of %d blocks of YAML have a rendering", n, blocks)
	}
}

// directory is where an nginx of the test has its files.
func directory(t *testing.T, conf string) string {
	t.Helper()
	if _, err := os.Stat(realNginx); err != nil || os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("nginx and root are needed here")
		}
		t.Skip("nginx and root are needed here")
	}
	dir := t.TempDir()
	conf = fmt.Sprintf("daemon off;\nuser root;\nworker_processes 1;\npid %[1]s/pid;\nerror_log %[1]s/error.log;\n"+
		"events {}\n"+
		"http {\naccess_log off;\nclient_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; "+
		"uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;\n%[2]s}\n", dir, conf)
	if err := os.WriteFile(dir+"/nginx.conf", []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

var (
	listens = regexp.MustCompile(`listen ([0-9]+)`)
	files   = regexp.MustCompile(`/etc/letsencrypt/live/[a-z.]*/`)
)

// taken asks nginx -t, with ports and files of the test's in place of the recipe's.
func taken(t *testing.T, conf string) {
	t.Helper()
	certificates := t.TempDir() + "/"
	selfSigned(t, certificates)
	conf = listens.ReplaceAllStringFunc(conf, func(string) string { return "listen " + unused(t) })
	dir := directory(t, files.ReplaceAllLiteralString(conf, certificates))
	test := exec.Command(realNginx, "-t", "-p", dir, "-c", dir+"/nginx.conf", "-e", dir+"/error.log")
	out, err := test.CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("[warn]")) {
		t.Errorf("nginx -t: %v\n%s\n%s", err, out, conf)
	}
}

func selfSigned(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"fullchain.pem": {Type: "CERTIFICATE", Bytes: der},
		"privkey.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(dir+name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func unused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
