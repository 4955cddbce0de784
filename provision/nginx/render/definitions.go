package render

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// definitions are what stands in the http context for servers to use: maps and zones, each once. A name stands for one
// content for ever, so that a file of it never has to change while others refer to it.
type definitions struct {
	all    []definition
	waited []string // the sockets that have their backlog
}

type definition struct{ name, text string }

func (d *definitions) add(name, text string) {
	if !slices.ContainsFunc(d.all, func(other definition) bool { return other.name == name }) {
		d.all = append(d.all, definition{name, text})
	}
}

// files are a file for each, what others need before them.
func (d *definitions) files() []File {
	var files []File
	for _, one := range d.all {
		files = append(files, File{Name: "_wsprovision_" + one.name + ".conf", Shared: true,
			Content: []byte("# managed by wsprovision: what its sites share\n" + one.text)})
	}
	return files
}

// Rank tells in which order a file of conf.d that several sites share is written: 2 before 1 before 0, which is every
// other file. They are removed the other way round.
func Rank(name string) int {
	name, shared := strings.CutPrefix(name, "_wsprovision_")
	switch {
	case !shared:
		return 0
	case name == "upgrade.conf" || name == "limit.conf":
		return 2
	}
	return 1
}

// text is all of them, for a file that shares nothing.
func (d *definitions) text() []byte {
	var b strings.Builder
	for _, one := range d.all {
		b.WriteString("\n" + one.text)
	}
	return []byte(b.String())
}

// variable is the name of one of ours.
func (sh shared) variable(field string) string { return "$wsprovision_" + sh.scope + field }

// block is a map or geo as text.
func block(head string, entries ...string) string {
	return head + " {\n    " + strings.Join(entries, "\n    ") + "\n}\n"
}

// fingerprint is short, and another for other words.
func fingerprint(words ...string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(words, "\n"))))[:12]
}

// upgrade is the variable that is websocket where the client asks for one, else empty. A protocol that nginx does not
// follow would be a tunnel past the published path (h2c), so that only websocket is passed on, and that in our own
// letters. nginx compares the words of a map without case (ngx_http_map_find), and a list is not the word.
func (sh shared) upgrade() string {
	sh.own.add("upgrade",
		block("map $http_upgrade "+sh.variable("upgrade"), "default   '';", "websocket websocket;")+"\n"+
			block("map $http_upgrade "+sh.variable("connection"), "default   close;", "websocket upgrade;"))
	return sh.variable("upgrade")
}

// connection is the variable for the backend's Connection. To a backend whose connections are kept it is empty for
// plain HTTP.
func (sh shared) connection(l Location) string {
	if l.Keepalive > 0 {
		sh.own.add("keepalive",
			block("map "+sh.upgrade()+" "+sh.variable("keepalive"), "default   '';", "websocket upgrade;"))
		return sh.variable("keepalive")
	}
	sh.upgrade()
	return sh.variable("connection")
}

// source is the variable with the address that nginx connects from: one of the loopback's, by chance. Each has the
// kernel's ephemeral ports for itself.
func (sh shared) source(n int) string {
	name := fmt.Sprintf("source_%d", n)
	share := 10000 / n
	var entries []string
	for i := 1; i < n; i++ {
		entries = append(entries, fmt.Sprintf("%d.%02d%% 127.0.0.%d;", share/100, share%100, i))
	}
	entries = append(entries, fmt.Sprintf("*      127.0.0.%d;", n))
	sh.own.add(name, block("split_clients $remote_addr:$remote_port:$connection:$msec "+sh.variable(name), entries...))
	return sh.variable(name)
}

// portMap is the variable with the port that the client wrote behind the host, and its colon.
func (sh shared) portMap() string {
	sh.own.add("port", block("map $http_host "+sh.variable("port"), "default     '';", `"~(:[0-9]+)$" $1;`))
	return sh.variable("port")
}

// originMap is the variable that is 0 for the handshake of a page of no allowed origin. A client that sends no Origin
// is
// no browser. Regular expressions in place of words: these would have to fit nginx's hash (map_hash_bucket_size).
func (sh shared) originMap(origins []string) string {
	name := "origin_" + fingerprint(origins...)
	entries := []string{"default 1;", "websocket: 1;"}
	for _, o := range origins {
		entries = append(entries, quoted("~*^websocket:"+regexp.QuoteMeta(o)+"$")+" 1;")
	}
	entries = append(entries, `"~^websocket:" 0;`)
	sh.own.add(name, block("map "+sh.upgrade()+":$http_origin "+sh.variable(name), entries...))
	return sh.variable(name)
}

// trustMaps are the variables of X-Forwarded-For and -Proto: what a trusted proxy says, of nobody else.
func (sh shared) trustMaps() (forwarded, proto string) {
	mark := fingerprint(sh.TrustedProxies...)
	trusted := sh.variable("trusted_" + mark)
	forwarded, proto = sh.variable("for_"+mark), sh.variable("proto_"+mark)
	networks := []string{"default 0;"}
	for _, p := range sh.TrustedProxies {
		networks = append(networks, p+" 1;")
	}
	sh.own.add("trusted_"+mark, block("geo $realip_remote_addr "+trusted, networks...)+"\n"+
		block("map "+trusted+":$http_x_forwarded_for "+forwarded, "default $remote_addr;",
			`"~^1:(.+)$" "$1, $realip_remote_addr";`)+"\n"+
		block("map "+trusted+":$http_x_forwarded_proto "+proto, "default $scheme;", "1:https https;", "1:http  "+
			"http;"))
	return forwarded, proto
}

// limitScope is the variable that begins a limit's key: a location sets it. It has to be known where none does.
func (sh shared) limitScope() string {
	sh.own.add("limit", block("map '' "+sh.variable("limit"), "default '';"))
	return sh.variable("limit")
}

func (sh shared) connectionZone() string {
	zone := "wsprovision_" + sh.scope + "connections"
	sh.own.add("limit_connections",
		fmt.Sprintf("limit_conn_zone %s$binary_remote_addr zone=%s:10m;\n", sh.limitScope(), zone))
	return zone
}

func (sh shared) requestZone(rate int) string {
	zone := fmt.Sprintf("wsprovision_%srequests_%d", sh.scope, rate)
	sh.own.add(fmt.Sprintf("limit_requests_%d", rate), fmt.Sprintf(
		"limit_req_zone %s$binary_remote_addr zone=%s:10m rate=%dr/s;\n", sh.limitScope(), zone, rate))
	return zone
}

// shared writes the maps and zones that locations refer to, and gives their names.
type shared struct{ *writer }

func (w *writer) shared() shared { return shared{w} }
