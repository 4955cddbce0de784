package kinds

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"wsprovision/provision/site"
)

// Backends are the servers of a location: each an address, behind it nginx's own options of a server.
var Backends = Kind[site.Backend]{About{Type: "backend", Wrong: "http://127.0.0.1:3000",
	Bounds: `A host name, an IPv4 address or an IPv6 address in brackets and quotes ("[::1]:3000"), and a port; ` +
		"https:// before it where the backend speaks TLS. Or unix: and the absolute path of a UNIX socket, of at " +
		"most 107 letters, digits and / - . _ ~ + = @. Behind it may stand weight=1 to 100, max_fails=0 to 100 " +
		"and backup, each with a blank before it.",
	Schema: Pattern(`^((https://)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]+|unix:/[A-Za-z0-9/._~+=@-]+)` +
		`( (weight|max_fails)=[0-9]+| backup)*$`)}, backend, BackendWords}

func BackendWords(b site.Backend) any { return b.String() + b.Options() }

// backend parses an address and its options.
func backend(s Scalar) (site.Backend, error) {
	if s.Tag == "!!int" || s.Tag == "!!float" {
		return site.Backend{}, fmt.Errorf("%s is no address: write host and port, like 127.0.0.1:3000", Quote(s.Text))
	}
	value, err := text(s)
	if err != nil {
		return site.Backend{}, err
	}
	words := strings.Split(value, " ")
	b, err := backendAddress(words[0])
	switch {
	case err == nil:
		err = backendOptions(&b, words[1:])
	case len(words) > 1: // a blank within the address
		_, err = backendAddress(value)
	}
	if err != nil {
		return site.Backend{}, fmt.Errorf("%s: %w", Quote(value), err)
	}
	return b, nil
}

func backendAddress(value string) (site.Backend, error) {
	if socket, ok := strings.CutPrefix(value, "unix:"); ok {
		return site.Backend{Socket: socket}, socketPath(socket)
	}
	address, https := strings.CutPrefix(value, "https://")
	if https {
		address = strings.TrimSuffix(address, "/")
	}
	if https && !strings.Contains(address, "/") && strings.LastIndexByte(address, ':') <= strings.LastIndexByte(address,
		']') {
		return site.Backend{}, fmt.Errorf("the port is missing: write https://%s:443", Cut(address))
	}
	if address == "" {
		return site.Backend{}, fmt.Errorf("the address is missing: write host and port, like 127.0.0.1:3000")
	}
	host, number, err := hostPort(address)
	if err != nil {
		return site.Backend{}, err
	}
	n, err := port(number)
	return site.Backend{Host: host, Port: n, HTTPS: https}, err
}

// longestSocket is what fits into sockaddr_un (unix(7)) with the 0 that ends it.
const longestSocket = 107

// socketPath is of a socket that nginx can reach: EPEL's nginx.service has PrivateTmp=true, with which /tmp and
// /var/tmp are directories of its own.
func socketPath(name string) error {
	switch {
	case name == "" || name[0] != '/':
		return fmt.Errorf("the path of a UNIX socket is absolute: write unix:/run/app/app.sock")
	case path.Clean(name) != name || name == "/":
		return fmt.Errorf("the path of a UNIX socket names a file, without // /. or /.. in it")
	case len(name) > longestSocket:
		return fmt.Errorf("the path of a UNIX socket has at most %d characters, and this one %d", longestSocket,
			len(name))
	case strings.HasPrefix(name, "/tmp/") || strings.HasPrefix(name, "/var/tmp/"):
		return fmt.Errorf("nginx does not see that socket, because its service has a /tmp and a /var/tmp of its own " +
			"(PrivateTmp): have the application make it in a directory below /run")
	}
	return Only(name, Alphanum+"/-._~+=@")
}

func backendOptions(b *site.Backend, words []string) error {
	seen := map[string]bool{}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		if seen[name] {
			return fmt.Errorf("%s stands twice", Cut(name))
		}
		seen[name] = true
		if err := backendOption(b, name, value, w); err != nil {
			return err
		}
	}
	return nil
}

func backendOption(b *site.Backend, name, value, word string) error {
	n, err := strconv.Atoi(value)
	whole := err == nil && strconv.Itoa(n) == value
	switch {
	case word == "backup":
		b.Backup = true
	case name == "weight" && whole && n >= 1 && n <= 100:
		b.Weight = n
	case name == "max_fails" && whole && n >= 0 && n <= 100:
		b.MaxFails = &n
	case name == "weight":
		return fmt.Errorf("weight is a number from 1 to 100, like weight=3")
	case name == "max_fails":
		return fmt.Errorf("max_fails is a number from 0 to 100, like max_fails=3")
	default:
		return fmt.Errorf("%s is no option of a backend: behind the address may stand weight=, max_fails= and backup",
			Quote(word))
	}
	return nil
}
