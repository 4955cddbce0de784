package config

import (
	"strings"
	"time"
)

// setting is one value that a flag and a variable can give. The file has it under the same key, but for those under
// "site.", which are the flags' site and have a place of their own in the file's list.
type setting struct {
	key   string
	flag  string
	value any // the default
	parse func(scalar) (any, error)
	usage string
}

// settings is every one of them, in the order of the help.
func settings() []setting {
	return []setting{
		{"site.server_name", "server-name", []string(nil), split(serverName),
			"`names` that clients use, separated by commas"},
		{"site.backend", "backend", Backend{}, untyped(backend), "WebSocket backend, `host:port`"},
		{"site.path", "path", "/", untyped(locationPath), "`path` under which the backend is reached"},
		{"site.http_backend", "http-backend", Backend{}, untyped(backend),
			"plain HTTP on / goes to this `host:port` (needs --path)"},
		{"site.listen", "listen", []Listen(nil), split(listen),
			"`ports` or addresses to listen on, separated by commas (default 80)"},
		{"epel.source", "epel-source", EPELRepository,
			untyped(oneOf(EPELRepository, EPELPackage, EPELMirror, EPELNone)),
			"where EPEL comes from: repository, package, mirror or none"},
		{"epel.package", "epel-package", "", untyped(urlOrPath),
			"URL or `file` of the epel-release package (source package)"},
		{"epel.baseurl", "epel-baseurl", "", untyped(baseURL), "`URL` of an EPEL 7 repository (source mirror)"},
		{"epel.gpgkey", "epel-gpgkey", "", untyped(urlOrPath),
			"URL or `file` of EPEL's public key (sources package and mirror)"},
		{"epel.fingerprint", "epel-fingerprint", EPEL7Fingerprint, untyped(fingerprint),
			"that key's `fingerprint` (default EPEL 7's)"},
		{"selinux.label_listen_ports", "label-listen-ports", false, untyped(truth),
			"label listen ports http_port_t where nginx may not bind them"},
		{"on_drift", "on-drift", DriftFail, untyped(oneOf(DriftReplace, DriftKeep, DriftFail)),
			"what becomes of our files edited by hand: fail, keep or replace"},
		{"wait.yum_lock", "wait-yum-lock", YumLockWait, untyped(wait), "how long to wait for yum's lock"},
		{"wait.semanage_lock", "wait-semanage-lock", SemanageLockWait, untyped(wait),
			"how long to wait for semanage's lock"},
		{"worker_shutdown_timeout", "worker-shutdown-timeout", time.Duration(0), untyped(timeout),
			"after a reload, cut connections of old workers after this `duration` (default never)"},
	}
}

// Flag is what a command needs to register a flag. All of them take text, so that Load sees what was typed.
type Flag struct {
	Name  string
	Usage string // the value's name in back quotes, as pflag wants it
	Bool  bool   // --name alone means --name=true
}

// Flags is every flag that Load takes, in the order of the help.
func Flags() []Flag {
	var all []Flag
	for _, s := range settings() {
		_, truth := s.value.(bool)
		all = append(all, Flag{Name: s.flag, Usage: s.usage, Bool: truth})
	}
	return all
}

func (s setting) variable() string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(s.flag, "-", "_"))
}

// untyped forgets a parser's type, which merge asks for again.
func untyped[T any](parse func(scalar) (T, error)) func(scalar) (any, error) {
	return func(s scalar) (any, error) { return parse(s) }
}

// split parses a list that is separated by commas.
func split[T any](parse func(scalar) (T, error)) func(scalar) (any, error) {
	return func(s scalar) (any, error) {
		var all []T
		for part := range strings.SplitSeq(s.text, ",") {
			one, err := parse(scalar{text: strings.TrimSpace(part), tag: s.tag})
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
		return all, nil
	}
}
