package route

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/files"
	"wsprovision/provision/nginx/head"
	"wsprovision/provision/nginx/outcome"
)

const program = "/usr/sbin/nginx"

// needNginx leaves a test out where there is no nginx; under CI that is a failure.
func needNginx(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(program); err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal("needs a real nginx")
	}
	t.Skip("needs a real nginx")
}

// got is what a backend was asked, line by line.
type got struct {
	Backend string
	Line    string
	Fields  []string
}

// backend answers every request with what it was asked, and with its own address.
func backend(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go echo(c, l.Addr().String())
		}
	}()
	return l.Addr().String()
}

func echo(c net.Conn, name string) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	asked, lines := got{Backend: name}, bufio.NewReader(c)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			break
		}
		if asked.Line == "" {
			asked.Line = line
			continue
		}
		asked.Fields = append(asked.Fields, line)
	}
	body, _ := json.Marshal(asked)
	status := "200 OK"
	if i := strings.Index(asked.Line, "status="); i >= 0 {
		status = asked.Line[i+7:i+10] + " As asked"
	}
	fmt.Fprintf(c, "HTTP/1.1 %s\r\nContent-Length: %d\r\nX-Asked: %s\r\nConnection: close\r\n\r\n%s", status, len(body),
		body, body)
}

// rig is a real nginx with a configuration, in a directory of its own.
type rig struct {
	t       *testing.T
	dir     string
	port    int
	fill    *strings.Replacer
	cmd     *exec.Cmd
	said    bytes.Buffer
	backend map[string]string
}

// newRig writes a configuration. A, B and C in it are backends, DEAD is a port where nobody listens, PORT and TLSPORT
// are free, DIR is the directory, which has some files in www, and CERT and KEY are a certificate.
func newRig(t *testing.T, http string) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), port: freePort(t)}
	_ = os.Chmod(filepath.Dir(r.dir), 0o755) // the test's own, which is closed to others
	r.backend = map[string]string{"A": backend(t), "B": backend(t), "C": backend(t)}
	r.fill = strings.NewReplacer("<A>", r.backend["A"], "<B>", r.backend["B"], "<C>", r.backend["C"],
		"<DEAD>", "127.0.0.1:"+strconv.Itoa(freePort(t)), "<PORT>", strconv.Itoa(r.port),
		"<TLSPORT>", strconv.Itoa(freePort(t)), "<DIR>", r.dir, "<CERT>", r.dir+"/cert.pem")
	for name, text := range map[string]string{"www/index.html": "index", "www/file.txt": "file", "www/sub/a.txt": "a",
		"www/empty/x/y": "", "www/a b": "blank", "www/50%": "percent", "www/sub/index.html": "sub index",
		"alias/one": "1", "alias/two/index.html": "2", "www/file.html": "html", "passwords": "u:{PLAIN}p\n"} {
		r.write(name, text)
	}
	if strings.Contains(http, "<CERT>") {
		r.certificate()
	}
	r.write("nginx.conf", r.fill.Replace(strings.ReplaceAll(preamble, "\n\n", "\n")+http+"\n}\n"))
	return r
}

const preamble = `
user root; worker_processes 1; pid <DIR>/pid; error_log <DIR>/error.log info;
events { worker_connections 128; }
http {
access_log off;
client_body_temp_path <DIR>/t1; proxy_temp_path <DIR>/t2; fastcgi_temp_path <DIR>/t3; uwsgi_temp_path <DIR>/t4;
scgi_temp_path <DIR>/t5;
`

func (r *rig) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) certificate() {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		r.t.Fatal(err)
	}
	private, _ := x509.MarshalECPrivateKey(key)
	r.write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))+
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})))
}

// start reports what nginx says where it does not come up.
func (r *rig) start() error {
	r.cmd = exec.Command(program, "-c", r.dir+"/nginx.conf", "-e", r.dir+"/error.log", "-g",
		"daemon off; master_process off;")
	r.cmd.Stderr = &r.said
	if err := r.cmd.Start(); err != nil {
		return err
	}
	gone := make(chan struct{})
	go func() { _ = r.cmd.Wait(); close(gone) }()
	r.t.Cleanup(func() {
		_ = r.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			_ = r.cmd.Process.Kill()
		}
	})
	for {
		select {
		case <-gone:
			return fmt.Errorf("nginx does not start: %s", r.said.String())
		case <-time.After(5 * time.Millisecond):
		}
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", r.port))
		if err == nil {
			return c.Close()
		}
	}
}

func (r *rig) tree() conf.Tree {
	r.t.Helper()
	tree, err := conf.Load("", r.dir+"/nginx.conf", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return tree
}

// nextPort is beyond those that the kernel gives out by itself, so that no backend of another test takes it.
var nextPort = func() *atomic.Int32 {
	var n atomic.Int32
	n.Store(10000 + mathrand.Int32N(18000))
	return &n
}()

func freePort(t *testing.T) int {
	t.Helper()
	for range 1000 {
		port := int(nextPort.Add(1))
		if l, err := net.Listen("tcp", fmt.Sprintf(":%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("there is no free port")
	return 0
}

// seen is what really came of a request.
type seen struct {
	status   int // 444 where nginx closed the connection
	location string
	body     string
	asked    *got
}

func (s seen) String() string {
	text := fmt.Sprintf("%d", s.status)
	if s.location != "" {
		text += " to " + s.location
	}
	if s.asked != nil {
		return text + fmt.Sprintf(" by %s: %q %q", s.asked.Backend, s.asked.Line, s.asked.Fields)
	}
	return text + fmt.Sprintf(" %.60q", s.body)
}

func ask(r head.Request) (seen, error) {
	c, err := net.DialTimeout("tcp", r.To.String(), 10*time.Second)
	if err != nil {
		return seen{}, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if r.TLS {
		name := head.Host(r.Host)
		c = tls.Client(c, &tls.Config{ServerName: name, InsecureSkipVerify: true})
	}
	text := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n", r.Verb(), r.Target, r.Host)
	for _, f := range r.Fields {
		text += f.Name + ": " + f.Value + "\r\n"
	}
	if _, err := io.WriteString(c, text+"\r\n"); err != nil {
		return seen{}, err
	}
	return answer(c, r.Verb())
}

func answer(c net.Conn, method string) (seen, error) {
	a, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		return seen{status: 444}, nil
	}
	if err != nil {
		return seen{}, err
	}
	defer a.Body.Close()
	body, _ := io.ReadAll(a.Body)
	s := seen{status: a.StatusCode, location: a.Header.Get("Location"), body: string(body)}
	if asked := a.Header.Get("X-Asked"); asked != "" {
		s.asked = &got{}
		err = json.Unmarshal([]byte(asked), s.asked)
	}
	return s, err
}

// differs tells how an end is not what was seen; "" where it is.
func differs(e outcome.End, s seen) string {
	switch {
	case e.Answer != nil:
		return answerDiffers(e.Answer, s)
	case e.Pass != nil:
		return passDiffers(e.Pass, s)
	}
	return "not followed"
}

func answerDiffers(a *outcome.Answer, s seen) string {
	own := strings.Contains(s.body, "<center>nginx")
	switch {
	case s.asked != nil:
		return "a backend answered"
	case a.Status != s.status:
		return fmt.Sprintf("the status is %d", s.status)
	case a.Location.Known && a.Location.Text != s.location:
		return "the redirect goes to " + s.location
	case (a.Body == outcome.OwnPage) != own && s.body != "":
		return "the body is not " + string(a.Body)
	}
	return ""
}

func passDiffers(p *outcome.Pass, s seen) string {
	if s.asked == nil {
		return "no backend answered"
	}
	status := 200
	if p.Override > 0 {
		status = p.Override
	}
	words := strings.SplitN(s.asked.Line, " ", 2)
	end := strings.LastIndex(words[1], " HTTP/")
	target, version := words[1][:end], words[1][end+6:]
	switch {
	case s.status != status && !strings.Contains(target, "status="):
		return fmt.Sprintf("the status is %d", s.status)
	case len(p.Backends) > 0 && !slices.Contains(p.Backends, s.asked.Backend):
		return "the backend is " + s.asked.Backend
	case p.Method.Known && p.Method.Text != words[0]:
		return "the method is " + words[0]
	case p.Target.Known && p.Target.Text != target:
		return "the backend is asked for " + target
	case p.Version != version:
		return "the version is " + version
	}
	return fieldsDiffer(p, s.asked.Fields)
}

func fieldsDiffer(p *outcome.Pass, really []string) string {
	var want []string
	anything := map[string]bool{}
	for _, f := range p.Fields {
		switch name := strings.ToLower(f.Name); {
		case !f.Value.Known:
			anything[name] = true
		case f.Value.Text != "":
			want = append(want, name+": "+f.Value.Text)
		}
	}
	var have []string
	for _, line := range really {
		name, value, _ := strings.Cut(line, ": ")
		if name = strings.ToLower(name); !anything[name] {
			have = append(have, name+": "+value)
		}
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) {
		return fmt.Sprintf("the fields are %q, not %q", have, want)
	}
	return ""
}

// judge compares a route with what was seen. An end that may be counts as well.
func judge(r outcome.Route, s seen) string {
	if r.End.Unfollowed != nil {
		return ""
	}
	first := differs(r.End, s)
	if first == "" {
		return ""
	}
	for _, e := range r.May {
		if e.Unfollowed != nil || differs(e, s) == "" {
			return ""
		}
	}
	return first
}

func describe(e outcome.End) string {
	text := ""
	for _, s := range e.Steps {
		text += "\n\t" + s.String()
	}
	switch {
	case e.Answer != nil:
		return fmt.Sprintf("%d by %s (%s)%s", e.Answer.Status, e.Answer.What, e.Answer.Location.Text, text)
	case e.Pass != nil:
		return fmt.Sprintf("%s %v %s%s", e.Pass.Scheme, e.Pass.Backends, e.Pass.Target.Text, text)
	}
	return "not followed: " + e.Unfollowed.Error() + text
}

// request reads a request of a row: what is wanted of its route, and the request.
func (r *rig) request(text string) (wanted byte, request head.Request) {
	words := strings.Fields(r.fill.Replace(text))
	if len(words[0]) == 1 && strings.Contains("!?", words[0]) {
		wanted, words = words[0][0], words[1:]
	}
	request = head.Request{To: loopback(r.port), Host: "example.com", From: netip.MustParseAddr("127.0.0.1")}
	if !strings.HasPrefix(words[0], "/") {
		request.Method, words = words[0], words[1:]
	}
	request.Target = words[0]
	for _, w := range words[1:] {
		switch name, value, _ := strings.Cut(w, ":"); {
		case w == "tls":
			request.TLS = true
		case strings.HasPrefix(w, "host="):
			request.Host = w[5:]
		case strings.HasPrefix(w, "to="):
			request.To = netip.MustParseAddrPort(w[3:])
		case w == "handshake":
			request.Fields = append(request.Fields, head.Handshake(request.To, false, "", "", "").Fields...)
		default:
			request.Fields = append(request.Fields, head.Field{Name: name, Value: value})
		}
	}
	return wanted, request
}

// compare follows a request, makes it, and compares.
func (r *rig) compare(tree conf.Tree, text string) {
	r.t.Helper()
	wanted, request := r.request(text)
	route := Follow(tree, Host{Look: anywhere}, request)
	s, err := ask(request)
	if err != nil {
		r.t.Errorf("%s: %v", text, err)
		return
	}
	switch why := judge(route, s); {
	case why != "":
		r.t.Errorf("%s: %s\n  route: %s\n  nginx: %v", text, why, describe(route.End), s)
	case wanted == 0 && route.End.Unfollowed != nil:
		r.t.Errorf("%s: %s\n  nginx: %v", text, describe(route.End), s)
	case wanted == '!' && route.End.Unfollowed == nil:
		r.t.Errorf("%s: followed, and should not be: %s\n  nginx: %v", text, describe(route.End), s)
	}
}

func loopback(port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port))
}

var anywhere = files.Anywhere("")
