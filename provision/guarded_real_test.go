package provision

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/nginx/nginxtest"
	"wsprovision/provision/policy"
	"wsprovision/provision/proxy"
	"wsprovision/provision/verify"

	ws "github.com/coder/websocket"
)

// application speaks as socket.io does: its first message is its own. What is not for it it refuses.
func application(t *testing.T) string {
	t.Helper()
	handler := func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/forbidden":
			http.Error(w, "403", http.StatusForbidden)
			return
		case r.URL.Path == "/echoes":
			w.Header().Set("Location", "/login?"+r.Header.Get("Authorization"))
			http.Error(w, "401", http.StatusUnauthorized)
			return
		case r.URL.Path == "/ws/sub":
		case r.URL.Query().Get("EIO") != "4":
			http.Error(w, "EIO is 4 here", http.StatusBadRequest)
			return
		}
		conn, err := ws.Accept(w, r, &ws.AcceptOptions{Subprotocols: []string{"binary"}, InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer conn.CloseNow()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if r.URL.Query().Get("waits") != "" {
			if _, b, err := conn.Read(ctx); err != nil || string(b) != "hello" {
				return
			}
		}
		_ = conn.Write(ctx, ws.MessageText, []byte(`0{"sid":"x"}`))
		_, _, _ = conn.Read(ctx)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(handler)}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

const engineIO = `path: "/ws/?EIO=4", expect: {message: '^0\{"sid":"'}`

// guarded are sites with something before a client; DIR is where their files are, BACKEND the application.
var guarded = []struct {
	name, site, location string
	want                 string // of the target: ok, failed, or KEY STATUS where it ends
	says                 string // in the report
}{
	{"the application's own handshake", "", "probe: {" + engineIO + "}", "ok", "the first message matches"},
	{"without its path", "", "websocket: true", "failed", "backend-refused"},
	{"a first message that it waits for", "", `probe: {path: "/ws/?EIO=4&waits=1", send: hello,
        expect: {message: "^0"}}`, "ok", ""},
	{"another first message", "", `probe: {path: "/ws/?EIO=4", expect: {message: "^RFB"}}`, "failed",
		"not-as-expected"},
	{"a subprotocol", "", "path: /ws/sub, probe: {expect: {subprotocol: binary}}", "ok", "the subprotocol is binary"},
	{"a subprotocol that it has not", "", "path: /ws/sub, probe: {subprotocol: mqtt, expect: {subprotocol: mqtt}}",
		"failed", "not-as-expected"},
	{"a status", "", "path: /forbidden, probe: {expect: {status: 403}}", "ok", "403"},
	{"another status", "", `probe: {path: "/ws/?EIO=4", expect: {status: 403}}`, "failed", "not-as-expected"},
	{"an expression without a path", "", `path: "^/ws/", match: regex`, "nothing", ""},
	{"an expression with one", "", `path: "^/ws/", match: regex, probe: {path: "/ws/?EIO=4"}`, "ok", ""},

	{"a password", "", "basic_auth_file: DIR/users, probe: {" + engineIO + "}", "basic_auth_file 401",
		"credentials_file in the location's probe"},
	{"a password that is given", "", "basic_auth_file: DIR/users, probe: {credentials_file: DIR/pair, " + engineIO +
		"}",
		"ok", "the first message"},
	{"a password as a header", "", "basic_auth_file: DIR/users, probe: {credentials_file: DIR/lines, " + engineIO + "}",
		"ok", ""},
	{"a wrong password", "", "basic_auth_file: DIR/users, probe: {credentials_file: DIR/wrong, " + engineIO + "}",
		"failed", "password-wanted"},
	{"a password that others can read", "", "basic_auth_file: DIR/users, probe: {credentials_file: DIR/open}", "failed",
		"chmod 600"},
	{"a password that the backend gives back", "", "path: /echoes, probe: {credentials_file: DIR/pair}", "failed", ""},
	{"addresses", "", "allow: 192.0.2.1, probe: {" + engineIO + "}", "allow 403", "a client that it lets in"},
	{"addresses that are denied", "", "deny: 127.0.0.0/8, probe: {" + engineIO + "}", "deny 403", ""},
	{"addresses, and this one", "", "allow: 127.0.0.1, probe: {" + engineIO + "}", "ok", ""},
	{"a backend that forbids", "", "path: /forbidden, allow: 127.0.0.1", "failed", "backend-refused"},
	{"addresses before a password", "", "allow: 192.0.2.1, basic_auth_file: DIR/users", "allow 403", ""},
	{"origins", "", "allowed_origins: https://app.example.com, probe: {" + engineIO + "}", "ok", ""},
	{"a PROXY line", "listen: \"127.0.0.1:PORT proxy_protocol\", trusted_proxies: 127.0.0.0/8, real_ip_header: " +
		"proxy_protocol,", "probe: {" + engineIO + "}", "ok", ""},
	{"a PROXY line, and addresses", "listen: \"127.0.0.1:PORT proxy_protocol\", trusted_proxies: 127.0.0.0/8, " +
		"real_ip_header: proxy_protocol,", "allow: 192.0.2.1, probe: {" + engineIO + "}", "allow 403", ""},
	{"a rate", "", "limits: {requests_per_second: 5, connections_per_client: 1}, probe: {" + engineIO + "}", "ok", ""},
	{"a certificate", "tls: {certificate: DIR/c.pem, key: DIR/k.pem, client_ca: DIR/ca.pem},",
		"probe: {" + engineIO + "}", "tls.client_ca 400", "certificate and key in the location's probe"},
	{"a certificate that is given", "tls: {certificate: DIR/c.pem, key: DIR/k.pem, client_ca: DIR/ca.pem},",
		"probe: {certificate: DIR/client.pem, key: DIR/client.key, " + engineIO + "}", "ok", ""},
	{"a certificate of another authority", "tls: {certificate: DIR/c.pem, key: DIR/k.pem, client_ca: DIR/ca.pem},",
		"probe: {certificate: DIR/c.pem, key: DIR/k.pem, " + engineIO + "}", "failed", "client-certificate-wanted"},
	{"a certificate and a password", "tls: {certificate: DIR/c.pem, key: DIR/k.pem, client_ca: DIR/ca.pem},",
		"basic_auth_file: DIR/users, probe: {certificate: DIR/client.pem, key: DIR/client.key}", "basic_auth_file 401",
		""},
}

const secretOfTests = "s3cret-of-the-proof"

// TestProofBeforeGuards: what stands before a client stands before the proof, with the real nginx: it is passed with
// what the probe gives, else the proof ends at that very refusal, and says so.
func TestProofBeforeGuards(t *testing.T) {
	backend := application(t)
	for _, tt := range guarded {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			dir := r.root + "/srv"
			r.secrets(dir)
			c := r.guard(backend, strings.NewReplacer("DIR", dir), tt.site, tt.location)
			content, err := nginxtest.Alone(c.Sites[0])
			r.must(err)
			r.write("websocket", string(content))
			r.start()
			v := &verify.Verification{Config: c, TLS: nil, Timeout: 5 * time.Second, Host: r.host()}
			v.TLS = trusting(t, dir+"/c.pem")
			report, err := v.Run(t.Context())
			got := "nothing"
			if err == nil {
				got = report.Targets[0].Result
				if s := report.Targets[0].Stop; s != nil {
					got = fmt.Sprintf("%s %d", s.Key, s.Status)
				}
			}
			text, _ := json.MarshalIndent(report, "", " ")
			if got != tt.want || !strings.Contains(string(text), tt.says) {
				t.Errorf("%s, want %s, with %q; %v\n%s", got, tt.want, tt.says, err, text)
			}
			if strings.Contains(string(text), " 429 ") {
				t.Errorf("its own requests meet the bounds that the site has:\n%s", text)
			}
			if strings.Contains(string(text), secretOfTests) || strings.Contains(string(text), "Zm9vOn") {
				t.Errorf("the report shows the secret:\n%s", text)
			}
			r.proofAgrees(c, tt.want)
		})
	}
}

// guard is a site with one location, made of flow mappings.
func (r *rig) guard(backend string, files *strings.Replacer, siteKeys, location string) config.Config {
	if !strings.Contains(siteKeys, "listen:") {
		siteKeys += " listen: \"127.0.0.1:PORT\","
	}
	if !strings.HasPrefix(location, "path:") {
		location = "path: /ws/, " + location
	}
	text := fmt.Sprintf("sites: [{name: websocket, server_name: ws.example.com, %s locations: [{backend: %q, %s}]}]",
		siteKeys, backend, location)
	if strings.Contains(siteKeys, "tls:") {
		text = strings.Replace(text, "127.0.0.1:PORT", unusedAddress(r.t), 1)
	}
	return parse(r.t, strings.ReplaceAll(files.Replace(text), "PORT", fmt.Sprint(r.port)))
}

// secrets are the files that sites and probes name.
func (r *rig) secrets(dir string) {
	r.must(os.MkdirAll(dir, 0o755))
	ca, _ := issue(r.t, dir, "ca", nil, nil)
	issue(r.t, dir, "client", ca, r.key(dir+"/ca.key"))
	issue(r.t, dir, "ws.example.com", nil, nil)
	r.must(os.Rename(dir+"/ws.example.com.pem", dir+"/c.pem"))
	r.must(os.Rename(dir+"/ws.example.com.key", dir+"/k.pem"))
	for name, content := range map[string]string{
		"users": "foo:{PLAIN}" + secretOfTests + "\n", "pair": "foo:" + secretOfTests + "\n",
		"lines": "X-Any: thing\nAuthorization: Basic Zm9vOnMzY3JldC1vZi10aGUtcHJvb2Y=\n", "wrong": "foo:" +
			secretOfTests + "x",
		"open": "foo:" + secretOfTests,
	} {
		r.must(os.WriteFile(dir+"/"+name, []byte(content), 0o600))
	}
	r.must(os.Chmod(dir+"/users", 0o644))
	r.must(os.Chmod(dir+"/open", 0o640))
}

func (r *rig) key(path string) crypto.Signer {
	block, _ := pem.Decode(r.content(path))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	r.must(err)
	return key.(crypto.Signer)
}

func (r *rig) content(path string) []byte {
	b, err := os.ReadFile(path)
	r.must(err)
	return b
}

// issue writes NAME.pem and NAME.key, signed by an authority or by itself.
func issue(t *testing.T, dir, name string, by *x509.Certificate, signer crypto.Signer) (*x509.Certificate,
	crypto.Signer) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour),
		IsCA: by == nil, BasicConstraintsValid: true}
	if by == nil {
		by, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".pem": {Type: "CERTIFICATE", Bytes: der},
		name + ".key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(dir+"/"+file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	issued, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return issued, key
}

func trusting(t *testing.T, path string) *tls.Config {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(b)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// proofAgrees: the last step of an apply says the same.
func (r *rig) proofAgrees(c config.Config, want string) {
	r.t.Helper()
	if want == "nothing" {
		return
	}
	h := r.host()
	p := &verify.Proof{Host: h, Config: c, Denial: (&policy.Policy{Host: h}).Denial,
		Survey: &proxy.Survey{Host: h}}
	var f engine.Finding
	err := p.ProveLocation(r.t.Context(), &f, c.Sites[0], c.Sites[0].Locations[0], p.Around())
	said := strings.Join(slices.Concat(f.Notes, f.Warnings), "\n")
	key, _, stops := strings.Cut(want, " ")
	switch {
	case strings.Contains(fmt.Sprint(said, err), secretOfTests):
		r.t.Errorf("the proof shows the secret: %s, %v", said, err)
	case want == "ok" && (err != nil || len(f.Warnings) > 0), want == "failed" && err == nil && len(f.Warnings) == 0,
		stops && (err != nil || !strings.Contains(said, "as "+key+" has it")):
		r.t.Errorf("the proof: %v, %q, want %s", err, said, want)
	}
}
