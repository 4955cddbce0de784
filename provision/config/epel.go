package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"wsprovision/provision/secret"
)

// urlOrPath is http, https or file with a host where one is due, or an absolute path. http will do: what is fetched is
// checked against a pinned key.
func urlOrPath(s scalar) (string, error) {
	if strings.HasPrefix(s.text, "/") && !strings.HasPrefix(s.text, "//") { // which is a URL without its scheme
		return filePath(s)
	}
	return webAddress(s, ",", ", or be an absolute path")
}

// baseURL may hold the variables of yum that make sense in it.
func baseURL(s scalar) (string, error) {
	return webAddress(s, "$", "")
}

func webAddress(s scalar, more, orElse string) (string, error) {
	value, err := text(s)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(value)
	switch {
	case !strings.HasPrefix(value, "http:") && !strings.HasPrefix(value, "https:") &&
		!strings.HasPrefix(value, "file:"):
		return "", fmt.Errorf("%s must start with http://, https:// or file:///%s", shown(value), orElse)
	case err != nil && strings.Contains(value, "@"): // the cause may quote a part of the password
		return "", fmt.Errorf("%s is no URL: in a user or a password write %%40 for @, %%2F for /, %%23 for #, "+
			"%%3F for ?, %%25 for %%", shown(value))
	case err != nil:
		return "", fmt.Errorf("this is no URL: %w", errors.Unwrap(err)) // which may have a password in it
	case u.Scheme == "file" && (u.Host != "" || !strings.HasPrefix(u.Path, "/")):
		return "", fmt.Errorf("%s: a file's URL has three slashes, like file:///srv/epel", shown(value))
	case u.Scheme != "file" && u.Hostname() == "":
		return "", fmt.Errorf("%s has no host", shown(value))
	case !plainPort(u.Port()):
		return "", fmt.Errorf("%s: the port must be from 1 to 65535", shown(value))
	case u.Fragment != "" || strings.Contains(value, "#"):
		return "", fmt.Errorf("%s: remove the # and what follows", shown(value))
	case len(value) > 1000:
		return "", fmt.Errorf("%s has more than 1000 characters", shown(value))
	case strings.Contains(strings.NewReplacer("$basearch", "", "$releasever", "").Replace(value), "$"):
		return "", fmt.Errorf("%s: only $basearch and $releasever are accepted, and only in a repository's address",
			shown(value))
	}
	return value, secret.Error(only(value, alphanum+"-._~:/?&=+@%![]"+more))
}

// plainPort is a URL's port, of which net/url asks only that it has digits, or "" for none.
func plainPort(port string) bool {
	n, err := strconv.Atoi(port)
	return port == "" || err == nil && n >= 1 && n <= 65535
}

// shown is a value for a message, without credentials, also where it is no URL: all before its last @, and its query.
func shown(value string) string {
	rest := value
	if _, behind, found := strings.Cut(value, "://"); found {
		rest = behind
	}
	scheme := strings.TrimSuffix(value, rest)
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = secret.Hidden + rest[at:]
	}
	if before, query, asks := strings.Cut(rest, "?"); asks && query != "" {
		rest = before + "?" + secret.Hidden
	}
	return quote(scheme + rest)
}

// fingerprint takes any scalar's text: forty digits without a letter, or with one E, are a number to YAML.
func fingerprint(s scalar) (string, error) {
	value := strings.ToUpper(strings.Join(strings.Fields(s.text), ""))
	switch {
	case value == "" || s.tag == "!!null":
		return text(scalar{})
	case len(value) != 40 || strings.Trim(value, "0123456789ABCDEF") != "":
		return "", fmt.Errorf("%s must be the key's whole fingerprint, 40 hexadecimal digits: gpg --with-fingerprint "+
			"FILE shows it", quote(s.text))
	}
	return value, nil
}

// epelSource is what each source needs, of one of them one at least, and takes besides.
type epelSource struct{ needs, oneOf, takes []string }

var epelSources = map[string]epelSource{
	EPELAuto:    {takes: []string{"epel.baseurl", "epel.gpgkey", "epel.fingerprint"}},
	EPELPackage: {needs: []string{"epel.package", "epel.gpgkey"}, takes: []string{"epel.fingerprint"}},
	EPELMirror: {needs: []string{"epel.gpgkey"}, oneOf: []string{"epel.baseurl", "epel.metalink", "epel.mirrorlist"},
		takes: []string{"epel.fingerprint"}},
}

// epelKeys are all of them but the source.
var epelKeys = []string{"epel.package", "epel.baseurl", "epel.metalink", "epel.mirrorlist", "epel.gpgkey",
	"epel.fingerprint"}

// checkEPEL names what the source needs, and what was written for another source and would be ignored.
func checkEPEL(e EPEL, at origins, p *problems) {
	if at["epel.source"].wrong {
		return
	}
	source := epelSources[e.Source]
	for _, key := range source.needs {
		if !at.has(key) {
			lacking(key, fmt.Sprintf("%s needs %s too", e.Source, key), at, p)
		}
	}
	checkOneOf(e, source, at, p)
	if e.Source == EPELAuto && at.has("epel.fingerprint") && !at.has("epel.gpgkey") &&
		e.Fingerprint != EPEL7Fingerprint {
		p.add(at.problem("epel.fingerprint", "is not that of the key which wsprovision has: give epel.gpgkey too"))
	}
	for _, key := range epelKeys {
		if at.has(key) && !slices.Contains(slices.Concat(source.needs, source.oneOf, source.takes), key) {
			p.add(at.problem(key, fmt.Sprintf("is not used with epel.source %s: remove it, or change the source",
				e.Source)))
		}
	}
}

// checkOneOf asks for one address of the repository: yum would take the mirrors of all that are given.
func checkOneOf(e EPEL, source epelSource, at origins, p *problems) {
	given := slices.DeleteFunc(slices.Clone(source.oneOf), func(key string) bool { return !at.has(key) })
	switch {
	case len(source.oneOf) > 0 && len(given) == 0:
		lacking(source.oneOf[0], fmt.Sprintf("%s needs %s too, or epel.metalink or epel.mirrorlist in its place",
			e.Source, source.oneOf[0]), at, p)
	case len(given) > 1:
		p.add(at.problem(given[1], fmt.Sprintf("stands beside %s: one address is asked for", given[0])))
	}
}

// lacking is a problem of a key that is not there, where the source is written that needs it.
func lacking(key, message string, at origins, p *problems) {
	problem := at.problem("epel.source", message)
	problem.Key = key
	p.add(problem)
}
